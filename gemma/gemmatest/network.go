// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Transport returns a round tripper that reaches this server and, by the name
// metadata.google.internal, its metadata server: over in-memory connections if
// the server is in memory. Every other host is refused as unknown. It adds no
// token. Its idle connections end with the server.
func (s *Server) Transport() http.RoundTripper { return s.base }

// Network returns a transport that reaches several servers, each by its own
// URL: for tests of redirects and of tokens that go to the wrong host.
func Network(servers ...*Server) *http.Transport {
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		for _, s := range servers {
			if c, err, ok := s.dial(ctx, addr); ok {
				return c, err
			}
		}
		return nil, &net.OpError{Op: "dial", Net: network, Err: &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}}
	}
	return &http.Transport{
		DialContext: dial,
		// A connection for https without TLS: the URL's scheme is what clients
		// and audiences look at, and in memory nobody listens in.
		DialTLSContext:      dial,
		MaxIdleConnsPerHost: 1024,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true,
	}
}

func (s *Server) newTransport() *http.Transport { return Network(s) }

// dial connects to this server if addr is its.
func (s *Server) dial(ctx context.Context, addr string) (net.Conn, error, bool) {
	if addr == "metadata.google.internal:80" {
		c, err := s.meta.dial(ctx, s)
		return c, err, true
	}
	if addr != hostPort(s.URL) {
		return nil, nil, false
	}
	if s.mem != nil {
		c, err := s.mem.dial(ctx)
		return c, err, true
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", addr)
	return c, err, true
}

func hostPort(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	switch {
	case u.Port() != "":
		return u.Host
	case u.Scheme == "http":
		return u.Host + ":80"
	}
	return u.Host + ":443"
}

func parseOrigin(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("gemmatest: target: %w", err)
	}
	if u.Scheme == "" || u.Host == "" {
		return nil, fmt.Errorf("gemmatest: target %q has no scheme or host", rawURL)
	}
	return u, nil
}
