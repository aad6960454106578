// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Transport makes a span of each HTTP request that base carries, from its start
// to its response headers, which come with the first token. It never records
// headers or queries. base sees the span as its context's.
func (t *Telemetry) Transport(base http.RoundTripper) http.RoundTripper { return &attempts{t, base} }

type attempts struct {
	t    *Telemetry
	base http.RoundTripper
}

func (rt *attempts) RoundTrip(req *http.Request) (*http.Response, error) {
	tr := rt.t.tracing()
	if !tr.on {
		return rt.base.RoundTrip(req)
	}
	ctx, span := tr.Start(req.Context(), spanAttempt, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(keyHTTPMethod.String(req.Method), keyURLPath.String(req.URL.Path)), trace.WithAttributes(rt.t.server...))
	defer span.End()
	resp, err := rt.base.RoundTrip(req.WithContext(ctx))
	switch {
	case err != nil:
		fail(span, errorType(err))
	default:
		span.SetAttributes(keyHTTPStatus.Int(resp.StatusCode))
		if resp.StatusCode >= 400 {
			fail(span, strconv.Itoa(resp.StatusCode))
		}
	}
	return resp, err
}

// fail marks a span as failed. Its status gets no text: those of errors may
// hold what a server said.
func fail(span trace.Span, kind string) {
	span.SetStatus(codes.Error, "")
	span.SetAttributes(keyErrorType.String(kind))
}

func errorType(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	}
	return "transport"
}

// Hook is told when a token is minted. It is auth.FetchHook.
type Hook = func(context.Context) (context.Context, func(error))

// Identity sits above base, which adds the identity to each request. It counts
// the requests at the endpoint, and has watch put the hook for the token's span
// into each request's context.
func (t *Telemetry) Identity(base http.RoundTripper, watch func(context.Context, Hook) context.Context) http.RoundTripper {
	return &identity{t: t, base: base, watch: watch, hook: t.token}
}

type identity struct {
	t     *Telemetry
	base  http.RoundTripper
	watch func(context.Context, Hook) context.Context
	hook  Hook
}

func (rt *identity) RoundTrip(req *http.Request) (*http.Response, error) {
	if rt.t.tracing().on {
		req = req.WithContext(rt.watch(req.Context(), rt.hook))
	}
	m := rt.t.metering()
	if !m.on {
		return rt.base.RoundTrip(req)
	}
	b := &countedBody{t: rt.t, m: m, ctx: req.Context()}
	m.slots.Add(b.ctx, 1, rt.t.slot)
	resp, err := rt.base.RoundTrip(req)
	switch {
	case err != nil:
		b.end()
	case resp.Body == nil:
		b.end()
	default:
		b.ReadCloser = resp.Body
		resp.Body = b
		if w, ok := b.ReadCloser.(io.Writer); ok { // that of 101 Switching Protocols
			resp.Body = struct {
				*countedBody
				io.Writer
			}{b, w}
		}
	}
	return resp, err
}

// countedBody is the body of an answer that counts until it was read to its
// end, broke, or was closed.
type countedBody struct {
	io.ReadCloser
	t     *Telemetry
	m     *instruments
	ctx   context.Context
	ended atomic.Bool
}

func (b *countedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.end()
	}
	return n, err
}

func (b *countedBody) Close() error {
	err := b.ReadCloser.Close()
	b.end()
	return err
}

func (b *countedBody) end() {
	if !b.ended.Swap(true) {
		b.m.slots.Add(b.ctx, -1, b.t.slot)
	}
}

// token makes a span of minting one identity token.
func (t *Telemetry) token(ctx context.Context) (context.Context, func(error)) {
	tr := t.tracing()
	if !tr.on {
		return ctx, func(error) {}
	}
	ctx, span := tr.Start(ctx, spanToken)
	return ctx, func(err error) {
		if err != nil {
			fail(span, "unauthenticated")
		}
		span.End()
	}
}
