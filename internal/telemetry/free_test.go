// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"net/http"
	"net/url"
	"testing"
	"time"

	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"
	"google.golang.org/genai"
)

type same struct{ resp *http.Response }

func (rt same) RoundTrip(*http.Request) (*http.Response, error) { return rt.resp, nil }

// unwatched is all that a call asks of telemetry, where nobody looks.
func unwatched(tb testing.TB, tp trace.TracerProvider, mp metric.MeterProvider) func() {
	endpoint, err := url.Parse("https://gemma.example")
	if err != nil {
		tb.Fatal(err)
	}
	t := New(tp, mp, endpoint, "0")
	rt := t.Identity(t.Transport(same{&http.Response{StatusCode: 200, Body: http.NoBody}}), func(ctx context.Context, _ Hook) context.Context {
		tb.Error("a hook for nobody")
		return ctx
	})
	ctx := tb.Context()
	config := &genai.GenerateContentConfig{Temperature: new(float32(0.5)), StopSequences: []string{"x"}}
	response := &genai.GenerateContentResponse{UsageMetadata: &genai.GenerateContentResponseUsageMetadata{PromptTokenCount: 1}}
	req := (&http.Request{Method: "POST", URL: endpoint}).WithContext(ctx)
	begun := time.Now()
	return func() {
		ctx, span := t.Start(ctx, "gemma-3-4b-it", config)
		_, end := t.Probe(ctx)
		end(200, nil)
		if _, err := rt.RoundTrip(req); err != nil {
			tb.Fatal(err)
		}
		span.Waited(begun, time.Second, 1)
		for range 10 {
			span.Response(response)
		}
		span.Event("retry", "", "", "server", 500)
		span.End("server")
		_, done := t.token(ctx)
		done(nil)
	}
}

// TestFree: where no provider is set, or only the no-op ones, a call costs
// telemetry no allocation.
func TestFree(t *testing.T) {
	for name, f := range map[string]func(){
		"globals": unwatched(t, nil, nil),
		"noop":    unwatched(t, tracenoop.NewTracerProvider(), metricnoop.NewMeterProvider()),
	} {
		if n := testing.AllocsPerRun(1000, f); n != 0 {
			t.Errorf("%s: %v allocations a call", name, n)
		}
	}
}

// BenchmarkUnwatched is all that telemetry costs a call of ten chunks when
// nobody looks.
func BenchmarkUnwatched(b *testing.B) {
	f := unwatched(b, nil, nil)
	b.ReportAllocs()
	for b.Loop() {
		f()
	}
}
