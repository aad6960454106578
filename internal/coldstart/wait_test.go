// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/internal/fault"
)

// each runs a test in a bubble with and without a probe.
func each(t *testing.T, f func(t *testing.T, cfg Config)) {
	for mode, probe := range modes {
		t.Run(mode, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { f(t, Config{Probe: probe}) })
		})
	}
}

// TestGivingUpHarmsNobody: the first caller leaves while its attempt is held.
func TestGivingUpHarmsNobody(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		c := &cloud{startFor: time.Minute, hold: time.Hour, slots: 4}
		cfg.Base = c
		g := New(cfg)
		var wg sync.WaitGroup
		for i := range 10 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				ctx := t.Context()
				if i < 3 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Duration(i+1)*5*time.Second)
					defer cancel()
				}
				began := time.Now()
				_, err := get(ctx, g)
				if i < 3 {
					if e := fault.Of(err); e == nil || e.Kind != fault.Cold || !errors.Is(err, context.DeadlineExceeded) || e.Expected <= 0 {
						t.Errorf("caller %d: %v", i, err)
					}
					return
				}
				if err != nil || time.Since(began) > time.Minute {
					t.Errorf("caller %d: %v after %v", i, err, time.Since(began))
				}
			})
		}
		wg.Wait()
		if c.coldMost != 1 {
			t.Errorf("%d at once", c.coldMost)
		}
		want := 0
		if cfg.Probe == nil {
			want = 3 // each of them was the probe when it left
		}
		if c.aborted != want {
			t.Errorf("%d attempts were aborted", c.aborted)
		}
	})
}

func TestProbeEndsWhenNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{startFor: time.Hour, hold: time.Hour}
		g := New(Config{Base: c, Probe: ping})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if errs := crowd(ctx, g, 5); errs[0] == nil {
			t.Error("no error")
		}
		synctest.Wait()
		if s := g.State(); c.aborted != 1 || s.Probing || s.Waiting != 0 {
			t.Errorf("aborted %d, state %+v", c.aborted, s)
		}
	})
}

func TestMaxWait(t *testing.T) {
	for _, hold := range []time.Duration{0, 24 * time.Hour} {
		for _, limit := range []time.Duration{0, 40 * time.Second} {
			t.Run(fmt.Sprintf("hold %v/MaxWait %v", hold, limit), func(t *testing.T) {
				each(t, func(t *testing.T, cfg Config) {
					cfg.Base = &cloud{startFor: 12 * time.Hour, hold: hold, status: 500}
					cfg.MaxWait = limit
					g := New(cfg)
					began := time.Now()
					for _, err := range crowd(t.Context(), g, 3) {
						e := fault.Of(err)
						if e == nil || e.Kind != fault.Cold || !e.Retryable() || e.Hint == "" {
							t.Errorf("got %v", err)
						}
					}
					want := limit
					if want == 0 {
						want = defaultMaxWait
					}
					if took := time.Since(began); took != want {
						t.Errorf("left after %v, want %v", took, want)
					}
				})
			})
		}
	}
}

func TestFailFast(t *testing.T) {
	for _, hold := range []time.Duration{0, time.Hour} {
		t.Run(fmt.Sprintf("hold %v", hold), func(t *testing.T) {
			each(t, func(t *testing.T, cfg Config) {
				c := &cloud{startFor: 2 * time.Minute, hold: hold, status: 503}
				cfg.Base, cfg.FailFast, cfg.Expected = c, true, 2*time.Minute
				g := New(cfg)
				for i := range 3 {
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
					began := time.Now()
					_, err := get(ctx, g)
					e := fault.Of(err)
					if e == nil || e.Kind != fault.Cold || e.Expected < time.Minute || e.Hint == "" || !errors.Is(err, errFailFast) {
						t.Errorf("call %d: %+v", i, e)
					}
					if took := time.Since(began); took > holdGrace {
						t.Errorf("call %d failed after %v", i, took)
					}
					cancel()
				}
				if c.woken.IsZero() {
					t.Error("the endpoint was not woken")
				}
				began := time.Now() // a caller with time waits
				if _, err := get(t.Context(), g); err != nil || time.Since(began) > 3*time.Minute {
					t.Errorf("%v after %v", err, time.Since(began))
				}
			})
		})
	}
}

func TestLastChance(t *testing.T) {
	// The next probe of a start believed to take 20 minutes may be planned for
	// after the caller's deadline; one is sent before it all the same.
	each(t, func(t *testing.T, cfg Config) {
		c := &cloud{startFor: 50 * time.Second, status: 503}
		cfg.Base, cfg.Expected = c, 20*time.Minute
		g := New(cfg)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := get(ctx, g); err != nil {
			t.Error(err)
		}
	})
}

func TestRetryAfterIsHonoured(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		var times []time.Time
		c := &cloud{before: func(_ *http.Request, since time.Duration) (*http.Response, error) {
			times = append(times, time.Now())
			if len(times) > 2 {
				return nil, nil
			}
			resp := reply(503, plain, "Service Unavailable")
			resp.Header.Set("Retry-After", []string{"7", "3600"}[len(times)-1])
			return resp, nil
		}}
		cfg.Base, cfg.Prior = c, time.Second
		if _, err := get(t.Context(), New(cfg)); err != nil {
			t.Fatal(err)
		}
		if gap := times[1].Sub(times[0]); gap != 7*time.Second {
			t.Errorf("asked again after %v", gap)
		}
		if gap := times[2].Sub(times[1]); gap != maxRetryAfter {
			t.Errorf("asked again after %v", gap)
		}
	})
}

func TestEventsTellTheStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{startFor: 20 * time.Second, status: 429}
		var mu sync.Mutex
		var events []Event
		g := New(Config{Base: c, Probe: ping, OnEvent: func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, e)
		}})
		crowd(t.Context(), g, 5)
		synctest.Wait()
		seen := map[EventType]int{}
		for _, e := range events {
			seen[e.Type]++
			if e.Type == EventCold && (e.Expected <= 0 || e.Status != 429 || e.Reason == "" || e.Attempts != 1 || e.Waiting < 1) {
				t.Errorf("cold: %+v", e)
			}
			if e.Type == EventReady && (e.Waited < 20*time.Second || e.Attempts != seen[EventProbe]) {
				t.Errorf("ready: %+v", e)
			}
			if e.Type == EventRetry && (e.Next <= 0 || e.Waited >= 20*time.Second) {
				t.Errorf("retry: %+v", e)
			}
		}
		if seen[EventCold] != 1 || seen[EventReady] != 1 || seen[EventProbe] < 2 || seen[EventRetry] != seen[EventProbe]-1 || seen[EventGaveUp] != 0 {
			t.Errorf("%v", seen)
		}
	})
}

// TestLeavingWithTheRole: a call that is made the probe, or is given a slot, in
// the moment in which its context ends hands it on.
func TestLeavingWithTheRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{Base: &cloud{}, Concurrency: 1})
		gone, cancel := context.WithCancel(t.Context())
		queued := func(ctx context.Context) *call {
			req, _ := http.NewRequestWithContext(ctx, "GET", "http://gemma.test/", nil)
			c := g.newCall(req)
			c.body, _ = newReplay(req)
			c.ch = make(chan struct{})
			g.queue.add(c)
			return c
		}
		first, second, third := queued(gone), queued(t.Context()), queued(t.Context())
		g.pump(time.Now())
		if first.grant != grantLead || second.grant != grantNone {
			t.Fatalf("granted %v, %v", first.grant, second.grant)
		}
		cancel()
		if err := g.withdraw(first); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if second.grant != grantLead || third.grant != grantNone || !g.probing {
			t.Errorf("granted %v, %v", second.grant, third.grant)
		}
		g.probing = false
		second.grant = grantSlot // as if it had been admitted
		g.ready, g.slots.inUse, g.start = true, 1, nil
		_ = g.withdraw(second)
		if third.grant != grantSlot || g.slots.inUse != 1 {
			t.Errorf("granted %v, %d in use", third.grant, g.slots.inUse)
		}
	})
}
