// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"log/slog"
	"time"
)

// note is what one call did that is worth a line in a log.
type note struct {
	begun time.Time

	emulated []string // fields of the request
	retries  int
}

// begin starts to watch the call.
func (k *call) begin() {
	k.note.begun = time.Now()
	k.ctx, k.span = k.c.ep.telemetry.Start(k.ctx, k.c.model, k.config)
}

// event tells of something that happened in this call, wherever somebody
// listens.
func (k *call) event(e Event) {
	e.Model = k.c.model
	switch e.Type {
	case EventEmulated:
		k.note.emulated = append(k.note.emulated, e.Feature)
	case EventRetry:
		k.note.retries++
	}
	k.span.Event(e.Type.String(), e.Feature, e.Reason)
	k.c.ep.notify(e)
}

// end closes the books on the call: the span, and one line in the log. At Info
// if something unusual happened, at Debug otherwise. What is logged is on this
// list and nothing else: no prompt, no answer, no header, no query.
func (k *call) end(failure *Error) {
	k.span.Waited(k.trace.Waited, k.trace.Attempts)
	kind := ""
	if failure != nil {
		kind = failure.Kind.String()
	}
	k.span.End(kind)

	log := k.c.ep.cfg.Logger
	if log == nil {
		return
	}
	level := slog.LevelDebug
	if failure != nil || k.trace.Waited > 0 || k.trace.Attempts > 1 || k.note.retries > 0 || k.resumed > 0 || k.note.emulated != nil {
		level = slog.LevelInfo
	}
	if !log.Enabled(k.ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("endpoint", k.c.ep.base.Host),
		slog.String("model", k.c.model),
		slog.Duration("took", time.Since(k.note.begun)),
		slog.Int("requests", k.trace.Attempts),
	}
	if k.server != nil {
		attrs = append(attrs, slog.String("protocol", k.server.codec.Protocol().String()))
	}
	if k.trace.Waited > 0 {
		attrs = append(attrs, slog.Duration("waited", k.trace.Waited))
	}
	if k.note.retries > 0 {
		attrs = append(attrs, slog.Int("retries", k.note.retries))
	}
	if k.resumed > 0 {
		attrs = append(attrs, slog.Int("resumed", k.resumed))
	}
	if k.note.emulated != nil {
		attrs = append(attrs, slog.Any("emulated", k.note.emulated))
	}
	if u := k.partial.usage; u != nil {
		attrs = append(attrs, slog.Int("prompt_tokens", int(u.PromptTokenCount)), slog.Int("output_tokens", int(u.CandidatesTokenCount)))
	}
	if failure != nil {
		attrs = append(attrs, slog.String("error", kind), slog.Int("status", failure.Status))
	}
	log.LogAttrs(k.ctx, level, "gemma call", attrs...)
}
