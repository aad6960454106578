// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma_test

import (
	"errors"
	"log"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
	"github.com/gemma-go/sdk/stream"
)

// bubble runs f in virtual time against an endpoint in memory.
func bubble(t *testing.T, c gemmatest.Config, f func(t *testing.T, srv *gemmatest.Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.InMemory = true
		srv := gemmatest.NewServer(c)
		defer srv.Close()
		f(t, srv)
	})
}

// dial makes a client for srv. Its connections are closed when the test ends,
// before the server waits for them.
func dial(t *testing.T, srv *gemmatest.Server, change ...func(*gemma.Config)) *gemma.Client {
	t.Helper()
	c := gemma.Config{Endpoint: srv.URL, Auth: srv.Source(), Transport: srv.Transport()}
	for _, f := range change {
		f(&c)
	}
	client, err := gemma.NewClient(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func speaking(p gemma.Protocol) func(*gemma.Config) {
	return func(c *gemma.Config) { c.Protocol = p }
}

// fails wants an *Error of kind k.
func fails(t *testing.T, err error, k gemma.Kind) *gemma.Error {
	t.Helper()
	e, ok := errors.AsType[*gemma.Error](err)
	if !ok || e.Kind != k {
		t.Fatalf("error %v, want kind %v", err, k)
	}
	return e
}

// words is a reply of n words, one chunk each.
func words(n int) gemmatest.Reply {
	var r gemmatest.Reply
	for i := range n {
		w := "word" + string(rune('a'+i%26))
		if i > 0 {
			w = " " + w
		}
		r.Chunks = append(r.Chunks, w)
	}
	return r
}

// always is a model that gives one reply to everybody.
func always(r gemmatest.Reply) func(gemmatest.Call) gemmatest.Reply {
	return func(gemmatest.Call) gemmatest.Reply { return r }
}

// text ranges over seq and returns the text up to its end or error.
func text(seq stream.Seq) (string, error) {
	var b strings.Builder
	for s, err := range stream.Text(seq) {
		if err != nil {
			return b.String(), err
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

var hi = genai.Text("Why is the sky blue?")

// watch collects the client's events.
type watch struct {
	mu     sync.Mutex
	events []gemma.Event
}

func (w *watch) config(c *gemma.Config) {
	c.OnEvent = func(e gemma.Event) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.events = append(w.events, e)
	}
}

func (w *watch) of(t gemma.EventType) []gemma.Event {
	w.mu.Lock()
	defer w.mu.Unlock()
	var found []gemma.Event
	for _, e := range w.events {
		if e.Type == t {
			found = append(found, e)
		}
	}
	return found
}

// globalLog captures the global logger, where the Gen AI SDK prints.
func globalLog(t *testing.T) *strings.Builder {
	b := new(strings.Builder)
	log.SetOutput(b)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	return b
}
