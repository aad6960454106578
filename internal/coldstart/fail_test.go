// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/internal/fault"
)

func TestPermanentFailureReachesEverybodyAtOnce(t *testing.T) {
	const at = 17 * time.Second // when the trouble shows
	shed := func() *http.Response { return reply(429, plain, "Rate exceeded.") }
	for _, tt := range []struct {
		name   string
		resp   func() *http.Response
		err    error
		kind   fault.Kind
		status int
	}{
		{"forbidden", func() *http.Response { return reply(403, html, page403) }, nil, fault.Forbidden, 403},
		{"no such service", func() *http.Response { return reply(404, html, "<html>404</html>") }, nil, fault.NotFound, 404},
		{"broken image", func() *http.Response {
			return reply(503, plain, "The user-provided container failed to start and listen on the port defined")
		}, nil, fault.Server, 503},
		{"no token", nil, &tokenError{false}, fault.Unauthenticated, 0},
		{"a fault from below", nil, &fault.Error{Kind: fault.Forbidden, Status: 403, Message: "no invoker"}, fault.Forbidden, 403},
	} {
		t.Run(tt.name, func(t *testing.T) {
			each(t, func(t *testing.T, cfg Config) {
				c := &cloud{before: func(_ *http.Request, since time.Duration) (*http.Response, error) {
					switch {
					case since < at:
						return shed(), nil
					case tt.err != nil:
						return nil, tt.err
					}
					return tt.resp(), nil
				}}
				c.woken = time.Now()
				cfg.Base = c
				g := New(cfg)
				var wg sync.WaitGroup
				var mu sync.Mutex
				ends := map[time.Time]int{}
				for range 100 {
					wg.Go(func() {
						_, err := get(t.Context(), g)
						e := fault.Of(err)
						if e == nil || e.Kind != tt.kind || e.Status != tt.status || e.Retryable() || e.Waited < at {
							t.Errorf("got %#v", err)
						}
						mu.Lock()
						ends[time.Now()]++
						mu.Unlock()
					})
				}
				wg.Wait()
				if len(ends) != 1 {
					t.Errorf("the failure was told at %d different times", len(ends))
				}
			})
		})
	}
}

func TestMissingModelFailsThoseWhoWantIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{startFor: 20 * time.Second, status: 503, answer: func(req *http.Request) *http.Response {
			if strings.HasSuffix(req.URL.Path, "generate") {
				return reply(404, js, `{"error":"model \"nope\" not found, try pulling it first"}`)
			}
			return reply(200, js, "{}")
		}}
		g := New(Config{Base: c, Probe: ping})
		var wg sync.WaitGroup
		for i := range 20 {
			name := []string{"nope", "other"}[i%2]
			wg.Go(func() {
				if i == 0 {
					if err := g.Ready(With(t.Context(), &Options{Model: name})); fault.Of(err) == nil || fault.Of(err).Kind != fault.NotFound {
						t.Errorf("Ready: %v", err)
					}
					return
				}
				time.Sleep(time.Millisecond)
				_, err := get(With(t.Context(), &Options{Model: name}), g)
				if e := fault.Of(err); (name == "nope") != (e != nil) {
					t.Errorf("model %s: %v", name, err)
				} else if e != nil && (e.Kind != fault.NotFound || !strings.Contains(e.Message, "try pulling")) {
					t.Errorf("model %s: %v", name, e)
				}
			})
		}
		wg.Wait()
	})
}

// TestServerThatCannotLoad: what fails by the model server's own word is tried
// a few times and then ends everybody's wait; one's own request gets the
// server's answer as it is.
func TestServerThatCannotLoad(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		c := &cloud{startFor: 5 * time.Second, status: 503, answer: func(*http.Request) *http.Response {
			return reply(500, js, `{"error":"model failed to load, this may be due to resource limitations"}`)
		}}
		cfg.Base = c
		g := New(cfg)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				status, err := get(t.Context(), g)
				if e := fault.Of(err); cfg.Probe != nil && (e == nil || e.Kind != fault.Server || !strings.Contains(e.Message, "failed to load")) {
					t.Errorf("%v", err)
				}
				if cfg.Probe == nil && (err != nil || status != 500) {
					t.Errorf("%v, %v", status, err)
				}
			})
		}
		wg.Wait()
		if c.coldMost > 1 {
			t.Errorf("%d at once", c.coldMost)
		}
	})
}

func TestNobodyThere(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		down := true
		refused := errors.New("connection refused")
		c := &cloud{before: func(*http.Request, time.Duration) (*http.Response, error) {
			if down {
				return nil, refused
			}
			return nil, nil
		}}
		cfg.Base = c
		g := New(cfg)
		began := time.Now()
		_, err := get(t.Context(), g)
		if e := fault.Of(err); e == nil || e.Kind != fault.Server || !errors.Is(err, refused) || e.Attempts == 0 && cfg.Probe == nil {
			t.Errorf("got %+v", err)
		}
		if took := time.Since(began); took < lostFor || took > 10*lostFor {
			t.Errorf("gave up after %v", took)
		}
		time.AfterFunc(10*time.Second, func() { c.mu.Lock(); down = false; c.mu.Unlock() })
		if _, err := get(t.Context(), g); err != nil {
			t.Error(err)
		}
	})
}

// TestDeadInstance: a front end that held requests while the instance was
// starting, and then refuses at once with 503, has given the start up.
func TestDeadInstance(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		c := &cloud{startFor: time.Hour, hold: 10 * time.Second, status: 503}
		cfg.Base = c
		g := New(cfg)
		time.AfterFunc(25*time.Second, func() {
			c.mu.Lock()
			c.hold = 0
			c.mu.Unlock()
		})
		began := time.Now()
		for _, err := range crowd(t.Context(), g, 20) {
			if e := fault.Of(err); e == nil || e.Kind != fault.Server || e.Status != 503 || e.Retryable() {
				t.Errorf("got %+v", err)
			}
		}
		if took := time.Since(began); took > 2*time.Minute {
			t.Errorf("found out after %v", took)
		}
	})
}

// TestTokenServerDown: an error from below that is worth a retry is retried
// like a start, and is told as what it is if it stays.
func TestTokenServerDown(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		down := true
		c := &cloud{before: func(*http.Request, time.Duration) (*http.Response, error) {
			if down {
				return nil, fmt.Errorf("auth: %w", &tokenError{true})
			}
			return nil, nil
		}}
		cfg.Base = c
		g := New(cfg)
		_, err := get(t.Context(), g)
		if e := fault.Of(err); e == nil || e.Kind != fault.Unauthenticated || !e.Retryable() {
			t.Errorf("got %+v", err)
		}
		time.AfterFunc(10*time.Second, func() { c.mu.Lock(); down = false; c.mu.Unlock() })
		if _, err := get(t.Context(), g); err != nil {
			t.Error(err)
		}
	})
}

// TestNothingListens: a refused connection is neither a start nor a want of
// slots, whether the endpoint has answered before or not.
func TestNothingListens(t *testing.T) {
	for _, warm := range []bool{false, true} {
		t.Run(fmt.Sprintf("answered before %t", warm), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gone := !warm
				g := New(Config{Base: &cloud{before: func(*http.Request, time.Duration) (*http.Response, error) {
					if gone {
						return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
					}
					return reply(200, plain, "ok"), nil
				}}})
				if warm {
					if _, err := get(t.Context(), g); err != nil {
						t.Fatal(err)
					}
					gone = true
				}
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				_, err := get(ctx, g)
				e := fault.Of(err)
				want := fault.Cold // it may be a server that starts
				if warm {
					want = fault.Server
				}
				if e == nil || e.Kind != want || e.Expected != 0 || !e.Retry || !strings.Contains(e.Hint, "check the endpoint's URL") || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%#v", err)
				}
			})
		})
	}
}
