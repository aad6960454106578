// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gemma-go/sdk/internal/fault"
)

// errMaxWait is the cause in errors of calls that Config.MaxWait ended.
var errMaxWait = errors.New("the longest wait allowed is over")

// errFailFast cancels a probe whose only owner is not going to wait for it.
var errFailFast = errors.New("the deadline is too short for a start")

// failure is what the gate last saw go wrong.
type failure struct {
	verdict    Verdict
	status     int
	message    string // the server's own words, clipped
	retryAfter time.Duration
	err        error
}

// note turns one failed attempt into what errors tell of it.
func note(o Observation, v Verdict) failure {
	f := failure{verdict: v, status: o.Status, err: o.Err}
	if o.Status >= 400 {
		f.message = serverMessage(o)
		f.retryAfter = retryAfter(o.Header, time.Now())
	}
	return f
}

// serverMessage is the message in a model server's JSON error, in the shapes of
// Ollama, the OpenAI API and the Gemini API.
func serverMessage(o Observation) string {
	if kindOf(o) != bodyServer {
		return ""
	}
	var shape struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(o.Body, &shape) != nil {
		return fault.Clip(string(o.Body))
	}
	var text string
	var inner struct {
		Message string `json:"message"`
	}
	switch {
	case json.Unmarshal(shape.Error, &text) == nil:
	case json.Unmarshal(shape.Error, &inner) == nil:
		text = inner.Message
	default:
		text = shape.Message
	}
	return fault.Clip(text)
}

// kindOfStatus is the kind of a final answer.
func kindOfStatus(status int) fault.Kind {
	switch {
	case status == http.StatusUnauthorized:
		return fault.Unauthenticated
	case status == http.StatusForbidden:
		return fault.Forbidden
	case status == http.StatusNotFound:
		return fault.NotFound
	case status >= 400 && status < 500:
		return fault.Invalid
	}
	return fault.Server
}

// broken is the fault of a failure that no wait can mend. A fault that a
// station below made is kept as it is.
func broken(f failure) *fault.Error {
	if below := fault.Of(f.err); below != nil {
		e := *below
		return &e
	}
	e := &fault.Error{Kind: kindOfStatus(f.status), Status: f.status, Message: f.verdict.Reason, FrontEnd: f.verdict.FrontEnd, Err: f.err}
	if f.message != "" {
		e.Message = f.message
	}
	if !f.verdict.FrontEnd {
		switch f.status {
		case http.StatusNotFound:
			e.Hint = "Client.Models lists what the endpoint serves"
		case http.StatusUnauthorized, http.StatusForbidden: // the front end has let the identity in
			e.Kind, e.Hint = fault.Forbidden, "the container asks for its own key: set Config.APIKey"
		}
	}
	if f.status == 0 {
		e.Kind = fault.Server
		var s interface{ StatusCode() int }
		var r interface{ Retryable() bool }
		switch {
		case errors.As(f.err, &s) && s.StatusCode() != 0:
			e.Status = s.StatusCode()
			e.Kind = kindOfStatus(e.Status)
		case errors.As(f.err, &r):
			e.Kind = fault.Unauthenticated // refused before it was sent: no token
		default:
			e.Hint = "check the endpoint's URL"
		}
	}
	if f.status == http.StatusNotFound && f.verdict.FrontEnd {
		e.Hint = "check the service's URL and region, and that its ingress admits this network"
	}
	if f.status == http.StatusForbidden && f.verdict.FrontEnd {
		e.Hint = "grant the identity roles/run.invoker on the service"
	}
	return e
}

// nobodyThere is the fault of an endpoint at which no attempt got an answer of
// any kind.
func nobodyThere(f failure) *fault.Error {
	var r interface{ Retryable() bool }
	if errors.As(f.err, &r) { // not even sent: a token server that does not come back
		e := broken(f)
		e.Retry = true
		return e
	}
	return &fault.Error{
		Kind: fault.Server, Message: "nobody answers at the endpoint", Retry: true, Err: f.err,
		Hint: "check the endpoint's URL and the network",
	}
}

// gaveUp is the fault of a call that waited in vain: cause says what ended the
// wait, last what was seen.
func (g *Gate) gaveUp(cause error, last failure, ready bool, attempts int, waited, expected time.Duration) *fault.Error {
	var r interface{ Retryable() bool }
	if last.status == 0 && errors.As(last.err, &r) { // nothing could be sent: no word on the endpoint
		e := broken(last)
		e.Attempts, e.Waited, e.Retry, e.Err = attempts, waited, true, &gaveUpOn{cause, last.err}
		return e
	}
	refused := last.status == 0 && last.verdict.Unsent // nothing listens, not even a front end
	if ready && refused {
		e := nobodyThere(last)
		e.Attempts, e.Waited, e.Err = attempts, waited, &gaveUpOn{cause, last.err}
		return e
	}
	e := &fault.Error{
		Status: last.status, FrontEnd: last.verdict.FrontEnd, Attempts: attempts, Waited: waited,
		RetryAfter: last.retryAfter, Retry: true, Err: cause,
	}
	seen := ""
	if last.verdict.Reason != "" {
		seen = ": " + last.verdict.Reason
	}
	if last.message != "" {
		seen += ": " + last.message
	}
	if !ready {
		e.Kind, e.Expected = fault.Cold, expected
		e.Message = fmt.Sprintf("the endpoint was not ready after %s%s", round(waited), seen)
		e.Hint = "the start goes on; call again, with a longer deadline"
		if expected > 0 {
			e.Hint = fmt.Sprintf("the start goes on; call again in about %s, or allow that much more time", round(expected))
		}
		if refused {
			e.Expected, e.Hint = 0, "nothing listens there: check the endpoint's URL and that the server runs"
		}
		return e
	}
	e.Kind = fault.Overloaded
	e.Message = fmt.Sprintf("no slot was free for %s%s", round(waited), seen)
	e.Hint = "call again later, send less at once, or raise the service's concurrency or maximum instances"
	return e
}

// failedFast is the fault of a call that is not going to wait.
func failedFast(last failure, attempts int, left, expected time.Duration) *fault.Error {
	return &fault.Error{
		Kind: fault.Cold, Status: last.status, FrontEnd: last.verdict.FrontEnd, Attempts: attempts, Expected: expected, Retry: true,
		Message: fmt.Sprintf("the endpoint is starting, which takes about %s more; the call allows %s", round(expected), round(left)),
		Hint:    fmt.Sprintf("the start is under way: call again in about %s, or allow that much time", round(expected)),
		Err:     errFailFast,
	}
}

// interrupted is the fault of an attempt that was lost and is not repeated.
func interrupted(f failure, attempts int, waited time.Duration, why string) *fault.Error {
	e := &fault.Error{
		Kind: fault.Interrupted, Status: f.status, FrontEnd: f.verdict.FrontEnd, Attempts: attempts, Waited: waited,
		Message: f.verdict.Reason, RetryAfter: f.retryAfter, Retry: true, Hint: why, Err: f.err,
	}
	if f.verdict.Class == Overloaded {
		e.Kind = fault.Overloaded
	}
	if f.verdict.Class == Cold {
		e.Kind = fault.Cold
	}
	if f.message != "" {
		e.Message += ": " + f.message
	}
	if f.status == http.StatusGatewayTimeout {
		e.Hint = "the service's request timeout cut the answer short: raise it (up to 60 minutes), or ask for less"
	}
	return e
}

// gaveUpOn is what ended a wait, and what was waited for.
type gaveUpOn struct{ cause, last error }

func (e *gaveUpOn) Error() string   { return e.cause.Error() + ": " + e.last.Error() }
func (e *gaveUpOn) Unwrap() []error { return []error{e.cause, e.last} }

func causeOf(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return errMaxWait
}

func round(d time.Duration) time.Duration {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
