// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/genai"
)

// Operation is what gen_ai.operation.name says of a generation.
const Operation = "generate_content"

// Span is one call, watched. A nil *Span is one that nobody watches. It is for
// one goroutine.
type Span struct {
	t     *Telemetry
	m     *instruments
	ctx   context.Context
	span  trace.Span // never nil; may record nothing
	own   bool       // span is ours to fill and end, not that of a caller that already makes GenAI spans
	model string
	begun time.Time
	last  time.Time // when the last response arrived
	first bool      // the first response arrived

	responseModel string
	responseID    string
	finish        []string
	usage         *genai.GenerateContentResponseUsageMetadata
	waited        time.Duration
	attempts      int

	measure metric.MeasurementOption // what every chunk is measured with
}

// Start begins to watch a call. Where the span in ctx already is that of a GenAI
// call (ADK makes one for each), none is made beside it: the wait, the attempts
// and the events go into the caller's, and nothing is told twice.
func (t *Telemetry) Start(ctx context.Context, model string, config *genai.GenerateContentConfig) (context.Context, *Span) {
	tr, m := t.tracing(), t.metering()
	if !tr.on && !m.on {
		return ctx, nil
	}
	s := &Span{t: t, m: m, model: model, begun: time.Now(), span: trace.SpanFromContext(ctx)}
	if tr.on && !isGenAI(s.span) {
		name := Operation
		if model != "" {
			name += " " + model
		}
		// Attributes that samplers look at come with Start, as the conventions ask.
		ctx, s.span = tr.Start(ctx, name, trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(s.begun),
			trace.WithAttributes(keyOperation.String(Operation), keyProvider.String(providerName), keyRequestModel.String(model)),
			trace.WithAttributes(t.server...))
		s.own = true
		if s.span.IsRecording() {
			s.span.SetAttributes(requested(config)...)
		}
	}
	s.ctx = ctx
	if m.on {
		s.measure = s.attributes()
	}
	return ctx, s
}

// isGenAI reports whether a span is that of a call to a model. The API can't
// say; the SDK's spans tell their attributes.
func isGenAI(span trace.Span) bool {
	readable, ok := span.(interface{ Attributes() []attribute.KeyValue })
	if !ok || !span.IsRecording() {
		return false
	}
	for _, kv := range readable.Attributes() {
		if kv.Key == keyOperation {
			return modelCall(kv.Value.AsString())
		}
	}
	return false
}

// modelCall reports whether an operation is a call to a model, and not an
// agent's run or a tool's, within which calls to models are spans of their own.
func modelCall(operation string) bool { return operation == Operation || operation == "chat" }

// requested is what the config asks for, without any of its content.
func requested(c *genai.GenerateContentConfig) []attribute.KeyValue {
	if c == nil {
		return nil
	}
	var kv []attribute.KeyValue
	number := func(k attribute.Key, v *float32) {
		if v != nil {
			kv = append(kv, k.Float64(float64(*v)))
		}
	}
	number(keyTemperature, c.Temperature)
	number(keyTopP, c.TopP)
	number(keyTopK, c.TopK)
	number(keyFrequencyPenalty, c.FrequencyPenalty)
	number(keyPresencePenalty, c.PresencePenalty)
	if c.MaxOutputTokens > 0 {
		kv = append(kv, keyMaxTokens.Int(int(c.MaxOutputTokens)))
	}
	if c.Seed != nil {
		kv = append(kv, keySeed.Int(int(*c.Seed)))
	}
	if len(c.StopSequences) > 0 {
		kv = append(kv, keyStopSequences.StringSlice(c.StopSequences))
	}
	if c.CandidateCount > 1 {
		kv = append(kv, keyChoiceCount.Int(int(c.CandidateCount)))
	}
	if c.ResponseMIMEType == "application/json" || c.ResponseSchema != nil || c.ResponseJsonSchema != nil {
		kv = append(kv, keyOutputType.String("json"))
	}
	return kv
}

// Response tells of one response, as it arrives.
func (s *Span) Response(r *genai.GenerateContentResponse) {
	if s == nil {
		return
	}
	now := time.Now()
	if !s.first {
		s.first = true
		if s.m.on {
			s.m.firstChunk.Record(s.ctx, since(s.begun, now), s.measure)
		}
		if s.own && s.span.IsRecording() {
			s.span.SetAttributes(keyTimeToFirstChunk.Float64(since(s.begun, now)))
		}
	} else if s.m.on {
		s.m.perChunk.Record(s.ctx, since(s.last, now), s.measure)
	}
	s.last = now
	if r.ModelVersion != "" {
		s.responseModel = r.ModelVersion
	}
	if r.ResponseID != "" {
		s.responseID = r.ResponseID
	}
	if r.UsageMetadata != nil {
		s.usage = r.UsageMetadata
	}
	for _, c := range r.Candidates {
		if c.FinishReason != "" {
			s.finish = append(s.finish, string(c.FinishReason))
		}
	}
}

// waitShown is the shortest wait that gets a span of its own.
const waitShown = time.Millisecond

// Waited tells that the call waited for the endpoint from a moment on, and then
// sent so many requests. It may be called several times.
func (s *Span) Waited(from time.Time, d time.Duration, attempts int) {
	if s == nil {
		return
	}
	s.waited += d
	s.attempts += attempts
	if d < waitShown || !s.span.IsRecording() {
		return
	}
	until := from.Add(d)
	_, wait := s.t.tracing().Start(s.ctx, spanWait, trace.WithTimestamp(from))
	if p := s.t.probe.Load(); p.during(from, until) {
		wait.SetAttributes(keyReason.String("the endpoint was not known to be ready"))
		if p.span.TraceID() != s.span.SpanContext().TraceID() {
			wait.AddLink(trace.Link{SpanContext: p.span}) // another call's probe woke it for this one too
		}
	}
	wait.End(trace.WithTimestamp(until))
}

// Event adds something that happened: a retry, a resume, an emulated feature.
// Empty values and 0 are left out. No text of a server may be among them, which
// could repeat the prompt.
func (s *Span) Event(name, feature, reason, kind string, status int) {
	if s == nil || !s.span.IsRecording() {
		return
	}
	var kv []attribute.KeyValue
	for _, a := range [...]attribute.KeyValue{keyFeature.String(feature), keyReason.String(reason), keyErrorType.String(kind)} {
		if a.Value.AsString() != "" {
			kv = append(kv, a)
		}
	}
	if status != 0 {
		kv = append(kv, keyHTTPStatus.Int(status))
	}
	s.span.AddEvent("gemma."+name, trace.WithAttributes(kv...))
}

// attributes are those that every metric has.
func (s *Span) attributes(more ...attribute.KeyValue) metric.MeasurementOption {
	kv := make([]attribute.KeyValue, 0, 7+len(more))
	kv = append(kv, keyOperation.String(Operation), keyProvider.String(providerName), keyRequestModel.String(s.model))
	kv = append(kv, s.t.server...)
	if s.responseModel != "" {
		kv = append(kv, keyResponseModel.String(s.responseModel))
	}
	return metric.WithAttributes(append(kv, more...)...)
}

// End closes the span and records the metrics. kind names the failure; "" is
// success.
func (s *Span) End(kind string) {
	if s == nil {
		return
	}
	now := time.Now()
	var failure []attribute.KeyValue
	if kind != "" {
		failure = append(failure, keyErrorType.String(kind))
	}
	if s.m.on {
		s.m.duration.Record(s.ctx, since(s.begun, now), s.attributes(failure...))
		s.m.coldStart.Record(s.ctx, s.waited.Seconds(), s.measure)
		if u := s.usage; u != nil {
			s.m.tokens.Record(s.ctx, int64(u.PromptTokenCount), s.attributes(keyTokenType.String("input")))
			s.m.tokens.Record(s.ctx, int64(u.CandidatesTokenCount+u.ThoughtsTokenCount), s.attributes(keyTokenType.String("output")))
		}
	}
	if s.span.IsRecording() {
		s.span.SetAttributes(keyWaited.Float64(s.waited.Seconds()), keyAttempts.Int(s.attempts))
		if s.own {
			s.fill(kind, failure)
		}
	}
	if s.own {
		s.span.End(trace.WithTimestamp(now))
	}
}

// fill gives a span of one's own what the conventions want of an answer.
func (s *Span) fill(kind string, kv []attribute.KeyValue) {
	if s.responseModel != "" {
		kv = append(kv, keyResponseModel.String(s.responseModel))
	}
	if s.responseID != "" {
		kv = append(kv, keyResponseID.String(s.responseID))
	}
	if s.finish != nil {
		kv = append(kv, keyFinishReasons.StringSlice(s.finish))
	}
	if u := s.usage; u != nil {
		kv = append(kv, keyInputTokens.Int(int(u.PromptTokenCount)), keyOutputTokens.Int(int(u.CandidatesTokenCount+u.ThoughtsTokenCount)))
		if u.ThoughtsTokenCount > 0 {
			kv = append(kv, keyReasoningTokens.Int(int(u.ThoughtsTokenCount)))
		}
	}
	s.span.SetAttributes(kv...)
	if kind != "" {
		s.span.SetStatus(codes.Error, kind)
	}
}
