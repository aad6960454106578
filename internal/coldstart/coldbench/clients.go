// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"net/http"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/coldstart"
)

// client is one way to call the endpoint. make returns what one process holds:
// a function that makes one call.
type client struct {
	name string
	make func(ctx context.Context, url string, rt http.RoundTripper) (func(context.Context) error, error)
}

const (
	gateName = "this gate"
	forever  = 1 << 20 // retries
)

func clients() []client {
	return []client{
		{gateName, gate},
		{"go-genai", viaGenAI(nil)},
		{"go-genai, RetryOptions{}", viaGenAI(&genai.HTTPRetryOptions{})},
		{"go-genai, told to retry for ever", viaGenAI(&genai.HTTPRetryOptions{Attempts: new(int32(forever))})},
		{"openai-go", viaOpenAI(-1)},
		{"openai-go, told to retry for ever", viaOpenAI(forever)},
	}
}

func gate(_ context.Context, url string, rt http.RoundTripper) (func(context.Context) error, error) {
	post := func(ctx context.Context, path, body string) (*http.Request, error) {
		return http.NewRequestWithContext(ctx, http.MethodPost, url+path, strings.NewReader(body))
	}
	g := coldstart.New(coldstart.Config{
		Base: rt,
		Probe: func(ctx context.Context, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
			req, err := post(ctx, "/api/generate", `{"model":"gemma3:4b"}`)
			if err != nil {
				return nil, err
			}
			return send(req)
		},
	})
	return func(ctx context.Context) error {
		req, err := post(ctx, "/api/chat", `{"model":"gemma3:4b"}`)
		if err != nil {
			return err
		}
		resp, err := g.RoundTrip(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}, nil
}

func viaGenAI(retry *genai.HTTPRetryOptions) func(context.Context, string, http.RoundTripper) (func(context.Context) error, error) {
	return func(ctx context.Context, url string, rt http.RoundTripper) (func(context.Context) error, error) {
		c, err := genai.NewClient(ctx, &genai.ClientConfig{
			APIKey: "none", Backend: genai.BackendGeminiAPI, HTTPClient: &http.Client{Transport: rt},
			HTTPOptions: genai.HTTPOptions{BaseURL: url, RetryOptions: retry},
		})
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			_, err := c.Models.GenerateContent(ctx, "gemma-3-4b-it", genai.Text("Hello"), nil)
			return err
		}, nil
	}
}

// viaOpenAI makes calls with so many retries; fewer than none means the
// client's own default.
func viaOpenAI(retries int) func(context.Context, string, http.RoundTripper) (func(context.Context) error, error) {
	return func(_ context.Context, url string, rt http.RoundTripper) (func(context.Context) error, error) {
		opts := []option.RequestOption{option.WithBaseURL(url + "/v1/"), option.WithAPIKey("none"), option.WithHTTPClient(&http.Client{Transport: rt})}
		if retries >= 0 {
			opts = append(opts, option.WithMaxRetries(retries))
		}
		c := openai.NewClient(opts...)
		return func(ctx context.Context) error {
			_, err := c.Chat.Completions.New(ctx, openai.ChatCompletionNewParams{
				Model: "gemma", Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hello")},
			})
			return err
		}, nil
	}
}
