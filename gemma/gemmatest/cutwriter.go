// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"sync"
)

// cutWriter lets the front end take a response away from the container that is
// writing it. What the container writes afterwards fails.
type cutWriter struct {
	http.ResponseWriter
	cancel context.CancelFunc // ends the container's request
	told   func(status int)   // called before the client is told

	mu       sync.Mutex
	status   int // what the client was told; 0 as long as it was told nothing
	page     int // the status with which the front end cut in; 0 if it did not
	hijacked bool
}

func (w *cutWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.header(status)
}

func (w *cutWriter) header(status int) {
	if w.page != 0 || w.status != 0 {
		return
	}
	if status >= 200 {
		w.status = status
		w.told(status)
		w.Header().Set("Server", "Google Frontend")
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *cutWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.page != 0 {
		return 0, http.ErrHandlerTimeout
	}
	w.header(http.StatusOK)
	return w.ResponseWriter.Write(b)
}

func (w *cutWriter) FlushError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.page != 0 {
		return http.ErrHandlerTimeout
	}
	w.header(http.StatusOK)
	return http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *cutWriter) Flush() { w.FlushError() }

// Hijack is there for the faults that need the connection itself.
func (w *cutWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.hijacked = true
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// cut takes the response away: with a page of that status if the client has
// seen nothing yet, else by cutting the connection.
func (w *cutWriter) cut(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.page == 0 {
		w.page = status
	}
	w.cancel()
}

// finish is called when the container's handler has returned. It gives the
// page that must answer in its place, if any, and does not return if the
// client has to see a broken connection.
func (w *cutWriter) finish(aborted bool, path string) *Page {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.hijacked:
		panic(http.ErrAbortHandler)
	case w.page == 0 && !aborted:
		if w.status == 0 { // net/http will say 200 for a handler that said nothing
			w.header(http.StatusOK)
		}
		return nil
	case w.status != 0:
		panic(http.ErrAbortHandler)
	case w.page == 0: // the container closed the connection without an answer
		w.page = http.StatusServiceUnavailable
	}
	w.status = w.page
	return FrontEndPage(w.page, path)
}
