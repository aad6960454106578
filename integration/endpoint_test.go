// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/auth"
	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
	"github.com/gemma-go/sdk/integration/ollama"
	"github.com/gemma-go/sdk/stream"
)

// endpoint is a private service with a real Ollama in its container.
type endpoint struct {
	*gemmatest.FrontEnd
	url string
}

// serve puts Cloud Run's front end before srv; wrap, if not nil, sits between
// the two.
func serve(t *testing.T, srv *ollama.Server, c gemmatest.FrontEndConfig, wrap func(http.Handler) http.Handler) *endpoint {
	t.Helper()
	container, err := gemmatest.Proxy(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	if wrap != nil {
		container = wrap(container)
	}
	front := gemmatest.NewFrontEnd(c, container)
	ts := httptest.NewServer(front)
	t.Cleanup(ts.Close)
	return &endpoint{front.(*gemmatest.FrontEnd), ts.URL}
}

// client returns a new client of the endpoint that presents good tokens.
func (e *endpoint) client(t *testing.T, c gemma.Config) *gemma.Client {
	t.Helper()
	c.Endpoint = e.url
	if c.Model == "" {
		c.Model = "gemma-3-1b-it"
	}
	c.Auth = auth.SourceFunc(func(context.Context) (auth.Token, error) {
		return auth.Token{Value: gemmatest.Mint(gemmatest.MintOptions{Audience: e.url}), Expiry: time.Now().Add(time.Hour)}, nil
	})
	client, err := gemma.NewClient(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// sent returns how many requests for the path reached the service.
func (e *endpoint) sent(path string) int {
	n := 0
	for _, r := range e.Requests() {
		if r.Path == path {
			n++
		}
	}
	return n
}

// protocols are the ways to speak to an Ollama that honour the request.
var protocols = map[string]gemma.Protocol{"ollama": gemma.ProtocolOllama, "openai": gemma.ProtocolOpenAI}

// each runs f for each protocol.
func each(t *testing.T, e *endpoint, f func(*testing.T, *gemma.Client)) {
	for name, p := range protocols {
		t.Run(name, func(t *testing.T) { f(t, e.client(t, gemma.Config{Protocol: p})) })
	}
}

// greedy asks for at most n tokens of the likeliest answer.
func greedy(n int32) *genai.GenerateContentConfig {
	return &genai.GenerateContentConfig{Temperature: new(float32(0)), MaxOutputTokens: n}
}

// seeded asks for at most n tokens of the answer of one seed.
func seeded(seed, n int32) *genai.GenerateContentConfig {
	return &genai.GenerateContentConfig{Temperature: new(float32(1)), TopP: new(float32(0.95)), Seed: new(seed), MaxOutputTokens: n}
}

// text returns the text of a response.
func text(r *genai.GenerateContentResponse) string {
	var b strings.Builder
	for _, c := range r.Candidates {
		if c.Content == nil {
			continue
		}
		for _, p := range c.Content.Parts {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// result is what the tests compare of an answer.
type result struct {
	text   string
	finish genai.FinishReason
	tokens int32
	prompt int32
}

func (r result) String() string {
	return fmt.Sprintf("%q, %s, %d tokens after %d", r.text, r.finish, r.tokens, r.prompt)
}

func resultOf(r *genai.GenerateContentResponse) result {
	got := result{text: text(r)}
	if len(r.Candidates) > 0 {
		got.finish = r.Candidates[0].FinishReason
	}
	if u := r.UsageMetadata; u != nil {
		got.tokens, got.prompt = u.CandidatesTokenCount, u.PromptTokenCount
	}
	return got
}

// ask streams an answer and returns the whole of it.
func ask(t *testing.T, c *gemma.Client, contents []*genai.Content, config *genai.GenerateContentConfig) result {
	t.Helper()
	r, err := stream.Collect(c.Stream(t.Context(), contents, config))
	if err != nil {
		t.Fatal(err)
	}
	return resultOf(r)
}
