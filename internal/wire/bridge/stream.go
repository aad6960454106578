// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"
	"sync"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
)

// stream answers streamGenerateContent. It waits for the first response, so
// that every failure before it is an error of RoundTrip.
func (t *Transport) stream(ctx context.Context, req *http.Request, model string, r *generate) (*http.Response, error) {
	ctx, cancel := context.WithCancel(ctx)
	next, stop := iter.Pull2(t.backend.Stream(ctx, model, r.Contents, r.Config))
	first, err, ok := next()
	if err == nil && !ok {
		err = fault.New(fault.Interrupted, "the answer ended before it began")
	}
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	b := &body{next: next, stop: stop, cancel: cancel, ctx: ctx, t: t}
	b.buf = appendEvent(b.buf, first)
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: b, ContentLength: -1, Request: req,
	}, nil
}

// body writes responses as SSE events when it is read: no goroutine, no pipe.
type body struct {
	t      *Transport
	ctx    context.Context
	cancel context.CancelFunc

	mu   sync.Mutex // Read against Close: iter.Pull2 takes one caller at a time
	next func() (*genai.GenerateContentResponse, error, bool)
	stop func()
	buf  []byte
	off  int
	err  error // what Read returns when buf is empty
}

func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.off == len(b.buf) {
		if b.err != nil {
			return 0, b.err
		}
		b.buf, b.off = b.buf[:0], 0
		r, err, ok := b.next()
		switch {
		case err != nil:
			b.fail(err)
		case !ok:
			b.err = io.EOF
		default:
			b.buf = appendEvent(b.buf, r)
		}
	}
	n := copy(p, b.buf[b.off:])
	b.off += n
	return n, nil
}

// fail ends the body with a failure, typed and without noise.
//
// The SDK prints every error that a body's Read returns to the global logger,
// and turns an error event into its own APIError, which loses ours. But before
// it gives up on a stream whose last chunk had a continuation token, it asks
// again with that token, and an error of that request reaches the caller
// wrapped, not printed. So the body ends with such a token and an error event;
// the request that follows is answered from memory with err. A caller that
// switched AutomaticContinuation off gets the error event.
//
// When the caller's own context is over, the SDK asks no more: there err itself
// is returned from Read, so that errors.Is finds the context's error.
func (b *body) fail(err error) {
	if b.ctx.Err() != nil {
		b.err = err
		return
	}
	token := b.t.failures.keep(err)
	b.buf = append(b.buf, `data: {"candidates":[{"content":{"role":"model"},"continuationToken":"`...)
	b.buf = append(b.buf, base64.StdEncoding.EncodeToString([]byte(token))...)
	b.buf = append(b.buf, "\"}]}\n\ndata: "...)
	code := b.t.backend.Status(err)
	event, _ := json.Marshal(map[string]any{"error": map[string]any{"code": code, "status": http.StatusText(code), "message": err.Error()}})
	b.buf = append(append(b.buf, event...), "\n\n"...)
	b.err = io.EOF
}

var errClosed = errors.New("bridge: read of a closed body")

// Close ends the generation. It is idempotent and never fails: the SDK would
// print the error.
func (b *body) Close() error {
	b.cancel() // a Read in progress returns
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stop()
	b.buf, b.off, b.err = nil, 0, errClosed
	return nil
}

func appendEvent(b []byte, r *genai.GenerateContentResponse) []byte {
	return append(appendResponse(append(b, "data: "...), r), "\n\n"...)
}
