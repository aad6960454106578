// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"maps"
	"time"
)

// Stats are counts since the server was made.
type Stats struct {
	Requests int    // all that arrived
	ByPhase  [3]int // of those that IAM let in: by the instance's Phase at arrival
	Shed     map[int]int
	Starts   int // of instances

	InFlight    int // now, with a ready instance
	MaxInFlight int
	// MaxNotReady is the most requests in flight at once to an endpoint that
	// was not ready: held during a start, or waiting for the model to load.
	MaxNotReady int
	MaxRunning  int // most calls that the model worked on at once

	Generations  int // calls that the model was asked for
	ModelLoads   int // begun
	LoadsAborted int // because the client gave up

	OpenConns int // now
	Conns     int // ever
}

func (in *instance) stats(st *Stats) {
	in.mu.Lock()
	defer in.mu.Unlock()
	st.ByPhase = in.arrived
	st.Shed = maps.Clone(in.shed)
	st.Starts = len(in.starts)
	if in.life != nil {
		st.InFlight = in.life.inFlight
	}
	st.MaxInFlight = in.maxIn
	st.MaxNotReady = in.maxEarly
}

func (e *engine) stats(st *Stats) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st.MaxNotReady = max(st.MaxNotReady, e.maxWait)
	st.MaxRunning = e.maxPlays
	st.Generations = e.calls
	st.ModelLoads = e.loads
	st.LoadsAborted = e.aborted
}

// close ends what is left of the instance.
func (in *instance) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.stop()
}

// InFlight is how many requests the instance is answering now.
func (f *FrontEnd) InFlight() int {
	f.in.mu.Lock()
	defer f.in.mu.Unlock()
	f.in.settle(time.Now())
	if f.in.life == nil {
		return 0
	}
	return f.in.life.inFlight
}

// Stats returns the front end's counts; those of a model server are zero.
func (f *FrontEnd) Stats() Stats {
	st := Stats{Requests: f.log.count()}
	f.in.stats(&st)
	return st
}
