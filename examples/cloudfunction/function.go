// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package function is a Cloud Function that streams a private Gemma's answer.
//
// What differs from a long-lived service: the CPU may stop between requests, so
// nothing runs in the background; the instance may be new at any request, so
// nothing touches the network before the first one; and a client that could not
// be made is made again at the next request, rather than never.
package function

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/GoogleCloudPlatform/functions-framework-go/functions"
	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/stream"
)

func init() {
	functions.HTTP("Ask", newHandler(configFromEnv).ServeHTTP)
}

// configFromEnv reads GEMMA_ENDPOINT and GEMMA_MODEL. It is called at the first
// request, not in init.
func configFromEnv() (gemma.Config, error) {
	c := gemma.Config{Endpoint: os.Getenv("GEMMA_ENDPOINT"), Model: os.Getenv("GEMMA_MODEL")}
	if c.Endpoint == "" {
		return c, errors.New("GEMMA_ENDPOINT is not set: deploy with --set-env-vars GEMMA_ENDPOINT=https://…")
	}
	return c, nil
}

// handler is the function: one client for the instance, made when it is needed.
type handler struct {
	client lazy[*gemma.Client]
	// limit is the platform's own request timeout, less what it takes to say
	// so: an answer of the function's is better than the platform's cut.
	limit time.Duration
}

func newHandler(config func() (gemma.Config, error)) *handler {
	h := &handler{limit: requestTimeout() - 2*time.Second}
	h.client.make = func(ctx context.Context) (*gemma.Client, error) {
		c, err := config()
		if err != nil {
			return nil, err
		}
		return gemma.NewClient(ctx, c)
	}
	return h
}

// requestTimeout is the function's timeout: 60 s unless it was deployed with
// another, which FUNCTION_TIMEOUT_SEC repeats (the platform does not tell).
func requestTimeout() time.Duration {
	n, err := strconv.Atoi(cmp.Or(os.Getenv("FUNCTION_TIMEOUT_SEC"), "60"))
	if err != nil || n < 5 {
		n = 60
	}
	return time.Duration(n) * time.Second
}

const maxQuestion = 64 << 10

// ServeHTTP streams the answer to the question in ?q= or in the body as text.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	question := r.URL.Query().Get("q")
	if question == "" {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxQuestion))
		if err != nil {
			http.Error(w, "the question is too long", http.StatusRequestEntityTooLarge)
			return
		}
		question = string(body)
	}
	if question == "" {
		http.Error(w, "ask with ?q=… or in the body", http.StatusBadRequest)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), h.limit)
	defer cancel()
	client, err := h.client.get(ctx)
	if err != nil {
		http.Error(w, "the function is not set up: "+err.Error(), http.StatusInternalServerError)
		return
	}
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	begun := false
	for text, err := range stream.Text(client.Stream(ctx, genai.Text(question), nil)) {
		if err != nil {
			fail(w, err, begun)
			return
		}
		begun = true
		if _, err := io.WriteString(w, text); err != nil {
			return // the caller is gone; leaving the loop stops the model
		}
		_ = out.Flush() // where it can't be flushed, it arrives at the end
	}
}

// fail answers with a status, or breaks the connection off where the answer has
// begun: to end it normally would pass half an answer for a whole one.
func fail(w http.ResponseWriter, err error, begun bool) {
	if begun {
		panic(http.ErrAbortHandler)
	}
	code := http.StatusBadGateway
	if e, ok := errors.AsType[*gemma.Error](err); ok && (e.Kind == gemma.KindCold || e.Kind == gemma.KindOverloaded || errors.Is(err, context.DeadlineExceeded)) {
		code = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", strconv.Itoa(int(max(1, math.Ceil(e.Expected.Seconds())))))
	}
	http.Error(w, fmt.Sprintf("the model cannot answer: %v", err), code)
}
