// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma_test

import (
	"testing"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// TestContextWindow: the window goes with every request where the server takes
// one, and is refused by name where it would be lost.
func TestContextWindow(t *testing.T) {
	asking := func(n int) func(*gemma.Config) { return func(c *gemma.Config) { c.ContextWindow = n } }
	bubble(t, gemmatest.Config{Kind: gemmatest.Ollama}, func(t *testing.T, srv *gemmatest.Server) {
		client := dial(t, srv, asking(8192))
		if _, err := text(client.Stream(t.Context(), hi, nil)); err != nil {
			t.Fatal(err)
		}
		for _, r := range srv.Requests() {
			if r.Path != "/api/chat" && r.Path != "/api/generate" {
				continue
			}
			options, _ := r.JSON["options"].(map[string]any)
			if options["num_ctx"] != 8192.0 {
				t.Errorf("%s: options %v", r.Path, options)
			}
		}
	})
	for _, tt := range []struct {
		kind   gemmatest.Kind
		tokens int
		ok     bool
	}{{gemmatest.VLLM, 8192, true}, {gemmatest.VLLM, 1 << 20, false}, {gemmatest.GeminiServer, 8192, false}} {
		bubble(t, gemmatest.Config{Kind: tt.kind}, func(t *testing.T, srv *gemmatest.Server) {
			_, err := text(dial(t, srv, asking(tt.tokens)).Stream(t.Context(), hi, nil))
			if tt.ok {
				if err != nil {
					t.Errorf("%v, %d: %v", tt.kind, tt.tokens, err)
				}
				return
			}
			fails(t, err, gemma.KindUnsupported)
		})
	}
}

// TestRefusedToolsAreRemembered: a model that takes no tools, although the
// table thinks it does, is asked natively once.
func TestRefusedToolsAreRemembered(t *testing.T) {
	c := gemmatest.Config{Kind: gemmatest.Ollama, Model: "gemma4:e4b", Version: "0.24.0", Abilities: &gemmatest.Abilities{}}
	bubble(t, c, func(t *testing.T, srv *gemmatest.Server) {
		var w watch
		client := dial(t, srv, w.config)
		for range 3 {
			_, err := client.Generate(t.Context(), hi, &genai.GenerateContentConfig{Tools: []*genai.Tool{{
				FunctionDeclarations: []*genai.FunctionDeclaration{{Name: "f", Description: "d"}}}}})
			if err != nil {
				t.Fatal(err)
			}
		}
		if n := len(w.of(gemma.EventRetry)); n != 1 {
			t.Errorf("%d retries", n)
		}
	})
}
