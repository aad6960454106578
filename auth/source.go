// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/oauth2"
)

// Static is a [Source] of one token that was had elsewhere, such as from
// `gcloud auth print-identity-token`. Nothing renews it: a Google token ends
// after an hour, and then Token returns an [*Error] that says so.
func Static(token string) Source {
	return &static{tok: Token{Value: token}.fill()}
}

type static struct{ tok Token }

func (s *static) Token(context.Context) (Token, error) {
	if s.tok.Value == "" {
		return Token{}, &Error{Message: "the static token is empty"}
	}
	if e := s.tok.Expiry; !e.IsZero() && !time.Now().Before(e) {
		return Token{}, &Error{
			Message:   fmt.Sprintf("the static token expired at %s", e.UTC().Format(time.RFC3339)),
			Hint:      "use auth.Google, which renews its tokens, or pass a new token",
			Audience:  s.tok.Audience,
			Principal: s.tok.Principal,
		}
	}
	return s.tok, nil
}

// FromTokenSource is a [Source] of what an oauth2.TokenSource calls its access
// token, for the sources of google.golang.org/api/idtoken and
// google.golang.org/api/impersonate: those put the identity token there. A
// token that has an "id_token" beside it (that of an OpenID Connect flow)
// gives that one.
//
// An oauth2.TokenSource knows no context: a call that waits for one ends with
// its own context (see [Cached]) while the source goes on.
func FromTokenSource(ts oauth2.TokenSource) Source {
	return &tokenSource{ts}
}

type tokenSource struct{ ts oauth2.TokenSource }

func (s *tokenSource) Token(ctx context.Context) (Token, error) {
	if s.ts == nil {
		return Token{}, &Error{Message: "the oauth2.TokenSource is nil"}
	}
	t, err := s.ts.Token()
	if err != nil {
		return Token{}, fromOAuth2(err)
	}
	tok := Token{Value: t.AccessToken, Expiry: t.Expiry}
	if id, ok := t.Extra("id_token").(string); ok && id != "" {
		tok.Value = id
	}
	return tok.fill(), nil
}

// fromOAuth2 tells an answer that no second try will change from the rest.
func fromOAuth2(err error) *Error {
	e := &Error{Message: "the oauth2.TokenSource failed: " + err.Error(), Retry: true, Err: err}
	if r, ok := errors.AsType[*oauth2.RetrieveError](err); ok && r.Response != nil {
		e.Retry = transientStatus(r.Response.StatusCode)
	}
	return e
}

// transientStatus reports whether an answer of Google's token servers is one
// that their documentation says to try again.
func transientStatus(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}
