// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
)

// ProxyOptions are the less usual wishes for a proxy.
type ProxyOptions struct {
	// Hosts are names (without port) besides those of loopback under which the
	// proxy may be called. With at least one, callers from other machines are
	// served too: whoever reaches the proxy has its identity.
	Hosts []string

	// Transport carries the requests to the endpoint; nil means a clone of
	// http.DefaultTransport that leaves compressed answers compressed.
	Transport http.RoundTripper
}

// NewProxy returns a handler that passes every request on to a private
// endpoint, with the tokens of src: what `gcloud run services proxy` does, for
// programs that know nothing of identity, such as a browser's tab, curl or an
// Ollama client. A nil src sends no token.
//
// Requests and answers pass as they are, each chunk as it comes, both ways;
// hop-by-hop headers stay behind, and upgrades (WebSocket) work. A client's
// own Authorization header reaches the container (see [NewTransport]). A
// redirect of the endpoint to itself comes back as one to the proxy.
//
// The proxy lends its identity to its callers, so it serves callers on this
// machine only, whatever it listens on; only under a loopback name in the Host
// header, which stops DNS rebinding; and only without an Origin header or with
// one of the proxy itself, which stops other web pages. See
// [NewProxyWithOptions] for more callers.
//
// What goes wrong on the way becomes a plain-text answer: a refusal of the
// endpoint's front end keeps its status and says what mends it, the lack of a
// token is 502, or 503 if a later try can help.
func NewProxy(endpoint string, src Source) (http.Handler, error) {
	return NewProxyWithOptions(endpoint, src, nil)
}

// NewProxyWithOptions is [NewProxy] with options; nil means none.
func NewProxyWithOptions(endpoint string, src Source, opts *ProxyOptions) (http.Handler, error) {
	var o ProxyOptions
	if opts != nil {
		o = *opts
	}
	scheme, host, err := parseOrigin("endpoint", endpoint)
	if err != nil {
		return nil, err
	}
	base := o.Transport
	if base == nil {
		base = proxyBase()
	}
	rt, err := NewTransport(endpoint, src, base)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, &Error{Message: "endpoint is not a URL"}
	}
	p := &proxy{scheme: scheme, host: host}
	for _, h := range o.Hosts {
		p.hosts = append(p.hosts, strings.ToLower(h))
	}
	p.reverse = &httputil.ReverseProxy{
		Transport:     rt,
		FlushInterval: -1, // each chunk at once, whatever the content type
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: scheme, Host: host, Path: strings.TrimSuffix(u.Path, "/")})
			r.Out.URL.RawQuery = r.In.URL.RawQuery // untouched, even where net/url would clean it
		},
		ModifyResponse: p.back,
		ErrorHandler:   p.fail,
		ErrorLog:       log.New(io.Discard, "", 0), // it reports broken streams, which the client sees itself
	}
	return p, nil
}

// proxyBase is http.DefaultTransport without its own compression: it would
// decompress answers that the client did not ask to have compressed.
func proxyBase() http.RoundTripper {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	t = t.Clone()
	t.DisableCompression = true
	t.MaxIdleConnsPerHost = 100 // all go to one host
	return t
}

type proxy struct {
	scheme, host string
	hosts        []string
	reverse      *httputil.ReverseProxy
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if why := p.refuse(r); why != "" {
		http.Error(w, "proxy: "+why, http.StatusForbidden)
		return
	}
	p.reverse.ServeHTTP(w, r)
}

// refuse says why a request is not passed on; "" means that it is.
func (p *proxy) refuse(r *http.Request) string {
	host := hostname(r.Host)
	if !loopback(host) && !slices.Contains(p.hosts, strings.ToLower(host)) {
		return fmt.Sprintf("called under the name %q, which is none of its own", clip(host))
	}
	if len(p.hosts) == 0 {
		from, _, err := net.SplitHostPort(r.RemoteAddr)
		// Other than a TCP address it is a Unix socket's or an in-memory
		// connection's, which no other machine can make.
		if err == nil && !loopback(from) && net.ParseIP(from) != nil {
			return "serves callers on its own machine only"
		}
	}
	for _, origin := range r.Header["Origin"] {
		u, err := url.Parse(origin)
		if err != nil || !strings.EqualFold(u.Host, r.Host) {
			return fmt.Sprintf("called by a web page of %s", clip(origin))
		}
	}
	// Browsers send this with requests that carry no Origin, such as those of
	// an <img> or a plain link.
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return "called by a web page of another site"
	}
	return ""
}

// back turns a redirect of the endpoint to itself into one to the proxy, for
// the client cannot call the endpoint.
func (p *proxy) back(resp *http.Response) error {
	location := resp.Header.Get("Location")
	if location == "" {
		return nil
	}
	u, err := url.Parse(location)
	if err != nil || u.Scheme != p.scheme || canonicalHost(u) != p.host {
		return nil
	}
	u.Scheme, u.Host = "", ""
	resp.Header.Set("Location", cmp.Or(u.String(), "/"))
	return nil
}

// fail answers for an endpoint that did not.
func (p *proxy) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // the client has gone
	}
	status := http.StatusBadGateway
	if e, ok := errors.AsType[*Error](err); ok {
		switch {
		case e.Status != 0:
			status = e.Status
		case e.Retry:
			status = http.StatusServiceUnavailable
		}
	}
	http.Error(w, "proxy: "+clip(err.Error()), status)
}
