// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// TestColdPrivateEndpoint: each library gets its whole answer from an endpoint
// that is private and cold, with its own retries off.
//
// GEMMA_TEST_ENDPOINT runs the same against a real server on this machine.
func TestColdPrivateEndpoint(t *testing.T) {
	for name, ask := range map[string]func(context.Context, *http.Client, string, string, string, io.Writer) error{
		"openai-go": askOpenAI, "ollama chat": askOllamaChat, "ollama generate": askOllamaGenerate, "plain HTTP": askPlain,
	} {
		t.Run(name, func(t *testing.T) {
			config := gemma.Config{Endpoint: os.Getenv("GEMMA_TEST_ENDPOINT")}
			model := "gemma3:1b"
			if config.Endpoint == "" {
				srv := gemmatest.NewServer(gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Start: 100 * time.Millisecond}})
				defer srv.Close()
				config.Endpoint, config.Auth = srv.URL, srv.Source()
				model = "gemma3:4b"
			}
			client, err := gemma.NewClient(t.Context(), config)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			if err := ask(t.Context(), client.HTTPClient(), config.Endpoint, model, "Why is the sky blue?", &b); err != nil {
				t.Fatal(err)
			}
			if len(strings.Fields(b.String())) == 0 {
				t.Error("no answer")
			}
		})
	}
}
