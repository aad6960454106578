// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
	"github.com/gemma-go/sdk/integration/ollama"
)

var sky = genai.Text("Write about the sky.")

func TestText(t *testing.T) {
	srv := ollama.Start(t, ollama.Options{})
	e := serve(t, srv, gemmatest.FrontEndConfig{}, nil)

	t.Run("stream", func(t *testing.T) {
		each(t, e, func(t *testing.T, c *gemma.Client) {
			var whole strings.Builder
			var chunks int
			var last *genai.GenerateContentResponse
			for r, err := range c.Stream(t.Context(), sky, seeded(1, 30)) {
				if err != nil {
					t.Fatal(err)
				}
				if text(r) != "" {
					chunks++
				}
				whole.WriteString(text(r))
				last = r
			}
			got := resultOf(last)
			if got.finish == "" || got.tokens == 0 || got.prompt == 0 {
				t.Errorf("the last response has %v", got)
			}
			// A token is a piece of text, but for the one that ends the turn.
			if n := int(got.tokens); chunks != n && chunks != n-1 || whole.Len() == 0 {
				t.Errorf("%d tokens came in %d pieces: %q", n, chunks, &whole)
			}
			if unary, err := c.Generate(t.Context(), sky, seeded(1, 30)); err != nil || text(unary) != whole.String() {
				t.Errorf("Generate returned %q, %v; Stream %q", text(unary), err, &whole)
			}
		})
	})
	t.Run("auto", func(t *testing.T) {
		c := e.client(t, gemma.Config{})
		before := e.sent("/api/chat")
		ask(t, c, sky, greedy(2))
		if n := e.sent("/api/chat") - before; n != 1 {
			t.Errorf("%d calls to Ollama's own API", n)
		}
	})
	t.Run("turns", func(t *testing.T) {
		each(t, e, func(t *testing.T, c *gemma.Client) {
			one := ask(t, c, sky, greedy(20))
			three := ask(t, c, []*genai.Content{
				sky[0], genai.NewContentFromText(one.text, genai.RoleModel), genai.NewContentFromText("And the sea?", genai.RoleUser),
			}, greedy(20))
			if three.prompt < one.prompt+one.tokens {
				t.Errorf("three turns have %d tokens, the first alone %d and its answer %d", three.prompt, one.prompt, one.tokens)
			}
		})
	})
	t.Run("system instruction", func(t *testing.T) {
		each(t, e, func(t *testing.T, c *gemma.Client) {
			config := greedy(1)
			without := ask(t, c, sky, config)
			config.SystemInstruction = genai.NewContentFromText("You are a bird.", genai.RoleUser)
			if with := ask(t, c, sky, config); with.prompt <= without.prompt {
				t.Errorf("the prompt has %d tokens with an instruction, %d without", with.prompt, without.prompt)
			}
		})
	})
	t.Run("limits", func(t *testing.T) {
		each(t, e, func(t *testing.T, c *gemma.Client) {
			for _, n := range []int32{1, 2, 7, 33} {
				if got := ask(t, c, sky, greedy(n)); got.tokens != n || got.finish != genai.FinishReasonMaxTokens {
					t.Errorf("limit %d: %v", n, got)
				}
			}
		})
	})
	t.Run("stop sequence", func(t *testing.T) {
		each(t, e, func(t *testing.T, c *gemma.Client) {
			free := ask(t, c, sky, greedy(20))
			words := strings.Fields(free.text)
			config := greedy(20)
			config.StopSequences = []string{" " + words[2]}
			got := ask(t, c, sky, config)
			if want := strings.Join(words[:2], " "); got.text != want || got.finish != genai.FinishReasonStop {
				t.Errorf("%v, want %q", got, want)
			}
		})
	})
	t.Run("seeds", func(t *testing.T) {
		each(t, e, func(t *testing.T, c *gemma.Client) {
			different := map[string]bool{}
			for seed := range int32(10) {
				a, b := ask(t, c, sky, seeded(seed, 30)), ask(t, c, sky, seeded(seed, 30))
				if a != b {
					t.Errorf("seed %d: %v and %v", seed, a, b)
				}
				different[a.text] = true
			}
			if len(different) < 5 {
				t.Errorf("ten seeds gave %d answers", len(different))
			}
		})
	})
	t.Run("top-k", func(t *testing.T) {
		c := e.client(t, gemma.Config{Protocol: gemma.ProtocolOllama})
		config := seeded(3, 20)
		config.TopK = new(float32(1))
		if a, b := ask(t, c, sky, config), ask(t, c, sky, greedy(20)); a != b {
			t.Errorf("the likeliest of one is %v, greedy %v", a, b)
		}
	})
	t.Run("unknown model", func(t *testing.T) {
		for name, p := range protocols {
			c := e.client(t, gemma.Config{Protocol: p, Model: "gemma-3-27b-it"})
			_, err := c.Generate(t.Context(), sky, nil)
			failure, ok := errors.AsType[*gemma.Error](err)
			if !ok || failure.Kind != gemma.KindNotFound || !strings.Contains(err.Error(), "gemma3:27b") {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	t.Run("Gen AI SDK", func(t *testing.T) {
		each(t, e, func(t *testing.T, c *gemma.Client) {
			want := ask(t, c, sky, seeded(5, 30))
			var whole strings.Builder
			for r, err := range c.GenAI().Models.GenerateContentStream(t.Context(), "gemma-3-1b-it", sky, seeded(5, 30)) {
				if err != nil {
					t.Fatal(err)
				}
				whole.WriteString(r.Text())
			}
			if whole.String() != want.text {
				t.Errorf("%q, want %q", &whole, want.text)
			}
		})
	})
}

// A caller that goes away ends the generation, and so frees the only slot
// there is, in the service and in Ollama.
func TestCancelFreesTheSlot(t *testing.T) {
	srv := ollama.Start(t, ollama.Options{Large: true, Parallel: 1})
	e := serve(t, srv, gemmatest.FrontEndConfig{Slots: 1}, nil)
	leave := map[string]func(*testing.T, *gemma.Client){
		"break": func(t *testing.T, c *gemma.Client) {
			n := 0
			for _, err := range c.Stream(t.Context(), sky, nil) { // endless
				if err != nil {
					t.Fatal(err)
				}
				if n++; n == 3 {
					break
				}
			}
		},
		"cancel": func(t *testing.T, c *gemma.Client) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			n := 0
			var last error
			for _, err := range c.Stream(ctx, sky, nil) {
				if n++; n == 3 {
					cancel()
				}
				last = err
			}
			failure, ok := errors.AsType[*gemma.Error](last)
			if !ok || !errors.Is(last, context.Canceled) || failure.Partial == nil {
				t.Errorf("the sequence ended with %v", last)
			}
		},
	}
	for name, f := range leave {
		t.Run(name, func(t *testing.T) {
			each(t, e, func(t *testing.T, c *gemma.Client) {
				c = c.WithModel(ollama.Large)
				if err := c.Ready(t.Context()); err != nil {
					t.Fatal(err)
				}
				f(t, c)
				begin := time.Now()
				if got := ask(t, c, sky, greedy(1)); got.tokens != 1 {
					t.Error(got)
				}
				// Ollama has one slot, and its answer would never end.
				if d := time.Since(begin); d > 10*time.Second {
					t.Errorf("the next call took %v", d)
				}
			})
		})
	}
}
