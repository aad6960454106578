// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"errors"
	"net/http"
	"time"
)

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
		if g.ready && notFound(o) { // a path that this one asked for, at an endpoint that serves others
			release()
			return false, 0, g.stamp(c, broken(c.last), now)
		}
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

// notFound reports whether an attempt was answered with 404, be it that a
// station below has made an error of that.
func notFound(o Observation) bool {
	var s interface{ StatusCode() int }
	return o.Status == http.StatusNotFound || errors.As(o.Err, &s) && s.StatusCode() == http.StatusNotFound
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
