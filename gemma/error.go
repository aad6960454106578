// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/auth"
	"github.com/gemma-go/sdk/internal/fault"
)

// Kind says what a failure means for the caller, whatever the protocol and the
// status code were.
type Kind uint8

// The kinds. "Retry" says whether sending the same call again can help; the
// client has already waited and retried as far as the deadline, MaxWait and
// its retry budget allowed.
const (
	// KindUnknown is no kind of failure; an *Error never has it.
	KindUnknown Kind = iota
	// KindCold: the instance did not become ready in the time allowed. Retry
	// with a longer deadline; the start may be under way.
	KindCold
	// KindOverloaded: the endpoint is up and has no slot free, or a quota is
	// used up. Retry later.
	KindOverloaded
	// KindUnauthenticated: no identity token could be minted, or the endpoint
	// refused it. Retry does not help, and the Hint says what does, unless
	// Retryable says that the token server was out of reach.
	KindUnauthenticated
	// KindForbidden: the identity may not call the service, or the container's
	// API key is missing or wrong. Retry helps only where the permission was
	// granted within the last minutes.
	KindForbidden
	// KindNotFound: no such model, or no such service. Retry does not help.
	KindNotFound
	// KindInvalid: the request or the Config is wrong. Retry does not help.
	KindInvalid
	// KindUnsupported: the request asks for something that this endpoint
	// cannot do and the client will not fake. Message names the field. Retry
	// does not help.
	KindUnsupported
	// KindInterrupted: the answer began and did not end. Partial holds what
	// arrived. Retry gives a new answer; Config.Resume continues this one.
	KindInterrupted
	// KindServer: the model server failed or answered with something that is
	// no answer. Retry may help.
	KindServer
)

// String returns the kind in words, such as "not found".
func (k Kind) String() string { return fault.Kind(k).String() }

// Error is the failure of one call. Find it with
//
//	if e, ok := errors.AsType[*gemma.Error](err); ok && e.Kind == gemma.KindCold { … }
//
// which also works on errors that went through the Gen AI SDK, ADK or net/http.
// Its text never holds a token, a key or any of the prompt. When the call's
// context ended, errors.Is finds context.Cause of it.
type Error struct {
	Kind     Kind
	Status   int                            // HTTP status; 0 when no answer arrived
	Message  string                         // what happened; names the field for KindInvalid and KindUnsupported
	Hint     string                         // what to do next; may be empty
	Attempts int                            // requests sent for this call, without the probes that wake the endpoint for all
	Waited   time.Duration                  // how long the call waited for the endpoint to be ready
	Expected time.Duration                  // how much longer the start will probably take (KindCold); 0 when unknown
	Partial  *genai.GenerateContentResponse // what arrived before the failure; nil when nothing did
	Err      error                          // the cause; may be nil
}

// Error returns one line: kind, status, message, cause, effort and hint.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("gemma: ")
	b.WriteString(e.Kind.String())
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	if e.Err != nil && !e.told() {
		if cause := e.Err.Error(); cause != e.Message {
			b.WriteString(": ")
			b.WriteString(cause)
		}
	}
	if effort := e.effort(); effort != "" {
		fmt.Fprintf(&b, " [%s]", effort)
	}
	if e.Hint != "" {
		b.WriteString("; ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

// effort tells what the call spent, where that was more than one quick request.
// Most of those who wait send none of their own: one probe wakes the endpoint
// for all of them.
func (e *Error) effort() string {
	var parts []string
	if e.Waited >= time.Second {
		parts = append(parts, fmt.Sprintf("waited %v", e.Waited.Round(100*time.Millisecond)))
	}
	if e.Attempts > 1 {
		parts = append(parts, fmt.Sprintf("%d requests", e.Attempts))
	}
	if e.Expected > 0 {
		parts = append(parts, fmt.Sprintf("about %v more expected", e.Expected.Round(time.Second)))
	}
	return strings.Join(parts, ", ")
}

// told reports whether Message and Hint are those of the cause.
func (e *Error) told() bool {
	a, ok := errors.AsType[*auth.Error](e.Err)
	return ok && a.Message == e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether the same call may succeed later without a change
// of the request, the configuration or the permissions.
func (e *Error) Retryable() bool {
	switch e.Kind {
	case KindCold, KindOverloaded, KindInterrupted, KindServer:
		return true
	case KindUnauthenticated:
		a, ok := errors.AsType[*auth.Error](e.Err)
		return ok && a.Retry // the token server was out of reach
	}
	return false
}

// newError makes the public error of whatever the inner packages returned.
// Every error that leaves this package goes through it once.
func newError(ctx context.Context, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if f := fault.Of(err); f != nil {
		e := &Error{
			Kind: Kind(f.Kind), Status: f.Status, Message: f.Message, Hint: f.Hint,
			Attempts: f.Attempts, Waited: f.Waited, Expected: f.Expected, Err: f.Err,
		}
		if f.Field != "" {
			e.Message = f.Field + ": " + f.Message
		}
		if a, ok := errors.AsType[*auth.Error](f.Err); ok { // the gate wraps what the transport below it says
			fromAuth(e, a)
		}
		e.Err = withContext(ctx, e.Err)
		return e
	}
	if a, ok := errors.AsType[*auth.Error](err); ok {
		e := &Error{Err: a}
		fromAuth(e, a)
		return e
	}
	if ctx.Err() != nil {
		return &Error{Kind: KindInterrupted, Message: "the call's context ended", Err: withContext(ctx, context.Cause(ctx))}
	}
	return &Error{Kind: KindServer, Message: "the request failed", Err: err}
}

// withContext makes both errors of a context findable where its end is the
// cause: its own (Canceled, DeadlineExceeded), and the reason that was given.
func withContext(ctx context.Context, err error) error {
	if own := ctx.Err(); own != nil && err != nil && errors.Is(err, context.Cause(ctx)) && !errors.Is(err, own) {
		return &ended{err, own}
	}
	return err
}

type ended struct{ cause, own error }

func (e *ended) Error() string   { return e.cause.Error() }
func (e *ended) Unwrap() []error { return []error{e.cause, e.own} }

// fromAuth lets the identity's own diagnosis speak for e.
func fromAuth(e *Error, a *auth.Error) {
	e.Status, e.Hint = a.Status, a.Hint
	if a.Message != "" {
		e.Message = a.Message
	}
	switch a.Status {
	case http.StatusForbidden:
		e.Kind = KindForbidden
	case http.StatusNotFound:
		e.Kind = KindNotFound
	default: // 401, or no token to send
		e.Kind = KindUnauthenticated
	}
}
