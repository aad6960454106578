// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// faultRoutes are the routes on which each fault is tried: a stream and a
// single body of each protocol.
var faultRoutes = []struct {
	name, path, body string
	kind             Kind
	mark             string // of a good end
	stream           bool
}{
	{"ollama stream", "/api/chat", chat4b, Ollama, `"done":true`, true},
	{"ollama unary", "/api/chat", strings.TrimSuffix(chat4b, "}") + `,"stream":false}`, Ollama, `"done":true`, false},
	{"ollama openai stream", "/v1/chat/completions", strings.TrimSuffix(chat4b, "}") + `,"stream":true}`, Ollama, "[DONE]", true},
	{"vllm stream", "/v1/chat/completions", `{"stream":true,"messages":[{"role":"user","content":"hi"}]}`, VLLM, "[DONE]", true},
	{"vllm unary", "/v1/chat/completions", `{"messages":[{"role":"user","content":"hi"}]}`, VLLM, `"finish_reason":"stop"`, false},
	{"gemini stream", "/v1beta/models/gemma-3-4b-it:streamGenerateContent?alt=sse", geminiHi, GeminiServer, `"finishReason":"STOP"`, true},
	{"gemini unary", "/v1beta/models/gemma-3-4b-it:generateContent", geminiHi, GeminiServer, `"finishReason":"STOP"`, false},
}

func TestFaults(t *testing.T) {
	for _, r := range faultRoutes {
		for _, f := range []struct {
			fault        Fault
			status       int    // of a unary answer
			has          string // in the body
			mark         bool   // the answer ends as a good one does
			cut          error  // that the reader sees
			onlyInStream bool
		}{
			{NoFault, 200, "three", true, nil, false},
			{ClosedEarly, 503, "", false, io.ErrUnexpectedEOF, true},
			{EndEarly, 200, "", false, nil, false},
			{Reset, 200, "", false, syscall.ECONNRESET, false},
			{Stall, 200, "", false, context.DeadlineExceeded, false},
			{Garbage, 200, "gar{bage", r.stream, nil, false},
			{HTML, 200, "<html>", false, nil, false},
			{HugeLine, 200, strings.Repeat("huge ", 400000), true, nil, false},
			{ErrorLine, 500, "an error was encountered", false, nil, false},
			{Foreign, 200, "foreign", false, nil, false},
			{OtherModel, 200, "someone-elses-model", true, nil, false},
		} {
			t.Run(r.name+"/"+faultName(f.fault), func(t *testing.T) {
				bubble(t, Config{Kind: r.kind, Reply: func(Call) Reply {
					return Reply{Chunks: []string{"one", " two", " three"}, Fault: f.fault, At: 2}
				}}, func(t *testing.T, s *Server) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
					defer cancel()
					resp, err := call(ctx, s, r.path, r.body)
					if err != nil {
						t.Fatal(err)
					}
					defer resp.Body.Close()
					b, err := io.ReadAll(resp.Body)
					body := string(b)
					wantCut := f.cut
					if f.onlyInStream && !r.stream {
						wantCut = nil
					}
					if !errors.Is(err, wantCut) {
						t.Errorf("read error %v, want %v", err, wantCut)
					}
					want := 200
					if !r.stream {
						want = f.status
					}
					if resp.StatusCode != want {
						t.Errorf("status %d, want %d", resp.StatusCode, want)
					}
					if r.stream && f.fault != Foreign && !strings.Contains(body, "two") {
						t.Errorf("what came before the fault is missing: %.300s", body)
					}
					if !strings.Contains(body, f.has) {
						t.Errorf("no %.20q in %.300s", f.has, body)
					}
					mark := strings.Contains(body, r.mark)
					if f.fault == ErrorLine && r.kind == VLLM && r.stream {
						mark = mark && !strings.Contains(body, "[DONE]") // vLLM ends its error with it
					}
					switch {
					case r.stream:
					case f.fault == Foreign:
						mark = false // the other protocol's own
					case f.fault == Reset, f.fault == Stall, f.fault == Garbage:
						mark = json.Valid(b) // half a body may hold the mark
					}
					if mark != f.mark {
						t.Errorf("end mark %v, want %v: %.500s", mark, f.mark, body)
					}
				})
			})
		}
	}
}

func faultName(f Fault) string {
	return [...]string{"none", "closed early", "end early", "reset", "stall", "garbage", "HTML", "huge line", "error line", "crash", "foreign", "other model"}[f]
}

// TestFaultPlaces: before the first event, between, and before the end mark.
func TestFaultPlaces(t *testing.T) {
	for at, want := range map[int]string{0: "", 1: "one", 3: "one two three", 99: "one two three"} {
		s := NewServer(Config{InMemory: true, Kind: Ollama, Reply: func(Call) Reply {
			return Reply{Chunks: []string{"one", " two", " three"}, Fault: EndEarly, At: at}
		}})
		got, body, err := get(s, "/api/chat", chat4b)
		if got != 200 || err != nil || textOf(body) != want || strings.Contains(body, `"done":true`) {
			t.Errorf("at %d: %d %v %q", at, got, err, body)
		}
		s.Close()
	}
}

// TestFaultText writes the caller's own.
func TestFaultText(t *testing.T) {
	s := NewServer(Config{InMemory: true, Kind: VLLM, Reply: func(Call) Reply {
		return Reply{Chunks: []string{"one"}, Fault: ErrorLine, At: 1, FaultText: "CUDA out of memory"}
	}})
	defer s.Close()
	_, body, _ := get(s, "/v1/chat/completions", `{"stream":true,"messages":[{"role":"user","content":"hi"}]}`)
	if !strings.Contains(body, `data: {"error":{"message":"CUDA out of memory","type":"InternalServerError","param":null,"code":500}}`+"\n\ndata: [DONE]\n\n") {
		t.Error(body)
	}
}

// TestResetOnLoopback: a real socket sees a real reset.
func TestResetOnLoopback(t *testing.T) {
	s := NewServer(Config{Kind: Ollama, Reply: func(Call) Reply {
		return Reply{Chunks: []string{"one", " two"}, Fault: Reset, At: 1}
	}})
	defer s.Close()
	_, _, err := get(s, "/api/chat", chat4b)
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("error %v", err)
	}
	if n := s.Stats().OpenConns; n != 0 {
		t.Errorf("%d connections open", n)
	}
}

// TestStallEndsWithTheServer: closing a server ends what hangs in it.
func TestStallEndsWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(Config{InMemory: true, Reply: func(Call) Reply { return Reply{Chunks: []string{"one"}, Fault: Stall} }})
		done := make(chan error, 1)
		go func() {
			_, _, err := get(s, "/api/chat", chat4b)
			done <- err
		}()
		synctest.Wait()
		s.Close()
		if err := <-done; err == nil {
			t.Error("no error")
		}
	})
}
