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

// modes are the two ways to find out: by a probe, or by a caller's own request.
var modes = map[string]func(context.Context, func(*http.Request) (*http.Response, error)) (*http.Response, error){
	"probe": ping, "own request": nil,
}

// crowd sends n requests at once and returns the errors.
func crowd(ctx context.Context, rt http.RoundTripper, n int) []error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			status, err := get(ctx, rt)
			if err == nil && status != 200 {
				err = fmt.Errorf("status %d", status)
			}
			errs[i] = err
		})
	}
	wg.Wait()
	return errs
}

func TestCrowdOnAColdEndpoint(t *testing.T) {
	for mode, probe := range modes {
		for _, tt := range []struct {
			callers, slots, told int
			hold                 time.Duration
			time, sent           float64 // at most, as a multiple of the ideal
		}{
			{100, 4, 4, 0, 1.15, 1.3},
			{100, 4, 4, 10 * time.Second, 1.15, 1.3},
			{100, 4, 0, 0, 1.3, 1.6},
			{100, 4, 0, 10 * time.Second, 1.3, 1.6},
			{1000, 100, 100, 0, 1.15, 1.3},
			{1000, 100, 0, 0, 1.3, 1.6},
			{1000, 100, 0, 10 * time.Second, 1.3, 1.6},
		} {
			t.Run(fmt.Sprintf("%s/%d callers/%d slots/told %d/hold %v", mode, tt.callers, tt.slots, tt.told, tt.hold), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const startFor, work = 20 * time.Second, 2 * time.Second
					c := &cloud{startFor: startFor, hold: tt.hold, status: 429, slots: tt.slots, work: work}
					g := New(Config{Base: c, Probe: probe, Concurrency: tt.told})
					began := time.Now()
					for _, err := range crowd(t.Context(), g, tt.callers) {
						if err != nil {
							t.Fatal(err)
						}
					}
					took := time.Since(began)
					rounds := (tt.callers + tt.slots - 1) / tt.slots
					// The start itself is not part of the ideal: that would hide
					// how the slots are used.
					after := took - startFor
					ideal := time.Duration(rounds) * work
					ratio := float64(after) / float64(ideal)
					sent := float64(c.requests) / float64(tt.callers)
					t.Logf("%v after the start, %.3f of the ideal; whole %.3f; %.3f requests a success; at most %d before ready",
						after, ratio, float64(took)/float64(startFor+ideal), sent, c.coldMost)
					if whole := float64(took) / float64(startFor+ideal); whole > tt.time {
						t.Errorf("took %.3f of the ideal time", whole)
					}
					if sent > tt.sent {
						t.Errorf("%.3f requests a success", sent)
					}
					if c.coldMost > 1 {
						t.Errorf("%d requests at once at an endpoint that is not ready", c.coldMost)
					}
				})
			})
		}
	}
}

func TestEveryWaiterLeavesAtItsDeadline(t *testing.T) {
	for mode, probe := range modes {
		for _, hold := range []time.Duration{0, 10 * time.Second, time.Hour} {
			t.Run(fmt.Sprintf("%s/hold %v", mode, hold), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := &cloud{startFor: time.Minute, hold: hold, status: 503, slots: 4, work: 0}
					g := New(Config{Base: c, Probe: probe})
					var wg sync.WaitGroup
					for i := range 100 {
						wg.Go(func() {
							d := time.Duration(i+1) * 700 * time.Millisecond
							cause := errors.New("mine")
							ctx, cancel := context.WithTimeoutCause(t.Context(), d, cause)
							defer cancel()
							began := time.Now()
							_, err := get(ctx, g)
							took := time.Since(began)
							if took > d+time.Millisecond {
								t.Errorf("a call with %v left after %v", d, took)
							}
							if d < time.Minute {
								e := fault.Of(err)
								if e == nil || e.Kind != fault.Cold || !errors.Is(err, cause) {
									t.Errorf("%v: got %v", d, err)
								}
							} else if err != nil && took < d {
								t.Errorf("%v: %v after %v", d, err, took)
							}
						})
					}
					wg.Wait()
					if c.coldMost > 1 {
						t.Errorf("%d requests at once at an endpoint that is not ready", c.coldMost)
					}
				})
			})
		}
	}
}
