// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package reply

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/models"
	"github.com/gemma-go/sdk/internal/wire"
)

type body struct {
	io.Reader
	closed int
}

func (b *body) Close() error { b.closed++; return nil }

const page = `<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>%</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error</h1>
<h2></h2>
</body></html>`

// TestFault: the bodies are as recorded on Ollama v0.6.5 and v0.24.0, alone and
// behind the prebuilt container's proxy, or as vLLM and llama.cpp document them.
func TestFault(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		typ    string
		body   string
		want   fault.Error // Kind, Field, FrontEnd, Retry; Message and Hint as parts
	}{
		"unknown model, 0.6.5":      {404, "application/json", `{"error":"model \"nope\" not found, try pulling it first"}`, fault.Error{Kind: fault.NotFound, Message: "nope", Hint: "Models"}},
		"unknown model, 0.24":       {404, "application/json", `{"error":"model 'nope' not found"}`, fault.Error{Kind: fault.NotFound, Message: "nope"}},
		"unknown model, code null":  {404, "application/json", `{"error":{"message":"model \"nope\" not found, try pulling it first","type":"api_error","param":null,"code":null}}`, fault.Error{Kind: fault.NotFound, Message: "nope"}},
		"unknown model, vLLM":       {404, "application/json", `{"error":{"message":"The model ` + "`nope`" + ` does not exist.","type":"NotFoundError","param":"model","code":404}}`, fault.Error{Kind: fault.NotFound, Message: "nope"}},
		"unknown model, older vLLM": {404, "application/json", `{"object":"error","message":"The model ` + "`nope`" + ` does not exist.","type":"NotFoundError","param":null,"code":404}`, fault.Error{Kind: fault.NotFound, Message: "nope"}},
		"no tools":                  {400, "application/json", `{"error":"registry.ollama.ai/library/gemma3:1b does not support tools"}`, fault.Error{Kind: fault.Unsupported, Field: "config.tools", Message: "gemma3:1b"}},
		"no tools, vLLM":            {400, "application/json", `{"error":{"message":"\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set","type":"BadRequestError","param":null,"code":400}}`, fault.Error{Kind: fault.Unsupported, Field: "config.tools", Hint: "--tool-call-parser"}},
		"no thoughts":               {400, "application/json", `{"error":"\"gemma3:1b\" does not support thinking"}`, fault.Error{Kind: fault.Unsupported, Field: "config.thinkingConfig"}},
		"no embeddings":             {500, "application/json", `{"error":"this model does not support embeddings"}`, fault.Error{Kind: fault.Unsupported, Hint: "embeddinggemma"}},
		"no images":                 {500, "application/json", `{"error":"Failed to create new sequence: failed to process inputs: this model is missing data required for image input"}`, fault.Error{Kind: fault.Unsupported, Field: "contents.parts.inlineData"}},
		"queue full":                {503, "application/json", `{"error":"server busy, please try again.  maximum pending requests exceeded"}`, fault.Error{Kind: fault.Overloaded, Retry: true, Message: "server busy"}},
		"loading":                   {503, "application/json", `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`, fault.Error{Kind: fault.Cold, Retry: true}},
		"too long, Ollama":          {400, "application/json", `{"error":"the input length exceeds the context length"}`, fault.Error{Kind: fault.Invalid, Field: "contents", Hint: "context window"}},
		"too long, vLLM":            {400, "application/json", `{"error":{"message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4900 in the messages, 100 in the completion). Please reduce the length of the messages or completion.","type":"BadRequestError","param":null,"code":400}}`, fault.Error{Kind: fault.Invalid, Field: "contents", Message: "4096 tokens. However, you requested 5000"}},
		"wrong key, proxy":          {403, "text/plain; charset=utf-8", "Permission denied. Invalid API Key.  Configure your SDK ...", fault.Error{Kind: fault.Forbidden, Hint: "Config.APIKey"}},
		"wrong key, vLLM":           {401, "application/json", `{"error":"Unauthorized"}`, fault.Error{Kind: fault.Forbidden, Hint: "Config.APIKey"}},
		"Ollama down":               {502, "text/plain; charset=utf-8", "Proxy Error: dial tcp 127.0.0.1:3999: connect: connection refused", fault.Error{Kind: fault.Cold, Retry: true}},
		"Ollama killed":             {502, "text/plain; charset=utf-8", "Proxy Error: EOF", fault.Error{Kind: fault.Server, Retry: true}},
		"runner killed":             {500, "application/json", `{"error":"an error was encountered while running the model: unexpected EOF"}`, fault.Error{Kind: fault.Server, Message: "unexpected EOF"}},
		"wrong option":              {500, "application/json", `{"error":"option \"stop\" must be of type array"}`, fault.Error{Kind: fault.Invalid}},
		"schema too big":            {500, "application/json", `{"error":"failed to load model vocabulary required for format"}`, fault.Error{Kind: fault.Invalid, Field: "config.responseJsonSchema"}},
		"unknown field":             {500, "text/plain; charset=utf-8", "Failed to convert request for target.\n", fault.Error{Kind: fault.Invalid, Hint: "ProtocolOllama"}},
		"unknown path":              {404, "text/plain; charset=utf-8", "Failed to read request path.\n", fault.Error{Kind: fault.NotFound, Hint: "ProtocolOllama"}},
		"a bad request":             {400, "application/json", `{"error":{"message":"[] is too short - 'messages'","type":"invalid_request_error","param":null,"code":null}}`, fault.Error{Kind: fault.Invalid, Message: "too short"}},
		"front end 401":             {401, "text/html; charset=UTF-8", strings.Replace(page, "%", "401 Unauthorized", 1), fault.Error{Kind: fault.Unauthenticated, FrontEnd: true, Message: "401 Unauthorized"}},
		"front end 403":             {403, "text/html; charset=UTF-8", strings.Replace(page, "%", "403 Forbidden", 1), fault.Error{Kind: fault.Forbidden, FrontEnd: true, Hint: "run.invoker"}},
		"front end 404":             {404, "text/html; charset=UTF-8", strings.Replace(page, "%", "404 Page not found", 1), fault.Error{Kind: fault.NotFound, FrontEnd: true}},
		"front end 429":             {429, "text/plain", "Rate exceeded.", fault.Error{Kind: fault.Overloaded, FrontEnd: true, Retry: true}},
		"front end 500":             {500, "text/html; charset=UTF-8", strings.Replace(page, "%", "500 Server Error", 1), fault.Error{Kind: fault.Cold, FrontEnd: true, Retry: true}},
		"front end 504":             {504, "text/plain", "upstream request timeout", fault.Error{Kind: fault.Cold, FrontEnd: true, Retry: true}},
		"nothing":                   {418, "", "", fault.Error{Kind: fault.Invalid, Message: "teapot"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := &body{Reader: strings.NewReader(tt.body)}
			f := fault.Of(Fault(&http.Response{StatusCode: tt.status, Header: http.Header{"Content-Type": {tt.typ}}, Body: b}))
			if f == nil || f.Status != tt.status || f.Kind != tt.want.Kind || f.Field != tt.want.Field || f.FrontEnd != tt.want.FrontEnd || f.Retry != tt.want.Retry ||
				!strings.Contains(f.Message, tt.want.Message) || !strings.Contains(f.Hint, tt.want.Hint) || f.Message == "" {
				t.Errorf("%+v", f)
			}
			if b.closed != 1 {
				t.Errorf("the body was closed %d times", b.closed)
			}
		})
	}
}

// TestFaultIsBounded: an error holds little of what a server says, however much
// that is.
func TestFaultIsBounded(t *testing.T) {
	b := &body{Reader: io.MultiReader(strings.NewReader(`{"error":"`), io.LimitReader(zeros{}, 1<<30))}
	f := fault.Of(Fault(&http.Response{StatusCode: 500, Header: http.Header{}, Body: b}))
	if len(f.Message) > 600 {
		t.Errorf("%d bytes", len(f.Message))
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func TestCheckModel(t *testing.T) {
	for _, tt := range []struct {
		asked, answered string
		server          wire.Server
		ok              bool
	}{
		{"gemma3:1b", "gemma3:1b", wire.Server{Software: wire.OllamaServer}, true},
		{"gemma3:1b", "gemma-3-1b-it", wire.Server{Software: wire.Prebuilt}, true},
		{"gemma3:1b", "gemma3:4b", wire.Server{}, false},
		{"gemma3:1b", "", wire.Server{Software: wire.OllamaServer}, true},
		{"", "x", wire.Server{Software: wire.OllamaServer}, true},
		{"mine", "mine:latest", wire.Server{Software: wire.OllamaServer}, true},
		{"mine", "yours", wire.Server{Software: wire.OllamaServer}, false},
		{"mine", "yours", wire.Server{Software: wire.VLLM, Served: []string{"yours", "mine"}}, true},
		{"mine", "yours", wire.Server{Software: wire.VLLM, Served: []string{"mine"}}, false},
		{"gs://b/mine", "/models/mine", wire.Server{Software: wire.VLLM}, true},
		{"mine", "gpt-3.5-turbo", wire.Server{Software: wire.LlamaCpp}, true},
		{"gemma3:1b", "gemma3:4b", wire.Server{Software: wire.LlamaCpp}, false},
		{"gemma-x", "gemma-x-001", wire.Server{Software: wire.FullGemini}, true},
	} {
		m, _ := models.Lookup(tt.asked)
		err := CheckModel(&wire.Request{Model: tt.asked, Info: m, Server: tt.server}, tt.answered)
		if f := fault.Of(err); (err == nil) != tt.ok || f != nil && (f.Kind != fault.Server || !f.Retry) {
			t.Errorf("%q for %q: %v", tt.answered, tt.asked, err)
		}
	}
}
