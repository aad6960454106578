// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// parseOrigin returns the scheme and the host, with its port if that is not
// the scheme's own, of an endpoint's URL. It refuses what no token may be sent
// to: http beyond this machine.
func parseOrigin(field, raw string) (scheme, host string, err error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil: // the error of url.Parse quotes the URL, which may hold a password
		return "", "", &Error{Message: field + " is not a URL"}
	case u.User != nil:
		return "", "", &Error{Message: field + " has a user or password in it; identity goes by token"}
	case u.Host == "" || u.Hostname() == "":
		return "", "", &Error{Message: fmt.Sprintf("%s %q has no host", field, raw), Hint: "write it as https://HOST"}
	}
	scheme, host = strings.ToLower(u.Scheme), canonicalHost(u)
	switch {
	case scheme == "https":
	case scheme == "http" && loopback(u.Hostname()):
	case scheme == "http":
		return "", "", &Error{Message: fmt.Sprintf("%s http://%s is not encrypted, and tokens are sent in clear only to this machine", field, host),
			Hint: "use https://" + host}
	default:
		return "", "", &Error{Message: fmt.Sprintf("%s has the scheme %q", field, u.Scheme), Hint: "use https"}
	}
	return scheme, host, nil
}

// canonicalHost is the URL's host in lower case, without the port that its
// scheme implies.
func canonicalHost(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if scheme := strings.ToLower(u.Scheme); port == "443" && scheme == "https" || port == "80" && scheme == "http" {
		port = ""
	}
	switch {
	case port != "":
		return net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		return "[" + host + "]"
	}
	return host
}

// loopback reports whether a host name without port is this machine. Names are
// not looked up: only localhost and its subdomains are sure to stay here
// (RFC 6761, section 6.3).
func loopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

// Audience returns the audience that Cloud Run expects in a token for the
// service at an endpoint's URL: its origin, in lower case, without a path, and
// without the tag of a tagged revision's URL (https://TAG---SERVICE-…), which
// is not an audience. A custom domain is an audience only if the service lists
// it (gcloud run services update --add-custom-audiences).
func Audience(endpoint string) (string, error) {
	scheme, host, err := parseOrigin("endpoint", endpoint)
	if err != nil {
		return "", err
	}
	if s, ok := parseRunHost(host); ok && s.tag != "" {
		host = strings.TrimPrefix(host, s.tag+"---")
	}
	return scheme + "://" + host, nil
}
