// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploytest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config sets the scene. The zero value is a project in which everything is
// allowed, enabled and ready at once.
type Config struct {
	Project string // "" = "demo-proj"; other projects do not exist
	Number  string // the project's number; "" = "123456789012"

	APIDisabled bool             // run.googleapis.com is off until it is enabled
	Deny        []string         // permissions the caller lacks, such as "run.services.create" or "iam.serviceAccounts.actAs"
	Quota       map[string]int64 // quota id → allowed per region; one that is not here is not checked
	HideQuota   bool             // the quota APIs cannot be reached
	HideUsage   bool             // only Cloud Quotas can: Service Usage's listing is denied
	Startup     time.Duration    // how long each operation takes
	URL         string           // what the services' uri says; "" = as Cloud Run would name it
}

// Request is one call that the server saw.
type Request struct {
	Method, Host, Path string
	Query              url.Values
	Body               map[string]any // nil without one
	Status             int            // of the answer
}

// String is method, host and path, for readable tests.
func (r Request) String() string { return r.Method + " " + r.Host + r.Path }

// ErrKilled is what a request fails with after KillAt.
var ErrKilled = errors.New("deploytest: the program was killed")

// Server is the fake. It is safe for concurrent use. It is an http.Handler, for
// a listener of your own, and an http.RoundTripper, which needs none.
type Server struct {
	cfg Config

	mu       sync.Mutex
	services map[string]*service
	ops      map[string]*operation
	requests []Request
	script   []Outcome
	seq      int // makes etags, uids and operation names
	killAt   int // requests until the kill; 0 = none is planned
	killLate bool
	dead     bool
}

// NewServer returns an empty project.
func NewServer(cfg Config) *Server {
	cfg.Project = cmp.Or(cfg.Project, "demo-proj")
	cfg.Number = cmp.Or(cfg.Number, "123456789012")
	cfg.Quota = maps.Clone(cfg.Quota)
	cfg.Deny = slices.Clone(cfg.Deny)
	return &Server{cfg: cfg, services: map[string]*service{}, ops: map[string]*operation{}}
}

// Client returns an HTTP client that reaches the server under any host name.
func (s *Server) Client() *http.Client { return &http.Client{Transport: s} }

// Next scripts what happens to the next calls that an outcome is about, in
// order; each outcome is used once.
func (s *Server) Next(outcomes ...Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, outcomes...)
}

// Left returns the scripted outcomes that nothing has used: a test that expects
// a failure should find none.
func (s *Server) Left() []Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.script)
}

// KillAt lets the n-th request from now, counted from 1, fail with [ErrKilled],
// and every one after it, as if the program had been killed there. With late set
// the server has carried the request out and only the answer is lost. Revive
// ends it.
func (s *Server) KillAt(n int, late bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.killAt, s.killLate = n, late
}

// Revive lets requests through again, and reports whether the kill had happened.
func (s *Server) Revive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	was := s.dead
	s.dead, s.killAt = false, 0
	return was
}

// Requests returns what the server saw, in order.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// Forget empties Requests.
func (s *Server) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = nil
}

// Allow takes permissions out of Config.Deny.
func (s *Server) Allow(permissions ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg.Deny = slices.DeleteFunc(s.cfg.Deny, func(p string) bool { return slices.Contains(permissions, p) })
}

// RoundTrip serves the request in memory.
func (s *Server) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer req.Body.Close()
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	kill := false
	if !s.dead && s.killAt > 0 {
		s.killAt--
		kill = s.killAt == 0
		s.dead = kill
	} else if s.dead {
		s.mu.Unlock()
		return nil, ErrKilled
	}
	late := s.killLate
	s.mu.Unlock()
	if kill && !late {
		return nil, ErrKilled
	}
	in := req.Clone(req.Context())
	in.Host = cmp.Or(req.Host, req.URL.Host)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, in)
	if kill {
		return nil, ErrKilled
	}
	res := rec.Result()
	res.Request = req
	return res, nil
}

// ServeHTTP serves every API by path, whatever the host.
func (s *Server) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rec := Request{Method: req.Method, Host: req.Host, Path: req.URL.Path, Query: req.URL.Query()}
	raw, err := io.ReadAll(io.LimitReader(req.Body, 4<<20))
	var answer any
	if err == nil && len(raw) > 0 {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		err = dec.Decode(&rec.Body)
	}
	if err != nil {
		answer = &apiError{400, "INVALID_ARGUMENT", "Invalid JSON payload received: " + err.Error(), nil}
	} else {
		s.settle()
		answer = s.route(&rec)
	}
	rec.Status = http.StatusOK
	if e, ok := answer.(*apiError); ok {
		rec.Status = e.code
		answer = e.body()
	}
	s.requests = append(s.requests, rec)
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(rec.Status)
	_ = json.NewEncoder(w).Encode(answer) // an in-memory writer does not fail
}

// route finds the API. It returns a value to encode or an *apiError.
func (s *Server) route(r *Request) any {
	p := strings.TrimPrefix(r.Path, "/")
	version, rest, _ := strings.Cut(p, "/")
	switch {
	case version == "v2" && strings.Contains(rest, "/locations/"):
		return s.runAPI(r, rest)
	case strings.Contains(rest, "/consumerQuotaMetrics"), strings.Contains(rest, "/quotaInfos/"):
		return s.quotaAPI(r, rest)
	case strings.HasSuffix(rest, ":testIamPermissions"):
		return s.testPermissions(r, rest)
	case version == "v1" && (strings.Contains(rest, "/services/run.googleapis.com") || strings.HasPrefix(rest, "operations/")):
		return s.usageAPI(r, rest)
	}
	return notFound("deploytest serves no %s %s", r.Method, r.Path)
}

// apiError is an error answer in Google's form.
type apiError struct {
	code    int
	status  string
	message string
	details []any
}

func (e *apiError) body() map[string]any {
	m := map[string]any{"code": e.code, "message": e.message, "status": e.status}
	if e.details != nil {
		m["details"] = e.details
	}
	return map[string]any{"error": m}
}

func notFound(format string, args ...any) *apiError {
	return &apiError{404, "NOT_FOUND", fmt.Sprintf(format, args...), nil}
}

func invalid(format string, args ...any) *apiError {
	return &apiError{400, "INVALID_ARGUMENT", fmt.Sprintf(format, args...), nil}
}

// denied answers for a permission the caller lacks; nil if there is no lack.
func (s *Server) denied(permission, resource string) *apiError {
	if !slices.Contains(s.cfg.Deny, permission) {
		return nil
	}
	return &apiError{403, "PERMISSION_DENIED", fmt.Sprintf("Permission '%s' denied on resource '%s' (or resource may not exist).", permission, resource), nil}
}

// take returns the first scripted outcome about a call, and strikes it out.
func (s *Server) take(on On) *Outcome {
	for i, o := range s.script {
		if o.On == on {
			s.script = slices.Delete(s.script, i, i+1)
			return &o
		}
	}
	return nil
}

func (s *Server) next() int { s.seq++; return s.seq }
