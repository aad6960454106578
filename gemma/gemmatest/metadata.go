// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// metadata is the server that a Google Cloud machine asks for its identity. It
// starts when first used.
type metadata struct {
	mu      sync.Mutex
	closed  bool
	http    *http.Server
	tcp     net.Listener
	mem     *memListener
	serving sync.WaitGroup
	log     recorder
}

// MetadataHost is the host and port of a metadata server that mints tokens
// this endpoint accepts, for the environment variable GCE_METADATA_HOST: the
// Google libraries then run unmodified. It listens on a loopback port even if
// the endpoint is in memory, so it is of no use in a synctest bubble; there
// [Server.Transport] reaches it as metadata.google.internal.
func (s *Server) MetadataHost() string {
	m := &s.meta
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tcp == nil && !m.closed {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic("gemmatest: " + err.Error())
		}
		m.tcp = l
		m.serve(l, s)
	}
	if m.tcp == nil {
		return ""
	}
	return m.tcp.Addr().String()
}

// MetadataRequests returns what the metadata server was asked, oldest first.
func (s *Server) MetadataRequests() []Request { return s.meta.log.requests() }

func (m *metadata) serve(l net.Listener, s *Server) {
	if m.http == nil {
		m.http = &http.Server{Handler: s.metadataHandler(), ErrorLog: log.New(io.Discard, "", 0), ConnState: countConns(&m.serving)}
	}
	h := m.http
	m.serving.Go(func() { h.Serve(l) })
}

func (m *metadata) dial(ctx context.Context, s *Server) (net.Conn, error) {
	m.mu.Lock()
	if m.closed {
		m.mu.Unlock()
		return nil, net.ErrClosed
	}
	if m.mem == nil {
		m.mem = newMemListener()
		m.serve(m.mem, s)
	}
	l := m.mem
	m.mu.Unlock()
	return l.dial(ctx)
}

func (m *metadata) close() {
	m.mu.Lock()
	m.closed = true
	h := m.http
	m.mu.Unlock()
	if h != nil {
		h.Close()
	}
	m.serving.Wait()
}

func (s *Server) metadataHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := s.meta.log.arrive(r)
		status, body := s.metadataAnswer(r)
		s.meta.log.answered(e, status)
		w.Header().Set("Metadata-Flavor", "Google")
		w.Header().Set("Server", "Metadata Server for VM")
		contentType := "application/text"
		if strings.HasPrefix(body, "{") {
			contentType = "application/json"
		}
		if status != http.StatusOK {
			contentType = "text/html; charset=UTF-8"
		}
		writeJSON(w, status, contentType, []byte(body))
	})
}

func (s *Server) metadataAnswer(r *http.Request) (int, string) {
	if f := s.cfg.MetadataFault; f != nil {
		if status := f(r); status != 0 {
			return status, http.StatusText(status)
		}
	}
	if r.URL.Path == "/" {
		return http.StatusOK, "computeMetadata/\n"
	}
	if r.Header.Get("Metadata-Flavor") != "Google" {
		return http.StatusForbidden, "Missing required header: Metadata-Flavor"
	}
	principal, lifetime := s.cfg.Principal, s.cfg.TokenLifetime
	if principal == "" {
		principal = DefaultPrincipal
	}
	if lifetime == 0 {
		lifetime = time.Hour
	}
	path := strings.TrimPrefix(r.URL.Path, "/computeMetadata/v1/")
	if account, ok := strings.CutPrefix(path, "instance/service-accounts/"+principal+"/"); ok {
		path = "instance/service-accounts/default/" + account
	}
	switch path {
	case "instance/service-accounts/default/identity":
		audience := r.URL.Query().Get("audience")
		if audience == "" {
			return http.StatusBadRequest, "non-empty audience parameter required"
		}
		return http.StatusOK, Mint(MintOptions{Audience: audience, Principal: principal, Lifetime: lifetime,
			NoEmail: r.URL.Query().Get("format") != "full"})
	case "instance/service-accounts/default/token":
		return http.StatusOK, fmt.Sprintf(`{"access_token":%q,"expires_in":%d,"token_type":"Bearer"}`, Mint(MintOptions{Access: true}), int(lifetime.Seconds()))
	case "instance/service-accounts/default/email":
		return http.StatusOK, principal
	case "instance/service-accounts/default/aliases":
		return http.StatusOK, "default\n"
	case "instance/service-accounts/default/scopes":
		return http.StatusOK, "https://www.googleapis.com/auth/cloud-platform\n"
	case "instance/service-accounts/":
		return http.StatusOK, "default/\n" + principal + "/\n"
	case "project/project-id":
		return http.StatusOK, "gemma-test"
	case "project/numeric-project-id":
		return http.StatusOK, "123456789012"
	case "instance/region":
		return http.StatusOK, "projects/123456789012/regions/europe-west1"
	case "instance/zone":
		return http.StatusOK, "projects/123456789012/zones/europe-west1-1"
	case "instance/id":
		return http.StatusOK, "00c0ffee"
	case "universe/universe-domain", "universe/universe_domain":
		return http.StatusOK, "googleapis.com"
	}
	return http.StatusNotFound, "The requested URL was not found on this server."
}

// GoogleClient is an HTTP client for which Google's published signing keys are
// the ones that sign here, for idtoken.NewValidator with option.WithHTTPClient.
// It answers nothing else and uses no network.
func GoogleClient() *http.Client { return &http.Client{Transport: certs{}} }

type certs struct{}

func (certs) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body.Close()
	}
	status, body := http.StatusNotFound, []byte("not found")
	if r.URL.Host == "www.googleapis.com" && r.URL.Path == "/oauth2/v3/certs" {
		status, body = http.StatusOK, jwks()
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprintf("%d %s", status, http.StatusText(status)),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/json; charset=UTF-8"}, "Cache-Control": {"public, max-age=3600"}},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)), Request: r,
	}, nil
}

func timeOf(unix int64) time.Time { return time.Unix(unix, 0) }
