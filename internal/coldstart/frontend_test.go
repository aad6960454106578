// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/gemma/gemmatest"
	"github.com/gemma-go/sdk/internal/coldstart"
	"github.com/gemma-go/sdk/internal/fault"
)

// post sends one request through rt and reads the answer.
func post(ctx context.Context, rt http.RoundTripper, url string) (int, error) {
	req, err := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(`{"model":"gemma3:4b"}`))
	if err != nil {
		return 0, err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func load(url string) func(context.Context, func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	return func(ctx context.Context, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
		req, err := http.NewRequestWithContext(ctx, "POST", url+"/api/generate", strings.NewReader(`{"model":"gemma3:4b"}`))
		if err != nil {
			return nil, err
		}
		return send(req)
	}
}

// TestFrontEndCrowd is the whole way over HTTP: a crowd before a service that
// is scaled to zero, whose answers are streamed for 2 s.
func TestFrontEndCrowd(t *testing.T) {
	for _, tt := range []struct {
		callers, slots, told int
		hold, queue          time.Duration
		time, sent           float64
	}{
		{100, 4, 4, -1, 0, 1.15, 1.3},
		{100, 4, 4, 0, 0, 1.15, 1.3},
		{100, 4, 0, -1, 0, 1.3, 1.6},
		{100, 4, 0, 0, 10 * time.Second, 1.3, 1.6},
		{1000, 100, 100, -1, 0, 1.15, 1.3},
		{1000, 100, 0, -1, 0, 1.3, 1.6},
		{1000, 100, 0, 0, 0, 1.3, 1.6},
	} {
		t.Run(fmt.Sprintf("%d callers, %d slots, told %d, hold %v, queue %v", tt.callers, tt.slots, tt.told, tt.hold, tt.queue), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const start, work = 20 * time.Second, 2 * time.Second
				srv := gemmatest.NewServer(gemmatest.Config{
					InMemory: true,
					Backend: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if strings.HasSuffix(r.URL.Path, "/chat") {
							_, _ = io.WriteString(w, "first\n")
							w.(http.Flusher).Flush()
							time.Sleep(work)
						}
						_, _ = io.WriteString(w, "last\n")
					}),
					FrontEnd: gemmatest.FrontEndConfig{Public: true, Start: start, Hold: tt.hold, Queue: tt.queue, Slots: tt.slots},
				})
				defer srv.Close()
				gate := coldstart.New(coldstart.Config{Base: srv.Transport(), Probe: load(srv.URL), Concurrency: tt.told})
				began := time.Now()
				var wg sync.WaitGroup
				for range tt.callers {
					wg.Go(func() {
						if status, err := post(t.Context(), gate, srv.URL+"/api/chat"); err != nil || status != 200 {
							t.Errorf("%d, %v", status, err)
						}
					})
				}
				wg.Wait()
				ideal := start + time.Duration((tt.callers+tt.slots-1)/tt.slots)*work
				took, stats := time.Since(began), srv.Stats()
				ratio, sent := took.Seconds()/ideal.Seconds(), float64(stats.Requests)/float64(tt.callers)
				t.Logf("%.3f of the ideal time (%.3f without the start), %.3f requests a success", ratio, (took-start).Seconds()/(ideal-start).Seconds(), sent)
				if ratio > tt.time || sent > tt.sent || stats.MaxNotReady > 1 {
					t.Errorf("%.3f of the ideal time, %.3f requests a success, %d at once before ready", ratio, sent, stats.MaxNotReady)
				}
			})
		})
	}
}

// TestFrontEndFailure: what the front end says for good ends everybody's wait.
func TestFrontEndFailure(t *testing.T) {
	for status, kind := range map[int]fault.Kind{403: fault.Forbidden, 404: fault.NotFound} {
		synctest.Test(t, func(t *testing.T) {
			srv := gemmatest.NewServer(gemmatest.Config{
				InMemory: true,
				FrontEnd: gemmatest.FrontEndConfig{Public: true, Start: time.Hour, Hold: 10 * time.Second, ShedStatus: 500},
			})
			defer srv.Close()
			gate := coldstart.New(coldstart.Config{Base: srv.Transport(), Probe: load(srv.URL)})
			time.AfterFunc(15*time.Second, func() { srv.FrontEnd().SetBroken(status) })
			var wg sync.WaitGroup
			for range 100 {
				wg.Go(func() {
					began := time.Now()
					_, err := post(t.Context(), gate, srv.URL+"/api/chat")
					if e := fault.Of(err); e == nil || e.Kind != kind || e.Status != status {
						t.Errorf("%v", err)
					}
					if took := time.Since(began); took > 16*time.Second {
						t.Errorf("told after %v", took)
					}
				})
			}
			wg.Wait()
		})
	}
}

// TestShortDeadlineDoesNotAbortTheLoad: Ollama aborts the load of a model whose
// caller goes away; the caller of a probe is all who wait.
func TestShortDeadlineDoesNotAbortTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := gemmatest.NewServer(gemmatest.Config{
			InMemory: true, Kind: gemmatest.Ollama, LoadTime: 30 * time.Second,
			FrontEnd: gemmatest.FrontEndConfig{Public: true, Start: 5 * time.Second, Slots: 4},
		})
		defer srv.Close()
		gate := coldstart.New(coldstart.Config{Base: srv.Transport(), Probe: load(srv.URL), Concurrency: 4})
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				ctx := t.Context()
				if i%2 == 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Duration(i+1)*time.Second)
					defer cancel()
				}
				_, err := post(ctx, gate, srv.URL+"/api/chat")
				if i%2 == 0 && !errors.Is(err, context.DeadlineExceeded) || i%2 == 1 && err != nil {
					t.Errorf("caller %d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if s := srv.Stats(); s.ModelLoads != 1 || s.LoadsAborted != 0 {
			t.Errorf("%d loads, %d aborted", s.ModelLoads, s.LoadsAborted)
		}
	})
}
