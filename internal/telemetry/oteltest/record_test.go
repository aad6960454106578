// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package oteltest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/gemma-go/sdk/auth"
	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// record is what one client told.
type record struct {
	spans  *tracetest.InMemoryExporter
	traces *sdktrace.TracerProvider
	reader *sdkmetric.ManualReader
	meters *sdkmetric.MeterProvider
}

func newRecord() *record {
	r := &record{spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	r.traces = sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.spans))
	r.meters = sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader))
	return r
}

// bubble runs f in virtual time with a watched client of an endpoint in memory.
// Minting a token takes 300 ms.
func bubble(t *testing.T, c gemmatest.Config, change func(*gemma.Config), f func(t *testing.T, client *gemma.Client, r *record)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.InMemory = true
		srv := gemmatest.NewServer(c)
		defer srv.Close()
		r := newRecord()
		mint := srv.Source()
		cfg := gemma.Config{
			Endpoint: srv.URL, Model: "gemma-3-4b-it", Transport: srv.Transport(), TracerProvider: r.traces, MeterProvider: r.meters,
			Auth: auth.Cached(auth.SourceFunc(func(ctx context.Context) (auth.Token, error) {
				time.Sleep(300 * time.Millisecond)
				return mint.Token(ctx)
			})),
		}
		if change != nil {
			change(&cfg)
		}
		client, err := gemma.NewClient(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		f(t, client, r)
	})
}

// named returns the spans of a name, or with it as the first word of their name.
func (r *record) named(name string) tracetest.SpanStubs {
	var found tracetest.SpanStubs
	for _, s := range r.spans.GetSpans() {
		if s.Name == name || strings.HasPrefix(s.Name, name+" ") {
			found = append(found, s)
		}
	}
	return found
}

// tree renders all spans as trees, one for each that has no parent, in the
// order in which they began. Times are seconds since the first began.
func (r *record) tree() string {
	spans := r.spans.GetSpans()
	slices.SortStableFunc(spans, func(a, b tracetest.SpanStub) int {
		if c := a.StartTime.Compare(b.StartTime); c != 0 {
			return c
		}
		if c := a.EndTime.Compare(b.EndTime); c != 0 {
			return -c // the one that lasts longer first
		}
		return strings.Compare(b.Name, a.Name)
	})
	called := map[trace.SpanID]tracetest.SpanStub{}
	for _, s := range spans {
		called[s.SpanContext.SpanID()] = s
	}
	begun := spans[0].StartTime
	var out strings.Builder
	var show func(s tracetest.SpanStub, depth int)
	show = func(s tracetest.SpanStub, depth int) {
		indent := strings.Repeat("    ", depth)
		fmt.Fprintf(&out, "%-62s %8s\n", fmt.Sprintf("%8.3f – %8.3f  %s%s", s.StartTime.Sub(begun).Seconds(), s.EndTime.Sub(begun).Seconds(), indent, s.Name), s.SpanKind)
		pad := strings.Repeat(" ", 21) + indent + "  · "
		if s.Status.Code != 0 {
			fmt.Fprintf(&out, "%sstatus %s %s\n", pad, s.Status.Code, s.Status.Description)
		}
		for _, kv := range sorted(s.Attributes) {
			fmt.Fprintf(&out, "%s%s\n", pad, kv)
		}
		for _, e := range s.Events {
			fmt.Fprintf(&out, "%sevent at %.3f: %s %s\n", pad, e.Time.Sub(begun).Seconds(), e.Name, strings.Join(sorted(e.Attributes), ", "))
		}
		for _, l := range s.Links {
			of := called[l.SpanContext.SpanID()]
			fmt.Fprintf(&out, "%slink to the %s of another trace, begun at %.3f\n", pad, of.Name, of.StartTime.Sub(begun).Seconds())
		}
		for _, child := range spans {
			if child.Parent.SpanID() == s.SpanContext.SpanID() {
				show(child, depth+1)
			}
		}
	}
	for _, s := range spans {
		if !s.Parent.IsValid() {
			show(s, 0)
		}
	}
	return out.String()
}

func sorted(kv []attribute.KeyValue) []string {
	var lines []string
	for _, a := range kv {
		lines = append(lines, fmt.Sprintf("%s = %s", a.Key, a.Value.String()))
	}
	slices.Sort(lines)
	return lines
}

// metric returns one metric as it is now, or fails.
func (r *record) metric(t *testing.T, name string) metricdata.Metrics {
	t.Helper()
	for _, m := range r.metrics(t) {
		if m.Name == name {
			return m
		}
	}
	t.Fatalf("no metric %s", name)
	return metricdata.Metrics{}
}

func (r *record) metrics(t *testing.T) []metricdata.Metrics {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	var found []metricdata.Metrics
	for _, s := range all.ScopeMetrics {
		found = append(found, s.Metrics...)
	}
	return found
}
