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
