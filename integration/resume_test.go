// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
	"github.com/gemma-go/sdk/integration/ollama"
	"github.com/gemma-go/sdk/stream"
)

// cutter breaks the connection of an answer in the middle, as an instance that
// goes away does.
type cutter struct {
	mu     sync.Mutex
	after  int // chunks that still pass
	inside bool
	armed  int // answers still to cut
	cuts   int
}

// arm makes the next answers end after so many chunks; inside, in the middle
// of the one after that.
func (c *cutter) arm(answers, after int, inside bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed, c.after, c.inside, c.cuts = answers, after, inside, 0
}

func (c *cutter) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		cut := &cutWriter{ResponseWriter: w, cutter: c, left: c.after, inside: c.inside, armed: c.armed > 0}
		if generates := strings.HasSuffix(r.URL.Path, "/chat") || strings.HasSuffix(r.URL.Path, "/completions"); !generates {
			cut.armed = false
		} else if c.armed > 0 {
			c.armed--
		}
		c.mu.Unlock()
		next.ServeHTTP(cut, r)
	})
}

type cutWriter struct {
	http.ResponseWriter
	cutter *cutter
	left   int
	inside bool
	armed  bool
}

func (w *cutWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Write passes whole lines on until it is time to cut.
func (w *cutWriter) Write(p []byte) (int, error) {
	if !w.armed {
		return w.ResponseWriter.Write(p)
	}
	for line := range bytes.Lines(p) {
		if len(bytes.TrimSpace(line)) > 0 { // the blank line after an event is no chunk
			if w.left == 0 {
				if w.inside {
					w.ResponseWriter.Write(line[:len(line)/2])
				}
				http.NewResponseController(w.ResponseWriter).Flush()
				w.cutter.mu.Lock()
				w.cutter.cuts++
				w.cutter.mu.Unlock()
				panic(http.ErrAbortHandler)
			}
			w.left--
		}
		if _, err := w.ResponseWriter.Write(line); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// question finds a question whose likeliest answer is neither short nor long
// and ends for the given reason. Which one that is depends on how the machine
// rounds.
func question(t *testing.T, c *gemma.Client, finish genai.FinishReason) ([]*genai.Content, *genai.GenerateContentConfig) {
	t.Helper()
	config := greedy(60)
	if finish == genai.FinishReasonMaxTokens {
		config = greedy(40)
	}
	for _, verb := range strings.Fields("Write Draw Sing Say Tell Explain Count Name Show Find Give Make Take Read Think Ask Hear See Learn Build") {
		for _, about := range []string{"is the sky blue?", "about the sky.", "a story of a bird and a river."} {
			contents := genai.Text(verb + " " + about)
			if got := ask(t, c, contents, config); got.finish == finish && got.tokens >= 25 {
				return contents, config
			}
		}
	}
	t.Fatalf("no question has an answer that ends with %s", finish)
	return nil, nil
}

// An answer whose connection breaks goes on as if it had not: at every chunk,
// between two and in the middle of one, the text, the finish reason and the
// count of tokens are those of the unbroken answer.
func TestResume(t *testing.T) {
	srv := ollama.Start(t, ollama.Options{})
	plain := serve(t, srv, gemmatest.FrontEndConfig{}, nil).client(t, gemma.Config{})
	for name, p := range protocols {
		for _, finish := range []genai.FinishReason{genai.FinishReasonMaxTokens, genai.FinishReasonStop} {
			t.Run(name+"/"+string(finish), func(t *testing.T) {
				contents, config := question(t, plain, finish)
				cut := &cutter{}
				e := serve(t, srv, gemmatest.FrontEndConfig{}, cut.wrap)
				resumes := 0
				c := e.client(t, gemma.Config{Protocol: p, Resume: 3, OnEvent: func(ev gemma.Event) {
					if ev.Type == gemma.EventResume {
						resumes++
					}
				}})
				chunks := 0
				want, err := stream.Collect(func(yield func(*genai.GenerateContentResponse, error) bool) {
					for r, err := range c.Stream(t.Context(), contents, config) {
						if err == nil && text(r) != "" {
							chunks++
						}
						if !yield(r, err) {
							return
						}
					}
				})
				if err != nil {
					t.Fatal(err)
				}
				unbroken := resultOf(want)
				if unbroken.finish != finish || chunks < 20 {
					t.Fatalf("the unbroken answer has %d chunks: %v", chunks, unbroken)
				}
				for k := 1; k <= chunks; k++ {
					for _, inside := range []bool{false, true} {
						var got result
						for hangs := 0; ; hangs++ {
							cut.arm(1, k, inside)
							resumes = 0
							ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
							whole, err := c.Generate(ctx, contents, config)
							cancel()
							if err == nil {
								got = resultOf(whole)
								break
							}
							// Seen on Ollama v0.6.5: after many clients that left in
							// mid-answer it takes a request and never answers.
							if !errors.Is(err, context.DeadlineExceeded) || hangs == 3 {
								t.Fatal(err)
							}
							t.Logf("cut after chunk %d: Ollama fell silent; starting it anew", k)
							if err := srv.Restart(t.Context()); err != nil {
								t.Fatal(err)
							}
						}
						if got.text != unbroken.text || got.finish != unbroken.finish || got.tokens != unbroken.tokens {
							t.Errorf("cut after chunk %d, inside the next: %v\n got %v\nwant %v", k, inside, got, unbroken)
						}
						if cut.cuts != 1 || resumes != 1 {
							t.Errorf("cut after chunk %d: %d cuts, %d resumes", k, cut.cuts, resumes)
						}
					}
				}
				t.Logf("%d chunks, each cut in two ways", chunks)
			})
		}
	}
	t.Run("several times", func(t *testing.T) {
		cut := &cutter{}
		e := serve(t, srv, gemmatest.FrontEndConfig{}, cut.wrap)
		c := e.client(t, gemma.Config{Resume: 3})
		want := ask(t, c, sky, greedy(40))
		cut.arm(3, 5, true)
		if got := ask(t, c, sky, greedy(40)); got.text != want.text || got.tokens != want.tokens || cut.cuts != 3 {
			t.Errorf("%v after %d cuts, want %v", got, cut.cuts, want)
		}
	})
	t.Run("more often than allowed", func(t *testing.T) {
		cut := &cutter{}
		e := serve(t, srv, gemmatest.FrontEndConfig{}, cut.wrap)
		c := e.client(t, gemma.Config{Resume: 1})
		want := ask(t, c, sky, greedy(40))
		cut.arm(2, 5, false)
		_, err := c.Generate(t.Context(), sky, greedy(40))
		failure, ok := errors.AsType[*gemma.Error](err)
		if !ok || failure.Kind != gemma.KindInterrupted || failure.Partial == nil {
			t.Fatalf("error %v", err)
		}
		if got := text(failure.Partial); got == "" || !strings.HasPrefix(want.text, got) {
			t.Errorf("the partial answer is %q of %q", got, want.text)
		}
	})
}
