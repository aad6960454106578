// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"log"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
)

// fake is a backend that records what the bridge asked of it.
type fake struct {
	model    string
	contents []*genai.Content
	config   *genai.GenerateContentConfig
	embed    *genai.EmbedContentConfig
	calls    int

	responses []*genai.GenerateContentResponse
	err       error // after the responses
	models    []*genai.Model
	closed    bool
}

func (f *fake) Stream(ctx context.Context, model string, contents []*genai.Content, config *genai.GenerateContentConfig) iter.Seq2[*genai.GenerateContentResponse, error] {
	return func(yield func(*genai.GenerateContentResponse, error) bool) {
		defer func() { f.closed = true }()
		f.calls++
		f.model, f.contents, f.config = model, contents, config
		for _, r := range f.responses {
			if !yield(r, nil) {
				return
			}
		}
		if f.err != nil {
			yield(nil, f.err)
		}
	}
}

func (f *fake) Generate(ctx context.Context, model string, contents []*genai.Content, config *genai.GenerateContentConfig) (*genai.GenerateContentResponse, error) {
	f.calls++
	f.model, f.contents, f.config = model, contents, config
	if f.err != nil {
		return nil, f.err
	}
	return f.responses[0], nil
}

func (f *fake) Models(context.Context) ([]*genai.Model, error) { return f.models, f.err }

func (f *fake) CountTokens(ctx context.Context, model string, contents []*genai.Content) (*genai.CountTokensResponse, error) {
	f.model, f.contents = model, contents
	return &genai.CountTokensResponse{TotalTokens: 7}, f.err
}

func (f *fake) Embed(ctx context.Context, model string, contents []*genai.Content, config *genai.EmbedContentConfig) (*genai.EmbedContentResponse, error) {
	f.model, f.contents, f.embed = model, contents, config
	r := &genai.EmbedContentResponse{}
	for range contents {
		r.Embeddings = append(r.Embeddings, &genai.ContentEmbedding{Values: []float32{1, 2}})
	}
	return r, f.err
}

func (f *fake) Fail(err error) error { return err }
func (f *fake) Status(error) int     { return 503 }

func client(t *testing.T, f *fake) *genai.Client {
	t.Helper()
	u, _ := url.Parse("https://gemma.example")
	c, err := genai.NewClient(t.Context(), &genai.ClientConfig{
		APIKey: "unused", Backend: genai.BackendGeminiAPI,
		HTTPClient:  &http.Client{Transport: New(u, f)},
		HTTPOptions: genai.HTTPOptions{BaseURL: u.String() + "/", APIVersion: "v1beta"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func text(s string) *genai.GenerateContentResponse {
	return &genai.GenerateContentResponse{ModelVersion: "m", Candidates: []*genai.Candidate{{
		Content: &genai.Content{Role: "model", Parts: []*genai.Part{{Text: s}}}}}}
}

func last(s string) *genai.GenerateContentResponse {
	r := text(s)
	r.Candidates[0].FinishReason = genai.FinishReasonStop
	r.UsageMetadata = &genai.GenerateContentResponseUsageMetadata{PromptTokenCount: 3, CandidatesTokenCount: 2, TotalTokenCount: 5}
	return r
}

// captureLog returns what the global logger printed during the test. The SDK
// logs there, and nowhere else can it be seen.
func captureLog(t *testing.T) *bytes.Buffer {
	var b bytes.Buffer
	log.SetOutput(&b)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	return &b
}

// TestRequestComesBack sends every field that the SDK's Gemini API mode takes
// through the SDK's converter and the bridge, and wants the same config back.
func TestRequestComesBack(t *testing.T) {
	config := &genai.GenerateContentConfig{
		SystemInstruction: &genai.Content{Parts: []*genai.Part{{Text: "be brief"}}, Role: "user"},
		Temperature:       new(float32(0)), TopP: new(float32(0.5)), TopK: new(float32(40)), CandidateCount: 2, MaxOutputTokens: 77,
		StopSequences: []string{"END"}, ResponseLogprobs: true, Logprobs: new(int32(3)), PresencePenalty: new(float32(0.25)),
		FrequencyPenalty: new(float32(-0.5)), Seed: new(int32(42)), ResponseMIMEType: "application/json",
		ResponseSchema: &genai.Schema{Type: genai.TypeObject, Properties: map[string]*genai.Schema{"a": {Type: genai.TypeString}}},
		SafetySettings: []*genai.SafetySetting{{Category: genai.HarmCategoryHarassment, Threshold: genai.HarmBlockThresholdBlockNone}},
		Tools: []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{
			Name: "f", Description: "d", ParametersJsonSchema: map[string]any{"type": "object"}}}}},
		ToolConfig:         &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: genai.FunctionCallingConfigModeAny, AllowedFunctionNames: []string{"f"}}},
		CachedContent:      "cachedContents/x",
		ResponseModalities: []string{"TEXT"},
		MediaResolution:    genai.MediaResolutionLow,
		ThinkingConfig:     &genai.ThinkingConfig{IncludeThoughts: true, ThinkingBudget: new(int32(5))},
		Labels:             map[string]string{"k": "v"},
		ServiceTier:        "flex",
	}
	contents := []*genai.Content{
		genai.NewContentFromText("hi", genai.RoleUser),
		{Role: "model", Parts: []*genai.Part{{Text: "thinking", Thought: true}, {FunctionCall: &genai.FunctionCall{ID: "1", Name: "f", Args: map[string]any{"x": 1.5}}}}},
		{Role: "user", Parts: []*genai.Part{
			{FunctionResponse: &genai.FunctionResponse{ID: "1", Name: "f", Response: map[string]any{"output": "ok"}}},
			{InlineData: &genai.Blob{MIMEType: "image/png", Data: []byte{1, 2, 3}}},
			{FileData: &genai.FileData{FileURI: "gs://b/o", MIMEType: "image/png"}},
		}},
	}
	f := &fake{responses: []*genai.GenerateContentResponse{last("ok")}}
	g := client(t, f)
	for _, unary := range []bool{true, false} {
		f.config, f.contents = nil, nil
		var err error
		if unary {
			_, err = g.Models.GenerateContent(t.Context(), "gemma3:4b", contents, config)
		} else {
			for _, e := range g.Models.GenerateContentStream(t.Context(), "gemma3:4b", contents, config) {
				err = errors.Join(err, e)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.model != "gemma3:4b" {
			t.Errorf("model %q", f.model)
		}
		want := *config
		if d := cmp.Diff(&want, f.config); d != "" {
			t.Errorf("unary %v: config (-sent +received):\n%s", unary, d)
		}
		if d := cmp.Diff(contents, f.contents); d != "" {
			t.Errorf("unary %v: contents (-sent +received):\n%s", unary, d)
		}
	}
}

// TestUnknownFieldIsRefused: a field that a later SDK sends, or ExtraBody, must
// not vanish.
func TestUnknownFieldIsRefused(t *testing.T) {
	f := &fake{responses: []*genai.GenerateContentResponse{last("ok")}}
	_, err := client(t, f).Models.GenerateContent(t.Context(), "m", genai.Text("secret prompt"), &genai.GenerateContentConfig{
		HTTPOptions: &genai.HTTPOptions{ExtraBody: map[string]any{"generationConfig": map[string]any{"minP": 0.1}}}})
	got := fault.Of(err)
	if got == nil || got.Kind != fault.Unsupported || got.Field != "minP" {
		t.Fatalf("error %v", err)
	}
	if f.calls != 0 || strings.Contains(err.Error(), "secret") {
		t.Errorf("%d calls, error %v", f.calls, err)
	}
}

func TestStreamArrives(t *testing.T) {
	f := &fake{responses: []*genai.GenerateContentResponse{text("Hello,"), text(" \"wörld\"\n\u2028"), last("!")}}
	var got []*genai.GenerateContentResponse
	for r, err := range client(t, f).Models.GenerateContentStream(t.Context(), "m", genai.Text("hi"), nil) {
		if err != nil {
			t.Fatal(err)
		}
		r.SDKHTTPResponse = nil
		got = append(got, r)
	}
	if d := cmp.Diff(f.responses, got); d != "" {
		t.Errorf("(-sent +received):\n%s", d)
	}
}

// TestFailureInMidStream: the error that broke the stream reaches the caller
// of the SDK as it is, once, and the global logger stays silent.
func TestFailureInMidStream(t *testing.T) {
	logged := captureLog(t)
	broken := &fault.Error{Kind: fault.Interrupted, Message: "cut"}
	f := &fake{responses: []*genai.GenerateContentResponse{text("a"), text("b")}, err: broken}
	var texts []string
	var errs []error
	for r, err := range client(t, f).Models.GenerateContentStream(t.Context(), "m", genai.Text("hi"), nil) {
		if err != nil {
			errs = append(errs, err)
		} else if s := r.Text(); s != "" {
			texts = append(texts, s)
		}
	}
	if fmt.Sprint(texts) != "[a b]" || len(errs) != 1 || fault.Of(errs[0]) != broken {
		t.Errorf("texts %q, errors %v", texts, errs)
	}
	if f.calls != 1 {
		t.Errorf("the SDK's continuation reached the backend: %d calls", f.calls)
	}
	if logged.Len() > 0 {
		t.Errorf("printed to the global logger: %s", logged)
	}
}

// TestFailureWithoutContinuation: a caller that switched the SDK's continuation
// off gets an error too, though only the SDK's own.
func TestFailureWithoutContinuation(t *testing.T) {
	logged := captureLog(t)
	f := &fake{responses: []*genai.GenerateContentResponse{text("a")}, err: fault.New(fault.Interrupted, "cut")}
	var errs []error
	for _, err := range client(t, f).Models.GenerateContentStream(t.Context(), "m", genai.Text("hi"), &genai.GenerateContentConfig{AutomaticContinuation: new(false)}) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) != 1 {
		t.Fatalf("errors %v", errs)
	}
	api, ok := errors.AsType[genai.APIError](errs[0])
	if !ok || api.Code != 503 || !strings.Contains(api.Message, "cut") {
		t.Errorf("error %v", errs[0])
	}
	if logged.Len() > 0 {
		t.Errorf("printed to the global logger: %s", logged)
	}
}

func TestFailureBeforeTheFirstResponse(t *testing.T) {
	broken := &fault.Error{Kind: fault.Cold, Message: "cold"}
	f := &fake{err: broken}
	g := client(t, f)
	_, err := g.Models.GenerateContent(t.Context(), "m", genai.Text("hi"), nil)
	if fault.Of(err) != broken {
		t.Errorf("unary: %v", err)
	}
	n := 0
	for _, err := range g.Models.GenerateContentStream(t.Context(), "m", genai.Text("hi"), nil) {
		if n++; fault.Of(err) != broken {
			t.Errorf("stream: %v", err)
		}
	}
	if n != 1 {
		t.Errorf("%d errors", n)
	}
}

func TestBreakingOutEndsTheGeneration(t *testing.T) {
	f := &fake{responses: []*genai.GenerateContentResponse{text("a"), text("b"), last("c")}}
	for range client(t, f).Models.GenerateContentStream(t.Context(), "m", genai.Text("hi"), nil) {
		break
	}
	if !f.closed {
		t.Error("the backend's sequence was left open")
	}
}

// TestCancelledContext: errors.Is must find the context's error.
func TestCancelledContext(t *testing.T) {
	captureLog(t) // the SDK prints this one; nothing can stop it
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	f := &fake{responses: []*genai.GenerateContentResponse{text("a")}}
	f.err = fmt.Errorf("call: %w", context.Canceled)
	var last error
	for _, err := range client(t, f).Models.GenerateContentStream(ctx, "m", genai.Text("hi"), nil) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("error %v", last)
	}
}

func TestOtherMethods(t *testing.T) {
	f := &fake{models: []*genai.Model{{Name: "models/gemma3:4b", InputTokenLimit: 100, SupportedActions: []string{"generateContent"}}}}
	g := client(t, f)
	page, err := g.Models.List(t.Context(), nil)
	if err != nil || len(page.Items) != 1 {
		t.Fatal(page, err)
	}
	page.Items[0].TunedModelInfo = nil // the SDK makes an empty one
	if d := cmp.Diff(f.models[0], page.Items[0]); d != "" {
		t.Error(d)
	}
	if m, err := g.Models.Get(t.Context(), "gemma-3-4b-it", nil); err != nil || m.Name != "models/gemma3:4b" {
		t.Error(m, err)
	}
	if _, err := g.Models.Get(t.Context(), "other", nil); fault.Of(err) == nil || fault.Of(err).Kind != fault.NotFound {
		t.Error(err)
	}
	n, err := g.Models.CountTokens(t.Context(), "m", genai.Text("hi"), nil)
	if err != nil || n.TotalTokens != 7 {
		t.Error(n, err)
	}
	e, err := g.Models.EmbedContent(t.Context(), "m", append(genai.Text("a"), genai.Text("b")...), &genai.EmbedContentConfig{TaskType: "RETRIEVAL_QUERY", OutputDimensionality: new(int32(2))})
	if err != nil || len(e.Embeddings) != 2 || len(f.contents) != 2 || f.embed.TaskType != "RETRIEVAL_QUERY" || *f.embed.OutputDimensionality != 2 {
		t.Error(e, err, f.embed)
	}
}

// TestRefusedLocally: what a private endpoint does not have is refused by name.
func TestRefusedLocally(t *testing.T) {
	f := &fake{}
	g := client(t, f)
	ctx := t.Context()
	tests := map[string]func() error{
		"Files":   func() error { _, err := g.Files.List(ctx, nil); return err },
		"Caches":  func() error { _, err := g.Caches.List(ctx, nil); return err },
		"Batches": func() error { _, err := g.Batches.List(ctx, nil); return err },
		"predictLongRunning": func() error {
			_, err := g.Models.GenerateVideosFromSource(ctx, "m", &genai.GenerateVideosSource{Prompt: "a cat"}, nil)
			return err
		},
	}
	for name, call := range tests {
		err := call()
		if e := fault.Of(err); e == nil || e.Kind != fault.Unsupported || e.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f.calls != 0 {
		t.Error("the backend was called")
	}
}

func TestForeignHostIsRefused(t *testing.T) {
	f := &fake{responses: []*genai.GenerateContentResponse{last("ok")}}
	_, err := client(t, f).Models.GenerateContent(t.Context(), "m", genai.Text("hi"),
		&genai.GenerateContentConfig{HTTPOptions: &genai.HTTPOptions{BaseURL: "https://elsewhere.example"}})
	if e := fault.Of(err); e == nil || e.Kind != fault.Invalid || !strings.Contains(err.Error(), "elsewhere.example") || f.calls != 0 {
		t.Errorf("error %v, %d calls", err, f.calls)
	}
}
