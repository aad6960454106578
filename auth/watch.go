// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"golang.org/x/oauth2"
)

// watch sees the token traffic of one fetch, so that a failure can be told by
// what the server answered. golang.org/x/oauth2 flattens network errors and
// the STS server's answers into texts, and some of its requests carry no
// context; here they all get the fetch's.
type watch struct {
	client *http.Client
	base   http.RoundTripper
	ctx    context.Context

	mu     sync.Mutex
	host   string // of the last request
	status int    // of its answer, if that was not a success
	body   []byte // of that answer
	err    error  // if there was no answer
}

// watched returns a context that makes golang.org/x/oauth2 use a client that
// is watched.
func watched(ctx context.Context, client *http.Client) (context.Context, *watch) {
	if client == nil {
		client = &http.Client{}
	}
	w := &watch{base: client.Transport, ctx: ctx}
	if w.base == nil {
		w.base = http.DefaultTransport
	}
	c := *client
	c.Transport = w
	// No token server redirects, and a POST that is sent elsewhere takes the
	// assertion or the refresh token along.
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	w.client = &c
	return context.WithValue(ctx, oauth2.HTTPClient, &c), w
}

func (w *watch) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Context().Done() == nil { // the assertion exchange of golang.org/x/oauth2/jwt
		req = req.WithContext(w.ctx)
	}
	resp, err := w.base.RoundTrip(req)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.host, w.status, w.body, w.err = req.URL.Host, 0, nil, err
	if err != nil || resp.StatusCode < 300 {
		return resp, err
	}
	w.status = resp.StatusCode
	w.body, _ = io.ReadAll(io.LimitReader(resp.Body, maxPage))
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(w.body))
	return resp, nil
}

// explain makes the error of a fetch for what is wanted. The hint goes to
// refusals, which somebody must mend.
func (w *watch) explain(what, hint string, err error) *Error {
	w.mu.Lock()
	defer w.mu.Unlock()
	e := &Error{Err: err}
	switch {
	case w.err != nil:
		e.Err = cmp.Or(err, w.err)
		e.Message = fmt.Sprintf("%s: %s cannot be reached: %s", what, w.host, clip(w.err.Error()))
		e.Retry = retryable(w.err)
		if cause := context.Cause(w.ctx); cause != nil {
			e.Err = w.err
			e.Retry = !errors.Is(cause, context.Canceled)
		}
	case w.status != 0:
		e.Message = fmt.Sprintf("%s: %s answered %d%s", what, w.host, w.status, answerText(w.body))
		e.Retry = transientStatus(w.status)
		if !e.Retry {
			e.Hint = hint
		}
	case err != nil:
		e.Message = what + ": " + clip(err.Error())
	default:
		e.Message = what + ": no answer"
	}
	return e
}

// answerText is what a token server's error answer says: OAuth's error and
// error_description, or a Google API's error.message.
func answerText(body []byte) string {
	var oauth struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Subtype     string `json:"error_subtype"`
	}
	if json.Unmarshal(body, &oauth) == nil && oauth.Error != "" {
		s := ": " + oauth.Error
		if oauth.Subtype != "" {
			s += "/" + oauth.Subtype
		}
		if oauth.Description != "" {
			s += ": " + oauth.Description
		}
		return clip(s)
	}
	var api struct {
		Error struct {
			Message string `json:"message"`
			Status  string `json:"status"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &api) == nil && api.Error.Message != "" {
		return clip(": " + api.Error.Status + ": " + api.Error.Message)
	}
	if s := pageText(body); s != "" {
		return clip(": " + s)
	}
	return ""
}
