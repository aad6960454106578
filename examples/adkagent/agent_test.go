// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"strings"
	"testing"

	"google.golang.org/adk/v2/agent"
	"google.golang.org/adk/v2/runner"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// TestTwoTools: the same agent does a task with two tools on each server, in
// streaming and unary mode.
func TestTwoTools(t *testing.T) {
	servers := []struct {
		name, model string
		config      gemmatest.Config
	}{
		{"prebuilt Gemma 3 container", "gemma-3-4b-it", gemmatest.Config{}},
		{"Ollama with native tools", "gemma4:e4b", gemmatest.Config{Kind: gemmatest.Ollama, Model: "gemma4:e4b", Version: "0.24.0"}},
		{"vLLM", "gemma-4-e4b-it", gemmatest.Config{Kind: gemmatest.VLLM}},
	}
	for _, s := range servers {
		for name, mode := range map[string]agent.StreamingMode{"streaming": agent.StreamingModeSSE, "unary": agent.StreamingModeNone} {
			t.Run(s.name+"/"+name, func(t *testing.T) {
				s.config.Reply = shopper
				srv := gemmatest.NewServer(s.config)
				defer srv.Close()
				client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: srv.URL, Auth: srv.Source()})
				if err != nil {
					t.Fatal(err)
				}
				a, err := newAgent(t.Context(), client, s.model)
				if err != nil {
					t.Fatal(err)
				}
				r, err := runner.NewInMemory("shop", a)
				if err != nil {
					t.Fatal(err)
				}
				var out strings.Builder
				if err := answer(t.Context(), r, "How much is a chain, and do you have one?", mode, &out); err != nil {
					t.Fatal(err)
				}
				got := out.String()
				for _, want := range []string{"[stock map[article:chain]]", "[price map[article:chain]]", "[stock said map[pieces:12]]", "[price said map[euros:24.5]]", "A chain is 24.50 euros, and there are 12 of them."} {
					if strings.Count(got, want) != 1 {
						t.Errorf("want one %q in:\n%s", want, got)
					}
				}
			})
		}
	}
}

// TestErrorsKeepTheirType through ADK.
func TestErrorsKeepTheirType(t *testing.T) {
	srv := gemmatest.NewServer(gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Broken: 403}})
	defer srv.Close()
	client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: srv.URL, Auth: srv.Source()})
	if err != nil {
		t.Fatal(err)
	}
	a, err := newAgent(t.Context(), client, "gemma-3-4b-it")
	if err != nil {
		t.Fatal(err)
	}
	r, err := runner.NewInMemory("shop", a)
	if err != nil {
		t.Fatal(err)
	}
	err = answer(t.Context(), r, "hi", agent.StreamingModeSSE, new(strings.Builder))
	if e, ok := errors.AsType[*gemma.Error](err); !ok || e.Kind != gemma.KindForbidden {
		t.Errorf("error %v", err)
	}
}

// TestRealServer runs the agent against the real server in GEMMA_TEST_ENDPOINT.
// Its model is random, so only the plumbing is looked at: an answer or a typed
// error, and no panic.
func TestRealServer(t *testing.T) {
	url := os.Getenv("GEMMA_TEST_ENDPOINT")
	if url == "" {
		t.Skip("GEMMA_TEST_ENDPOINT is not set")
	}
	client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: url})
	if err != nil {
		t.Fatal(err)
	}
	a, err := newAgent(t.Context(), client, "gemma3:1b")
	if err != nil {
		t.Fatal(err)
	}
	r, err := runner.NewInMemory("shop", a)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err = answer(t.Context(), r, "How much is a chain?", agent.StreamingModeSSE, &out)
	if _, typed := errors.AsType[*gemma.Error](err); err != nil && !typed {
		t.Errorf("error %v", err)
	}
	if err == nil && out.Len() == 0 {
		t.Error("no answer and no error")
	}
}
