// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package fault is the one vocabulary in which the inner packages report what
// went wrong with a call. Package gemma turns a [*Error] into its public
// *gemma.Error; nothing below package gemma invents kinds of its own.
//
// The zero value of [Error] is useless on purpose: every fault has a Kind.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// Kind says what a failure means for the caller. The values equal those of
// gemma.Kind, one for one.
type Kind uint8

const (
	Unknown         Kind = iota
	Cold                 // the instance did not become ready in the time allowed
	Overloaded           // ready, but every slot was taken or the server shed the call
	Unauthenticated      // no identity token could be had, or the front end refused it
	Forbidden            // a valid identity without permission, or a wrong API key
	NotFound             // no such model, path or service
	Invalid              // the request is wrong and stays wrong
	Unsupported          // the request asks for what this endpoint cannot do
	Interrupted          // the answer began and did not end
	Server               // the model server failed, or answered what cannot be an answer
)

var names = [...]string{
	Unknown: "unknown", Cold: "cold", Overloaded: "overloaded", Unauthenticated: "unauthenticated",
	Forbidden: "forbidden", NotFound: "not found", Invalid: "invalid", Unsupported: "unsupported",
	Interrupted: "interrupted", Server: "server",
}

func (k Kind) String() string {
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Error is one failure of one call. Texts never hold a token, a key or any of
// the prompt; a server's own message is kept only after it went through [Clip].
type Error struct {
	Kind       Kind
	Status     int           // HTTP status; 0 when there was no answer
	Field      string        // the request's field at fault, such as "config.topK"; "" when it is not one field
	Message    string        // what happened
	Hint       string        // the next step for the caller; "" when there is none
	FrontEnd   bool          // answered by Cloud Run's front end, not by the model server
	Attempts   int           // requests sent for this call; 0 when unknown
	Waited     time.Duration // time spent waiting for the endpoint
	Expected   time.Duration // how much longer a start is expected to take; 0 when unknown
	RetryAfter time.Duration // the server's Retry-After; 0 when it sent none
	Retry      bool          // the same request may succeed if it is sent again now
	Err        error         // the cause; may be nil
}

// Error returns the kind, the field, the status, the message and the cause,
// each where there is one.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Kind.String())
	if e.Status != 0 {
		fmt.Fprintf(&b, " (HTTP %d)", e.Status)
	}
	if e.Field != "" {
		b.WriteString(": ")
		b.WriteString(e.Field)
	}
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Retryable reports whether sending the same request again can help.
func (e *Error) Retryable() bool { return e.Retry }

// New returns a fault without a cause.
func New(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// Refuse returns the Unsupported fault for one field of the request: what
// cannot be carried, and why.
func Refuse(field, why string) *Error {
	return &Error{Kind: Unsupported, Field: field, Message: why}
}

// Bad returns the Invalid fault for one field of the request.
func Bad(field, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// Of returns the fault in err's chain, or nil.
func Of(err error) *Error {
	e, _ := errors.AsType[*Error](err)
	return e
}

// clipAt is how much of a server's own text an error may hold: enough for the
// longest message of the servers measured, too little for a prompt that a
// server echoes in full.
const clipAt = 512

// Clip makes a server's own text fit for an error: one line, valid UTF-8, no
// control characters, at most 512 bytes.
func Clip(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }), " ")
	s = strings.TrimSpace(s)
	if len(s) <= clipAt {
		return s
	}
	cut := clipAt
	for cut > 0 && s[cut]&0xC0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}
