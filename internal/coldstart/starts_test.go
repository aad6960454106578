// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// law is a distribution of start times.
type law struct {
	name   string
	median float64 // seconds
	draw   func(*rand.Rand) float64
}

// spread is the standard deviation of the logarithm of the lognormal laws: two
// starts of three are within a third of the median.
const spread = 0.35

func laws() []law {
	all := []law{{"8s+Exp(12s)", 8 + 12*math.Ln2, func(r *rand.Rand) float64 { return 8 + 12*r.ExpFloat64() }}}
	for _, m := range []float64{5, 20, 60, 270, 1200} {
		all = append(all, law{fmt.Sprintf("lognormal %v", time.Duration(m)*time.Second), m, func(r *rand.Rand) float64 { return m * math.Exp(spread*r.NormFloat64()) }})
	}
	return all
}

// tally adds up what starts cost.
type tally struct {
	starts, failed, probes, most int
	late                         int     // starts after the second of their process
	waste                        float64 // of the late ones, in seconds
}

// process runs so many starts of one process, with so many callers each.
func (s *tally) process(t *testing.T, l law, hold time.Duration, status, starts, callers int, probe bool, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	c := &cloud{hold: hold, status: status}
	cfg := Config{Base: c}
	if probe {
		cfg.Probe = ping
	}
	g := New(cfg)
	for k := range starts {
		startFor := l.draw(r)
		c.sleep(time.Duration(startFor * float64(time.Second)))
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(3*max(startFor, l.median)*float64(time.Second)))
		var wg sync.WaitGroup
		var mu sync.Mutex
		for range callers {
			wg.Go(func() {
				if _, err := get(ctx, g); err != nil {
					mu.Lock()
					s.failed++
					mu.Unlock()
					t.Log(err)
				}
			})
		}
		wg.Wait()
		cancel()
		s.starts++
		found := 0
		if !probe { // the request that found it ready is one of the callers' own
			found = 1
		}
		s.probes += c.requests - callers + found
		s.most = max(s.most, c.coldMost)
		if k >= 2 {
			s.late++
			s.waste += c.first.Sub(c.readyAt()).Seconds()
		}
		time.Sleep(time.Hour) // long enough for everybody to forget
	}
}

// TestStarts holds the schedule against every law of start times and every way
// in which the front end refuses.
func TestStarts(t *testing.T) {
	processes := 40
	few := testing.Short() || raceEnabled
	if few {
		processes = 2
	}
	for _, l := range laws() {
		for _, hold := range []time.Duration{0, 10 * time.Second} {
			t.Run(fmt.Sprintf("%s/hold %v", l.name, hold), func(t *testing.T) {
				var sum tally
				for i, status := range []int{429, 500, 503} {
					synctest.Test(t, func(t *testing.T) {
						for p := range processes {
							sum.process(t, l, hold, status, 12, 1+p%3*4, p%2 == 0, uint64(i*1000+p))
						}
					})
				}
				waste := sum.waste / float64(sum.late) / l.median
				probes := float64(sum.probes) / float64(sum.starts)
				t.Logf("%d starts: waste %.2f %% of the median, %.2f probes a start, %d failed", sum.starts, 100*waste, probes, sum.failed)
				if float64(sum.failed) > 0.001*float64(sum.starts) {
					t.Errorf("%d of %d starts failed", sum.failed, sum.starts)
				}
				if waste > 0.05 && !few {
					t.Errorf("%.1f %% of the median start is wasted after ready", 100*waste)
				}
				if probes > 14 && !few {
					t.Errorf("%.1f probes a start", probes)
				}
				if sum.most > 1 {
					t.Errorf("%d requests at once at an endpoint that is not ready", sum.most)
				}
			})
		}
	}
}
