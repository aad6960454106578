// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"context"
	"net/http"
	"time"

	"github.com/gemma-go/sdk/internal/fault"
)

// start is one cold start: from the first request that may have woken the
// endpoint until it is ready. The gate's lock guards it.
type start struct {
	began    time.Time
	sentAt   time.Time // when the last probe was sent
	failedAt time.Time // until when the endpoint is known not to have been ready
	next     time.Time // when the next probe is due
	attempts int
	known    bool          // it is a cold start indeed, and not just the first request of the process
	holds    time.Duration // how long the front end held the last probe that it refused
	failures int           // in a row, of the model server itself
	lost     int           // in a row, without any answer
	held     bool          // the front end has held a probe before it refused it
	dead     int           // refused at once with 503 in a row, by a front end that holds while there is something to wait for
	last     failure
	plan     *plan
}

const (
	// A server that answers the probe with an error of its own so often is
	// not going to load the model.
	maxFailures = 3
	// An address at which nobody answers for so long, not even a front end, is
	// not asleep.
	maxLost = 8
	lostFor = 30 * time.Second
	// A front end that held requests while the instance was starting, and then
	// refuses so many at once with 503, has nothing left to wait for. One that
	// never held any says the same during a start as after a failed one.
	maxDead = 3
)

// failed takes note of an attempt that the model server answered with a
// failure of its own: its instance runs, so the schedule of starts is not the
// one to go by.
func (s *start) failed(now time.Time) {
	s.failures++
	s.failedAt = now
	s.next = now.Add(time.Second << min(s.failures, 4))
}

// launch sends the next probe. g.mu is held; the endpoint is not ready, no
// probe is in flight, and somebody waits.
func (g *Gate) launch(now time.Time) {
	var lead *call
	if g.cfg.Probe == nil {
		for lead = g.queue.head; lead != nil && (lead.body == nil || !lead.body.again()); {
			lead = lead.next
		}
		if lead == nil {
			return // those who wait can't ask; whoever comes next can
		}
	}
	s := g.start
	g.probing = true
	s.attempts++
	s.sentAt = now
	g.say(Event{Type: EventProbe, Waited: now.Sub(s.began), Expected: g.remaining(now), Attempts: s.attempts, Status: s.last.status, Reason: s.last.verdict.Reason})
	if g.cfg.FailFast && !s.known {
		g.alarm(now.Add(holdGrace), now)
	}
	if lead != nil {
		g.queue.give(lead, grantLead, nil)
		return
	}
	first := g.queue.head
	ctx, cancel := context.WithCancel(context.WithoutCancel(first.ctx))
	g.probeCancel = cancel
	go g.probe(ctx, cancel, first.opts.Model)
}

// probe runs Config.Probe once, on behalf of all who wait.
func (g *Gate) probe(ctx context.Context, cancel context.CancelFunc, model string) {
	defer cancel()
	sent := time.Now()
	o, v, resp := g.ask(ctx)
	defer drop(resp)
	now := time.Now()
	g.mu.Lock()
	defer g.unlock()
	g.probing, g.probeCancel = false, nil
	if g.start == nil { // an older request's answer came first
		g.pump(now)
		return
	}
	f := note(o, v)
	match := func(c *call) bool { return c.opts.Model == model }
	switch v.Class {
	case Answer:
		if o.Status >= 500 {
			g.start.last = f
			g.start.failed(now)
			if g.start.failures >= maxFailures {
				g.failAll(broken(f), match, now)
				g.start.failures = 0
			}
			break
		}
		e := answerFault(o, f)
		if e != nil {
			g.failAll(e, match, now)
		}
		g.becomeReady(sent, now)
	case Overloaded:
		g.becomeReady(sent, now)
	case Broken:
		g.start.last = f
		e := broken(f)
		if e.FrontEnd || e.Kind != fault.NotFound && e.Kind != fault.Invalid && e.Kind != fault.Unsupported {
			match = nil // it concerns everybody, not the one model that was asked for
		}
		g.failAll(e, match, now)
	case Ended: // nobody waits, or somebody has come since
		if ctx.Err() == nil {
			g.start.last = f
			g.start.next = now.Add(time.Second)
		}
	default:
		if e := g.refusedCold(f, sent, now); e != nil {
			g.failAll(e, nil, now)
		}
	}
	g.pump(now)
}

// ask runs Config.Probe and classifies what came of it, for an endpoint that
// is not ready.
func (g *Gate) ask(ctx context.Context) (Observation, Verdict, *http.Response) {
	resp, err := g.cfg.Probe(ctx, g.cfg.Base.RoundTrip)
	if err != nil && ctx.Err() != nil {
		err = &ended{context.Cause(ctx)}
	}
	o := Observation{Err: err}
	if err == nil && resp != nil {
		o.Status, o.Header = resp.StatusCode, resp.Header
		if o.Status >= 400 {
			o.Body = peek(resp)
		}
	}
	if o.Status == 0 && err == nil {
		o.Status = http.StatusOK // the probe has nothing to complain of
	}
	v := Classify(o)
	if v.Class == Ended && ctx.Err() == nil {
		v = lost(o, "the connection timed out")
	}
	return o, v, resp
}

// answerFault is what a probe's final answer means for those who wait: nil if
// the server can serve. A refusal of the probe itself (400, 405, a path that
// does not exist) is no refusal of them.
func answerFault(o Observation, f failure) *fault.Error {
	switch {
	case o.Status == http.StatusUnauthorized, o.Status == http.StatusForbidden:
		e := broken(f)
		e.Message = f.message
		return e
	case o.Status == http.StatusNotFound && len(o.Body) > 0 && o.Body[0] == '{':
		return broken(f)
	}
	return nil
}

// check is Ready's one request to an endpoint that is ready. It reports false
// if the endpoint turned out not to be ready after all.
func (g *Gate) check(c *call) (bool, error) {
	ctx := c.ctx
	if c.timed {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadlineCause(ctx, c.deadline, errMaxWait)
		defer cancel()
	}
	c.attempts++
	c.sentAt = time.Now()
	o, v, resp := g.ask(ctx)
	defer drop(resp)
	now := time.Now()
	g.mu.Lock()
	defer g.unlock()
	c.last = note(o, v)
	switch v.Class {
	case Answer:
		g.lastOK = now
		if o.Status >= 500 {
			return true, g.stamp(c, broken(c.last), now)
		}
		if e := answerFault(o, c.last); e != nil {
			return true, g.stamp(c, e, now)
		}
		return true, nil
	case Overloaded:
		return true, nil // it answers others
	case Broken:
		return true, g.fail(c, v, now)
	case Ended:
		return true, g.leave(c, now, context.Cause(ctx))
	}
	if g.slots.inUse > 0 {
		return true, nil // full, and serving: the front end says the same as when cold
	}
	if g.ready {
		g.ready = false
		g.start = &start{began: c.sentAt, sentAt: c.sentAt, attempts: 1}
	}
	if !g.probing {
		if e := g.refusedCold(c.last, c.sentAt, now); e != nil {
			return true, g.stamp(c, e, now)
		}
	}
	return false, nil
}

// refusedCold takes note of an attempt that found the endpoint not ready, and
// plans the next one. It returns a fault if there is no point in going on.
func (g *Gate) refusedCold(f failure, sent, now time.Time) *fault.Error {
	s := g.start
	if s == nil {
		s = &start{began: sent, sentAt: sent, attempts: 1}
		g.start = s
	}
	s.last, s.failures = f, 0
	if f.status == 0 {
		if s.lost++; s.lost >= maxLost && now.Sub(s.began) >= lostFor {
			s.lost = 0
			return nobodyThere(f)
		}
	} else {
		s.lost = 0
	}
	if f.status == http.StatusServiceUnavailable && s.held && now.Sub(sent) < heldFrom {
		if s.dead++; s.dead >= maxDead {
			s.dead = 0
			return &fault.Error{
				Kind: fault.Server, Status: f.status, FrontEnd: true, Message: "the instance failed to start", Err: f.err,
				Hint: "look at the service's logs: the container does not come up",
			}
		}
	} else {
		s.dead = 0
	}
	s.held = s.held || now.Sub(sent) >= heldFrom
	if !s.known {
		s.known = true
		g.say(Event{Type: EventCold, Waited: now.Sub(s.began), Expected: g.remaining(now), Attempts: s.attempts, Status: f.status, Reason: f.verdict.Reason, Err: f.err})
	}
	s.failedAt, s.holds = now, now.Sub(sent)
	gap := g.gap(s, now)
	s.next = now.Add(max(gap, f.retryAfter))
	g.say(Event{Type: EventRetry, Waited: now.Sub(s.began), Expected: g.remaining(now), Attempts: s.attempts, Status: f.status, Reason: f.verdict.Reason, Next: s.next.Sub(now), Err: f.err})
	g.failFast(now)
	return nil
}

// becomeReady opens the gate: an attempt sent then was answered now. g.mu is
// held; the caller pumps.
func (g *Gate) becomeReady(sent, now time.Time) {
	s := g.start
	g.ready, g.lastOK, g.start = true, now, nil
	g.refused = 0
	if g.timer != nil {
		g.timer.Stop()
	}
	g.slots.restart(now)
	if s != nil {
		if s.known && !s.failedAt.IsZero() {
			g.slots.rampTo = rampQuick
			if s.holds >= heldFrom {
				g.slots.rampTo = rampHeld
			}
		}
		g.learn(s, sent, now)
		g.say(Event{Type: EventReady, Waited: now.Sub(s.began), Attempts: s.attempts})
	}
	for c := g.queue.head; c != nil; { // those who only wait for this
		next := c.next
		if c.body == nil {
			g.queue.give(c, grantReady, nil)
		}
		c = next
	}
}
