// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package oteltest

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/genai"

	"github.com/gemma-go/sdk/auth"
	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// value returns a span's attribute as text, "" if it has none.
func value(s tracetest.SpanStub, key attribute.Key) string {
	for _, kv := range s.Attributes {
		if kv.Key == key {
			return kv.Value.String()
		}
	}
	return ""
}

// TestNoDoubles: a caller that makes its own span of each call to a model, as
// ADK does, gets no second one, through either of the client's surfaces. Wait
// and attempts go into the caller's span; what the conventions say of the
// answer is left to its maker. A span of another kind, such as that of an
// agent's run, does not stand in for one.
func TestNoDoubles(t *testing.T) {
	bubble(t, cold(), nil, func(t *testing.T, client *gemma.Client, r *record) {
		agents := r.traces.Tracer("gcp.vertex.agent")
		ctx, agent := agents.Start(t.Context(), "invoke_agent weather", trace.WithAttributes(attribute.String("gen_ai.operation.name", "invoke_agent")))
		mctx, model := agents.Start(ctx, "generate_content gemma-3-4b-it", trace.WithAttributes(
			attribute.String("gcp.vertex.agent.invocation_id", "e-1"),
			attribute.String("gen_ai.operation.name", "generate_content"), attribute.String("gen_ai.request.model", "gemma-3-4b-it")))
		for _, err := range client.GenAI().Models.GenerateContentStream(mctx, "gemma-3-4b-it", genai.Text("Why?"), nil) {
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := client.Generate(mctx, genai.Text("Why?"), nil); err != nil {
			t.Fatal(err)
		}
		model.End()
		spans := r.named("generate_content")
		if len(spans) != 1 {
			t.Fatalf("%d spans of a model's call, want the caller's:\n%s", len(spans), r.tree())
		}
		own := spans[0]
		if value(own, "gemma.waited") == "" || value(own, "gen_ai.usage.input_tokens") != "" || value(own, "gen_ai.provider.name") != "" {
			t.Errorf("the caller's span has %v", own.Attributes)
		}
		for name, want := range map[string]int{"gemma attempt": 4, "gemma wait": 1, "gemma probe": 1} {
			found := r.named(name)
			if len(found) != want {
				t.Errorf("%d of %s, want %d", len(found), name, want)
			}
			for _, s := range found {
				if s.SpanContext.TraceID() != own.SpanContext.TraceID() {
					t.Errorf("%s is of another trace", name)
				}
			}
		}
		if count, _ := total(t, r.metric(t, "gen_ai.client.operation.duration"), "", ""); count != 2 {
			t.Errorf("%d durations for 2 calls", count)
		}

		if _, err := client.Generate(ctx, genai.Text("Why?"), nil); err != nil {
			t.Fatal(err)
		}
		agent.End()
		if spans := r.named("generate_content"); len(spans) != 2 || spans[1].Parent.SpanID() != agent.SpanContext().SpanID() {
			t.Errorf("a call within an agent's run has no span of its own:\n%s", r.tree())
		}
	})
}

// TestUnsampled: what the caller's sampler drops is not recorded either.
func TestUnsampled(t *testing.T) {
	bubble(t, cold(), nil, func(t *testing.T, client *gemma.Client, r *record) {
		dropped := trace.ContextWithSpanContext(t.Context(), trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1},
		}))
		if _, err := client.Generate(dropped, genai.Text("Why?"), nil); err != nil {
			t.Fatal(err)
		}
		if spans := r.spans.GetSpans(); len(spans) > 0 {
			t.Errorf("recorded:\n%s", r.tree())
		}
		if count, _ := total(t, r.metric(t, "gen_ai.client.operation.duration"), "", ""); count != 1 {
			t.Errorf("%d durations, want 1: metrics are not sampled", count)
		}
	})
}

// TestUnusual: what happened in a call is in its span's events and status.
func TestUnusual(t *testing.T) {
	broken := gemmatest.Reply{Chunks: []string{"It ", "scatters ", "light."}, Fault: gemmatest.EndEarly, At: 2}
	for _, c := range []struct {
		name     string
		server   gemmatest.Config
		change   func(*gemma.Config)
		config   *genai.GenerateContentConfig
		event    string // with its attributes
		attempts string
		failure  string
	}{
		{
			name:   "resume",
			server: gemmatest.Config{Kind: gemmatest.Ollama, Reply: gemmatest.Script(broken, gemmatest.Text("light."))},
			change: func(c *gemma.Config) { c.Resume = 1 },
			event:  "gemma.resume error.type = interrupted", attempts: "2",
		},
		{
			name:     "broken",
			server:   gemmatest.Config{Kind: gemmatest.Ollama, Reply: gemmatest.Script(broken)},
			attempts: "1", failure: "interrupted",
		},
		{
			name:   "emulated",
			server: gemmatest.Config{Kind: gemmatest.Prebuilt},
			change: func(c *gemma.Config) { c.Protocol = gemma.ProtocolGemini },
			config: &genai.GenerateContentConfig{SystemInstruction: genai.NewContentFromText("Be brief.", genai.RoleUser)},
			event:  "gemma.emulated gemma.feature = config.systemInstruction", attempts: "1",
		},
		{
			name:     "forbidden",
			server:   gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Invokers: []string{}}},
			attempts: "0", failure: "forbidden",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.server, c.change, func(t *testing.T, client *gemma.Client, r *record) {
				_, err := client.Generate(t.Context(), genai.Text("Why?"), c.config)
				if (err != nil) != (c.failure != "") {
					t.Fatal(err)
				}
				s := r.named("generate_content")[0]
				if got := value(s, "gemma.attempts"); got != c.attempts {
					t.Errorf("%s attempts, want %s", got, c.attempts)
				}
				if value(s, "error.type") != c.failure || (s.Status.Code == codes.Error) != (c.failure != "") {
					t.Errorf("error.type %q, status %v, want %q", value(s, "error.type"), s.Status, c.failure)
				}
				var events []string
				for _, e := range s.Events {
					events = append(events, e.Name+" "+strings.Join(sorted(e.Attributes), ", "))
				}
				if all := strings.Join(events, "\n"); c.event == "" && all != "" || !strings.Contains(all, c.event) {
					t.Errorf("events %q, want %q", events, c.event)
				}
				if count, _ := total(t, r.metric(t, "gen_ai.client.operation.duration"), "error.type", c.failure); count != 1 {
					t.Errorf("%d durations with error.type %q", count, c.failure)
				}
			})
		})
	}
}

// TestNoContent: neither prompt nor answer nor token nor key is in a span or a
// metric, not even where the server repeats them in an error.
func TestNoContent(t *testing.T) {
	const prompt, system, answer, key = "the merger is on friday", "you are a lawyer", "sell everything", "sk-container-key"
	full := gemmatest.Reply{Chunks: strings.SplitAfter(answer, " ")}
	broken := full
	broken.Fault, broken.At = gemmatest.EndEarly, 1
	echo := gemmatest.Reply{Status: 500, Error: "cannot answer " + prompt + " with " + answer}
	told := gemmatest.Reply{Chunks: full.Chunks, Fault: gemmatest.ErrorLine, FaultText: echo.Error, At: 1}
	early := gemmatest.Reply{Fault: gemmatest.ErrorLine, FaultText: echo.Error} // is asked again
	for _, kind := range []gemmatest.Kind{gemmatest.Ollama, gemmatest.VLLM, gemmatest.Prebuilt} {
		var tokens []string
		change := func(c *gemma.Config) {
			c.APIKey, c.Resume = key, 1
			c.Model = ""
			src := c.Auth
			c.Auth = auth.SourceFunc(func(ctx context.Context) (auth.Token, error) {
				tok, err := src.Token(ctx)
				tokens = append(tokens, tok.Value)
				return tok, err
			})
		}
		bubble(t, gemmatest.Config{Kind: kind, APIKey: key, Reply: gemmatest.Script(full, echo, full, broken, full, told, told, early)}, change, func(t *testing.T, client *gemma.Client, r *record) {
			config := &genai.GenerateContentConfig{SystemInstruction: genai.NewContentFromText(system, genai.RoleUser)}
			failed := 0
			for range 7 {
				if _, err := client.Generate(t.Context(), genai.Text(prompt), config); err != nil {
					failed++
				}
			}
			if failed == 0 {
				t.Errorf("kind %v: nothing failed", kind)
			}
			var all metricdata.ResourceMetrics
			if err := r.reader.Collect(t.Context(), &all); err != nil {
				t.Fatal(err)
			}
			metrics, err := json.Marshal(all.ScopeMetrics)
			if err != nil {
				t.Fatal(err)
			}
			told := r.tree() + string(metrics)
			if len(tokens) == 0 || !strings.Contains(told, "generate_content") || !strings.Contains(told, "gemma.client") {
				t.Fatal("nothing was told")
			}
			for _, s := range append(tokens, prompt, system, answer, key, "everything", "merger") {
				if strings.Contains(told, s) {
					t.Errorf("kind %v: telemetry holds %q:\n%s", kind, s, told)
				}
			}
		})
	}
}
