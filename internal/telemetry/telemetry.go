// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package telemetry makes OpenTelemetry spans and metrics of calls. It never
// records a prompt, an answer, a token or a key.
//
// It costs nothing where nobody looks: as long as no provider is set, Start
// returns a nil *Span, whose methods do nothing, and allocates nothing.
package telemetry

import (
	"net/url"
	"reflect"
	"strconv"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

// Telemetry is what all calls to one endpoint share. It is safe for concurrent use.
type Telemetry struct {
	traces  trace.TracerProvider // nil = the global one, which may be set at any time
	meters  metric.MeterProvider
	version string
	server  []attribute.KeyValue
	slot    metric.MeasurementOption // server, as metrics want it

	probe       atomic.Pointer[probe] // the last one
	tracer      atomic.Pointer[tracer]
	instruments atomic.Pointer[instruments]
}

type tracer struct {
	of trace.TracerProvider
	trace.Tracer
	on bool
}

type instruments struct {
	of                                        metric.MeterProvider
	on                                        bool
	duration, firstChunk, perChunk, coldStart metric.Float64Histogram
	tokens                                    metric.Int64Histogram
	slots                                     metric.Int64UpDownCounter
}

// New returns the telemetry of calls to endpoint. Nil providers stand for
// OpenTelemetry's globals, asked at each call.
func New(tp trace.TracerProvider, mp metric.MeterProvider, endpoint *url.URL, version string) *Telemetry {
	t := &Telemetry{traces: tp, meters: mp, version: version}
	port := endpoint.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[endpoint.Scheme]
	}
	n, _ := strconv.Atoi(port)
	t.server = []attribute.KeyValue{keyServerAddress.String(endpoint.Hostname()), keyServerPort.Int(n)}
	t.slot = metric.WithAttributes(t.server...)
	return t
}

// silent reports whether a provider is one of OpenTelemetry's own that record
// nothing: the placeholder that stands for the global one until it is set, or
// the no-op one. Their packages are part of their types' names only, since the
// placeholder is not exported.
func silent(provider any) bool {
	t := reflect.TypeOf(provider)
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.PkgPath() {
	case "go.opentelemetry.io/otel/internal/global", "go.opentelemetry.io/otel/trace/noop", "go.opentelemetry.io/otel/metric/noop":
		return true
	}
	return false
}

func (t *Telemetry) tracing() *tracer {
	tp := t.traces
	if tp == nil {
		tp = otel.GetTracerProvider()
	}
	if have := t.tracer.Load(); have != nil && (t.traces != nil || have.of == tp) {
		return have
	}
	n := &tracer{of: tp, on: !silent(tp)}
	if n.on {
		n.Tracer = tp.Tracer(scope, trace.WithInstrumentationVersion(t.version), trace.WithSchemaURL(SchemaURL))
	}
	t.tracer.Store(n)
	return n
}

func (t *Telemetry) metering() *instruments {
	mp := t.meters
	if mp == nil {
		mp = otel.GetMeterProvider()
	}
	if have := t.instruments.Load(); have != nil && (t.meters != nil || have.of == mp) {
		return have
	}
	n := &instruments{of: mp, on: !silent(mp)}
	if n.on {
		m := mp.Meter(scope, metric.WithInstrumentationVersion(t.version), metric.WithSchemaURL(SchemaURL))
		seconds := func(name, what string) metric.Float64Histogram {
			h, err := m.Float64Histogram(name, metric.WithUnit("s"), metric.WithDescription(what), metric.WithExplicitBucketBoundaries(
				0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84, 327.68, 655.36, 1310.72))
			if err != nil {
				otel.Handle(err) // the API's own way; the instrument it returned beside it is a no-op
			}
			return h
		}
		n.duration = seconds(metricDuration, "GenAI operation duration.")
		n.firstChunk = seconds(metricFirstChunk, "Time to receive the first chunk, measured from when the client issues the generation request to when the first chunk is received in the response stream.")
		n.perChunk = seconds(metricPerOutputChunk, "Time per output chunk, recorded for each chunk received after the first one, measured as the time elapsed from the end of the previous chunk to the end of the current chunk.")
		n.coldStart = seconds(metricColdStart, "Time that a call waited for the endpoint to be ready or to have a free slot.")
		var err error
		n.tokens, err = m.Int64Histogram(metricTokens, metric.WithUnit("{token}"), metric.WithDescription("Number of input and output tokens used."),
			metric.WithExplicitBucketBoundaries(1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864))
		if err != nil {
			otel.Handle(err)
		}
		n.slots, err = m.Int64UpDownCounter(metricSlots, metric.WithUnit("{request}"), metric.WithDescription("Requests at the endpoint whose answer has not ended."))
		if err != nil {
			otel.Handle(err)
		}
	}
	t.instruments.Store(n)
	return n
}

// since is the seconds between two moments.
func since(from, to time.Time) float64 { return to.Sub(from).Seconds() }
