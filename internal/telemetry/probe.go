// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/trace"
)

// probe is where and when one probe ran, for those who waited for it. A *probe
// is never written to.
type probe struct {
	span         trace.SpanContext
	begun, ended time.Time // ended is zero while it runs
}

// during reports whether the probe ran at some time between from and until. A
// nil *probe never ran.
func (p *probe) during(from, until time.Time) bool {
	return p != nil && !p.begun.After(until) && (p.ended.IsZero() || p.ended.After(from))
}

// Probe makes a span of what is asked of the endpoint on behalf of all who
// wait. end must be called once, with the status of the answer that settled the
// matter; 0 means that there was none.
func (t *Telemetry) Probe(ctx context.Context) (_ context.Context, end func(status int, err error)) {
	tr := t.tracing()
	if !tr.on {
		return ctx, func(int, error) {}
	}
	begun := time.Now()
	ctx, span := tr.Start(ctx, spanProbe, trace.WithTimestamp(begun))
	t.probe.Store(&probe{span: span.SpanContext(), begun: begun})
	return ctx, func(status int, err error) {
		now := time.Now()
		t.probe.Store(&probe{span.SpanContext(), begun, now})
		if err != nil {
			fail(span, errorType(err))
		}
		if status != 0 {
			span.SetAttributes(keyHTTPStatus.Int(status))
		}
		span.End(trace.WithTimestamp(now))
	}
}
