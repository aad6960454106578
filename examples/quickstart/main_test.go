// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"sync"
	"testing"
	"time"
)

// pieces counts the writes, which are the pieces that a user sees come in.
type pieces struct {
	mu    sync.Mutex // events come from the goroutine that wakes the endpoint, too
	text  strings.Builder
	n     int
	first time.Time
	last  time.Time
}

func (p *pieces) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last = time.Now(); p.n == 0 {
		p.first = p.last
	}
	p.n++
	return p.text.Write(b)
}

func (p *pieces) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// TestEmbedded runs the program where there is no endpoint: it wakes the
// embedded one, streams an answer in pieces, spread over time, and tells what
// happened.
func TestEmbedded(t *testing.T) {
	env := map[string]string{"OLLAMA_HOST": "127.0.0.1:1"} // nothing listens there
	var out, told pieces
	err := run(t.Context(), []string{"-start", "30ms", "-pace", "1ms", "Why is the sky blue?"}, func(k string) string { return env[k] }, &out, &told)
	if err != nil {
		t.Fatal(err, told.String())
	}
	if out.n < 20 || !strings.HasPrefix(out.String(), "The sky") || out.last.Sub(out.first) < 20*time.Millisecond {
		t.Errorf("%d pieces over %v: %q", out.n, out.last.Sub(out.first), out.String())
	}
	for _, want := range []string{"emulated", "identity:  token for audience http://127.0.0.1:", "waking:", "ready:", "protocol:  ollama", "first token after", "tokens/s"} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("%q is not told:\n%s", want, told.String())
		}
	}
}

// TestWrongUse ends with an error that says what is wrong.
func TestWrongUse(t *testing.T) {
	for want, args := range map[string][]string{"unknown protocol": {"-protocol", "smtp"}, "https": {"hi"}} {
		var out, told pieces
		err := run(t.Context(), args, func(k string) string {
			return map[string]string{"GEMMA_ENDPOINT": "http://gemma.example"}[k]
		}, &out, &told)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// TestProtocols: every protocol that can be asked for gives an answer, without
// a model being named.
func TestProtocols(t *testing.T) {
	for _, protocol := range []string{"auto", "ollama", "openai", "gemini", "gemini-full"} {
		var out, told pieces
		err := run(t.Context(), []string{"-start", "10ms", "-pace", "1us", "-protocol", protocol, "Why is the sky blue?"},
			func(k string) string { return map[string]string{"OLLAMA_HOST": "127.0.0.1:1"}[k] }, &out, &told)
		if err != nil || !strings.HasPrefix(out.String(), "The sky") {
			t.Errorf("%s: %v, %q\n%s", protocol, err, out.String(), told.String())
		}
	}
}

func TestLocalURL(t *testing.T) {
	for host, want := range map[string]string{
		"":                       "http://127.0.0.1:11434",
		"0.0.0.0":                "http://127.0.0.1:11434",
		"0.0.0.0:8000":           "http://127.0.0.1:8000",
		":8000":                  "http://127.0.0.1:8000",
		"[::]:8000":              "http://127.0.0.1:8000",
		"localhost:8000":         "http://localhost:8000",
		"localhost":              "http://localhost:11434",
		"http://127.0.0.1:8000/": "http://127.0.0.1:8000",
	} {
		if got := localURL(host); got != want {
			t.Errorf("%q: %s, want %s", host, got, want)
		}
	}
}
