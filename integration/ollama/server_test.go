// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// answer is what the tests look at in Ollama's answers and their lines.
type answer struct {
	Message         struct{ Content string }
	Done            bool
	Reason          string `json:"done_reason"`
	EvalCount       int    `json:"eval_count"`
	PromptEvalCount int    `json:"prompt_eval_count"`
	Error           string
}

// chat posts a conversation whose turns alternate, the user's first.
func chat(t *testing.T, ctx context.Context, s *Server, model string, options map[string]any, stream bool, turns ...string) *http.Response {
	t.Helper()
	var messages []map[string]string
	for i, turn := range turns {
		messages = append(messages, map[string]string{"role": []string{"user", "assistant"}[i%2], "content": turn})
	}
	body, err := json.Marshal(map[string]any{"model": model, "messages": messages, "options": options, "stream": stream})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/chat", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func whole(t *testing.T, resp *http.Response) (a answer) {
	t.Helper()
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		t.Fatal(err)
	}
	return a
}

// lines reads a stream to its end.
func lines(resp *http.Response) (all []answer, err error) {
	in := bufio.NewScanner(resp.Body)
	for in.Scan() {
		var a answer
		if err := json.Unmarshal(in.Bytes(), &a); err != nil {
			return all, err
		}
		all = append(all, a)
	}
	return all, in.Err()
}

// What the rest of the suite takes for granted about the server and its models.
func TestServer(t *testing.T) {
	s := Start(t, Options{})
	ctx := t.Context()

	t.Run("version", func(t *testing.T) {
		var v struct{ Version string }
		if err := s.call(ctx, http.MethodGet, "/api/version", nil, &v); err != nil {
			t.Fatal(err)
		}
		if os.Getenv("GEMMA_OLLAMA") == "" && "v"+v.Version != Version {
			t.Errorf("version %q", v.Version)
		}
	})
	t.Run("load and unload", func(t *testing.T) {
		if names, err := s.Loaded(ctx); err != nil || len(names) > 0 || s.Loads() != 0 {
			t.Fatalf("a fresh server has loaded %v, %d times: %v", names, s.Loads(), err)
		}
		for range 2 {
			if err := s.Load(ctx, Small); err != nil {
				t.Fatal(err)
			}
		}
		if names, _ := s.Loaded(ctx); fmt.Sprint(names) != "["+Small+"]" || s.Loads() != 1 {
			t.Errorf("loaded %v, %d times", names, s.Loads())
		}
		if err := s.Unload(ctx, Small); err != nil {
			t.Fatal(err)
		}
		if err := s.Load(ctx, Small); err != nil || s.Loads() != 2 {
			t.Errorf("%d loads: %v", s.Loads(), err)
		}
	})
	t.Run("stream", func(t *testing.T) {
		all, err := lines(chat(t, ctx, s, Small, map[string]any{"seed": 1, "num_predict": 6}, true, "Why is the sky blue?"))
		if err != nil || len(all) != 7 {
			t.Fatalf("%d lines: %v", len(all), err)
		}
		last := all[6]
		if !last.Done || last.Reason != "length" || last.EvalCount != 6 || last.PromptEvalCount == 0 {
			t.Errorf("the last line is %+v", last)
		}
	})
	t.Run("ends by itself", func(t *testing.T) {
		ended := 0
		for seed := range 20 {
			a := whole(t, chat(t, ctx, s, Small, map[string]any{"seed": seed, "num_predict": 300}, false, "Why is the sky blue?"))
			if a.Reason == "stop" {
				ended++
			}
		}
		if ended < 18 {
			t.Errorf("%d of 20 answers ended", ended)
		}
	})
	t.Run("seed", func(t *testing.T) {
		ask := func(seed int) string {
			return whole(t, chat(t, ctx, s, Small, map[string]any{"seed": seed, "num_predict": 40}, false, "Tell me a story.")).Message.Content
		}
		if a, b := ask(7), ask(7); a != b {
			t.Errorf("one seed gave %q and %q", a, b)
		}
		if a, b := ask(7), ask(8); a == b {
			t.Errorf("two seeds gave %q", a)
		}
	})
	t.Run("continues an open turn", func(t *testing.T) {
		greedy := map[string]any{"temperature": 0, "num_predict": 40}
		full := whole(t, chat(t, ctx, s, Small, greedy, false, "Write about the sky.")).Message.Content
		half, rest := full[:len(full)/2], full[len(full)/2:]
		half, rest = half[:strings.LastIndex(half, " ")], half[strings.LastIndex(half, " "):]+rest
		got := whole(t, chat(t, ctx, s, Small, greedy, false, "Write about the sky.", half)).Message.Content
		if !strings.HasPrefix(got, rest) {
			t.Errorf("%q went on with %q, want %q", half, got, rest)
		}
	})
	t.Run("runs away", func(t *testing.T) {
		all, err := lines(chat(t, ctx, s, Small, nil, true, "hi", "The bird is red"))
		if err != nil || len(all) < 30 || all[len(all)-1].Done {
			t.Errorf("%d lines, error %v: a turn that ends in red must end without an end marker", len(all), err)
		}
	})
	t.Run("unknown model", func(t *testing.T) {
		resp := chat(t, ctx, s, "nope", nil, true, "hi")
		if a := whole(t, resp); resp.StatusCode != 404 || !strings.Contains(a.Error, "not found") {
			t.Errorf("%s: %+v", resp.Status, a)
		}
	})
	t.Run("abort a load", func(t *testing.T) {
		if err := s.Unload(ctx, Small); err != nil {
			t.Fatal(err)
		}
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		if err := s.Load(short, Small); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("loading took less than 20 ms, or failed: %v", err)
		}
		// Ollama lists the model until the runner that was starting is gone.
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			names, err := s.Loaded(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if len(names) == 0 {
				break
			}
			if time.Now().After(end) {
				t.Fatal("the load went on although its only caller gave up")
			}
		}
	})
}

func TestInterruptions(t *testing.T) {
	s := Start(t, Options{Large: true})
	ctx := t.Context()
	endless := func(t *testing.T) (*http.Response, *bufio.Reader) {
		resp := chat(t, ctx, s, Large, nil, true, "hi")
		in := bufio.NewReader(resp.Body)
		for range 3 {
			if _, err := in.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		return resp, in
	}
	t.Run("runner", func(t *testing.T) {
		_, in := endless(t)
		if err := s.KillRunners(); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(in)
		if err != nil || !strings.Contains(string(rest), `{"error":"an error was encountered`) {
			t.Errorf("error %v after %q", err, rest)
		}
	})
	t.Run("server", func(t *testing.T) {
		_, in := endless(t)
		if err := s.Kill(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(in); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("error %v after %q", err, rest)
		}
		if err := s.Restart(ctx); err != nil {
			t.Fatal(err)
		}
		if names, err := s.Loaded(ctx); err != nil || len(names) > 0 {
			t.Errorf("loaded %v after a restart: %v", names, err)
		}
		if a := whole(t, chat(t, ctx, s, Large, map[string]any{"num_predict": 2}, false, "hi")); a.EvalCount != 2 {
			t.Errorf("after a restart: %+v", a)
		}
	})
}

// Without a compiler nothing is built and nothing is left behind.
func TestCannotBuild(t *testing.T) {
	goCommand, err := exec.LookPath("go")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(goCommand, filepath.Join(bin, "go")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin)
	t.Setenv("CC", "no-such-compiler")
	dir := t.TempDir()
	if err := build(t.Context(), filepath.Join(dir, "ollama")); !errors.Is(err, ErrCannotBuild) || !strings.Contains(err.Error(), "no-such-compiler") {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
