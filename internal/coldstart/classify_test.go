// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/gemma-go/sdk/internal/fault"
)

const (
	page500 = "\n<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n<title>500 Server Error</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n<h1>Error: Server Error</h1>\n<h2>The server encountered an error and could not complete your request.<p>Please try again in 30 seconds.</h2>\n<h2></h2>\n</body></html>\n"
	page403 = "\n<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n<title>403 Forbidden</title>\n</head>\n<body text=#000000 bgcolor=#ffffff>\n<h1>Error: Forbidden</h1>\n<h2>Your client does not have permission to get URL <code>/</code> from this server.</h2>\n<h2></h2>\n</body></html>\n"
	html    = "text/html; charset=UTF-8"
	plain   = "text/plain; charset=utf-8"
	js      = "application/json"
)

func TestClassify(t *testing.T) {
	fresh := Observation{}
	ready := Observation{Ready: true, InFlight: 3}
	alone := Observation{Ready: true}
	gone := Observation{Ready: true, Refused: 3, Sick: 5 * time.Second}
	tests := []struct {
		name        string
		before      Observation
		status      int
		ctype, body string
		want        Class
		frontEnd    bool
		unsent      bool
	}{
		{"an answer", fresh, 200, js, "", Answer, false, false},
		{"a redirect", fresh, 302, html, "", Answer, false, false},
		{"rate exceeded, never seen ready", fresh, 429, plain, "Rate exceeded.", Cold, true, true},
		{"rate exceeded with 500", fresh, 500, plain, "Rate exceeded.", Cold, true, true},
		{"rate exceeded while serving", ready, 429, plain, "Rate exceeded.", Overloaded, true, true},
		{"rate exceeded with 500 while serving", ready, 500, plain, "Rate exceeded.", Overloaded, true, true},
		{"rate exceeded with nothing else in flight", alone, 429, plain, "Rate exceeded.", Overloaded, true, true},
		{"rate exceeded again and again with nothing in flight", gone, 429, plain, "Rate exceeded.", Cold, true, true},
		{"no available instance", fresh, 429, html, "<html>The request was aborted because there was no available instance.</html>", Cold, true, true},
		{"the front end's 500, cold", fresh, 500, html, page500, Cold, true, false},
		{"the front end's 500, ready", ready, 500, html, page500, Interrupted, true, false},
		{"the front end's 500, gone", gone, 500, html, page500, Cold, true, false},
		{"a page without a content type", fresh, 500, "", page500, Cold, true, false},
		{"503 plain, cold", fresh, 503, plain, "Service Unavailable", Cold, true, false},
		{"503 plain, ready", ready, 503, plain, "Service Unavailable", Overloaded, true, false},
		{"503 empty", fresh, 503, "", "", Cold, true, false},
		{"envoy", fresh, 503, plain, "upstream connect error or disconnect/reset before headers. reset reason: connection failure", Cold, true, false},
		{"502 page", fresh, 502, html, "<html><title>502</title></html>", Cold, true, false},
		{"504, cold", fresh, 504, plain, "upstream request timeout", Cold, true, false},
		{"504, ready", ready, 504, plain, "upstream request timeout", Interrupted, true, false},
		{"403 page", fresh, 403, html, page403, Broken, true, true},
		{"401 page", ready, 401, html, "<html>401</html>", Broken, true, true},
		{"404 page", fresh, 404, html, "<html>404</html>", Broken, true, true},
		{"quota", fresh, 503, plain, "Service X exceeded its quota limit", Cold, true, true},
		{"broken image", fresh, 503, plain, "The user-provided container failed to start and listen on the port", Broken, true, true},
		{"ollama busy", fresh, 503, js, `{"error":"server busy, please try again.  maximum pending requests exceeded"}`, Overloaded, false, true},
		{"ollama busy, openai route", ready, 503, js, `{"error":{"message":"server busy, please try again.  maximum pending requests exceeded","type":"api_error"}}`, Overloaded, false, true},
		{"llama.cpp loading", fresh, 503, js, `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`, Cold, false, true},
		{"llama.cpp loading, ready", ready, 503, js, `{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`, Cold, false, true},
		{"no such model", fresh, 404, js, `{"error":"model \"nope\" not found, try pulling it first"}`, Answer, false, false},
		{"no such path", fresh, 404, plain, "404 page not found", Answer, false, false},
		{"the proxy's no", fresh, 500, plain, "Failed to convert request for target.", Answer, false, false},
		{"wrong key", fresh, 403, plain, "Permission denied. Invalid API Key.  Configure your SDK", Answer, false, false},
		{"proxy up, ollama not yet", fresh, 502, plain, "Proxy Error: dial tcp 127.0.0.1:3999: connect: connection refused", Cold, false, false},
		{"proxy up, ollama died", ready, 502, plain, "Proxy Error: EOF", Interrupted, false, false},
		{"ollama's own 500", fresh, 500, js, `{"error":"an error was encountered while running the model: unexpected EOF"}`, Answer, false, false},
		{"uvicorn's own 500", ready, 500, plain, "Internal Server Error", Answer, false, false},
		{"a rate limit of the server's own", ready, 429, js, `{"error":{"message":"too many requests for this key"}}`, Answer, false, false},
		{"not implemented", ready, 501, js, `{"error":"no"}`, Answer, false, false},
		{"too large", ready, 413, html, "<html>413</html>", Answer, true, true},
	}
	for _, tt := range tests {
		o := tt.before
		o.Status, o.Header, o.Body = tt.status, http.Header{"Content-Type": {tt.ctype}}, []byte(tt.body)
		v := Classify(o)
		if v.Class != tt.want || v.FrontEnd != tt.frontEnd || v.Unsent != tt.unsent {
			t.Errorf("%s: got %v, front end %v, unsent %v; want %v, %v, %v", tt.name, v.Class, v.FrontEnd, v.Unsent, tt.want, tt.frontEnd, tt.unsent)
		}
		if (v.Reason == "") != (v.Class == Answer) {
			t.Errorf("%s: reason %q for %v", tt.name, v.Reason, v.Class)
		}
	}
}

type tokenError struct{ retry bool }

func (e *tokenError) Error() string   { return "no token" }
func (e *tokenError) Retryable() bool { return e.retry }

func TestClassifyErrors(t *testing.T) {
	in := func(err error) error { return &url.Error{Op: "Post", URL: "https://x", Err: err} }
	tests := []struct {
		err         error
		cold, ready Class
	}{
		{context.Canceled, Ended, Ended},
		{in(context.DeadlineExceeded), Ended, Ended},
		{io.ErrUnexpectedEOF, Cold, Interrupted},
		{in(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}), Cold, Interrupted},
		{in(&net.OpError{Op: "read", Err: syscall.ECONNRESET}), Cold, Interrupted},
		{in(&net.DNSError{Err: "no such host", IsNotFound: true}), Broken, Broken},
		{in(&net.DNSError{Err: "timeout", IsTimeout: true}), Cold, Interrupted},
		{in(x509.UnknownAuthorityError{}), Broken, Broken},
		{in(errors.New("unsupported protocol scheme \"ftp\"")), Broken, Broken},
		{fmt.Errorf("auth: %w", &tokenError{false}), Broken, Broken},
		{fmt.Errorf("auth: %w", &tokenError{true}), Cold, Interrupted},
		{fault.New(fault.Forbidden, "no"), Broken, Broken},
	}
	for _, tt := range tests {
		if got := Classify(Observation{Err: tt.err}).Class; got != tt.cold {
			t.Errorf("%v, cold: got %v, want %v", tt.err, got, tt.cold)
		}
		if got := Classify(Observation{Err: tt.err, Ready: true}).Class; got != tt.ready {
			t.Errorf("%v, ready: got %v, want %v", tt.err, got, tt.ready)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		header string
		want   time.Duration
	}{
		{"", 0}, {"5", 5 * time.Second}, {" 5 ", 5 * time.Second}, {"0", 0}, {"-3", 0}, {"soon", 0}, {"1.5", 0},
		{"100000", maxRetryAfter}, {"99999999999999999999", 0},
		{"Mon, 23 Nov 2026 12:00:10 GMT", 10 * time.Second}, {"Mon, 23 Nov 2026 11:00:00 GMT", 0}, {"Tue, 24 Nov 2026 12:00:00 GMT", maxRetryAfter},
	} {
		if got := retryAfter(http.Header{"Retry-After": {tt.header}}, now); got != tt.want {
			t.Errorf("Retry-After %q: got %v, want %v", tt.header, got, tt.want)
		}
	}
}

// FuzzClassify holds that no page makes the gate panic, that success is never
// questioned, and that what is final while cold is final while ready.
func FuzzClassify(f *testing.F) {
	for _, body := range []string{page500, page403, "Rate exceeded.", `{"error":"x"}`, "", " [", "<"} {
		f.Add(500, js, "1", body)
		f.Add(404, html, "", body)
	}
	f.Fuzz(func(t *testing.T, status int, ctype, after, body string) {
		o := Observation{Status: status, Header: http.Header{"Content-Type": {ctype}, "Retry-After": {after}}, Body: []byte(body)}
		cold := Classify(o)
		o.Ready = true
		warm := Classify(o)
		if status != 0 && status < 400 && cold.Class != Answer {
			t.Errorf("status %d is %v", status, cold.Class)
		}
		if (cold.Class == Broken) != (warm.Class == Broken) || (cold.Class == Answer) != (warm.Class == Answer) {
			t.Errorf("%v while cold, %v while ready", cold.Class, warm.Class)
		}
		if d := retryAfter(o.Header, time.Unix(0, 0)); d < 0 || d > maxRetryAfter {
			t.Errorf("Retry-After %q: %v", after, d)
		}
		if m := serverMessage(o); len(m) > 600 {
			t.Errorf("a message of %d bytes", len(m))
		}
	})
}
