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
// that is private and cold, with its own retries off. GEMMA_TEST_ENDPOINT puts
// a real Ollama behind the same front end.
func TestColdPrivateEndpoint(t *testing.T) {
	endpoint := gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Start: 100 * time.Millisecond}}
	model := "gemma3:4b"
	if url := os.Getenv("GEMMA_TEST_ENDPOINT"); url != "" {
		real, err := gemmatest.Proxy(url)
		if err != nil {
			t.Fatal(err)
		}
		endpoint.Backend, model = real, "gemma3:1b"
	}
	for name, ask := range map[string]func(context.Context, *http.Client, string, string, string, io.Writer) error{
		"openai-go": askOpenAI, "ollama chat": askOllamaChat, "ollama generate": askOllamaGenerate, "plain HTTP": askPlain,
	} {
		t.Run(name, func(t *testing.T) {
			srv := gemmatest.NewServer(endpoint)
			defer srv.Close()
			client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: srv.URL, Auth: srv.Source(), Model: model})
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			if err := ask(t.Context(), client.HTTPClient(), srv.URL, model, "Why is the sky blue?", &b); err != nil {
				t.Fatal(err)
			}
			if len(strings.Fields(b.String())) == 0 {
				t.Error("no answer")
			}
			if n := len(srv.Starts()); n != 1 {
				t.Errorf("%d starts: the endpoint was not cold", n)
			}
		})
	}
}
