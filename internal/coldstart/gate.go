// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package coldstart is the gate before an endpoint that may be asleep: it tells
// cold from overloaded from broken, lets one probe wake the instance while
// everybody else waits, and admits requests as the endpoint has slots.
//
//	gate := coldstart.New(coldstart.Config{Base: transport})
//	client := &http.Client{Transport: gate}
//
// While the endpoint is not known to be ready, one request is in flight and no
// more, whatever the number of callers. A request that the front end holds is
// left alone until its caller's deadline: headers come with the first token,
// and a client that gives up while a model loads aborts the load (measured on
// Ollama v0.6.5 and v0.24.0). Where the front end sheds at once instead, the
// next probe is sent when the starts seen so far make it most worth while.
//
// There is no goroutine and no timer when nobody waits.
package coldstart

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Config says what is behind the gate. Only Base is required.
type Config struct {
	// Base sends one attempt. It must honour the request's context.
	Base http.RoundTripper

	// MaxWait is the longest time one call waits to be sent. 0 means until the
	// context's deadline, and 30 minutes where it has none.
	MaxWait time.Duration

	// Expected is how long a start takes, as far as the user knows. 0 means
	// Prior.
	Expected time.Duration

	// FailFast makes a call whose deadline is too short for any plausible
	// start fail as soon as the endpoint is seen to be cold, with fault.Cold.
	// The endpoint has then been woken.
	FailFast bool

	// Prior is the median start to be expected of the model served. 0 means
	// half a minute. Unlike Expected it is taken for a rough guess.
	Prior time.Duration

	// Concurrency is how many requests the endpoint takes at once. 0 means
	// that this is learned from what it refuses.
	Concurrency int

	// IdleAfter is how long after the last answer the endpoint still counts as
	// ready. 0 means 10 minutes, the longest that an idle GPU instance of Cloud
	// Run survives.
	IdleAfter time.Duration

	// Probe does the cheapest thing that wakes the endpoint and loads the
	// model. It sends through send: one attempt each, no gate, no retries. It
	// returns the response that settled the matter, which the gate reads and
	// closes, or the error of send. Its context belongs to all who wait: it
	// carries the values of the caller that came first and ends when nobody
	// waits any more. nil means that the first caller's own request is the
	// probe; then a caller that gives up hands the role to the next.
	Probe func(ctx context.Context, send func(*http.Request) (*http.Response, error)) (*http.Response, error)

	// OnEvent is told what happens. It is called without locks from the
	// goroutines of calls and probes, maybe from several at once, and must not
	// block.
	OnEvent func(Event)
}

const (
	defaultMaxWait   = 30 * time.Minute
	defaultIdleAfter = 10 * time.Minute
)

// Gate is an http.RoundTripper that waits until the endpoint can answer. It is
// safe for concurrent use and must be made by [New]. What it learns of the
// endpoint it keeps for itself, so it should live as long as the client.
type Gate struct {
	cfg Config

	mu     sync.Mutex
	ready  bool      // the endpoint has answered within IdleAfter
	lastOK time.Time // when it last did
	start  *start    // the start under way; nil when ready or when nothing was sent yet
	slots  slots
	queue  queue
	budget budget
	model  model // of start times

	probing     bool               // one attempt is at an endpoint that is not ready
	probeCancel context.CancelFunc // of the attempt of Config.Probe
	leader      *call              // whose own request is the probe

	refused   int // attempts refused in a row with nothing else in flight
	sickSince time.Time

	seq    uint64
	timer  *time.Timer // for the next probe, the end of a hold's grace, or the ramp
	events []Event
}

// New returns a gate before an endpoint of which nothing is known.
func New(c Config) *Gate {
	if c.Base == nil {
		c.Base = http.DefaultTransport
	}
	if c.IdleAfter <= 0 {
		c.IdleAfter = defaultIdleAfter
	}
	return &Gate{cfg: c, slots: newSlots(c.Concurrency), model: newModel(c.Prior, c.Expected)}
}

// RoundTrip waits until the endpoint is ready and has a slot for the request,
// sends it, and returns the answer. Requests are admitted in the order in
// which they came. The slot is held until the answer's body is closed or was
// read to its end.
//
// Failures are of type [*fault.Error]. What the model server itself answered
// is not one, whatever its status: it is returned untouched. An attempt that
// got no answer is repeated as long as the context's deadline, MaxWait and a
// budget shared by all calls allow, unless [Options.NoRetry] forbids it. A
// repetition needs the request's GetBody; a body without it is kept in memory
// up to 64 KiB, and a larger one is sent once.
func (g *Gate) RoundTrip(req *http.Request) (*http.Response, error) {
	if now, ok := g.enter(req); ok {
		resp, err := g.cfg.Base.RoundTrip(req)
		if err == nil && resp.StatusCode < 400 {
			if t := OptionsOf(req.Context()).Trace; t != nil {
				*t = Trace{Attempts: 1, Status: resp.StatusCode}
			}
			g.hold(resp, nil)
			return resp, nil
		}
		c := g.newCall(req)
		c.began, c.sentAt = now, now
		c.body = &replay{req: req, get: req.GetBody, sent: true}
		if req.GetBody == nil {
			c.body.get = noBody
		}
		c.attempts, c.grant = 1, grantSlot
		return g.drive(c, resp, err)
	}
	c := g.newCall(req)
	body, err := newReplay(req)
	if err != nil {
		return nil, err
	}
	c.body = body
	return g.drive(c, nil, nil)
}

// enter takes a slot if that needs no waiting.
func (g *Gate) enter(req *http.Request) (now time.Time, ok bool) {
	if req.GetBody == nil && req.Body != nil && req.Body != http.NoBody {
		return now, false // to be kept for a retry first
	}
	now = time.Now()
	g.mu.Lock()
	g.expire(now)
	ok = g.ready && g.queue.n == 0 && g.slots.free()
	if ok {
		g.slots.inUse++
	}
	g.mu.Unlock()
	return now, ok
}

// expire forgets that the endpoint is ready when it had time to be scaled to
// zero. g.mu is held.
func (g *Gate) expire(now time.Time) {
	if g.ready && g.slots.inUse == 0 && now.Sub(g.lastOK) >= g.cfg.IdleAfter {
		g.ready, g.start = false, nil
	}
	if s := g.start; s != nil && !g.probing && now.Sub(s.sentAt) >= g.cfg.IdleAfter {
		g.start = nil // whatever was started then is gone again
	}
}

// hold makes the answer's body hold the slot that its request has.
func (g *Gate) hold(resp *http.Response, cancel context.CancelFunc) {
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	if rw, ok := resp.Body.(writeCloser); ok {
		resp.Body = &heldWriter{heldBody: heldBody{body: resp.Body, gate: g, cancel: cancel}, Writer: rw}
		return
	}
	resp.Body = &heldBody{body: resp.Body, gate: g, cancel: cancel}
}

// finished gives a slot back after an answer.
func (g *Gate) finished() {
	now := time.Now()
	g.mu.Lock()
	g.lastOK = now
	g.refused = 0
	g.budget.answered()
	g.slots.answered(now, g.queue.n > 0)
	g.slots.inUse--
	if g.queue.n > 0 {
		g.pump(now)
	}
	g.unlock()
}

// State is a snapshot of the gate.
type State struct {
	Ready    bool          // the endpoint has answered lately
	Cold     bool          // the endpoint was seen not to be ready
	InUse    int           // requests at the endpoint
	Limit    int           // requests admitted at once, at present
	Waiting  int           // calls that wait
	Probing  bool          // a probe is in flight
	Attempts int           // sent for the start under way
	Waited   time.Duration // since the start under way was asked for
	Expected time.Duration // how much longer it will probably take; 0 when unknown
}

// State returns a snapshot.
func (g *Gate) State() State {
	now := time.Now()
	g.mu.Lock()
	defer g.unlock()
	g.expire(now)
	s := State{Ready: g.ready, InUse: g.slots.inUse, Limit: g.slots.limit, Waiting: g.queue.n, Probing: g.probing}
	if g.start != nil {
		s.Cold, s.Attempts, s.Waited = g.start.known, g.start.attempts, now.Sub(g.start.began)
		s.Expected = g.remaining(now)
	}
	return s
}
