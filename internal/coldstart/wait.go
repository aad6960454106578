// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"context"
	"time"

	"github.com/gemma-go/sdk/internal/fault"
)

// wait queues the call until it is granted what it waits for, or leaves.
func (g *Gate) wait(c *call) error {
	now := time.Now()
	if c.ctx.Err() != nil || !c.deadline.IsZero() && !now.Before(c.deadline) {
		g.mu.Lock()
		defer g.unlock()
		return g.leave(c, now, nil)
	}
	g.mu.Lock()
	g.expire(now)
	if g.ready && c.body == nil { // it became so since Ready looked; there is no body that would give a slot back
		g.unlock()
		return nil
	}
	if g.ready && g.queue.n == 0 && g.slots.free() {
		g.slots.inUse++
		c.grant = grantSlot
		g.unlock()
		return nil
	}
	c.ch, c.grant, c.err = make(chan struct{}), grantNone, nil
	g.queue.add(c)
	g.failFast(now)
	g.pump(now)
	g.unlock()

	var out <-chan time.Time
	if c.timed {
		t := time.NewTimer(time.Until(c.deadline))
		defer t.Stop()
		out = t.C
	}
	select {
	case <-c.ch:
		if c.grant == grantFail {
			return c.err
		}
		if c.ctx.Err() == nil {
			return nil
		}
	case <-c.ctx.Done():
	case <-out:
	}
	return g.withdraw(c)
}

// withdraw takes a call that leaves out of the queue, and gives back what it
// may have been granted in the same moment.
func (g *Gate) withdraw(c *call) error {
	now := time.Now()
	g.mu.Lock()
	defer g.unlock()
	switch c.grant {
	case grantFail:
		return c.err
	case grantReady:
		return nil
	case grantSlot:
		g.slots.inUse--
		c.grant = grantNone
		g.pump(now)
	case grantLead:
		g.probing = false
		c.grant = grantNone
		g.pump(now)
	default:
		g.queue.remove(c)
		if g.queue.n == 0 {
			g.nobodyWaits()
		}
	}
	return g.leave(c, now, nil)
}

// nobodyWaits ends what was going on for those who waited.
func (g *Gate) nobodyWaits() {
	if g.timer != nil {
		g.timer.Stop()
	}
	if g.leader == nil && g.probeCancel != nil {
		g.probeCancel()
	}
}

// pump moves everything on that can move: it admits the calls that wait, or
// sends the next probe, or sets the timer for what comes next. g.mu is held.
func (g *Gate) pump(now time.Time) {
	if g.ready {
		for g.queue.n > 0 && g.slots.free() {
			g.slots.inUse++
			g.queue.give(g.queue.head, grantSlot, nil)
		}
		if g.queue.n > 0 && g.slots.ramping() {
			g.alarm(g.slots.changed.Add(rampEvery), now)
		}
		return
	}
	if g.queue.n == 0 {
		if g.timer != nil && !g.probing {
			g.timer.Stop()
		}
		return
	}
	if g.probing {
		return
	}
	if g.start == nil {
		g.start = &start{began: now}
	}
	if next := g.due(now); next.After(now) {
		g.alarm(next, now)
		return
	}
	g.launch(now)
}

// due is when the next probe is to be sent: as planned, but in time for the
// last of those who would otherwise all be gone by then.
func (g *Gate) due(now time.Time) time.Time {
	next := g.start.next
	if !next.After(now) {
		return next
	}
	var last time.Time
	for c := g.queue.head; c != nil; c = c.next {
		if !c.deadline.Before(next) {
			return next
		}
		if c.deadline.After(last) {
			last = c.deadline
		}
	}
	margin := min(max(last.Sub(g.start.failedAt)/20, 250*time.Millisecond), 5*time.Second)
	if early := last.Add(-margin); early.After(g.start.failedAt.Add(margin)) {
		return early
	}
	return next
}

// alarm sets the timer. A time that has passed fires at once.
func (g *Gate) alarm(at, now time.Time) {
	d := max(at.Sub(now), 0)
	if g.timer == nil {
		g.timer = time.AfterFunc(d, g.tick)
		return
	}
	g.timer.Reset(d)
}

// tick is what the timer does. It may come late or in vain: everything is
// looked at anew.
func (g *Gate) tick() {
	now := time.Now()
	g.mu.Lock()
	defer g.unlock()
	if g.ready {
		if g.queue.n > 0 && g.slots.ramping() && now.Sub(g.slots.changed) >= rampEvery {
			g.slots.ramp(now)
		}
	} else if g.probing && g.start != nil && now.Sub(g.start.sentAt) >= holdGrace {
		g.start.known = true // held for so long: it is being started
		g.failFast(now)
	}
	g.pump(now)
}

// holdGrace is how long an attempt may be held before that alone tells a start
// from a warm answer. Only FailFast needs to know.
const holdGrace = 2 * time.Second

// failFast ends the wait of those who would wait in vain, if that is wanted.
func (g *Gate) failFast(now time.Time) {
	if !g.cfg.FailFast || g.ready || g.start == nil || !g.start.known || now.Sub(g.start.sentAt) > wakeAgain {
		return
	}
	soonest, expected := g.soonest(now), g.remaining(now)
	hopeless := func(c *call) bool { return !c.deadline.IsZero() && c.deadline.Sub(now) < soonest }
	for c := g.queue.head; c != nil; {
		next := c.next
		if hopeless(c) {
			e := failedFast(g.start.last, c.attempts, c.deadline.Sub(now), expected)
			g.say(Event{Type: EventGaveUp, Waited: now.Sub(c.began), Expected: expected, Attempts: c.attempts, Status: e.Status, Reason: e.Message})
			g.queue.give(c, grantFail, g.stamp(c, e, now))
		}
		c = next
	}
	if g.leader != nil && hopeless(g.leader) {
		g.probeCancel()
	}
	if g.queue.n == 0 {
		g.nobodyWaits()
	}
}

// wakeAgain is how old the last probe may be for FailFast to refuse a call
// without sending one: an instance that nobody asks for is not kept.
const wakeAgain = time.Minute

// Ready returns when the endpoint can answer and has loaded the model. If the
// endpoint is known to be ready that is one cheap request, Config.Probe; else
// the call joins those who wait. Without a Probe nothing can wake the endpoint
// on behalf of Ready: it then waits for what other calls find out, and fails
// with fault.Unsupported if there are none.
func (g *Gate) Ready(ctx context.Context) error {
	c := &call{ctx: ctx, began: time.Now(), opts: OptionsOf(ctx)}
	g.bound(c)
	g.mu.Lock()
	g.seq++
	c.seq = g.seq
	g.expire(c.began)
	warm := g.ready
	alone := g.cfg.Probe == nil && !warm && !g.probing && g.queue.n == 0
	g.unlock()
	if alone {
		return &fault.Error{Kind: fault.Unsupported, Message: "there is no probe that could wake the endpoint", Hint: "send a request instead"}
	}
	if warm {
		if g.cfg.Probe == nil {
			return nil
		}
		if done, err := g.check(c); done {
			return err
		}
	}
	return g.wait(c)
}
