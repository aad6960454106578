// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"context"
	"net/http"
	"testing"
)

// instant answers every request with the same response.
type instant struct{ resp http.Response }

func (i *instant) RoundTrip(*http.Request) (*http.Response, error) {
	i.resp.Body = http.NoBody
	return &i.resp, nil
}

// warm returns a gate before an endpoint that has answered, and a request.
func warm(tb testing.TB, ctx context.Context) (*Gate, *http.Request) {
	tb.Helper()
	g := New(Config{Base: &instant{http.Response{StatusCode: 200, Header: http.Header{}}}, Concurrency: 1000})
	req, err := http.NewRequestWithContext(ctx, "GET", "http://gemma.test/", nil)
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := g.RoundTrip(req)
	if err != nil {
		tb.Fatal(err)
	}
	_ = resp.Body.Close()
	return g, req
}

func BenchmarkWarm(b *testing.B) {
	g, req := warm(b, b.Context())
	b.ReportAllocs()
	for b.Loop() {
		resp, err := g.RoundTrip(req)
		if err != nil {
			b.Fatal(err)
		}
		_ = resp.Body.Close()
	}
}

func BenchmarkWarmParallel(b *testing.B) {
	g, req := warm(b, b.Context())
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		own := &instant{http.Response{StatusCode: 200}}
		_ = own
		for pb.Next() {
			if _, ok := g.enter(req); !ok {
				b.Error("not warm")
				return
			}
			g.finished()
		}
	})
}

func TestWarmPathAllocatesOnce(t *testing.T) {
	var trace Trace
	g, req := warm(t, WithTrace(t.Context(), &trace))
	n := testing.AllocsPerRun(1000, func() {
		resp, err := g.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	})
	if n > 1 {
		t.Errorf("%v allocations a request", n)
	}
	if trace.Attempts != 1 || trace.Status != 200 {
		t.Errorf("trace %+v", trace)
	}
}
