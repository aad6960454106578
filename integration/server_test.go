// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bufio"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
	"github.com/gemma-go/sdk/integration/ollama"
)

// What the client offers beside generating.
func TestServer(t *testing.T) {
	srv := ollama.Start(t, ollama.Options{})
	e := serve(t, srv, gemmatest.FrontEndConfig{Slots: 4}, nil)

	t.Run("other paths", func(t *testing.T) {
		c := e.client(t, gemma.Config{}) // nothing is loaded yet
		resp, err := c.HTTPClient().Post(e.url+"/api/generate", "application/json",
			strings.NewReader(`{"model":"gemma3:1b","prompt":"Write about the sky.","options":{"num_predict":5,"seed":1}}`))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var last struct {
			Done  bool
			Count int `json:"eval_count"`
		}
		for in := bufio.NewScanner(resp.Body); in.Scan(); {
			if err := json.Unmarshal(in.Bytes(), &last); err != nil {
				t.Fatal(err)
			}
		}
		if resp.StatusCode != http.StatusOK || !last.Done || last.Count != 5 {
			t.Errorf("%s, %+v", resp.Status, last)
		}
	})
	t.Run("models", func(t *testing.T) {
		each(t, e, func(t *testing.T, c *gemma.Client) {
			list, err := c.Models(t.Context())
			if err != nil || !slices.ContainsFunc(list, func(m *genai.Model) bool { return m.Name == ollama.Small }) {
				t.Errorf("%d models, error %v", len(list), err)
			}
		})
	})
	t.Run("counting tokens", func(t *testing.T) {
		c := e.client(t, gemma.Config{Protocol: gemma.ProtocolOllama})
		for _, contents := range [][]*genai.Content{sky, genai.Text(strings.Repeat("Grüße 東京 ", 20))} {
			want := ask(t, c, contents, greedy(1)).prompt
			got, err := c.GenAI().Models.CountTokens(t.Context(), "gemma-3-1b-it", contents, nil)
			if err != nil || got.TotalTokens != want {
				t.Errorf("%+v, error %v; the model was given %d", got, err, want)
			}
		}
	})
	t.Run("embeddings", func(t *testing.T) {
		c := e.client(t, gemma.Config{Protocol: gemma.ProtocolOllama})
		_, err := c.GenAI().Models.EmbedContent(t.Context(), "gemma-3-1b-it", sky, nil)
		if _, ok := errors.AsType[*gemma.Error](err); !ok {
			t.Errorf("a model without embeddings: error %v", err)
		}
	})
	t.Run("context window", func(t *testing.T) {
		// Ollama cuts the prompt to 2048 tokens without a word.
		c := e.client(t, gemma.Config{Protocol: gemma.ProtocolOllama})
		r, err := c.Generate(t.Context(), genai.Text(strings.Repeat("zq", 1500)), greedy(5))
		failure, ok := errors.AsType[*gemma.Error](err)
		if !ok || failure.Kind != gemma.KindInvalid {
			t.Errorf("error %v, answer %v", err, r)
		}
	})
}
