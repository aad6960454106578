// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package oteltest

import (
	"context"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/semconv/v1.41.0/genaiconv"
	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// total is the count and the sum of a histogram's points that have the
// attribute; a key of "" takes them all.
func total(t *testing.T, m metricdata.Metrics, key attribute.Key, value string) (count uint64, sum float64) {
	t.Helper()
	has := func(set attribute.Set) bool {
		v, _ := set.Value(key)
		return key == "" || v.AsString() == value
	}
	switch d := m.Data.(type) {
	case metricdata.Histogram[float64]:
		for _, p := range d.DataPoints {
			if has(p.Attributes) {
				count, sum = count+p.Count, sum+p.Sum
			}
		}
	case metricdata.Histogram[int64]:
		for _, p := range d.DataPoints {
			if has(p.Attributes) {
				count, sum = count+p.Count, sum+float64(p.Sum)
			}
		}
	default:
		t.Fatalf("%s is a %T", m.Name, m.Data)
	}
	return count, sum
}

// TestMetrics: two calls meet a sleeping endpoint, the second 2 s after the
// first. All times are those of TestColdTrace.
func TestMetrics(t *testing.T) {
	bubble(t, cold(), nil, func(t *testing.T, client *gemma.Client, r *record) {
		slots := func(when string, want int64) {
			t.Helper()
			synctest.Wait()
			d, ok := r.metric(t, "gemma.client.slots.in_use").Data.(metricdata.Sum[int64])
			if !ok || len(d.DataPoints) != 1 || d.DataPoints[0].Value != want {
				t.Errorf("slots in use %s: %+v, want %d", when, d.DataPoints, want)
			}
		}
		var calls sync.WaitGroup
		for i := range 2 {
			calls.Go(func() {
				time.Sleep(time.Duration(i) * 2 * time.Second)
				if _, err := client.Generate(context.Background(), genai.Text("Why is the sky blue?"), nil); err != nil {
					t.Error(err)
				}
			})
		}
		time.Sleep(10 * time.Second)
		slots("while the front end holds the probe", 1)
		time.Sleep(15400 * time.Millisecond)
		slots("before the first token", 2)
		time.Sleep(200 * time.Millisecond)
		slots("in the middle of the answers", 2)
		calls.Wait()
		slots("afterwards", 0)

		for _, want := range []struct {
			name, key, value string
			count            uint64
			sum              float64
		}{
			{name: "gen_ai.client.operation.duration", count: 2, sum: 25.65 + 23.65},
			{name: "gen_ai.client.operation.time_to_first_chunk", count: 2, sum: 25.5 + 23.5},
			{name: "gen_ai.client.operation.time_per_output_chunk", count: 2 * 3, sum: 2 * 0.15},
			{name: "gen_ai.client.token.usage", key: "gen_ai.token.type", value: "input", count: 2, sum: 2 * 9},
			{name: "gen_ai.client.token.usage", key: "gen_ai.token.type", value: "output", count: 2, sum: 2 * 3},
			{name: "gemma.client.cold_start.wait", count: 2, sum: 25.3 + 23.3},
		} {
			count, sum := total(t, r.metric(t, want.name), attribute.Key(want.key), want.value)
			if count != want.count || math.Abs(sum-want.sum) > 1e-6 {
				t.Errorf("%s %s: %d values of %v in all, want %d of %v", want.name, want.value, count, sum, want.count, want.sum)
			}
		}
		for key, value := range map[attribute.Key]string{
			"gen_ai.operation.name": "generate_content", "gen_ai.provider.name": "gemma", "gen_ai.request.model": "gemma-3-4b-it",
			"gen_ai.response.model": "gemma3:4b", "server.address": "gemma-abc123-ew.a.run.app",
		} {
			if count, _ := total(t, r.metric(t, "gen_ai.client.operation.duration"), key, value); count != 2 {
				t.Errorf("%d durations have %s = %s", count, key, value)
			}
		}

		before := len(r.spans.GetSpans())
		if _, err := client.Generate(context.Background(), genai.Text("And now?"), nil); err != nil {
			t.Fatal(err)
		}
		if n := len(r.spans.GetSpans()) - before; n != 2 {
			t.Errorf("a warm call made %d spans, want its own and one attempt", n)
		}
		if count, sum := total(t, r.metric(t, "gemma.client.cold_start.wait"), "", ""); count != 3 || math.Abs(sum-48.6) > 1e-6 {
			t.Errorf("a warm call waited: %d values of %v s", count, sum)
		}
	})
}

// TestInstruments holds units and descriptions to the conventions' package.
func TestInstruments(t *testing.T) {
	bubble(t, gemmatest.Config{}, nil, func(t *testing.T, client *gemma.Client, r *record) {
		if _, err := client.Generate(t.Context(), genai.Text("Why?"), nil); err != nil {
			t.Fatal(err)
		}
		for _, want := range []interface {
			Name() string
			Unit() string
			Description() string
		}{
			genaiconv.ClientOperationDuration{}, genaiconv.ClientTokenUsage{},
			genaiconv.ClientOperationTimeToFirstChunk{}, genaiconv.ClientOperationTimePerOutputChunk{},
		} {
			got := r.metric(t, want.Name())
			if got.Unit != want.Unit() || got.Description != want.Description() {
				t.Errorf("%s is in %q, %q; the conventions say %q, %q", got.Name, got.Unit, got.Description, want.Unit(), want.Description())
			}
		}
	})
}
