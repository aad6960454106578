// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/stream"
)

//go:embed page.html
var page []byte

// maxQuestion bounds what a browser may ask, in bytes.
const maxQuestion = 8 << 10

// server answers the browser's requests. All of them share one client, and so
// its connections, its token, what it knows of the endpoint, and its slots.
type server struct {
	client   *gemma.Client
	status   *status
	deadline time.Duration
	waking   atomic.Bool
}

func newServer(client *gemma.Client, status *status, deadline time.Duration) http.Handler {
	s := &server{client: client, status: status, deadline: deadline}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'")
		w.Write(page)
	})
	mux.HandleFunc("GET /stream", s.stream)
	mux.HandleFunc("GET /readyz", s.readyz)
	return mux
}

// readyz says that this service can take requests, which it can while the
// model sleeps: that is what it is for. Nothing is sent to the endpoint.
func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]any{"ready": true, "endpoint": s.status.view()})
}

// stream answers one question as server-sent events: "state" while the endpoint
// starts, "text" for each piece of the answer, then "done" or "error".
//
// A caller that won't wait says so with "Prefer: wait=SECONDS" (RFC 7240). If
// no text is there by then, it gets 503 with Retry-After instead of a stream.
func (s *server) stream(w http.ResponseWriter, r *http.Request) {
	question := r.URL.Query().Get("q")
	if question == "" || len(question) > maxQuestion {
		http.Error(w, fmt.Sprintf("q must hold a question of at most %d bytes", maxQuestion), http.StatusBadRequest)
		return
	}
	// The request's context ends when the browser goes away: the client then
	// closes its own request, and the model stops.
	ctx, cancel := context.WithTimeoutCause(r.Context(), s.deadline, errDeadline)
	defer cancel()

	out := &events{w: w, http: http.NewResponseController(w)}
	patience, impatient := preferredWait(r)
	if impatient {
		impatience := time.AfterFunc(patience, cancel)
		defer impatience.Stop()
		out.first = func() bool { return impatience.Stop() }
	} else {
		stop := s.announce(ctx, out)
		defer stop()
		out.first = func() bool { stop(); return true }
	}

	var stats stream.Stats
	answer := s.client.Stream(ctx, genai.Text(question), nil)
	for text, err := range stream.Text(stream.Measure(answer, &stats)) {
		if err != nil {
			s.fail(out, err, r)
			return
		}
		if err := out.send("text", text); err != nil {
			return // the browser is gone
		}
	}
	out.send("done", map[string]any{
		"first_token_seconds": stats.FirstToken.Seconds(), "tokens": stats.OutputTokens, "tokens_per_second": math.Round(stats.TokensPerSecond()*10) / 10,
	})
}

var errDeadline = errors.New("the answer took longer than this service allows")

// announce shows the endpoint's state to a patient browser once a second until
// the first text. The returned function ends it and waits for it.
func (s *server) announce(ctx context.Context, out *events) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			if out.send("state", s.status.view()) != nil {
				return
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	return func() { cancel(); <-done }
}

// fail ends a stream with an event, or answers with a status if nothing was
// sent yet. What it tells the browser is the kind of failure, not its details.
func (s *server) fail(out *events, err error, r *http.Request) {
	if r.Context().Err() != nil {
		return // nobody listens
	}
	e, _ := errors.AsType[*gemma.Error](err)
	if e == nil {
		e = &gemma.Error{Kind: gemma.KindServer}
	}
	if out.begun() {
		out.send("error", map[string]any{"kind": e.Kind.String(), "retry": e.Retryable()})
		return
	}
	code := http.StatusBadGateway
	if view := s.status.view(); view.State != "ready" || e.Kind == gemma.KindCold || e.Kind == gemma.KindOverloaded {
		s.wake()
		code = http.StatusServiceUnavailable
		wait := max(1, e.Expected.Seconds(), view.Expected)
		out.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait))))
	}
	http.Error(out.w, "the model cannot answer now: "+e.Kind.String(), code)
}

// wake goes on waking the endpoint for a caller that has left: a start that
// nobody waits for is given up. This process lives on between requests; on a
// platform that stops the CPU, let the caller wait instead.
func (s *server) wake() {
	if !s.waking.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer s.waking.Store(false)
		ctx, cancel := context.WithTimeout(context.Background(), s.deadline)
		defer cancel()
		_ = s.client.Ready(ctx) // its outcome is in the client's state, and in the next caller's answer
	}()
}

var preferWait = regexp.MustCompile(`(?i)(?:^|[,;\s])wait=(\d{1,5})(?:$|[,;\s])`)

// preferredWait reads RFC 7240's "Prefer: wait=SECONDS".
func preferredWait(r *http.Request) (time.Duration, bool) {
	m := preferWait.FindStringSubmatch(r.Header.Get("Prefer"))
	if m == nil {
		return 0, false
	}
	n, _ := strconv.Atoi(m[1])
	return time.Duration(n) * time.Second, true
}
