// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"sync"
	"time"

	"github.com/gemma-go/sdk/gemma"
)

// status is what the client last told of its endpoint. It turns the client's
// events into something to show.
type status struct {
	mu      sync.Mutex
	state   string    // "unknown", "cold" or "ready"
	readyAt time.Time // when the start is expected to be over
}

func newStatus() *status { return &status{state: "unknown"} }

// observe is the client's OnEvent. It only notes; it never blocks a call.
func (s *status) observe(e gemma.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e.Type {
	case gemma.EventCold, gemma.EventProbe:
		s.state = "cold"
		if e.Expected > 0 {
			s.readyAt = time.Now().Add(e.Expected)
		}
	case gemma.EventReady:
		s.state = "ready"
	}
}

// view is what browsers and probes see.
type view struct {
	State    string  `json:"state"`
	Expected float64 `json:"expected_seconds,omitempty"` // how much longer the start will probably take
}

func (s *status) view() view {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := view{State: s.state}
	if s.state == "cold" {
		v.Expected = max(0, time.Until(s.readyAt).Seconds())
	}
	return v
}
