// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strings"
)

// Error is why a call has no identity, or why the endpoint did not take the
// one it has. Test for it with errors.AsType[*auth.Error], which also sees
// through url.Error and the Gen AI SDK's wrapping.
//
// No text in it holds a token, or a key.
type Error struct {
	// Status is the status of the endpoint's front end: 401, 403 or 404. It is
	// 0 when no token could be had, or when the request was refused before it
	// was sent.
	Status int

	Message string // what was wrong, in plain words
	Hint    string // what mends it, as a command where there is one; or ""

	Origin    string // the endpoint's origin, where it is known
	Audience  string // what the token was minted for; "" when there was none
	Principal string // whom the token speaks for; "" when unknown

	// Retry says that the same call can succeed without anybody mending
	// anything: a token server was overloaded or out of reach.
	Retry bool

	// Err is the cause, for errors.Is and errors.As; Message says all that is
	// fit to be printed of it. It may be nil.
	Err error
}

// Error returns the message, then the hint.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("auth: ")
	if e.Status != 0 {
		fmt.Fprintf(&b, "HTTP %d: ", e.Status)
	}
	switch {
	case e.Message != "":
		b.WriteString(e.Message)
	case e.Err != nil:
		b.WriteString(scrub(e.Err.Error()))
	default:
		b.WriteString("no identity token")
	}
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same call can succeed if it is made again.
func (e *Error) Retryable() bool { return e.Retry }

// StatusCode returns Status.
func (e *Error) StatusCode() int { return e.Status }

// asError makes an *Error of what a source returned.
func asError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok && e == err {
		return e
	}
	out := &Error{Message: "no identity token: " + clip(err.Error()), Retry: retryable(err), Err: err}
	if e, ok := errors.AsType[*Error](err); ok { // wrapped by somebody's own source: keep the diagnosis
		out.Status, out.Hint, out.Origin, out.Audience, out.Principal = e.Status, e.Hint, e.Origin, e.Audience, e.Principal
		out.Retry = e.Retry
	}
	return out
}

// retryable reports whether asking a source again can help. What is unknown
// counts as worth a try: the pace of the tries is bounded in any case.
func retryable(err error) bool {
	if r, ok := errors.AsType[interface {
		error
		Retryable() bool
	}](err); ok {
		return r.Retryable()
	}
	if d, ok := errors.AsType[*net.DNSError](err); ok {
		return !d.IsNotFound
	}
	return true
}

// waitError is the error of a caller whose own context ended while it waited
// for a token. Both the context's error and its cause are found in it.
func waitError(ctx context.Context, last error) *Error {
	err, cause := ctx.Err(), context.Cause(ctx)
	e := &Error{Message: "waiting for an identity token: " + clip(cmp.Or(cause, err).Error()), Err: err}
	if cause != nil && !errors.Is(cause, err) {
		e.Err = fmt.Errorf("%w: %w", err, cause)
	}
	if last != nil {
		l := asError(last)
		e.Message += " (so far: " + l.Message + ")"
		e.Hint = l.Hint
	}
	return e
}

// secrets matches what looks like a token or a key: JWTs, Google's access and
// refresh tokens, API keys, and whatever follows "Bearer".
var secrets = regexp.MustCompile(`eyJ[\w-]{8,}(?:\.[\w-]*){0,2}|ya29\.[\w.-]+|1//[\w-]{10,}|AIza[\w-]{20,}|(?i:bearer) +[\w.~+/-]{16,}=*|-----BEGIN[^-]*PRIVATE KEY-----[^-]*`)

// scrub takes out of a foreign text what looks like a secret. Google's servers
// do not echo credentials, but a proxy's error page or a broken broker may.
func scrub(s string) string { return secrets.ReplaceAllString(s, "[hidden]") }

// clip makes a foreign text fit for an error: no secrets, one line, at most
// 400 bytes.
func clip(s string) string {
	s = scrub(strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }), " ")
	const most = 400
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}
