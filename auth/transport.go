// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
)

const (
	headerAuthorization = "Authorization"
	headerServerless    = "X-Serverless-Authorization"
)

// NewTransport returns an http.RoundTripper that gives the tokens of src to
// one origin (the scheme, host and port of the given URL; a path in it does
// not matter) and to nobody else. It is safe for concurrent use.
//
//   - A request for any other origin is refused with an [*Error] that names
//     both hosts. That is what a followed redirect is at this level, so
//     neither the token nor any key of the request goes along.
//   - The origin must be https, or http on a loopback host.
//   - A request that carries an Authorization header keeps it, for the
//     container, and the identity token travels in X-Serverless-Authorization,
//     which Cloud Run looks at first. A caller's own X-Serverless-Authorization
//     is left as it is and takes the place of src's token.
//   - When the endpoint's front end refuses the token with 401, the token is
//     dropped and the request sent once more with a new one, if there is a
//     different one and the body can be had again (http.Request.GetBody).
//   - A 401, 403 or 404 page of the front end becomes an [*Error] that says
//     what is wrong. The model server's own answers pass untouched.
//
// A nil src sends no token, which is right for public and loopback endpoints;
// the rest stays the same. Any other src is wrapped by [Cached]. A nil base
// means http.DefaultTransport.
func NewTransport(origin string, src Source, base http.RoundTripper) (http.RoundTripper, error) {
	scheme, host, err := parseOrigin("origin", origin)
	if err != nil {
		return nil, err
	}
	t := &transport{scheme: scheme, host: host, base: base}
	if base == nil {
		t.base = http.DefaultTransport
	}
	if src != nil {
		t.src = Cached(src).(*cached)
	}
	return t, nil
}

type transport struct {
	scheme, host string
	src          *cached // nil: send no token
	base         http.RoundTripper
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the base.
func (t *transport) CloseIdleConnections() {
	if c, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.owns(req.URL) {
		closeBody(req)
		return nil, t.foreign(req)
	}
	header, own := placeFor(req.Header)
	if t.src == nil || own {
		resp, err := t.base.RoundTrip(req)
		if err != nil {
			return resp, err
		}
		return t.judge(req, resp, Token{}, own)
	}
	e, err := t.src.get(req.Context())
	if err != nil {
		closeBody(req)
		return nil, t.named(err)
	}
	resp, err := t.base.RoundTrip(withToken(req, req.Body, header, e))
	if err != nil || resp.StatusCode != http.StatusUnauthorized || !fromFrontEnd(resp) {
		if err != nil {
			return resp, err
		}
		return t.judge(req, resp, e.tok, false)
	}

	// The front end refused the token before anything saw the request.
	t.src.Invalidate(e.tok)
	if req.Body != nil && req.Body != http.NoBody && req.GetBody == nil {
		refused := t.diagnose(req, resp, e.tok, false)
		refused.Retry = true // with the next token
		refused.Message += " (the request's body cannot be sent again, so no other token was tried)"
		return nil, refused
	}
	next, err := t.src.get(req.Context())
	if err != nil || next.tok.Value == e.tok.Value {
		// The refusal says more than the failure to get another token.
		return nil, t.diagnose(req, resp, e.tok, false)
	}
	body := req.Body
	if req.GetBody != nil {
		if body, err = req.GetBody(); err != nil {
			refused := t.diagnose(req, resp, e.tok, false)
			refused.Err = fmt.Errorf("the request's body cannot be sent again: %w", err)
			return nil, refused
		}
	}
	discard(resp)
	resp, err = t.base.RoundTrip(withToken(req, body, header, next))
	if err != nil {
		return resp, err
	}
	return t.judge(req, resp, next.tok, false)
}

// owns reports whether a URL is of the one origin.
func (t *transport) owns(u *url.URL) bool {
	if u == nil {
		return false
	}
	if u.Scheme == t.scheme && u.Host == t.host {
		return true
	}
	return (u.Scheme == "https" || u.Scheme == "http") && u.Scheme == t.scheme && canonicalHost(u) == t.host
}

// placeFor says which header carries the token: Authorization unless the
// request has one. own reports that the caller brings an identity of its own.
func placeFor(h http.Header) (header string, own bool) {
	switch {
	case len(h[headerServerless]) > 0:
		return "", true
	case len(h[headerAuthorization]) > 0:
		return headerServerless, false
	}
	return headerAuthorization, false
}

// withToken returns a copy of req that carries the token. A RoundTripper may
// not change the request it was given; only what differs is copied.
func withToken(req *http.Request, body io.ReadCloser, header string, e *entry) *http.Request {
	out := new(http.Request)
	*out = *req
	out.Body = body
	if out.Header = req.Header.Clone(); out.Header == nil {
		out.Header = make(http.Header, 1)
	}
	out.Header[header] = []string{e.bearer}
	return out
}

// foreign is the error of a request for another origin.
func (t *transport) foreign(req *http.Request) *Error {
	e := &Error{Origin: t.origin()}
	if req.URL == nil {
		e.Message = "the request has no URL"
		return e
	}
	other := req.URL.Scheme + "://" + canonicalHost(req.URL)
	what := "request"
	if req.Response != nil { // net/http sets it on requests that follow a redirect
		what = "redirect"
	}
	e.Message = fmt.Sprintf("%s to %s refused: this client's identity is for %s alone", what, clip(other), e.Origin)
	switch {
	case req.URL.Hostname() == "accounts.google.com":
		e.Hint = "the endpoint asks for a browser sign-in: it is behind Identity-Aware Proxy, whose tokens have the OAuth client's id as their audience"
	case req.URL.Scheme != t.scheme && req.URL.Hostname() == hostname(t.host):
		e.Hint = "the endpoint's URL must be given as " + other
	default:
		e.Hint = "if " + clip(canonicalHost(req.URL)) + " is the service, give its URL as the endpoint"
	}
	if req.URL.Scheme == "http" {
		e.Hint = "it is not encrypted"
	}
	return e
}

func hostname(host string) string { return (&url.URL{Host: host}).Hostname() }

func (t *transport) origin() string { return t.scheme + "://" + t.host }

// named adds the origin to an error of the source, without changing what other
// calls may hold.
func (t *transport) named(err error) error {
	e, ok := err.(*Error)
	if !ok || e.Origin != "" {
		return err
	}
	out := *e
	out.Origin = t.origin()
	return &out
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// discard reads the little that is left of a page, so that its connection can
// be used again, and closes it.
func discard(resp *http.Response) {
	io.CopyN(io.Discard, resp.Body, maxPage)
	resp.Body.Close()
}
