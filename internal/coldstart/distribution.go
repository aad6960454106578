// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"math"
	"sort"
	"time"
)

// belief is what the gate believes of the time that a start takes: its
// logarithm is normal with unknown mean and variance, and the belief about
// those is the conjugate one (normal-inverse-gamma), so that one observation
// is four additions. The predictive distribution is Student's t in the
// logarithm; that it has fat tails while little was seen is the point of doing
// it this way. See Murphy, "Conjugate Bayesian analysis of the Gaussian
// distribution", 2007, section 3.
type belief struct {
	mean   float64 // of log seconds
	weight float64 // of the mean, in observations
	shape  float64
	scale  float64
	seen   int // starts observed
}

const (
	generalPrior = 30 * time.Second

	// How far off the median of a start may be from the guess, as the standard
	// deviation of its logarithm: a factor of 5 for a guess by model size, of
	// 2 for what the user says.
	guessSpread = 1.6
	toldSpread  = 0.7

	// The spread of starts of one service around their median that is expected
	// before any was seen, as the standard deviation of the logarithm, and how
	// many observations that expectation is worth.
	usualSpread  = 0.5
	spreadWeight = 6.0

	// Starts long past count for less: images get cached, models get changed.
	memory = 30
)

func newBelief(prior, expected time.Duration) belief {
	median, spread := generalPrior, guessSpread
	if prior > 0 {
		median = prior
	}
	if expected > 0 {
		median, spread = expected, toldSpread
	}
	return belief{
		mean:   math.Log(median.Seconds()),
		weight: usualSpread * usualSpread / (spread * spread),
		shape:  spreadWeight / 2,
		scale:  spreadWeight / 2 * usualSpread * usualSpread,
	}
}

// observe adds one start.
func (b *belief) observe(d time.Duration) {
	x := math.Log(max(d, 10*time.Millisecond).Seconds())
	if b.weight > memory {
		forget := memory / (b.weight + 1)
		b.weight *= forget
		b.shape = 1 + (b.shape-1)*forget
		b.scale *= forget
	}
	off := x - b.mean
	b.scale += b.weight * off * off / (2 * (b.weight + 1))
	b.mean += off / (b.weight + 1)
	b.weight++
	b.shape += 0.5
	b.seen++
}

// predictive returns location, scale and degrees of freedom of the predictive
// distribution of the logarithm of the next start.
func (b *belief) predictive() (loc, scale, freedom float64) {
	return b.mean, math.Sqrt(b.scale * (b.weight + 1) / (b.shape * b.weight)), 2 * b.shape
}

// cells is the resolution of a distribution.
const cells = 512

// distribution is a predictive distribution on a grid that is even in the
// logarithm. Cell i lies between at[i] and at[i+1]. Times are in seconds.
type distribution struct {
	at   [cells + 1]float64
	cum  [cells + 1]float64 // probability of ready by at[i]
	mom  [cells + 1]float64 // the integral of time × probability up to at[i]
	low  float64            // log of at[0]
	step float64            // in the logarithm
}

func (b *belief) distribution() *distribution {
	loc, scale, freedom := b.predictive()
	// Five scales each side hold all but a thousandth even of the fat tails
	// that one or two starts leave.
	d := &distribution{low: loc - 5*scale, step: 10 * scale / cells}
	var sum, mom float64
	d.at[0] = math.Exp(d.low)
	for i := range cells {
		z := (float64(i)+0.5)*10/cells - 5
		p := math.Pow(1+z*z/freedom, -(freedom+1)/2)
		d.at[i+1] = math.Exp(d.low + float64(i+1)*d.step)
		sum += p
		mom += p * (d.at[i] + d.at[i+1]) / 2
		d.cum[i+1], d.mom[i+1] = sum, mom
	}
	for i := range d.cum {
		d.cum[i] /= sum
		d.mom[i] /= sum
	}
	return d
}

// index returns the first grid point that is not before t, at most cells.
func (d *distribution) index(t float64) int {
	if t <= d.at[0] {
		return 0
	}
	i := max(0, min(int((math.Log(t)-d.low)/d.step), cells))
	for i < cells && d.at[i] < t {
		i++
	}
	for i > 0 && d.at[i-1] >= t {
		i--
	}
	return i
}

// quantile returns the time by which a start that took longer than after is
// done with probability p. Beyond the grid a start takes half as long again as
// it took already.
func (d *distribution) quantile(p, after float64) float64 {
	i := d.index(after)
	rest := 1 - d.cum[i]
	if rest < 1e-3 {
		return max(after*(1+p), d.at[cells]/2)
	}
	want := d.cum[i] + p*rest
	return d.at[sort.Search(cells, func(i int) bool { return d.cum[i] >= want })]
}

// between returns the median of what lies between two times.
func (d *distribution) between(from, to float64) float64 {
	lo, hi := d.probability(from), d.probability(to)
	if hi-lo < 1e-9 {
		return (from + to) / 2
	}
	want := (lo + hi) / 2
	i := sort.Search(cells, func(i int) bool { return d.cum[i+1] >= want })
	if p := d.cum[i+1] - d.cum[i]; p > 0 {
		return min(max(d.at[i]+(d.at[i+1]-d.at[i])*(want-d.cum[i])/p, from), to)
	}
	return d.at[i]
}

// probability returns how probable it is that a start is over by t.
func (d *distribution) probability(t float64) float64 {
	switch i := d.index(t); {
	case i == 0:
		return 0
	case t >= d.at[cells]:
		return 1
	default:
		part := (t - d.at[i-1]) / (d.at[i] - d.at[i-1])
		return d.cum[i-1] + part*(d.cum[i]-d.cum[i-1])
	}
}
