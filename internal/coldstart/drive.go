// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/gemma-go/sdk/internal/fault"
)

// call is one RoundTrip or Ready on its way through the gate. What concerns
// the queue is guarded by the gate's lock; the rest belongs to the caller's
// goroutine.
type call struct {
	ctx      context.Context
	opts     *Options
	body     *replay // nil for Ready
	began    time.Time
	deadline time.Time // when the call leaves, by its context or MaxWait
	timed    bool      // MaxWait comes before the context's deadline
	attempts int
	tries    int // in a row, of an endpoint that was ready
	sentAt   time.Time
	last     failure

	seq        uint64        // order of arrival
	ch         chan struct{} // closed when grant is set
	grant      grant
	err        error
	next, prev *call
	queued     bool
}

func (g *Gate) newCall(req *http.Request) *call {
	c := &call{ctx: req.Context(), began: time.Now()}
	c.opts = OptionsOf(c.ctx)
	g.bound(c)
	g.mu.Lock()
	g.seq++
	c.seq = g.seq
	g.mu.Unlock()
	return c
}

// bound sets when the call leaves.
func (g *Gate) bound(c *call) {
	d, has := c.ctx.Deadline()
	limit := g.cfg.MaxWait
	if limit <= 0 && !has {
		limit = defaultMaxWait
	}
	if limit > 0 && (!has || c.began.Add(limit).Before(d)) {
		d, c.timed = c.began.Add(limit), true
	}
	c.deadline = d
}

// canRetry reports whether the call may send another attempt after one that
// ended with v.
func (c *call) canRetry(v Verdict) bool {
	return c.body.again() && (!c.opts.NoRetry || v.Unsent || !c.body.sent)
}

// drive takes a call from its arrival, or from the outcome of a first attempt,
// to its end.
func (g *Gate) drive(c *call, resp *http.Response, err error) (*http.Response, error) {
	defer func() {
		c.body.close()
		if t := c.opts.Trace; t != nil {
			*t = Trace{Attempts: c.attempts, Status: c.last.status}
			if !c.sentAt.IsZero() {
				t.Waited = c.sentAt.Sub(c.began)
			}
		}
	}()
	var cancel context.CancelFunc
	for {
		if resp == nil && err == nil {
			if c.grant == grantNone {
				if err := g.wait(c); err != nil {
					return nil, err
				}
			}
			resp, cancel, err = g.send(c)
		}
		if err != nil && c.ctx.Err() != nil {
			err = &ended{context.Cause(c.ctx)}
		}
		o := Observation{Err: err}
		if resp != nil {
			o.Status, o.Header = resp.StatusCode, resp.Header
			c.last.status = resp.StatusCode
			if resp.StatusCode >= 400 {
				o.Body = peek(resp)
			}
		}
		done, pause, err2 := g.judge(c, o)
		switch {
		case err2 != nil:
			drop(resp)
			stop(cancel)
			return nil, err2
		case done:
			if c.grant == grantSlot {
				g.hold(resp, cancel)
			} else if cancel != nil {
				resp.Body = &heldBody{body: resp.Body, cancel: cancel}
			}
			return resp, nil
		}
		drop(resp)
		stop(cancel)
		resp, err, cancel = nil, nil, nil
		if pause > 0 {
			if err := g.pause(c, pause); err != nil {
				return nil, err
			}
		}
	}
}

func stop(cancel context.CancelFunc) {
	if cancel != nil {
		cancel()
	}
}

// send sends one attempt. The attempt of a leader ends with MaxWait, with
// FailFast, and with its caller.
func (g *Gate) send(c *call) (*http.Response, context.CancelFunc, error) {
	ctx := c.ctx
	if c.grant == grantLead {
		lead, cancel := context.WithCancelCause(ctx)
		ctx = lead
		g.mu.Lock()
		g.leader = c
		g.probeCancel = func() { cancel(errFailFast) }
		g.mu.Unlock()
		if c.timed {
			t := time.AfterFunc(time.Until(c.deadline), func() { cancel(errMaxWait) })
			defer t.Stop()
		}
		c.attempts++
		c.sentAt = time.Now()
		req, err := c.body.next(ctx)
		if err != nil {
			cancel(nil)
			return nil, nil, err
		}
		resp, err := g.cfg.Base.RoundTrip(req)
		if err != nil && lead.Err() != nil {
			err = &ended{context.Cause(lead)}
		}
		g.mu.Lock()
		g.leader, g.probeCancel = nil, nil
		g.mu.Unlock()
		return resp, func() { cancel(nil) }, err
	}
	c.attempts++
	c.sentAt = time.Now()
	req, err := c.body.next(ctx)
	if err != nil {
		return nil, nil, err
	}
	resp, err := g.cfg.Base.RoundTrip(req)
	return resp, nil, err
}

// ended is how an attempt ends whose context did. The transport may return the
// context's cause instead, which can be any error.
type ended struct{ cause error }

func (e *ended) Error() string        { return e.cause.Error() }
func (e *ended) Unwrap() error        { return e.cause }
func (e *ended) Is(target error) bool { return target == context.Canceled }

// judge decides what becomes of a call after one attempt: it is done with its
// answer, or it ends with an error, or it goes on after a pause. When it goes
// on without a slot, c.grant is grantNone.
func (g *Gate) judge(c *call, o Observation) (done bool, pause time.Duration, err error) {
	now := time.Now()
	g.mu.Lock()
	defer g.unlock()
	lead := c.grant == grantLead
	o.Ready = g.ready
	o.InFlight = g.slots.inUse - g.slots.asleep
	if !lead {
		o.InFlight--
	}
	o.Refused = g.refused
	if g.refused > 0 {
		o.Sick = now.Sub(g.sickSince)
	}
	v := Classify(o)
	if v.Class == Ended && c.ctx.Err() == nil && !errors.As(o.Err, new(*ended)) {
		v = lost(o, "the connection timed out") // a deadline of the transport's own
	}
	if v.Class != Answer {
		f := note(o, v)
		c.last = f
	}
	if lead {
		g.probing = false
		defer g.pump(now)
		return g.judgeLead(c, o, v, now)
	}
	return g.judgeSlot(c, o, v, now)
}

func (g *Gate) judgeLead(c *call, o Observation, v Verdict, now time.Time) (bool, time.Duration, error) {
	c.grant = grantNone
	switch v.Class {
	case Answer:
		if v.FrontEnd { // its word on this request; the server has not been asked
			g.start.next = now
			return true, 0, nil
		}
		if o.Status >= 500 {
			// The server is up and fails by itself. Whether it would serve
			// others too, the next one finds out.
			g.start.failed(now)
			return true, 0, nil
		}
		g.becomeReady(c.sentAt, now)
		g.slots.inUse++
		c.grant = grantSlot
		return true, 0, nil
	case Overloaded:
		g.becomeReady(c.sentAt, now)
		g.slots.inUse++
		c.grant = grantSlot
		return g.judgeSlot(c, o, v, now)
	case Broken:
		return false, 0, g.fail(c, v, now)
	case Ended:
		return false, 0, g.leave(c, now, o.Err)
	}
	if e := g.refusedCold(c.last, c.sentAt, now); e != nil {
		g.failAll(e, nil, now)
		return false, 0, g.stamp(c, e, now)
	}
	if !c.canRetry(v) {
		g.say(Event{Type: EventGaveUp, Waited: now.Sub(c.began), Attempts: c.attempts, Status: o.Status, Reason: v.Reason, Err: o.Err})
		return false, 0, interrupted(c.last, c.attempts, now.Sub(c.began), "the request cannot be repeated; wake the endpoint first")
	}
	return false, 0, nil
}

func (g *Gate) judgeSlot(c *call, o Observation, v Verdict, now time.Time) (bool, time.Duration, error) {
	release := func() {
		g.slots.inUse--
		c.grant = grantNone
		g.pump(now)
	}
	switch v.Class {
	case Answer:
		g.lastOK = now
		return true, 0, nil
	case Broken:
		release()
		return false, 0, g.fail(c, v, now)
	case Ended:
		release()
		return false, 0, g.leave(c, now, o.Err)
	}
	if o.InFlight == 0 {
		if g.refused == 0 {
			g.sickSince = now
		}
		g.refused++
	}
	if !c.canRetry(v) {
		release()
		g.say(Event{Type: EventGaveUp, Waited: now.Sub(c.began), Attempts: c.attempts, Status: o.Status, Reason: v.Reason, Err: o.Err})
		return false, 0, interrupted(c.last, c.attempts, now.Sub(c.began), "the request cannot be repeated")
	}
	e := Event{Type: EventRetry, Waited: now.Sub(c.began), Attempts: c.attempts, Status: o.Status, Reason: v.Reason, Err: o.Err}
	c.tries++
	switch v.Class {
	case Cold:
		if g.ready {
			g.ready = false
			g.start = &start{began: now, sentAt: now}
		}
		fault := g.refusedCold(c.last, c.sentAt, now)
		release()
		if fault != nil {
			return false, 0, g.stamp(c, fault, now)
		}
		return false, 0, nil
	case Overloaded:
		e.Type = EventOverloaded
		keep := g.slots.refused(now)
		if !keep {
			g.say(e)
			release()
			return false, 0, nil
		}
		e.Next = g.pauseFor(c, o.InFlight == 0)
		if wait, ok := g.budget.take(now); !ok {
			e.Next = max(e.Next, wait)
		}
	default: // Interrupted
		if _, ok := g.budget.take(now); !ok || c.tries > maxTries {
			release()
			e.Type = EventGaveUp
			g.say(e)
			return false, 0, interrupted(c.last, c.attempts, now.Sub(c.began), "the endpoint fails too often; look at the service's logs")
		}
		e.Next = g.pauseFor(c, true)
	}
	g.slots.asleep++
	g.say(e)
	return false, e.Next, nil
}

// maxTries is how often one request that gets lost at a ready endpoint is sent
// again: it may be the request that kills the server.
const maxTries = 4

// pauseFor is the pause before a ready endpoint is asked again: short while
// other requests show that it works, and growing while nothing does.
func (g *Gate) pauseFor(c *call, alone bool) time.Duration {
	base, most := 50*time.Millisecond, 2*time.Second
	if alone {
		base, most = 250*time.Millisecond, 10*time.Second
	}
	d := min(base<<min(c.tries-1, 10), most)
	return max(jitter(d), c.last.retryAfter)
}

// jitter spreads d by a quarter, so that the clients of one endpoint do not
// come back together.
func jitter(d time.Duration) time.Duration {
	return d - d/4 + rand.N(d/2+1)
}

// pause waits with the slot held, and gives it up afterwards if there are too
// many by then.
func (g *Gate) pause(c *call, d time.Duration) error {
	left := time.Until(c.deadline)
	out := left <= d
	t := time.NewTimer(min(d, left))
	defer t.Stop()
	select {
	case <-c.ctx.Done():
		out = true
	case <-t.C:
	}
	if out && c.ctx.Err() == nil && !c.timed {
		<-c.ctx.Done() // the deadline is this very moment
	}
	now := time.Now()
	g.mu.Lock()
	defer g.unlock()
	g.slots.asleep--
	if !out && g.ready && g.slots.inUse <= g.slots.limit {
		return nil
	}
	g.slots.inUse--
	c.grant = grantNone
	g.pump(now)
	if !out {
		return nil // back into the queue, where it is among the first
	}
	return g.leave(c, now, nil)
}

// leave is the fault of a call whose time is over. g.mu is held.
func (g *Gate) leave(c *call, now time.Time, err error) error {
	waited := now.Sub(c.began)
	var e *fault.Error
	switch {
	case errors.Is(err, errFailFast):
		e = failedFast(c.last, c.attempts, c.deadline.Sub(now), g.remaining(now))
	case g.ready && c.attempts > 0 && c.last.verdict.Class == Ended:
		e = &fault.Error{
			Kind: fault.Interrupted, Attempts: c.attempts, Retry: true, Err: causeOf(c.ctx),
			Message: "the call's context ended before the answer began",
		}
	default:
		last := c.last
		if last.verdict.Reason == "" || last.verdict.Class == Ended {
			last = failure{}
			if g.start != nil {
				last = g.start.last
			}
		}
		e = g.gaveUp(causeOf(c.ctx), last, g.ready, c.attempts, waited, g.remaining(now))
	}
	e.Waited = waited
	g.say(Event{Type: EventGaveUp, Waited: waited, Expected: e.Expected, Attempts: c.attempts, Status: e.Status, Reason: e.Message, Err: e.Err})
	return e
}

// fail ends the wait of everybody for whom the failure is final, and returns
// the fault for c.
func (g *Gate) fail(c *call, v Verdict, now time.Time) error {
	e := broken(c.last)
	g.failAll(e, nil, now)
	g.say(Event{Type: EventGaveUp, Waited: now.Sub(c.began), Attempts: c.attempts, Status: e.Status, Reason: v.Reason, Err: e.Err})
	return g.stamp(c, e, now)
}

// failAll ends the wait of every call that match accepts; nil accepts all.
func (g *Gate) failAll(e *fault.Error, match func(*call) bool, now time.Time) {
	for c := g.queue.head; c != nil; {
		next := c.next
		if match == nil || match(c) {
			g.queue.give(c, grantFail, g.stamp(c, e, now))
		}
		c = next
	}
}

// stamp makes a shared fault one call's own.
func (g *Gate) stamp(c *call, e *fault.Error, now time.Time) error {
	own := *e
	own.Attempts, own.Waited = c.attempts, now.Sub(c.began)
	return &own
}
