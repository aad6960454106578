// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"maps"
	"time"
)

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
	st := Stats{Requests: len(f.log.requests())}
	f.in.stats(&st)
	return st
}
