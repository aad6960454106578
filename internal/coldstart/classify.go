// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"mime"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// Class is what one attempt says about the endpoint.
type Class uint8

const (
	// Answer: the model server (or the proxy in its container) answered for
	// itself, well or badly. The answer belongs to the caller.
	Answer Class = iota
	// Cold: there is no instance that could answer yet. The request never
	// reached a model and the instance is being started by having been asked.
	Cold
	// Overloaded: the endpoint is up and every slot is taken.
	Overloaded
	// Broken: no wait and no retry can help; somebody has to change something.
	Broken
	// Interrupted: the attempt was lost on its way, perhaps after the model
	// saw it.
	Interrupted
	// Ended: the caller's own context ended; nothing was learnt.
	Ended
)

var classNames = [...]string{"answer", "cold", "overloaded", "broken", "interrupted", "ended"}

func (c Class) String() string { return classNames[c] }

// Observation is what one attempt showed, and what was known before it. The
// zero values of the last four fields mean an endpoint never seen before.
type Observation struct {
	Status int         // 0 when there was no response
	Header http.Header // of the response
	Body   []byte      // a prefix of the body; needed for status 400 and above only
	Err    error       // the transport's error, when there was no response

	Ready    bool          // the endpoint has answered within the idle time
	InFlight int           // other requests of this process that are at the endpoint now
	Refused  int           // attempts refused in a row while nothing else of this process was in flight
	Sick     time.Duration // since when they are refused
}

// Verdict is what an [Observation] means.
type Verdict struct {
	Class    Class
	FrontEnd bool   // Cloud Run's front end said it, not the model server
	Unsent   bool   // the request provably did not reach the container
	Reason   string // in plain words, for events and errors; "" for an Answer
}

// coldAfter is how often, and for how long, an endpoint that was ready must
// refuse everything before it counts as gone: a redeployment or a crash looks
// like overload at first.
const (
	coldAfterRefused = 3
	coldAfter        = 5 * time.Second
)

// Classify tells what an attempt means. The rules, first match wins:
//
//	nothing but an error: the context's own end        Ended
//	  error with Retryable() == false, bad certificate,
//	  unknown host, unsupported scheme                 Broken
//	  any other, endpoint not ready                    Cold
//	  any other, endpoint ready                        Interrupted
//	status below 400                                   Answer
//	"container failed to start", "failed to pull"      Broken
//	"exceeded its quota limit"                         Cold, reason quota
//	503 "Loading model" (llama.cpp)                    Cold
//	503 "server busy" (Ollama's queue)                 Overloaded
//	502 "Proxy Error" of the prebuilt container        Cold; Interrupted when ready
//	HTML 401, 403, 404                                 Broken
//	HTML with another 4xx (too large, no length): the
//	  front end's final word on this one request       Answer, from the front end
//	JSON, or a plain text that the front end never     Answer
//	  sends (an API key refused, a path unknown)
//	front end's 429, 500, 502, 503: endpoint not ready Cold
//	  ready, nothing else in flight, refused
//	  3 times over 5 s                                 Cold
//	  ready, 429 or "Rate exceeded." or 503            Overloaded
//	  ready, 500 or 502                                Interrupted
//	504, 408                                           Cold; Interrupted when ready
//
// Sources: Cloud Run's troubleshooting pages and public reports of its front
// end's bodies; Ollama v0.6.5 and v0.24.0 and the prebuilt Gemma 3 container as
// measured; llama.cpp's server documentation.
func Classify(o Observation) Verdict {
	if o.Status == 0 {
		return classifyError(o)
	}
	if o.Status < 400 {
		return Verdict{Class: Answer}
	}
	kind := kindOf(o)
	text := string(bytes.ToLower(o.Body))
	has := func(s string) bool { return strings.Contains(text, s) }
	switch {
	case has("container failed to start"), has("failed to pull image"), has("image not found"):
		return Verdict{Class: Broken, FrontEnd: true, Unsent: true, Reason: "the container cannot start"}
	case has("exceeded its quota limit"), has("quota exceeded for total allowable count of gpus"):
		return Verdict{Class: Cold, FrontEnd: true, Unsent: true, Reason: "the region has no quota left for another instance"}
	case o.Status == 503 && has("loading model"):
		return Verdict{Class: Cold, Unsent: true, Reason: "the server is loading the model"}
	case o.Status == 503 && (has("server busy") || has("maximum pending requests")):
		return Verdict{Class: Overloaded, Unsent: true, Reason: "the model server's queue is full"}
	case o.Status == 502 && has("proxy error"):
		return lost(o, "the container's proxy cannot reach the model server")
	case kind == bodyHTML && (o.Status == 401 || o.Status == 403 || o.Status == 404):
		return Verdict{Class: Broken, FrontEnd: true, Unsent: true, Reason: "the front end refused the request: " + http.StatusText(o.Status)}
	case kind == bodyHTML && o.Status < 500 && o.Status != 429 && o.Status != 408:
		return Verdict{Class: Answer, FrontEnd: true, Unsent: true}
	case kind == bodyServer:
		return Verdict{Class: Answer}
	case o.Status == 504, o.Status == 408:
		v := lost(o, "the front end gave up waiting for the answer")
		v.FrontEnd = true
		return v
	case o.Status == 429, o.Status >= 500 && o.Status <= 503 && o.Status != 501:
		return shed(o, has)
	}
	return Verdict{Class: Answer}
}

// shed is the verdict on the front end's own refusal, which says the same for
// "no instance yet" and "no slot free".
func shed(o Observation, has func(string) bool) Verdict {
	v := Verdict{FrontEnd: true, Unsent: o.Status == 429 || has("rate exceeded") || has("no available instance")}
	switch {
	case !o.Ready:
		v.Class, v.Reason = Cold, "no instance is ready"
	case o.InFlight == 0 && o.Refused >= coldAfterRefused && o.Sick >= coldAfter:
		v.Class, v.Reason = Cold, "the instance is gone"
	case v.Unsent || o.Status == 503:
		v.Class, v.Reason = Overloaded, "every slot is taken"
	default:
		v.Class, v.Reason = Interrupted, "the front end failed"
	}
	return v
}

// lost is the verdict on an attempt that failed on its way.
func lost(o Observation, reason string) Verdict {
	if !o.Ready || o.InFlight == 0 && o.Refused >= coldAfterRefused && o.Sick >= coldAfter {
		return Verdict{Class: Cold, Reason: reason}
	}
	return Verdict{Class: Interrupted, Reason: reason}
}

func classifyError(o Observation) Verdict {
	err := o.Err
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Verdict{Class: Ended, Reason: "the context ended"}
	}
	var r interface{ Retryable() bool }
	if errors.As(err, &r) {
		if !r.Retryable() {
			return Verdict{Class: Broken, FrontEnd: true, Unsent: true, Reason: "the request is refused for good"}
		}
		return lost(o, "the attempt failed before it was sent")
	}
	if isBroken(err) {
		return Verdict{Class: Broken, Unsent: true, Reason: "the endpoint cannot be reached as configured"}
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		v := lost(o, "the connection was refused")
		v.Unsent = true
		return v
	}
	return lost(o, "the connection failed")
}

// isBroken reports whether a transport error is one of configuration: a name
// that does not exist, a certificate that does not fit, a URL that cannot be
// asked.
func isBroken(err error) bool {
	if d, ok := errors.AsType[*net.DNSError](err); ok {
		return d.IsNotFound
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true // https asked of an http port
	}
	text := err.Error()
	return strings.Contains(text, "unsupported protocol scheme") || strings.Contains(text, "no Host in request URL")
}

type bodyKind uint8

const (
	bodyPlain  bodyKind = iota // may be anybody's
	bodyHTML                   // the front end's: no model server sends pages
	bodyServer                 // the container's
)

// frontEndTexts are plain bodies that the front end and the proxies it is made
// of are known to send.
var frontEndTexts = [...]string{
	"rate exceeded", "no available instance", "service unavailable", "upstream connect error",
	"upstream request timeout", "no healthy upstream", "malformed or connection to the instance", "bad gateway", "gateway timeout",
}

// kindOf tells who wrote the body. JSON is the model server's, but for an error
// object in Google's own shape, which carries a status in capitals.
func kindOf(o Observation) bodyKind {
	mt, _, _ := mime.ParseMediaType(o.Header.Get("Content-Type"))
	body := bytes.TrimLeft(o.Body, " \t\r\n")
	switch {
	case mt == "text/html", len(body) > 0 && body[0] == '<':
		return bodyHTML
	case len(body) == 0:
		return bodyPlain
	case body[0] == '{', body[0] == '[', mt == "application/json":
		return bodyServer
	}
	text := strings.ToLower(string(body))
	for _, known := range frontEndTexts {
		if strings.Contains(text, known) {
			return bodyPlain
		}
	}
	return bodyServer
}
