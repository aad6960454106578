// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestAbortedLoad: a client that gives up during the load takes the load with
// it, so that short timeouts never warm an instance.
func TestAbortedLoad(t *testing.T) {
	bubble(t, Config{LoadTime: 10 * time.Second}, func(t *testing.T, s *Server) {
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 6*time.Second)
			if _, err := call(ctx, s, "/api/chat", chat4b); err == nil {
				t.Error("an answer before the model was loaded")
			}
			cancel()
			synctest.Wait()
			if _, body, _ := get(s, "/api/ps", ""); body != `{"models":[]}` {
				t.Errorf("loaded: %s", body)
			}
		}
		if st := s.Stats(); st.ModelLoads != 3 || st.LoadsAborted != 3 || st.Generations != 0 {
			t.Errorf("%+v", st)
		}
		began := time.Now()
		if got, body, _ := get(s, "/api/generate", `{"model":"gemma3:4b"}`); got != 200 || !strings.Contains(body, `"done_reason":"load"`) || time.Since(began) != 10*time.Second {
			t.Errorf("%d %s after %v", got, body, time.Since(began))
		}
		if _, body, _ := get(s, "/api/ps", ""); !strings.Contains(body, "gemma3:4b") {
			t.Errorf("not loaded: %s", body)
		}
		get(s, "/api/chat", chat4b)
		if st := s.Stats(); st.ModelLoads != 4 || st.Generations != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// TestSharedLoad: those who come during a load wait for the same one; if its
// owner leaves, one of them begins anew.
func TestSharedLoad(t *testing.T) {
	bubble(t, Config{LoadTime: 10 * time.Second}, func(t *testing.T, s *Server) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() { call(ctx, s, "/api/chat", chat4b) })
		time.Sleep(time.Second)
		for range 5 {
			wg.Go(func() {
				if got, _, _ := get(s, "/api/chat", chat4b); got != 200 || time.Since(began) != 14*time.Second {
					t.Errorf("%d after %v", got, time.Since(began))
				}
			})
		}
		wg.Wait()
		if st := s.Stats(); st.ModelLoads != 2 || st.LoadsAborted != 1 || st.MaxNotReady != 6 {
			t.Errorf("%+v", st)
		}
	})
}

func TestReloads(t *testing.T) {
	bubble(t, Config{LoadTime: time.Second, FrontEnd: FrontEndConfig{Start: time.Second, Hold: Forever}}, func(t *testing.T, s *Server) {
		loads := 0
		step := func(what, body string, more int) {
			t.Helper()
			if got, b, _ := get(s, "/api/chat", body); got != 200 {
				t.Errorf("%s: %d %s", what, got, b)
			}
			if loads += more; s.Stats().ModelLoads != loads {
				t.Errorf("%s: %d loads, want %d", what, s.Stats().ModelLoads, loads)
			}
		}
		other := strings.TrimSuffix(chat4b, "}") + `,"options":{"num_ctx":8192}}`
		unload := `{"model":"gemma3:4b","messages":[],"keep_alive":0}`
		step("first", chat4b, 1)
		step("second", chat4b, 0)
		step("another context window", other, 1)
		step("the same again", other, 0)
		step("back", chat4b, 1)
		step("unload", unload, 0)
		step("after the unload", chat4b, 1)
		time.Sleep(10 * time.Minute) // the instance goes, and the model with it
		step("on a new instance", chat4b, 1)
	})
}

// TestParallel: so many at once, so many in line, and the rest is told that
// the server is busy.
func TestParallel(t *testing.T) {
	bubble(t, Config{Parallel: 2, MaxQueue: 3, FirstToken: time.Second}, func(t *testing.T, s *Server) {
		began := time.Now()
		var mu sync.Mutex
		got := make(map[string]int)
		var wg sync.WaitGroup
		for range 7 {
			wg.Go(func() {
				status, body, _ := get(s, "/api/chat", chat4b)
				if status != 200 && body != `{"error":"server busy, please try again.  maximum pending requests exceeded"}` {
					t.Errorf("%d %s", status, body)
				}
				mu.Lock()
				defer mu.Unlock()
				got[fmt.Sprintf("%d at %v", status, time.Since(began))]++
			})
		}
		wg.Wait()
		want := map[string]int{"503 at 0s": 2, "200 at 1s": 2, "200 at 2s": 2, "200 at 3s": 1}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v, want %v", got, want)
		}
		if st := s.Stats(); st.MaxRunning != 2 {
			t.Errorf("%+v", st)
		}
	})
}

// TestLlamaCppListensWhileItLoads: 503 in JSON, which is neither overload nor
// the front end.
func TestLlamaCppListensWhileItLoads(t *testing.T) {
	bubble(t, Config{Kind: LlamaCpp, LoadTime: 20 * time.Second, FrontEnd: FrontEndConfig{Start: 5 * time.Second}}, func(t *testing.T, s *Server) {
		got, body, _ := get(s, "/health", "")
		if got != 503 || body != `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}` {
			t.Errorf("%d %s", got, body)
		}
		time.Sleep(20 * time.Second)
		if got, body, _ := get(s, "/health", ""); got != 200 || body != `{"status":"ok"}` {
			t.Errorf("%d %s", got, body)
		}
	})
}

// TestVLLMLoadsBeforeItListens: to its callers that is a longer start.
func TestVLLMLoadsBeforeItListens(t *testing.T) {
	bubble(t, Config{Kind: VLLM, LoadTime: 90 * time.Second, FrontEnd: FrontEndConfig{Start: 5 * time.Second, Hold: Forever}}, func(t *testing.T, s *Server) {
		began := time.Now()
		if got, _, _ := get(s, "/health", ""); got != 200 || time.Since(began) != 95*time.Second {
			t.Errorf("%d after %v", got, time.Since(began))
		}
	})
}

// TestTruncation: a prompt that is too long is cut with 200, or refused where
// truncate:false is known.
func TestTruncation(t *testing.T) {
	long := strings.Repeat("word ", 3000)
	var seen Call
	for _, c := range []struct {
		version, more string
		status        int
		body          string
	}{
		{"0.6.5", "", 200, `"prompt_eval_count":2048`},
		{"0.6.5", `,"truncate":false`, 200, `"prompt_eval_count":2048`},
		{"0.6.5", `,"options":{"num_ctx":9000}`, 200, `"prompt_eval_count":3011`},
		{"0.24.0", `,"options":{"num_ctx":1000}`, 200, `"prompt_eval_count":1000`},
		{"0.24.0", `,"options":{"num_ctx":1000},"truncate":false`, 400, `{"error":"the input length exceeds the context length"}`},
	} {
		s := NewServer(Config{InMemory: true, Version: c.version, Reply: func(c Call) Reply { seen = c; return DefaultReply(c) }})
		got, body, err := get(s, "/api/chat", `{"model":"gemma3:4b","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"`+long+`"}]`+c.more+`}`)
		if err != nil || got != c.status || !strings.Contains(body, c.body) {
			t.Errorf("%+v: %d %.300s", c, got, body[max(0, len(body)-300):])
		}
		if c.status == 200 && seen.Cut != 3011-seen.Prompt {
			t.Errorf("%+v: %d of %d cut", c, seen.Cut, seen.Prompt)
		}
		s.Close()
	}
}
