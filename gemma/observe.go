// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/gemma-go/sdk/internal/fault"
)

// note is what one call did that is worth a line in a log.
type note struct {
	begun time.Time

	emulated []string // fields of the request
	retries  int
	after    fault.Kind    // why the last request was repeated
	requests int           // sent, by all exchanges
	waited   time.Duration // for the endpoint, in all exchanges
}

// unusualWait is the wait that is worth a line at Info: longer than asking a
// warm endpoint what it speaks takes, and shorter than any cold start.
const unusualWait = time.Second

// begin starts to watch the call.
func (k *call) begin() {
	k.note.begun = time.Now()
	k.ctx, k.span = k.c.ep.telemetry.Start(k.ctx, k.c.model, k.config)
}

// settle finds out what the call needs to know of the server, and notes how
// long that took where the endpoint had to be asked.
func (k *call) settle() (err error) {
	if s := k.c.ep.known.Load(); s == nil || !s.names(k.c.model) {
		defer func(begun time.Time) { k.asked(begun, time.Since(begun), 0) }(time.Now())
	}
	k.server, err = k.c.ep.settle(k.ctx, k.c.model)
	return err
}

// asked notes what one request cost at the gate.
func (k *call) asked(from time.Time, waited time.Duration, requests int) {
	k.note.waited += waited
	k.note.requests += requests
	k.span.Waited(from, waited, requests)
}

// watchedProbe is probe as telemetry sees it.
func (ep *endpoint) watchedProbe(ctx context.Context, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	ctx, end := ep.telemetry.Probe(ctx)
	resp, err := ep.probe(ctx, send)
	status := 0
	if resp != nil {
		status = resp.StatusCode
	}
	end(status, err)
	return resp, err
}

// event tells of something that happened in this call, wherever somebody
// listens. The span is not told the reason of a repetition, which may quote the
// server, but its kind.
func (k *call) event(e Event) {
	e.Model = k.c.model
	switch e.Type {
	case EventEmulated:
		k.note.emulated = append(k.note.emulated, e.Feature)
		k.span.Event(e.Type.String(), e.Feature, e.Reason, "", 0)
	case EventRetry:
		k.note.retries++
		k.span.Event(e.Type.String(), "", "", k.note.why(), e.Status)
	case EventResume:
		k.span.Event(e.Type.String(), "", "", k.note.why(), 0)
	}
	k.c.ep.notify(e)
}

// why is the kind of failure after which the last request was repeated; "" if
// there was none, only an answer that did not fit.
func (n *note) why() string {
	if n.after == fault.Unknown {
		return ""
	}
	return n.after.String()
}

// end closes the books on the call: the span, and one line in the log. At Info
// if something unusual happened, at Debug otherwise. What is logged is on this
// list and nothing else: no prompt, no answer, no header, no query, and no text
// of the server.
func (k *call) end(failure *Error) {
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
	if failure != nil || k.note.waited >= unusualWait || k.note.requests > 1 || k.note.retries > 0 || k.resumed > 0 || k.note.emulated != nil {
		level = slog.LevelInfo
	}
	if !log.Enabled(k.ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("endpoint", k.c.ep.base.Host),
		slog.String("model", k.c.model),
		slog.Duration("took", time.Since(k.note.begun)),
		slog.Int("requests", k.note.requests),
	}
	if k.server != nil {
		attrs = append(attrs, slog.String("protocol", k.server.codec.Protocol().String()))
	}
	if k.note.waited > 0 {
		attrs = append(attrs, slog.Duration("waited", k.note.waited))
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
		attrs = append(attrs, slog.Int("prompt_tokens", int(u.PromptTokenCount)), slog.Int("output_tokens", int(u.CandidatesTokenCount+u.ThoughtsTokenCount)))
	}
	if failure != nil {
		attrs = append(attrs, slog.String("error", kind), slog.Int("status", failure.Status))
	}
	log.LogAttrs(k.ctx, level, "gemma call", attrs...)
}

// logEvent writes an event at Debug, by the same list. A reason is told where
// it is the client's own words.
func (ep *endpoint) logEvent(e Event) {
	log := ep.cfg.Logger
	ctx := context.Background()
	if log == nil || !log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{slog.String("event", e.Type.String()), slog.String("endpoint", ep.base.Host), slog.String("model", e.Model)}
	for _, d := range [...]struct {
		name  string
		value time.Duration
	}{{"waited", e.Waited}, {"expected", e.Expected}, {"next", e.Next}} {
		if d.value != 0 {
			attrs = append(attrs, slog.Duration(d.name, d.value))
		}
	}
	for _, n := range [...]struct {
		name  string
		value int
	}{{"requests", e.Attempts}, {"status", e.Status}, {"in_use", e.InUse}, {"slots", e.Slots}, {"waiting", e.Waiting}} {
		if n.value != 0 {
			attrs = append(attrs, slog.Int(n.name, n.value))
		}
	}
	if e.Feature != "" {
		attrs = append(attrs, slog.String("feature", e.Feature))
	}
	switch e.Type {
	case EventCold, EventProbe, EventOverloaded, EventEmulated, EventProtocol:
		if e.Reason != "" {
			attrs = append(attrs, slog.String("reason", e.Reason))
		}
	case EventToken:
		attrs = append(attrs, slog.String("audience", e.Audience), slog.String("principal", e.Principal), slog.Time("expiry", e.Expiry))
	}
	log.LogAttrs(ctx, slog.LevelDebug, "gemma event", attrs...)
}
