// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync/atomic"
)

const (
	// keepBody is how much of a request's body the gate keeps for a retry when
	// the request has no GetBody. Requests made by http.NewRequest have one.
	keepBody = 64 << 10
	// peekBody is how much of an error page is read to tell who wrote it. The
	// longest of Cloud Run's pages is under 2 KiB.
	peekBody = 8 << 10
)

// peek reads a prefix of the body and puts it back.
func peek(resp *http.Response) []byte {
	if resp.Body == nil || resp.Body == http.NoBody {
		return nil
	}
	prefix, err := io.ReadAll(io.LimitReader(resp.Body, peekBody))
	var rest io.Reader = resp.Body
	if err != nil {
		rest = failing{err}
	}
	resp.Body = &peeked{Reader: io.MultiReader(bytes.NewReader(prefix), rest), Closer: resp.Body}
	return prefix
}

type peeked struct {
	io.Reader
	io.Closer
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// drop reads a little of what is left, so that the connection can be used
// again, and closes the body.
func drop(resp *http.Response) {
	if resp == nil || resp.Body == nil {
		return
	}
	_, _ = io.CopyN(io.Discard, resp.Body, peekBody)
	_ = resp.Body.Close()
}

// heldBody is an answer's body that holds a slot until it is closed, or was
// read to its end or an error.
type heldBody struct {
	body   io.ReadCloser
	gate   *Gate // nil when no slot is held
	done   atomic.Bool
	cancel context.CancelFunc // of an attempt with a context of its own; may be nil
}

func (b *heldBody) Read(p []byte) (int, error) {
	n, err := b.body.Read(p)
	if err != nil {
		b.release()
	}
	return n, err
}

func (b *heldBody) Close() error {
	err := b.body.Close()
	b.release()
	return err
}

func (b *heldBody) release() {
	if b.done.Swap(true) {
		return
	}
	if b.cancel != nil {
		b.cancel()
	}
	if b.gate != nil {
		b.gate.finished()
	}
}

type writeCloser interface {
	io.Writer
	io.Closer
}

// heldWriter is heldBody for an answer whose body can also be written to, as
// that of 101 Switching Protocols can.
type heldWriter struct {
	heldBody
	io.Writer
}

// replay makes a request that can be sent more than once, or reports that it
// can be sent only once.
type replay struct {
	req  *http.Request
	get  func() (io.ReadCloser, error) // nil: one attempt has to do
	sent bool
}

func noBody() (io.ReadCloser, error) { return http.NoBody, nil }

func newReplay(req *http.Request) (*replay, error) {
	r := &replay{req: req, get: req.GetBody}
	if req.Body == nil || req.Body == http.NoBody {
		r.get = noBody
		return r, nil
	}
	if r.get != nil || req.ContentLength > keepBody {
		return r, nil
	}
	prefix, err := io.ReadAll(io.LimitReader(req.Body, keepBody+1))
	if err != nil {
		_ = req.Body.Close()
		return nil, err
	}
	body := req.Body
	r.req = req.WithContext(req.Context())
	if len(prefix) > keepBody { // one attempt has to do
		r.req.Body = &peeked{Reader: io.MultiReader(bytes.NewReader(prefix), body), Closer: body}
		return r, nil
	}
	_ = body.Close()
	r.get = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(prefix)), nil }
	r.req.Body, _ = r.get()
	return r, nil
}

func (r *replay) again() bool { return !r.sent || r.get != nil }

// next returns the request for one attempt in ctx.
func (r *replay) next(ctx context.Context) (*http.Request, error) {
	req := r.req
	if !r.sent && ctx == req.Context() {
		r.sent = true
		return req, nil
	}
	req = req.WithContext(ctx)
	if r.sent {
		body, err := r.get()
		if err != nil {
			return nil, err
		}
		req.Body = body
	}
	r.sent = true
	return req, nil
}

// close closes the body of a request that was never sent, as the contract of
// http.RoundTripper demands.
func (r *replay) close() {
	if !r.sent && r.req.Body != nil {
		r.sent = true
		_ = r.req.Body.Close()
	}
}
