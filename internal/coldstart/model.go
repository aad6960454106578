// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"math"
	"math/rand/v2"
	"time"
)

const (
	minProbeGap = 100 * time.Millisecond

	// How many probes a start is worth, besides the one that wakes the
	// endpoint: the waste falls with one over their number. A first start, of
	// which nothing is known, gets fewer, spread wider.
	usualProbes = 12.5
	firstProbes = 10.0
	fewestAtAll = 10.0
	mostAtAll   = 14.0

	// What starts spend over or under that is made up for over so many starts.
	settleOver = 20.0

	// heldFrom is how long an attempt must have taken to count as held.
	heldFrom = time.Second
	// warmUntil is how long the answer to the first probe of all may take
	// without telling of a start.
	warmUntil = 2 * time.Second
)

// model is what the gate has learned of this endpoint's starts. The gate's lock
// guards it.
type model struct {
	belief
	dist   *distribution // of the belief; nil when it has to be made anew
	starts int           // that took more than one probe
	probes int           // spent on them
}

func newModel(prior, expected time.Duration) model {
	return model{belief: newBelief(prior, expected)}
}

// median is the predicted one, in seconds.
func (m *model) median() float64 { return math.Exp(m.mean) }

func (m *model) distribution() *distribution {
	if m.dist == nil {
		m.dist = m.belief.distribution()
	}
	return m.dist
}

// worth is how many probes the next start is worth, so that all starts
// together stay within what one is worth.
func (m *model) worth() float64 {
	if m.seen == 0 {
		return firstProbes
	}
	over := float64(m.probes) - (usualProbes+1)*float64(m.starts)
	return min(max(usualProbes-over/settleOver, fewestAtAll), mostAtAll)
}

// next is how long to wait for the next probe after the n-th of a start was
// refused: at after its beginning, having been held for hold.
func (m *model) next(s *start, n int, at, hold time.Duration) time.Duration {
	if hold < heldFrom {
		hold = 0 // the way there and back, not a hold
	}
	worth := m.worth()
	if s.plan == nil || abs(s.plan.hold-hold.Seconds()) > s.plan.hold/5 {
		s.plan = newPlan(m.distribution(), hold.Seconds(), minProbeGap.Seconds(), worth)
	}
	t := at.Seconds()
	gap := s.plan.after(t) - t
	if m.seen > 1 && t > m.median() {
		gap = min(gap, tailGap*t)
	}
	if m.seen > 0 && t > surprise*m.median() {
		gap = max(gap, tailGap*t)
	}
	// A start that has used up what it is worth goes on for longer than was
	// believed possible: from there on the time that passed is what matters.
	from, growth := 4*worth, overGrowth
	if m.seen == 0 {
		from, growth = 0.8*worth, overGrowthFirst
	}
	if over := float64(n) - from; over > 0 {
		gap = max(gap, t*min(growth*over, overGrowthMost))
	}
	d := time.Duration(gap * float64(time.Second))
	d += time.Duration((rand.Float64() - 0.5) * probeJitter * float64(d))
	return max(d, minProbeGap)
}

const (
	// tailGap bounds the gap, as a part of the time that passed, in starts that
	// take longer than most: few do, so that it costs little, and what is seen
	// of two or three starts says little about them.
	tailGap = 0.12

	// surprise is the multiple of the median beyond which a start is of another
	// kind than those seen before: a new image, a larger model.
	surprise = 4.0

	// probeJitter spreads the probes of clients that started to wait together.
	probeJitter = 0.1

	// Growth of the gap, as a part of the time that passed, for each probe too
	// many.
	overGrowth      = 0.012
	overGrowthFirst = 0.06
	overGrowthMost  = 0.3
)

func abs(x float64) float64 { return max(x, -x) }

// learned adds a start that took between from and to, and so many probes.
//
// Within the interval the start is taken to have ended where the belief so far
// has its middle: the half of a long interval would pull the belief down by
// what is known to be improbable.
func (m *model) learned(from, to time.Duration, probes int) {
	at := to
	if from < to {
		t := m.distribution().between(from.Seconds(), to.Seconds())
		at = time.Duration(t * float64(time.Second))
	}
	m.observe(at)
	m.dist = nil
	m.count(probes)
}

func (m *model) count(probes int) {
	m.starts++
	m.probes += probes
}

// gap is how long to wait for the next probe of a start.
func (g *Gate) gap(s *start, now time.Time) time.Duration {
	return g.model.next(s, s.attempts, now.Sub(s.began), s.holds)
}

// learn takes note of a start that is over: an attempt sent then was answered
// now. Nothing is learned where the answer says little about when the endpoint
// became ready: if the first request of all was simply answered, or if nobody
// asked for a long while.
func (g *Gate) learn(s *start, sent, now time.Time) {
	took := now.Sub(sent)
	if !s.known || s.failedAt.IsZero() {
		if g.cfg.Probe != nil && took >= warmUntil {
			g.model.learned(now.Sub(s.began), now.Sub(s.began), s.attempts)
		}
		return
	}
	from, to := s.failedAt.Sub(s.began), sent.Sub(s.began)
	if s.holds >= heldFrom && took >= heldFrom {
		from, to = now.Sub(s.began), now.Sub(s.began) // held until it was ready
	}
	if s.failures > 0 || sent.Sub(s.next) > (to-from)/4 {
		g.model.count(s.attempts)
		return
	}
	g.model.learned(from, to, s.attempts)
}

// remaining is how much longer the start under way will probably take; for one
// that has not begun, the whole of it.
func (g *Gate) remaining(now time.Time) time.Duration { return g.left(now, 0.5) }

// soonest is the time before which the start is hardly over.
func (g *Gate) soonest(now time.Time) time.Duration { return g.left(now, 0.05) }

func (g *Gate) left(now time.Time, p float64) time.Duration {
	if g.ready {
		return 0
	}
	var passed time.Duration
	if g.start != nil {
		passed = now.Sub(g.start.began)
	}
	t := g.model.distribution().quantile(p, passed.Seconds())
	return max(time.Duration(t*float64(time.Second))-passed, 0)
}
