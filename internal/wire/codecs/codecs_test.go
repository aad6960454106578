// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package codecs_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/models"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/codecs"
)

// Answers as recorded (Ollama v0.6.5, alone and behind the prebuilt
// container's proxy), shortened.
const (
	ollamaHead = `{"model":"gemma3:1b","created_at":"2026-11-23T09:18:29.804937785Z","message":{"role":"assistant","content":"Can"},"done":false}
{"model":"gemma3:1b","created_at":"2026-11-23T09:18:29.806985612Z","message":{"role":"assistant","content":" under"},"done":false}
`
	ollamaEnd = `{"model":"gemma3:1b","created_at":"2026-11-23T09:18:29.809636944Z","message":{"role":"assistant","content":""},"done_reason":"length","done":true,"total_duration":16281238,"load_duration":1967387,"prompt_eval_count":22,"prompt_eval_duration":8593213,"eval_count":6,"eval_duration":5158875}
`
	openAIHead = `data: {"id":"chatcmpl-38","object":"chat.completion.chunk","created":1795425509,"model":"gemma3:1b","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"Can"},"finish_reason":null}]}

data: {"id":"chatcmpl-38","object":"chat.completion.chunk","created":1795425509,"model":"gemma3:1b","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":" under"},"finish_reason":null}]}

`
	openAIFinish = `data: {"id":"chatcmpl-38","object":"chat.completion.chunk","created":1795425509,"model":"gemma3:1b","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"length"}]}

`
	openAIUsage = `data: {"id":"chatcmpl-38","object":"chat.completion.chunk","created":1795425509,"model":"gemma3:1b","system_fingerprint":"fp_ollama","choices":[],"usage":{"prompt_tokens":22,"completion_tokens":6,"total_tokens":28}}

`
	openAIDone = "data: [DONE]\n\n"
	geminiHead = `{"candidates":[{"index":0,"content":{"parts":[{"text":"Can"}],"role":"model"}}],"usageMetadata":{},"modelVersion":"gemma-3-1b-it"}
{"candidates":[{"index":0,"content":{"parts":[{"text":" under"}],"role":"model"}}],"usageMetadata":{},"modelVersion":"gemma-3-1b-it"}
`
	geminiEnd = `{"candidates":[{"index":0,"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"MAX_TOKENS"}],"usageMetadata":{},"modelVersion":"gemma-3-1b-it"}
`
)

func request(p wire.Protocol) *wire.Request {
	m, _ := models.Lookup("gemma3:1b")
	r := &wire.Request{Base: &url.URL{Scheme: "https", Host: "gemma.example"}, Model: "gemma3:1b", Info: m,
		Contents: genai.Text("Why?"), Server: wire.Server{Software: wire.OllamaServer}}
	if p == wire.Gemini {
		r.Model, r.Server.Software = "gemma-3-1b-it", wire.Prebuilt
	}
	return r
}

func open(t *testing.T, r *wire.Request, p wire.Protocol, body io.Reader) wire.Decoder {
	t.Helper()
	x, err := codecs.New(p).Encode(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return x.Open(http.Header{}, body)
}

// drain returns the text, the last response and the error that is not EOF.
func drain(d wire.Decoder) (text string, last *genai.GenerateContentResponse, n int, err error) {
	for {
		resp, e := d.Next()
		if e == io.EOF {
			return text, last, n, nil
		}
		if e != nil {
			return text, last, n, e
		}
		n++
		last = resp
		text += resp.Text()
	}
}

func TestText(t *testing.T) {
	for name, tt := range map[string]struct {
		p     wire.Protocol
		body  string
		usage bool
	}{
		"ollama":                       {wire.Ollama, ollamaHead + ollamaEnd, true},
		"openai":                       {wire.OpenAI, openAIHead + openAIFinish + openAIUsage + openAIDone, true},
		"openai without usage":         {wire.OpenAI, openAIHead + openAIFinish + openAIDone, false},
		"openai without [DONE]":        {wire.OpenAI, openAIHead + openAIFinish, false},
		"openai with usage, no [DONE]": {wire.OpenAI, openAIHead + openAIFinish + openAIUsage, true},
		"openai with carriage returns": {wire.OpenAI, strings.ReplaceAll(openAIHead+openAIFinish+openAIUsage+openAIDone, "\n", "\r\n"), true},
		"gemini, newline-delimited":    {wire.Gemini, geminiHead + geminiEnd, false},
		"gemini, server-sent events":   {wire.Gemini, "data: " + strings.ReplaceAll(strings.TrimSpace(geminiHead+geminiEnd), "\n", "\n\ndata: ") + "\n\n", false},
		"gemini, an array":             {wire.Gemini, "[" + strings.ReplaceAll(strings.TrimSpace(geminiHead+geminiEnd), "\n", "\n,\n") + "\n]\n", false},
		"gemini, a compact array":      {wire.Gemini, "[" + strings.ReplaceAll(strings.TrimSpace(geminiHead+geminiEnd), "\n", ",\n") + "]\n", false},
		"gemini, indented": {wire.Gemini, "[" + strings.ReplaceAll(strings.ReplaceAll(strings.TrimSpace(geminiHead+geminiEnd), "\n", "\n,\n"),
			"{", "{\n  ") + "\n]", false},
	} {
		for how, wrap := range map[string]func(io.Reader) io.Reader{
			"": func(r io.Reader) io.Reader { return r }, ", byte by byte": iotest.OneByteReader, ", data with EOF": iotest.DataErrReader,
		} {
			t.Run(name+how, func(t *testing.T) {
				d := open(t, request(tt.p), tt.p, wrap(strings.NewReader(tt.body)))
				text, last, n, err := drain(d)
				if err != nil || text != "Can under" || n != 3 {
					t.Fatalf("%q, %d responses, %v", text, n, err)
				}
				c := last.Candidates[0]
				if c.FinishReason != genai.FinishReasonMaxTokens || c.Content.Role != genai.RoleModel {
					t.Errorf("the last response is %+v", c)
				}
				if u := last.UsageMetadata; (u != nil) != tt.usage || u != nil && (u.PromptTokenCount != 22 || u.CandidatesTokenCount != 6 || u.TotalTokenCount != 28) {
					t.Errorf("usage %+v", u)
				}
				if _, err := d.Next(); err != io.EOF {
					t.Errorf("after the end: %v", err)
				}
			})
		}
	}
}

// TestBroken: nothing but the end marker is an end.
func TestBroken(t *testing.T) {
	reset := errors.New("connection reset by peer")
	page := "<html><head>\n<title>500 Server Error</title></head></html>\n"
	for name, tt := range map[string]struct {
		p     wire.Protocol
		body  string
		err   error
		kind  fault.Kind
		begun bool
	}{
		"ollama, clean end":                  {wire.Ollama, ollamaHead, nil, fault.Interrupted, true},
		"ollama, reset":                      {wire.Ollama, ollamaHead, reset, fault.Interrupted, true},
		"ollama, in a line":                  {wire.Ollama, ollamaHead + ollamaEnd[:70], nil, fault.Server, true},
		"ollama, reset in a line":            {wire.Ollama, ollamaHead + ollamaEnd[:70], reset, fault.Interrupted, true},
		"ollama, empty":                      {wire.Ollama, "", nil, fault.Interrupted, false},
		"ollama, error line":                 {wire.Ollama, ollamaHead + `{"error":"an error was encountered while running the model: unexpected EOF"}` + "\n", nil, fault.Server, true},
		"ollama, error as first line":        {wire.Ollama, `{"error":"Failed to create new sequence: missing data required for image input"}` + "\n", nil, fault.Unsupported, false},
		"ollama, garbage":                    {wire.Ollama, ollamaHead + "garbage\n", nil, fault.Server, true},
		"ollama, a page":                     {wire.Ollama, page, nil, fault.Server, false},
		"ollama, an OpenAI chunk":            {wire.Ollama, openAIHead, nil, fault.Server, false},
		"ollama, a Gemini chunk":             {wire.Ollama, geminiHead, nil, fault.Server, false},
		"ollama, another model":              {wire.Ollama, strings.ReplaceAll(ollamaHead, "gemma3:1b", "gemma3:4b"), nil, fault.Server, false},
		"openai, clean end":                  {wire.OpenAI, openAIHead, nil, fault.Interrupted, true},
		"openai, only [DONE]":                {wire.OpenAI, openAIHead + openAIDone, nil, fault.Interrupted, true},
		"openai, reset after finish":         {wire.OpenAI, openAIHead + openAIFinish, reset, fault.Interrupted, true},
		"openai, the runner killed":          {wire.OpenAI, openAIHead + strings.Replace(strings.Replace(openAIFinish, `"length"`, "null", 1), "gemma3:1b", "", 1), nil, fault.Interrupted, true},
		"openai, error event":                {wire.OpenAI, openAIHead + "data: " + `{"error":{"message":"EngineCore died","type":"internal_error","code":500}}` + "\n\n" + openAIDone, nil, fault.Server, true},
		"openai, event named error":          {wire.OpenAI, openAIHead + "event: error\ndata: {\"message\":\"no\"}\n\n", nil, fault.Server, true},
		"openai, a Gemini chunk":             {wire.OpenAI, geminiHead, nil, fault.Server, false},
		"openai, an Ollama line":             {wire.OpenAI, ollamaHead, nil, fault.Server, false},
		"openai, a page":                     {wire.OpenAI, page, nil, fault.Server, false},
		"gemini, clean end":                  {wire.Gemini, geminiHead, nil, fault.Interrupted, true},
		"gemini, empty":                      {wire.Gemini, "", nil, fault.Interrupted, false},
		"gemini, the proxy's own words":      {wire.Gemini, geminiHead + "stream read error: unexpected EOF", nil, fault.Interrupted, true},
		"gemini, the runner killed":          {wire.Gemini, geminiHead + `{"candidates":[{"index":0,"content":{"parts":[{"text":""}],"role":"model"}}],"usageMetadata":{}}` + "\n", nil, fault.Interrupted, true},
		"gemini, an OpenAI chunk":            {wire.Gemini, openAIHead, nil, fault.Server, false},
		"gemini, an OpenAI answer":           {wire.Gemini, `{"id":"chatcmpl-470","object":"chat.completion","created":1795425509,"model":"gemma3:1b","choices":[{"index":0,"message":{"role":"assistant","content":"Word"},"finish_reason":"length"}]}`, nil, fault.Server, false},
		"gemini, an Ollama line":             {wire.Gemini, ollamaHead, nil, fault.Server, false},
		"gemini, another model":              {wire.Gemini, strings.ReplaceAll(geminiHead, "gemma-3-1b-it", "gemma-3-4b-it"), nil, fault.Server, false},
		"gemini, an error object in a 200":   {wire.Gemini, geminiHead + `{"error":{"code":500,"message":"broken"}}` + "\n", nil, fault.Server, true},
		"gemini, reset after the end marker": {wire.Gemini, geminiHead + geminiEnd, reset, fault.Interrupted, true},
	} {
		t.Run(name, func(t *testing.T) {
			var body io.Reader = strings.NewReader(tt.body)
			if tt.err != nil {
				body = io.MultiReader(body, iotest.ErrReader(tt.err))
			}
			d := open(t, request(tt.p), tt.p, body)
			text, _, _, err := drain(d)
			f := fault.Of(err)
			if f == nil || f.Kind != tt.kind {
				t.Fatalf("got %v, want %v", err, tt.kind)
			}
			if f.Kind == fault.Server && f.Retry == tt.begun {
				t.Errorf("Retry is %v, begun %v", f.Retry, tt.begun)
			}
			if tt.err != nil && !errors.Is(err, tt.err) {
				t.Errorf("%v has lost its cause", err)
			}
			if want := map[bool]string{true: "Can under"}[tt.begun]; text != want {
				t.Errorf("text %q before the error, want %q", text, want)
			}
			if _, again := d.Next(); again != err {
				t.Errorf("the second error is %v", again)
			}
		})
	}
}

func body(t *testing.T, x *wire.Exchange) map[string]any {
	t.Helper()
	rc, err := x.HTTP.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.NewDecoder(rc).Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestRequestLine(t *testing.T) {
	for name, tt := range map[string]struct {
		p          wire.Protocol
		base, url  string
		key, value string
	}{
		"ollama":          {wire.Ollama, "https://h.example", "https://h.example/api/chat", "Authorization", "Bearer KEY"},
		"below a path":    {wire.Ollama, "https://h.example/x/", "https://h.example/x/api/chat", "Authorization", "Bearer KEY"},
		"openai":          {wire.OpenAI, "https://h.example", "https://h.example/v1/chat/completions", "Authorization", "Bearer KEY"},
		"openai with /v1": {wire.OpenAI, "https://h.example/v1", "https://h.example/v1/chat/completions", "Authorization", "Bearer KEY"},
		"gemini": {wire.Gemini, "https://h.example", "https://h.example/v1beta/models/gemma-3-1b-it:streamGenerateContent?alt=sse",
			"X-Goog-Api-Key", "KEY"},
	} {
		t.Run(name, func(t *testing.T) {
			r := request(tt.p)
			r.Base, _ = url.Parse(tt.base)
			r.APIKey = "KEY"
			x, err := codecs.New(tt.p).Encode(context.Background(), r)
			if err != nil {
				t.Fatal(err)
			}
			if got := x.HTTP.URL.String(); got != tt.url || x.HTTP.Method != "POST" {
				t.Errorf("%s %s", x.HTTP.Method, got)
			}
			if got := x.HTTP.Header.Get(tt.key); got != tt.value {
				t.Errorf("%s: %q", tt.key, got)
			}
			if b := body(t, x); b["keep_alive"] != nil {
				t.Errorf("keep_alive was sent: %v", b)
			}
			r.APIKey = ""
			if x, _ := codecs.New(tt.p).Encode(context.Background(), r); x.HTTP.Header.Get(tt.key) != "" {
				t.Errorf("without a key: %v", x.HTTP.Header)
			}
		})
	}
}
