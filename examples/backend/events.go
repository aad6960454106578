// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
)

// events writes server-sent events. It is safe for concurrent use.
type events struct {
	w     http.ResponseWriter
	http  *http.ResponseController
	first func() bool // called before the first text; false means that it came too late

	mu   sync.Mutex
	open bool // the header is out
}

var errLate = errors.New("too late")

// send writes one event and flushes it, so that the browser shows it at once.
func (e *events) send(event string, data any) error {
	if event == "text" && e.first != nil {
		first := e.first
		e.first = nil
		if !first() {
			return errLate
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.open {
		e.open = true
		h := e.w.Header()
		h.Set("Content-Type", "text/event-stream")
		h.Set("Cache-Control", "no-store")
		h.Set("X-Accel-Buffering", "no") // proxies in between must not collect
	}
	b, err := json.Marshal(data) // JSON holds no line break, as an event's data must not
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(e.w, "event: %s\ndata: %s\n\n", event, b); err != nil {
		return err
	}
	return e.http.Flush()
}

func (e *events) begun() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.open
}
