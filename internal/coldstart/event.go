// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"fmt"
	"time"
)

// EventType says what an [Event] tells.
type EventType uint8

const (
	EventCold       EventType = iota + 1 // a refusal showed that the endpoint is not ready; callers wait
	EventProbe                           // a probe is sent to an endpoint that is not ready
	EventReady                           // the endpoint became ready
	EventRetry                           // a request is sent again
	EventOverloaded                      // the endpoint is up and refused a request for want of a slot
	EventGaveUp                          // a call ended without an answer
)

var eventNames = [...]string{"", "cold", "probe", "ready", "retry", "overloaded", "gave up"}

func (t EventType) String() string {
	if int(t) < len(eventNames) && t != 0 {
		return eventNames[t]
	}
	return fmt.Sprintf("event %d", uint8(t))
}

// Event is one thing that happened at the gate. One that a probe caused may be
// told just after the calls it concerns went on. It never holds anything of a
// request or of an answer's content.
type Event struct {
	Type     EventType
	Waited   time.Duration // by the call, or since the start was asked for when the event is no single call's
	Expected time.Duration // how much longer the start will probably take; 0 when unknown
	Attempts int           // requests sent: by the call, or for the start
	Status   int           // HTTP status that caused the event; 0 when there was none
	Reason   string        // in plain words
	Next     time.Duration // until the next attempt, where one is planned
	InUse    int           // slots in use
	Limit    int           // slots admitted at present
	Waiting  int           // calls that wait
	Err      error         // the cause, where there is one
}

// say queues an event until the gate's lock is released. g.mu is held.
func (g *Gate) say(e Event) {
	if g.cfg.OnEvent == nil {
		return
	}
	e.InUse, e.Limit, e.Waiting = g.slots.inUse, g.slots.limit, g.queue.n
	g.events = append(g.events, e)
}

// unlock releases the gate and then delivers what happened under the lock.
func (g *Gate) unlock() {
	events := g.events
	g.events = nil
	g.mu.Unlock()
	for _, e := range events {
		g.cfg.OnEvent(e)
	}
}
