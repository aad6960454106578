// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// roundTrip is a base transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// body counts what happens to a request's or an answer's body.
type body struct {
	io.Reader
	closed int
}

func (b *body) Close() error { b.closed++; return nil }

func answer(r *http.Request, status int, contentType, text string) *http.Response {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Request: r,
		Body: &body{Reader: strings.NewReader(text)}, ProtoMajor: 1, ProtoMinor: 1,
	}
}

func page401(r *http.Request) *http.Response {
	resp := answer(r, 401, "text/html; charset=UTF-8", "<html><head>\n<title>401 Unauthorized</title>\n</head>\n<body>\n"+
		"<h1>Error: Unauthorized</h1>\n<h2>Your client does not have permission to the requested URL <code>/</code>.</h2></body></html>")
	resp.Header.Set("WWW-Authenticate", `Bearer error="invalid_token" error_description="The access token could not be verified"`)
	return resp
}

func mustTransport(t testing.TB, origin string, src Source, base http.RoundTripper) http.RoundTripper {
	t.Helper()
	rt, err := NewTransport(origin, src, base)
	if err != nil {
		t.Fatal(err)
	}
	return rt
}

const service = "https://gemma-abc123-ew.a.run.app"

func TestTransportOrigins(t *testing.T) {
	for _, tc := range []struct{ origin, want string }{
		{"https://gemma-abc123-ew.a.run.app", ""},
		{"https://gemma-abc123-ew.a.run.app/v1", ""},
		{"http://localhost:8080", ""},
		{"http://127.0.0.1:11434", ""},
		{"http://[::1]:11434", ""},
		{"http://gemma.localhost", ""},
		{"http://gemma-abc123-ew.a.run.app", "not encrypted"},
		{"http://localhost.example.com", "not encrypted"},
		{"http://10.0.0.7:11434", "not encrypted"},
		{"ftp://example.com", "scheme"},
		{"example.com", "no host"},
		{"https://user:secret@example.com", "password"},
		{"https://exa mple.com\x7f", "not a URL"},
		{"", "no host"},
	} {
		_, err := NewTransport(tc.origin, nil, nil)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%q: %v, want %q", tc.origin, err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: the error shows the password", tc.origin)
		}
	}
}

func TestTransportOneOriginOnly(t *testing.T) {
	sent := 0
	rt := mustTransport(t, service, Static(unsigned(time.Hour)), roundTrip(func(r *http.Request) (*http.Response, error) {
		sent++
		return answer(r, 200, "text/plain", "ok"), nil
	}))
	for _, tc := range []struct {
		url string
		ok  bool
	}{
		{service + "/api/chat", true},
		{"https://GEMMA-ABC123-EW.a.run.app:443/", true},
		{"http://gemma-abc123-ew.a.run.app/", false},
		{"https://gemma-abc123-ew.a.run.app:8443/", false},
		{"https://gemma-abc123-ew.a.run.app.example.com/", false},
		{"https://xgemma-abc123-ew.a.run.app/", false},
		{"https://other-abc123-ew.a.run.app/", false},
		{"https://gemma-abc123-ew.a.run.app./", false},
	} {
		before := sent
		b := &body{Reader: strings.NewReader("{}")}
		req, _ := http.NewRequest("POST", tc.url, b)
		resp, err := rt.RoundTrip(req)
		if (err == nil) != tc.ok || (sent > before) != tc.ok {
			t.Errorf("%s: %v, sent %d", tc.url, err, sent-before)
		}
		if err == nil {
			resp.Body.Close()
			continue
		}
		e, ok := err.(*Error)
		if !ok || e.Retryable() || !strings.Contains(e.Error(), service) || !strings.Contains(e.Message, req.URL.Scheme+"://") {
			t.Errorf("%s: error %v does not name both", tc.url, err)
		}
		if resp != nil || b.closed != 1 {
			t.Errorf("%s: body closed %d times", tc.url, b.closed)
		}
	}
}

// A followed redirect carries neither the token nor a key of the request.
func TestTransportRefusesRedirects(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		thief := 0
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { thief++ }))
		defer other.Close()
		endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/same" {
				return
			}
			to := other.URL
			if r.URL.Path == "/here" {
				to = "/same"
			}
			http.Redirect(w, r, to, status)
		}))
		defer endpoint.Close()
		client := &http.Client{Transport: mustTransport(t, endpoint.URL, Static("a.b.c"), nil)}
		req, _ := http.NewRequest("POST", endpoint.URL+"/away", strings.NewReader("{}"))
		req.Header.Set("X-Goog-Api-Key", "k")
		_, err := client.Do(req)
		e, ok := errors.AsType[*Error](err)
		if !ok || thief != 0 {
			t.Fatalf("%d: %v; the other host got %d requests", status, err, thief)
		}
		if !strings.Contains(e.Message, "redirect to "+other.URL) || !strings.Contains(e.Message, endpoint.URL) {
			t.Errorf("%d: %v", status, e)
		}
		if resp, err := client.Get(endpoint.URL + "/here"); err != nil || resp.StatusCode != 200 {
			t.Errorf("%d: a redirect within the origin: %v", status, err)
		}
	}
}

func TestTransportHeaders(t *testing.T) {
	token := unsigned(time.Hour)
	bearer := "Bearer " + token
	for _, tc := range []struct {
		name     string
		in, want http.Header
		src      Source
	}{
		{"plain", http.Header{}, http.Header{"Authorization": {bearer}}, Static(token)},
		{"the app's key", http.Header{"Authorization": {"Bearer key"}},
			http.Header{"Authorization": {"Bearer key"}, "X-Serverless-Authorization": {bearer}}, Static(token)},
		{"the caller's identity", http.Header{"X-Serverless-Authorization": {"Bearer own"}},
			http.Header{"X-Serverless-Authorization": {"Bearer own"}}, Static(token)},
		{"none", http.Header{"X-Goog-Api-Key": {"k"}}, http.Header{"X-Goog-Api-Key": {"k"}}, nil},
	} {
		var got http.Header
		rt := mustTransport(t, service, tc.src, roundTrip(func(r *http.Request) (*http.Response, error) {
			got = r.Header.Clone()
			for _, v := range r.Header { // a base that adds to what it was given
				_ = append(v, "added")
			}
			r.Header.Set("Changed", "by the base")
			return answer(r, 200, "text/plain", ""), nil
		}))
		req, _ := http.NewRequest("GET", service, nil)
		req.Header = tc.in.Clone()
		if tc.src == nil {
			req.Header = tc.in // nothing is added, so nothing need be copied
		}
		if _, err := rt.RoundTrip(req); err != nil {
			t.Fatal(err)
		}
		if !equalHeader(got, tc.want) {
			t.Errorf("%s: sent %v, want %v", tc.name, keys(got), keys(tc.want))
		}
		if tc.src != nil && tc.name != "the caller's identity" && !equalHeader(req.Header, tc.in) {
			t.Errorf("%s: the caller's request was changed", tc.name)
		}
	}
}

func equalHeader(a, b http.Header) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if strings.Join(v, "\x00") != strings.Join(b[k], "\x00") {
			return false
		}
	}
	return true
}

func keys(h http.Header) (out []string) {
	for k, v := range h {
		out = append(out, k+"="+v[0][:min(len(v[0]), 12)])
	}
	return out
}

// refuseFirst answers the first n requests with the front end's 401.
func refuseFirst(n int, seen *[]string) roundTrip {
	var mu sync.Mutex
	return func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		defer mu.Unlock()
		sent := ""
		if r.Body != nil {
			b, _ := io.ReadAll(r.Body)
			r.Body.Close()
			sent = string(b)
		}
		*seen = append(*seen, r.Header.Get("Authorization")+" "+sent)
		if len(*seen) <= n {
			return page401(r), nil
		}
		return answer(r, 200, "application/json", "{}"), nil
	}
}

func TestTransport401(t *testing.T) {
	post := func(t *testing.T, rt http.RoundTripper, text string) (*http.Response, error) {
		req, _ := http.NewRequestWithContext(t.Context(), "POST", service, strings.NewReader(text))
		return rt.RoundTrip(req)
	}
	t.Run("once", func(t *testing.T) {
		var seen []string
		src := &counter{lifetime: time.Hour}
		resp, err := post(t, mustTransport(t, service, src, refuseFirst(1, &seen)), "hello")
		if err != nil || resp.StatusCode != 200 || src.calls.Load() != 2 {
			t.Fatalf("%v, %d tokens", err, src.calls.Load())
		}
		if len(seen) != 2 || seen[0] == seen[1] || !strings.HasSuffix(seen[1], " hello") {
			t.Errorf("sent %d times; the second must have another token and the whole body", len(seen))
		}
	})
	t.Run("twice", func(t *testing.T) {
		var seen []string
		src := &counter{lifetime: time.Hour}
		resp, err := post(t, mustTransport(t, service, src, refuseFirst(9, &seen)), "hello")
		e, ok := errors.AsType[*Error](err)
		if resp != nil || !ok || e.Status != 401 || e.Retryable() || len(seen) != 2 || src.calls.Load() != 2 {
			t.Fatalf("%v, sent %d times, %d tokens", err, len(seen), src.calls.Load())
		}
	})
	t.Run("the same token again", func(t *testing.T) {
		var seen []string
		_, err := post(t, mustTransport(t, service, Static(unsigned(time.Hour)), refuseFirst(9, &seen)), "hello")
		if e, ok := errors.AsType[*Error](err); !ok || e.Status != 401 || len(seen) != 1 {
			t.Fatalf("%v, sent %d times", err, len(seen))
		}
	})
	t.Run("body cannot be had again", func(t *testing.T) {
		var seen []string
		src := &counter{lifetime: time.Hour}
		rt := mustTransport(t, service, src, refuseFirst(1, &seen))
		req, _ := http.NewRequest("POST", service, io.MultiReader(strings.NewReader("hello")))
		_, err := rt.RoundTrip(req)
		if e, ok := errors.AsType[*Error](err); !ok || !e.Retryable() || len(seen) != 1 {
			t.Fatalf("%v, sent %d times", err, len(seen))
		}
		if _, err := post(t, rt, "again"); err != nil || src.calls.Load() != 2 {
			t.Errorf("the next call: %v, %d tokens", err, src.calls.Load())
		}
	})
	t.Run("the model server's", func(t *testing.T) {
		src := &counter{lifetime: time.Hour}
		rt := mustTransport(t, service, src, roundTrip(func(r *http.Request) (*http.Response, error) {
			return answer(r, 401, "application/json", `{"error":"wrong key"}`), nil
		}))
		resp, err := post(t, rt, "hello")
		if err != nil || resp.StatusCode != 401 || src.calls.Load() != 1 {
			t.Fatalf("%v, %d tokens", err, src.calls.Load())
		}
		if b, _ := io.ReadAll(resp.Body); string(b) != `{"error":"wrong key"}` {
			t.Errorf("body %q", b)
		}
	})
	t.Run("no new token", func(t *testing.T) {
		var seen []string
		src := &counter{lifetime: time.Hour, fail: func(n int64) error {
			if n > 1 {
				return &Error{Message: "the key was deleted"}
			}
			return nil
		}}
		_, err := post(t, mustTransport(t, service, src, refuseFirst(9, &seen)), "hello")
		if e, ok := errors.AsType[*Error](err); !ok || e.Status != 401 {
			t.Fatalf("%v", err)
		}
	})
	t.Run("a thousand at once", func(t *testing.T) {
		src := &counter{lifetime: time.Hour}
		refused := unsigned(time.Hour)
		c := Cached(src).(*cached)
		c.cur.Store(newEntry(Token{Value: refused}.fill(), time.Now()))
		rt := mustTransport(t, service, c, roundTrip(func(r *http.Request) (*http.Response, error) {
			io.Copy(io.Discard, r.Body)
			if r.Header.Get("Authorization") == "Bearer "+refused {
				return page401(r), nil
			}
			return answer(r, 200, "application/json", "{}"), nil
		}))
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() {
				if _, err := post(t, rt, "hello"); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := src.calls.Load(); n != 1 {
			t.Errorf("%d tokens", n)
		}
	})
}

func TestTransportWithoutToken(t *testing.T) {
	rt := mustTransport(t, service, SourceFunc(func(context.Context) (Token, error) {
		return Token{}, &Error{Message: "no credentials", Hint: "log in"}
	}), roundTrip(func(r *http.Request) (*http.Response, error) { t.Error("sent"); return nil, nil }))
	b := &body{Reader: strings.NewReader("{}")}
	req, _ := http.NewRequest("POST", service, b)
	resp, err := rt.RoundTrip(req)
	e, ok := err.(*Error)
	if resp != nil || !ok || e.Status != 0 || e.Origin != service || e.Retryable() || b.closed != 1 {
		t.Errorf("%v, %+v; body closed %d times", resp, err, b.closed)
	}
}

func TestTransportPassesErrorsOn(t *testing.T) {
	broken := errors.New("connection reset")
	rt := mustTransport(t, service, Static(unsigned(time.Hour)), roundTrip(func(r *http.Request) (*http.Response, error) { return nil, broken }))
	req, _ := http.NewRequest("GET", service, nil)
	if _, err := rt.RoundTrip(req); err != broken {
		t.Error(err)
	}
}

type idler struct {
	roundTrip
	closed bool
}

func (i *idler) CloseIdleConnections() { i.closed = true }

func TestTransportClosesIdleConnections(t *testing.T) {
	base := &idler{}
	(&http.Client{Transport: mustTransport(t, service, nil, base)}).CloseIdleConnections()
	if !base.closed {
		t.Error("the base was not reached")
	}
}

// cloneOnly is what every transport that adds a header must do.
type cloneOnly struct{ base http.RoundTripper }

func (c cloneOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	out := r.Clone(r.Context())
	return c.base.RoundTrip(out)
}

func transportPair(tb testing.TB) (clone, ours http.RoundTripper, req *http.Request) {
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}
	base := roundTrip(func(*http.Request) (*http.Response, error) { return resp, nil })
	req, err := http.NewRequest("POST", service+"/api/chat", nil)
	if err != nil {
		tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "text/event-stream")
	return cloneOnly{base}, mustTransport(tb, service, Static(unsigned(time.Hour)), base), req
}

func TestTransportAllocations(t *testing.T) {
	clone, ours, req := transportPair(t)
	least := testing.AllocsPerRun(500, func() { clone.RoundTrip(req) })
	got := testing.AllocsPerRun(500, func() { ours.RoundTrip(req) })
	if got > least+2 {
		t.Errorf("%v allocations a request, the clone alone makes %v", got, least)
	}
}

func BenchmarkTransport(b *testing.B) {
	clone, ours, req := transportPair(b)
	for _, tc := range []struct {
		name string
		rt   http.RoundTripper
	}{{"clone-only", clone}, {"auth", ours}} {
		b.Run(tc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				tc.rt.RoundTrip(req)
			}
		})
	}
}
