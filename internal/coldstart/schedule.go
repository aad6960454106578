// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import "math"

// plan is the best times to probe during one start, given what is believed of
// its length and for how long the front end holds a probe before it sheds it.
//
// Barlow, Hunter and Proschan ("Optimum checking procedures", 1963) show that
// with a cost of c for a probe, and of one per second for the time between
// ready and found, probes are best sent with a density of sqrt(h(t)/2c), where
// h is the hazard of "ready". That holds for many probes that are answered at
// once. The plan solves the problem itself, by dynamic programming on the grid
// of the distribution, which also covers few probes and held ones: a probe
// that is held finds whatever happens while it is held.
//
// c is not known; the number of probes worth spending is. So c is searched for
// such that the expected number is met.
type plan struct {
	dist *distribution
	hold float64
	next [cells + 1]int32 // from the point at which it is known not to be ready, the next probe
	ends [cells + 1]int32 // the point at which a probe sent at i has been shed
}

const (
	// tailGrowth is how much the time passed grows from probe to probe where
	// the distribution has nothing to say any more: a start far longer than
	// any believed possible. It keeps the number of probes logarithmic.
	tailGrowth = 1.12
)

// newPlan makes a plan that expects to need about so many probes, beyond the
// first one that woke the endpoint.
func newPlan(dist *distribution, hold, minGap, probes float64) *plan {
	p := &plan{dist: dist, hold: hold}
	for i, t := range dist.at {
		p.ends[i] = int32(max(dist.index(t+hold), min(i, cells)))
	}
	from := dist.index(hold)
	// The cost of a probe, between one that is never and one that is always
	// worth saving.
	lo, hi := math.Log(dist.at[cells/2]*1e-6), math.Log(dist.at[cells/2]*10)
	for range 14 {
		mid := (lo + hi) / 2
		if p.solve(math.Exp(mid), minGap, from) > probes {
			lo = mid
		} else {
			hi = mid
		}
	}
	p.solve(math.Exp(hi), minGap, from)
	return p
}

// solve fills in the plan for the cost c and returns the number of probes
// expected from the point from on.
func (p *plan) solve(c, minGap float64, from int) float64 {
	d := p.dist
	var cost, count [cells + 1]float64 // from a point on, times the probability of getting there
	p.next[cells] = cells
	best := cells // the next probe never comes earlier for a later point
	for i := cells - 1; i >= 0; i-- {
		alive := 1 - d.cum[i]
		least := math.Inf(1)
		top := best
		for j := i + 1; j <= top; j++ {
			if d.at[j]-d.at[i] < minGap && j < top {
				continue
			}
			e := p.ends[j]
			v := c*alive + d.at[j]*(d.cum[j]-d.cum[i]) - (d.mom[j] - d.mom[i]) + cost[e]
			if v < least {
				least, best = v, j
			}
		}
		cost[i], p.next[i] = least, int32(best)
		count[i] = alive + count[p.ends[best]]
	}
	return count[from]
}

// after returns when to send the next probe if the endpoint was not ready at
// t seconds after the start was asked for.
func (p *plan) after(t float64) float64 {
	d := p.dist
	if t >= d.at[cells-1] {
		return t*tailGrowth + minProbeGap.Seconds()
	}
	i := d.index(t)
	next := d.at[p.next[i]]
	if i > 0 && i <= cells {
		before := d.at[p.next[i-1]]
		part := (t - d.at[i-1]) / (d.at[i] - d.at[i-1])
		next = before + part*(next-before)
	}
	return next
}
