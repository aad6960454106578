// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
	"github.com/gemma-go/sdk/stream"
)

// TestBrokenAnswers breaks an answer of ten words in the middle in every way
// that a server has, on every protocol. Each ends in an error of the right kind
// with what had arrived, at the client's own entrance and through the Gen AI
// SDK, which prints nothing. None is taken for a short answer.
func TestBrokenAnswers(t *testing.T) {
	faults := []struct {
		name  string
		fault gemmatest.Fault
		kinds []gemma.Kind
	}{
		{"closed early", gemmatest.ClosedEarly, []gemma.Kind{gemma.KindInterrupted}},
		{"clean end without a marker", gemmatest.EndEarly, []gemma.Kind{gemma.KindInterrupted}},
		{"reset", gemmatest.Reset, []gemma.Kind{gemma.KindInterrupted}},
		{"stall", gemmatest.Stall, []gemma.Kind{gemma.KindInterrupted}},
		{"garbage line", gemmatest.Garbage, []gemma.Kind{gemma.KindServer}},
		{"HTML", gemmatest.HTML, []gemma.Kind{gemma.KindServer, gemma.KindInterrupted}},
		{"error line", gemmatest.ErrorLine, []gemma.Kind{gemma.KindServer, gemma.KindInterrupted}},
		{"runner crash", gemmatest.Crash, []gemma.Kind{gemma.KindServer, gemma.KindInterrupted}},
		{"another protocol", gemmatest.Foreign, []gemma.Kind{gemma.KindServer, gemma.KindInterrupted}}, // the prebuilt proxy swallows it
	}
	logged := globalLog(t)
	for _, s := range servers {
		for _, f := range faults {
			t.Run(s.name+"/"+f.name, func(t *testing.T) {
				reply := words(10)
				reply.Fault, reply.At = f.fault, 5
				bubble(t, gemmatest.Config{Kind: s.kind, Reply: always(reply)}, func(t *testing.T, srv *gemmatest.Server) {
					client := dial(t, srv, speaking(s.protocol), func(c *gemma.Config) { c.IdleTimeout = 20 * time.Second })
					model := s.model()
					for _, entrance := range []struct {
						name string
						seq  stream.Seq
					}{
						{"client", client.WithModel(model).Stream(t.Context(), hi, nil)},
						{"genai", client.GenAI().Models.GenerateContentStream(t.Context(), model, hi, nil)},
					} {
						got, err := text(entrance.seq)
						e, ok := errors.AsType[*gemma.Error](err)
						if !ok {
							t.Fatalf("%s: error %v after %q", entrance.name, err, got)
						}
						right := false
						for _, k := range f.kinds {
							right = right || e.Kind == k
						}
						const half = "worda wordb wordc wordd worde"
						// A reset may overtake what was sent before it.
						whole := got == half || f.fault == gemmatest.Reset && strings.HasPrefix(half, got)
						if !right || !whole {
							t.Errorf("%s: %v after %q", entrance.name, err, got)
						}
						partial := ""
						if e.Partial != nil {
							partial = e.Partial.Text()
						}
						if partial != got {
							t.Errorf("%s: partial %q, streamed %q", entrance.name, partial, got)
						}
					}
				})
			})
		}
	}
	if logged.Len() > 0 {
		t.Errorf("the global logger got: %s", logged)
	}
}

// TestHugeLine: a line has no limit that an answer meets.
func TestHugeLine(t *testing.T) {
	for _, s := range servers {
		t.Run(s.name, func(t *testing.T) {
			reply := words(2)
			reply.Fault, reply.At = gemmatest.HugeLine, 1
			bubble(t, gemmatest.Config{Kind: s.kind, Reply: gemmatest.Script(reply)}, func(t *testing.T, srv *gemmatest.Server) {
				got, err := text(dial(t, srv, speaking(s.protocol)).WithModel(s.model()).Stream(t.Context(), hi, nil))
				if err != nil || len(got) < 1<<20 || !strings.HasSuffix(got, "wordb") {
					t.Errorf("%d bytes, %v", len(got), err)
				}
			})
		})
	}
}

// TestSecondRange: a sequence is one request.
func TestSecondRange(t *testing.T) {
	bubble(t, gemmatest.Config{}, func(t *testing.T, srv *gemmatest.Server) {
		seq := dial(t, srv).Stream(t.Context(), hi, nil)
		if _, err := text(seq); err != nil {
			t.Fatal(err)
		}
		n := len(srv.Requests())
		got, err := text(seq)
		fails(t, err, gemma.KindInvalid)
		if got != "" || len(srv.Requests()) != n {
			t.Errorf("%q, %d requests more", got, len(srv.Requests())-n)
		}
	})
}

// TestLazy: a sequence that nobody ranges over sends nothing.
func TestLazy(t *testing.T) {
	bubble(t, gemmatest.Config{}, func(t *testing.T, srv *gemmatest.Server) {
		_ = dial(t, srv).Stream(t.Context(), hi, nil)
		if n := len(srv.Requests()); n != 0 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestLeavingFreesEverything breaks out of 1,000 streams and cancels as many:
// no connection stays open, and the bubble itself fails the test if a goroutine
// is left.
func TestLeavingFreesEverything(t *testing.T) {
	reply := words(50)
	reply.Pace = 10 * time.Millisecond
	bubble(t, gemmatest.Config{Reply: func(gemmatest.Call) gemmatest.Reply { return reply }}, func(t *testing.T, srv *gemmatest.Server) {
		client := dial(t, srv)
		for i := range 2000 {
			ctx, cancel := context.WithCancel(t.Context())
			n := 0
			for _, err := range client.Stream(ctx, hi, nil) {
				if err != nil {
					if !errors.Is(err, context.Canceled) {
						t.Fatal(err)
					}
					break
				}
				if n++; n == 3 {
					if i%2 == 0 {
						break
					}
					cancel()
				}
			}
			cancel()
		}
		time.Sleep(time.Second) // virtual: whatever still had to close has closed
		if s := srv.Stats(); s.InFlight != 0 || s.OpenConns > 1 {
			t.Errorf("%d requests in flight, %d connections open", s.InFlight, s.OpenConns)
		}
	})
}

// TestContextCause: the reason that a caller gave for ending a context is in
// the error.
func TestContextCause(t *testing.T) {
	reply := words(50)
	reply.Pace = time.Second
	bubble(t, gemmatest.Config{Reply: gemmatest.Script(reply)}, func(t *testing.T, srv *gemmatest.Server) {
		why := errors.New("the user closed the tab")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, why)
		defer cancel()
		got, err := text(dial(t, srv).Stream(ctx, hi, nil))
		e := fails(t, err, gemma.KindInterrupted)
		if !errors.Is(err, why) || got == "" || e.Partial.Text() != got {
			t.Errorf("%v after %q", err, got)
		}
	})
}

// TestIdleTimeout: silence inside a stream ends it; time that the caller takes
// does not, nor does a wait before the first byte.
func TestIdleTimeout(t *testing.T) {
	slow := words(3)
	slow.FirstToken, slow.Pace = time.Hour, 90*time.Second
	silent := words(3)
	silent.Fault, silent.At = gemmatest.Stall, 2
	bubble(t, gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Timeout: 24 * time.Hour}, Reply: gemmatest.Script(slow, silent, silent)}, func(t *testing.T, srv *gemmatest.Server) {
		client := dial(t, srv, func(c *gemma.Config) { c.ColdStart.MaxWait = 2 * time.Hour })
		for range stream.Text(client.Stream(t.Context(), hi, nil)) {
			time.Sleep(10 * time.Minute)
		}
		begin := time.Now()
		got, err := text(client.Stream(t.Context(), hi, nil))
		e := fails(t, err, gemma.KindInterrupted)
		if took := time.Since(begin); took < 2*time.Minute || took > 3*time.Minute || got == "" {
			t.Errorf("%q, %v after %v", got, e, took)
		}
	})
}

// TestIdleTimeoutAfterHeaders: a server that sends its headers at once and then
// works off its queue is waited for like one that sends nothing.
func TestIdleTimeoutAfterHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := transportFunc(func(r *http.Request) (*http.Response, error) {
			body := "{}"
			if r.URL.Path == "/api/chat" {
				body = `{"model":"gemma3:4b","message":{"role":"assistant","content":"Blue."},"done":true,"done_reason":"stop"}` + "\n"
			}
			late := &lateBody{after: 20 * time.Minute, ctx: r.Context(), Reader: strings.NewReader(body)}
			if r.URL.Path != "/api/chat" {
				late.after = 0
			}
			return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}}, Body: late, Request: r}, nil
		})
		client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: "https://gemma.example", Model: "gemma3:4b", Protocol: gemma.ProtocolOllama, Public: true, Transport: base})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := text(client.Stream(t.Context(), hi, nil)); err != nil || got != "Blue." {
			t.Errorf("%q, %v", got, err)
		}
	})
}

// lateBody is silent for a while.
type lateBody struct {
	after time.Duration
	ctx   context.Context
	*strings.Reader
}

func (b *lateBody) Read(p []byte) (int, error) {
	select {
	case <-time.After(b.after):
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	}
	b.after = 0
	return b.Reader.Read(p)
}

func (*lateBody) Close() error { return nil }

// TestGenerateReturnsThePartialAnswer beside its error.
func TestGenerateReturnsThePartialAnswer(t *testing.T) {
	reply := words(10)
	reply.Fault, reply.At = gemmatest.EndEarly, 5
	bubble(t, gemmatest.Config{Reply: gemmatest.Script(reply, reply)}, func(t *testing.T, srv *gemmatest.Server) {
		got, err := dial(t, srv).Generate(t.Context(), hi, nil)
		fails(t, err, gemma.KindInterrupted)
		if got.Text() != "worda wordb wordc wordd worde" {
			t.Errorf("%v", got)
		}
	})
}
