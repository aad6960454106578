// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"errors"
	"strings"
	"testing"
	"time"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
	"github.com/gemma-go/sdk/integration/ollama"
)

// An answer that breaks off is never taken for a whole one, however Ollama
// hides it, and what arrived is in the error.
func TestBrokenAnswers(t *testing.T) {
	srv := ollama.Start(t, ollama.Options{Large: true})
	e := serve(t, srv, gemmatest.FrontEndConfig{}, nil)
	broken := func(t *testing.T, c *gemma.Client, contents []*genai.Content, third func()) {
		n := 0
		arrived := ""
		var last error
		for r, err := range c.Stream(t.Context(), contents, nil) {
			if last = err; err != nil {
				break
			}
			arrived += text(r)
			if n++; n == 3 {
				third()
			}
		}
		failure, ok := errors.AsType[*gemma.Error](last)
		if !ok || failure.Kind != gemma.KindInterrupted && failure.Kind != gemma.KindServer {
			t.Fatalf("after %q: error %v", arrived, last)
		}
		if failure.Partial == nil || text(failure.Partial) != arrived || arrived == "" {
			t.Errorf("the error has %v, and %q had arrived", failure.Partial, arrived)
		}
	}
	t.Run("the model's process dies", func(t *testing.T) {
		each(t, e, func(t *testing.T, c *gemma.Client) {
			broken(t, c.WithModel(ollama.Large), sky, func() {
				if err := srv.KillRunners(); err != nil {
					t.Error(err)
				}
			})
		})
	})
	t.Run("the model repeats itself", func(t *testing.T) {
		each(t, e, func(t *testing.T, c *gemma.Client) {
			turns := []*genai.Content{sky[0], genai.NewContentFromText("The bird is red", genai.RoleModel)}
			broken(t, c, turns, func() {})
		})
	})
}

// The container's main process dies in the middle of an answer and comes back:
// the answer goes on.
func TestResumeAfterRestart(t *testing.T) {
	srv := ollama.Start(t, ollama.Options{Large: true})
	e := serve(t, srv, gemmatest.FrontEndConfig{}, nil)
	c := e.client(t, gemma.Config{Model: ollama.Large, Resume: 1})
	want := ask(t, c, sky, greedy(20))
	var got strings.Builder
	n := 0
	restarted := make(chan error, 1)
	for r, err := range c.Stream(t.Context(), sky, greedy(20)) {
		if err != nil {
			t.Fatal(err)
		}
		got.WriteString(text(r))
		if n++; n == 5 {
			if err := srv.Kill(); err != nil {
				t.Fatal(err)
			}
			go func() {
				time.Sleep(50 * time.Millisecond) // nothing listens meanwhile
				restarted <- srv.Restart(t.Context())
			}()
		}
	}
	if err := <-restarted; err != nil {
		t.Fatal(err)
	}
	if got.String() != want.text {
		t.Errorf("got  %q\nwant %q", &got, want.text)
	}
}
