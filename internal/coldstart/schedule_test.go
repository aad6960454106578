// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestDistribution holds the grid against samples of the belief itself.
func TestDistribution(t *testing.T) {
	b := newBelief(20*time.Second, 0)
	for _, s := range []float64{18, 25, 21, 30, 19} {
		b.observe(time.Duration(s * float64(time.Second)))
	}
	d := b.distribution()
	if d.cum[0] != 0 || math.Abs(d.cum[cells]-1) > 1e-9 {
		t.Fatalf("from %v to %v", d.cum[0], d.cum[cells])
	}
	for i := range cells {
		if d.cum[i+1] < d.cum[i] || d.mom[i+1] < d.mom[i] || d.at[i+1] <= d.at[i] {
			t.Fatalf("not monotonic at %d", i)
		}
	}
	for _, p := range []float64{0.1, 0.5, 0.9} {
		if got := d.probability(d.quantile(p, 0)); math.Abs(got-p) > 0.01 {
			t.Errorf("quantile %v has probability %v", p, got)
		}
	}
	if m := d.quantile(0.5, 0); m < 18 || m > 26 {
		t.Errorf("median %v", m)
	}
	if left := d.quantile(0.5, 40); left <= 40 {
		t.Errorf("a start that took 40 s already is over after %v", left)
	}
	if x := d.between(20, 30); x < 20 || x > 30 {
		t.Errorf("between 20 and 30: %v", x)
	}
	if x := d.between(1e6, 2e6); x != 1.5e6 {
		t.Errorf("far out: %v", x)
	}
}

// TestBeliefLearns: the belief comes to what is drawn, and follows when that
// changes.
func TestBeliefLearns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	b := newBelief(0, 0)
	for _, median := range []float64{300, 12} {
		for range 80 {
			b.observe(time.Duration(median * math.Exp(0.3*r.NormFloat64()) * float64(time.Second)))
		}
		d := b.distribution()
		if m := d.quantile(0.5, 0); m < 0.75*median || m > 1.35*median {
			t.Errorf("median %v after 80 starts of %v", m, median)
		}
	}
}

// TestPlanIsNearTheOptimum compares the plan's waste, at equal numbers of
// probes, with that of the density sqrt(h/2c) and of even spacing.
func TestPlanIsNearTheOptimum(t *testing.T) {
	b := newBelief(60*time.Second, 0)
	for range 20 {
		b.observe(45 * time.Second)
		b.observe(80 * time.Second)
	}
	d := b.distribution()
	p := newPlan(d, 0, 0.1, 12)
	count, waste := walk(d, 0, func(t float64) float64 { return p.after(t) })
	if math.Abs(count-12) > 1 {
		t.Errorf("%.2f probes expected, 12 asked for", count)
	}
	// sqrt(f S) integrated: the asymptotic optimum is its square over twice the
	// number of probes.
	k := 0.0
	for i := range cells {
		k += math.Sqrt((d.cum[i+1] - d.cum[i]) * (d.at[i+1] - d.at[i]) * (1 - (d.cum[i]+d.cum[i+1])/2))
	}
	best := k * k / (2 * count)
	if waste > 1.15*best {
		t.Errorf("waste %.3f s with %.2f probes; the asymptotic optimum is %.3f s", waste, count, best)
	}
	step := 66 / count
	evenCount, even := walk(d, 0, func(t float64) float64 { return t + step })
	t.Logf("plan: %.2f probes, %.2f s; optimum %.2f s; even: %.2f probes, %.2f s", count, waste, best, evenCount, even)
	if even*evenCount < 1.2*waste*count {
		t.Errorf("no better than even spacing: %.2f s with %.2f probes", even, evenCount)
	}
	held := newPlan(d, 10, 0.1, 12)
	heldCount, heldWaste := walk(d, 10, func(t float64) float64 { return held.after(t) })
	if heldCount > 13 || heldWaste > waste/4 {
		t.Errorf("held for 10 s: %.2f probes, %.2f s", heldCount, heldWaste)
	}
}

// walk returns the expected number of probes and the expected waste of a
// schedule under a distribution.
func walk(d *distribution, hold float64, next func(float64) float64) (count, waste float64) {
	at := hold
	for alive := 1 - d.probability(at); alive > 1e-6; alive = 1 - d.probability(at) {
		t := max(next(at), at+0.01)
		count += alive
		lo, hi := d.index(at), d.index(t)
		for i := lo; i < hi && i < cells; i++ {
			waste += (d.cum[i+1] - d.cum[i]) * max(0, t-(d.at[i]+d.at[i+1])/2)
		}
		at = t + hold
	}
	return count, waste
}

func BenchmarkPlan(bm *testing.B) {
	b := newBelief(60*time.Second, 0)
	d := b.distribution()
	for bm.Loop() {
		newPlan(d, 0, 0.1, 12)
	}
}

func FuzzPlan(f *testing.F) {
	f.Add(30.0, 20.0, 25.0, 0.0, 12.0, 40.0)
	f.Add(0.001, 1e6, 1e-6, 10.0, 1.0, 0.0)
	f.Fuzz(func(t *testing.T, prior, one, two, hold, probes, at float64) {
		clamp := func(x, lo, hi float64) float64 {
			if !(x > lo) {
				return lo
			}
			return min(x, hi)
		}
		sec := func(x float64) time.Duration { return time.Duration(clamp(x, 0, 1e6) * float64(time.Second)) }
		m := newModel(sec(prior), 0)
		m.learned(sec(one), sec(one)+sec(two), int(clamp(probes, 1, 1000)))
		s := &start{}
		for n := range 5 {
			gap := m.next(s, n*10, sec(at), sec(hold))
			if gap < minProbeGap || gap > 1000*24*time.Hour {
				t.Fatalf("the next probe in %v", gap)
			}
		}
	})
}
