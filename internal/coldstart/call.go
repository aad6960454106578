// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"context"
	"time"
)

// Trace receives what one request cost at the gate. The gate writes it before
// RoundTrip returns; it must not be read before, nor shared by requests that
// run at once.
type Trace struct {
	Attempts int           // requests sent for this one
	Waited   time.Duration // from the call until the attempt that was answered was sent
	Status   int           // of the last answer; 0 when there was none
}

// Options say how the gate treats one request.
type Options struct {
	// Trace receives what the request cost; may be nil.
	Trace *Trace
	// NoRetry marks a request that must not be sent again once it may have
	// reached the model server. Refusals that prove the contrary (429, a
	// connection refused) are still retried.
	NoRetry bool
	// Model names what the request needs to be loaded. A probe that finds one
	// model missing fails those that wait for the same model only; the others
	// learn from it that the server is up. The probe's context carries the
	// options of the caller that started it.
	Model string
}

type optionsKey struct{}

// With returns a context that carries opts to the gate.
func With(ctx context.Context, opts *Options) context.Context {
	return context.WithValue(ctx, optionsKey{}, opts)
}

// OptionsOf returns the options in ctx, never nil.
func OptionsOf(ctx context.Context) *Options {
	if o, _ := ctx.Value(optionsKey{}).(*Options); o != nil {
		return o
	}
	return &noOptions
}

// noOptions is never written to.
var noOptions Options

// WithTrace is With for a request of which only the cost is wanted.
func WithTrace(ctx context.Context, t *Trace) context.Context {
	return With(ctx, &Options{Trace: t})
}

// ProbeFor returns the model that the caller that started a probe asked for:
// the Model of the [Options] in a probe's context.
func ProbeFor(ctx context.Context) string { return OptionsOf(ctx).Model }
