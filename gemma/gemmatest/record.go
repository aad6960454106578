// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Request is what arrived at the endpoint.
type Request struct {
	Time   time.Time // of arrival
	Method string
	Path   string
	Query  url.Values
	Host   string
	// Header has no secrets: of a token there are the claims, of a key there is
	// only that it was there.
	Header http.Header
	Body   []byte         // nil if it was refused unread
	JSON   map[string]any // the body, if it is a JSON object

	Phase   Phase     // of the instance at arrival; Cold is the request that woke it
	Refused string    // why IAM refused the token
	Status  int       // of the answer; 0 as long as there is none, 499 if the client left while it was held
	End     time.Time // of the answer; of its begin as long as it goes on
}

// entry is a Request that may still change.
type entry struct{ Request }

// recorder keeps what arrives. It is safe for concurrent use.
type recorder struct {
	mu      sync.Mutex
	entries []*entry
}

func (l *recorder) arrive(r *http.Request) *entry {
	e := &entry{Request{Time: time.Now(), Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Host: r.Host, Header: redact(r.Header)}}
	if e.Query.Has("key") {
		e.Query.Set("key", "REDACTED")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, e)
	return e
}

func (l *recorder) body(e *entry, b []byte) { l.change(func() { e.Body = b }) }

func (l *recorder) phase(e *entry, p Phase)      { l.change(func() { e.Phase = p }) }
func (l *recorder) refused(e *entry, why string) { l.change(func() { e.Refused = why }) }
func (l *recorder) answered(e *entry, status int) {
	l.change(func() { e.Status, e.End = status, time.Now() })
}

func (l *recorder) change(set func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	set()
}

func (l *recorder) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

func (l *recorder) requests() []Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Request, len(l.entries))
	for i, e := range l.entries {
		if e.JSON == nil && json.Unmarshal(e.Body, &e.JSON) != nil {
			e.JSON = nil
		}
		out[i] = e.Request
	}
	return out
}

// redact copies headers without their secrets.
func redact(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range []string{"Authorization", "X-Serverless-Authorization", "Proxy-Authorization", "X-Goog-Api-Key", "Cookie"} {
		values := h[name]
		for i, v := range values {
			values[i] = redactValue(v)
		}
	}
	return h
}

// redactValue keeps of "Bearer h.claims.s" the claims.
func redactValue(v string) string {
	scheme, token, found := strings.Cut(v, " ")
	if !found || !strings.EqualFold(scheme, "Bearer") && !strings.EqualFold(scheme, "Basic") {
		return "REDACTED"
	}
	c, _, _, err := parseToken(token)
	if err != nil {
		return scheme + " REDACTED"
	}
	b, err := json.Marshal(c)
	if err != nil {
		return scheme + " REDACTED"
	}
	return scheme + " " + string(b)
}
