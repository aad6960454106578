// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/internal/fault"
)

func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{startFor: 20 * time.Second, status: 429}
		g := New(Config{Base: c, Probe: ping})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if err := g.Ready(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if !g.State().Ready || c.coldMost != 1 {
			t.Errorf("%+v, %d at once", g.State(), c.coldMost)
		}
		before := c.requests
		if err := g.Ready(t.Context()); err != nil || c.requests != before+1 {
			t.Errorf("warm: %v, %d requests", err, c.requests-before)
		}
	})
}

func TestReadyFindsOutThatItIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{startFor: time.Second, status: 429}
		g := New(Config{Base: c, Probe: ping})
		if err := g.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.sleep(30 * time.Second) // scaled down behind our back
		began := time.Now()
		if err := g.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 30*time.Second || c.coldMost != 1 {
			t.Errorf("ready after %v, %d at once", took, c.coldMost)
		}
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.New("mine"))
		defer cancel()
		time.Sleep(2 * time.Second)
		if e := fault.Of(g.Ready(ctx)); e == nil || e.Err.Error() != "mine" {
			t.Errorf("got %v", e)
		}
	})
}

func TestReadyWithoutAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{startFor: 20 * time.Second, status: 429}
		g := New(Config{Base: c})
		if e := fault.Of(g.Ready(t.Context())); e == nil || e.Kind != fault.Unsupported {
			t.Errorf("got %v", e)
		}
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = get(t.Context(), g) })
		synctest.Wait()
		if err := g.Ready(t.Context()); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if err := g.Ready(t.Context()); err != nil || c.requests == 0 {
			t.Error(err)
		}
	})
}

func TestReadyIsForgotten(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		c := &cloud{startFor: time.Second}
		cfg.Base = c
		g := New(cfg)
		stream, err := open(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // the stream keeps the instance
		if !g.State().Ready {
			t.Error("forgotten while a stream is open")
		}
		_ = stream.Close()
		time.Sleep(9 * time.Minute)
		if !g.State().Ready {
			t.Error("forgotten after 9 minutes")
		}
		time.Sleep(time.Minute)
		if g.State().Ready {
			t.Error("remembered after 10 minutes")
		}
		c.sleep(30 * time.Second)
		for _, err := range crowd(t.Context(), g, 20) {
			if err != nil {
				t.Error(err)
			}
		}
		if c.coldMost != 1 {
			t.Errorf("%d at once", c.coldMost)
		}
	})
}

// open sends one request and returns the open answer.
func open(ctx context.Context, rt http.RoundTripper) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, "POST", "http://gemma.test/api/chat", strings.NewReader("{}"))
	if err != nil {
		return nil, err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

func TestGoneIsFoundOut(t *testing.T) {
	// A new revision replaces the instance: what looks like overload at first
	// turns out to be a start.
	each(t, func(t *testing.T, cfg Config) {
		c := &cloud{startFor: time.Second, status: 429, slots: 4, work: time.Second}
		cfg.Base, cfg.Concurrency = c, 4
		var mu sync.Mutex
		var cold int
		cfg.OnEvent = func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			if e.Type == EventCold {
				cold++
			}
		}
		g := New(cfg)
		if _, err := get(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // the probe's goroutine tells after the call was released
		mu.Lock()
		cold = 0
		mu.Unlock()
		c.sleep(3 * time.Minute)
		for _, err := range crowd(t.Context(), g, 20) {
			if err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		if cold != 1 || c.requests > 100 {
			t.Errorf("%d cold events, %d requests for 20 calls", cold, c.requests)
		}
	})
}

func TestSickEndpointIsNotMultiplied(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		c := &cloud{slots: 100}
		cfg.Base, cfg.Concurrency = c, 100
		g := New(cfg)
		if _, err := get(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		keep, err := open(t.Context(), g) // a long answer shows that the instance lives
		if err != nil {
			t.Fatal(err)
		}
		_ = keep
		c.requests = 0
		c.before = func(*http.Request, time.Duration) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
		c.woken = time.Now()
		for _, err := range crowd(t.Context(), g, 200) {
			if e := fault.Of(err); e == nil || e.Kind != fault.Interrupted && e.Kind != fault.Cold && e.Kind != fault.Server || !e.Retryable() {
				t.Errorf("got %+v", err)
			}
		}
		if c.requests > 200+2*int(budgetMax) {
			t.Errorf("%d requests for 200 calls", c.requests)
		}
	})
}

func TestNoRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		var answers []func() (*http.Response, error)
		c := &cloud{before: func(req *http.Request, _ time.Duration) (*http.Response, error) {
			if req.URL.Path != "/api/chat" || n >= len(answers) {
				return nil, nil
			}
			n++
			return answers[n-1]()
		}}
		g := New(Config{Base: c, Probe: ping})
		var trace Trace
		ctx := With(t.Context(), &Options{NoRetry: true, Trace: &trace})
		full := func() (*http.Response, error) { return reply(429, plain, "Rate exceeded."), nil }
		broken := func() (*http.Response, error) { return nil, io.ErrUnexpectedEOF }
		answers = []func() (*http.Response, error){full, full}
		if _, err := get(ctx, g); err != nil || trace.Attempts != 3 || trace.Waited <= 0 {
			t.Errorf("refused before it was sent: %v, %+v", err, trace)
		}
		n, answers = 0, []func() (*http.Response, error){broken}
		_, err := get(ctx, g)
		if e := fault.Of(err); e == nil || e.Kind != fault.Interrupted || e.Attempts != 1 || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("lost after it was sent: %+v", err)
		}
		n = 0
		if _, err := get(WithTrace(t.Context(), &trace), g); err != nil || trace.Attempts != 2 {
			t.Errorf("without the mark: %v, %+v", err, trace)
		}
	})
}

// counted is a body that counts how often it is closed.
type counted struct {
	io.Reader
	closed int
}

func (c *counted) Close() error { c.closed++; return nil }

func TestBodies(t *testing.T) {
	for _, size := range []int{0, 100, keepBody, keepBody + 1, 4 * keepBody} {
		for _, known := range []bool{true, false} {
			each(t, func(t *testing.T, cfg Config) {
				text := strings.Repeat("x", size)
				c := &cloud{startFor: 20 * time.Second, status: 429}
				cfg.Base = c
				g := New(cfg)
				body := &counted{Reader: strings.NewReader(text)}
				req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://gemma.test/x", body)
				if known {
					req.ContentLength = int64(size)
				}
				resp, err := g.RoundTrip(req)
				fits := size <= keepBody || cfg.Probe != nil
				if fits != (err == nil) {
					t.Fatalf("%d bytes: %v", size, err)
				}
				if err != nil && fault.Of(err) == nil {
					t.Errorf("%d bytes: %v", size, err)
				}
				if resp != nil {
					_ = resp.Body.Close()
				}
				if body.closed != 1 {
					t.Errorf("%d bytes: closed %d times", size, body.closed)
				}
				for _, sent := range c.bodies {
					if len(sent) != size && sent != `{"model":"m"}` {
						t.Errorf("%d bytes were sent as %d", size, len(sent))
					}
				}
			})
		}
	}
	t.Run("never sent", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		body := &counted{Reader: strings.NewReader("x")}
		req, _ := http.NewRequestWithContext(ctx, "POST", "http://gemma.test/x", body)
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("x")), nil }
		if _, err := New(Config{Base: &cloud{}}).RoundTrip(req); !errors.Is(err, context.Canceled) || body.closed != 1 {
			t.Errorf("%v, closed %d times", err, body.closed)
		}
	})
}

func TestServersOwnAnswerIsUntouched(t *testing.T) {
	for _, tt := range []struct {
		status      int
		ctype, body string
	}{
		{400, js, `{"error":"model is required"}`},
		{404, js, `{"error":"model 'nope' not found"}`},
		{403, plain, "Permission denied. Invalid API Key.  Configure your SDK"},
		{500, js, `{"error":"` + strings.Repeat("long ", peekBody) + `"}`},
		{500, plain, "Failed to convert request for target."},
		{200, js, `{}`},
	} {
		each(t, func(t *testing.T, cfg Config) {
			first := true
			cfg.Base = &cloud{before: func(req *http.Request, _ time.Duration) (*http.Response, error) {
				if first && cfg.Probe != nil {
					first = false
					return reply(200, js, "{}"), nil
				}
				return reply(tt.status, tt.ctype, tt.body), nil
			}}
			g := New(cfg)
			for range 2 {
				req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://gemma.test/x", strings.NewReader("{}"))
				resp, err := g.RoundTrip(req)
				if err != nil {
					t.Fatalf("%d %s: %v", tt.status, tt.body, err)
				}
				got, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || resp.StatusCode != tt.status || !bytes.Equal(got, []byte(tt.body)) {
					t.Errorf("got %d, %d bytes, %v; want %d, %d bytes", resp.StatusCode, len(got), err, tt.status, len(tt.body))
				}
			}
			if s := g.State(); s.InUse != 0 {
				t.Errorf("%d slots are still held", s.InUse)
			}
		})
	}
}

// TestReadyHoldsNoSlot: the endpoint becomes ready between the moment in which
// Ready looks at the gate and the one in which it would queue.
func TestReadyHoldsNoSlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := New(Config{Base: &cloud{status: 429}, Probe: ping})
		if err := g.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		c := &call{ctx: t.Context(), began: time.Now(), opts: OptionsOf(t.Context())}
		g.bound(c)
		if err := g.wait(c); err != nil {
			t.Error(err)
		}
		if s := g.State(); s.InUse != 0 || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestDeadlineWhileTheTokenServerIsDown: what a deadline ends is told as what it was, not as a
// cold start, and both the deadline and the reason are found in the error.
func TestDeadlineWhileTheTokenServerIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := &tokenError{retry: true}
		g := New(Config{Base: tripper(func(*http.Request) (*http.Response, error) { return nil, down }), Probe: ping})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		err := g.Ready(ctx)
		f := fault.Of(err)
		if f == nil || f.Kind != fault.Unauthenticated || !f.Retry || !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, down) {
			t.Errorf("%v", err)
		}
	})
}

type tripper func(*http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
