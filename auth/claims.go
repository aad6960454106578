// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// maxToken bounds what is looked at as a token: Google's are 0.7 to 2 KiB, and
// Cloud Run's front end takes no header lines longer than some 16 KiB.
const maxToken = 16 << 10

// claims is what the diagnosis reads in a token. Nothing here is verified:
// the endpoint does that, and this only explains its verdict.
type claims struct {
	Issuer   string   `json:"iss"`
	Audience audience `json:"aud"`
	Subject  string   `json:"sub"`
	Email    string   `json:"email"`
	Expiry   seconds  `json:"exp"`
	IssuedAt seconds  `json:"iat"`
}

// parseClaims reads the payload of a JWT. It reports false for anything else,
// such as an opaque access token.
func parseClaims(token string) (claims, bool) {
	var c claims
	if len(token) > maxToken {
		return c, false
	}
	_, rest, ok := strings.Cut(token, ".")
	if !ok {
		return c, false
	}
	payload, signature, ok := strings.Cut(rest, ".")
	if !ok || strings.Contains(signature, ".") {
		return c, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(payload, "="))
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return claims{}, false
	}
	return c, true
}

func (c claims) expiry() time.Time { return c.Expiry.time() }

func (c claims) principal() string {
	if c.Email != "" {
		return c.Email
	}
	return c.Subject
}

// google reports whether Google says it signed the token.
func (c claims) google() bool {
	return c.Issuer == "https://accounts.google.com" || c.Issuer == "accounts.google.com"
}

// user reports whether the token is a person's, minted for an OAuth client
// such as gcloud's and not for a service.
func (c claims) user() bool {
	return c.Email != "" && !strings.HasSuffix(c.Email, ".gserviceaccount.com")
}

// audience is a string or a list of them (RFC 7519, section 4.1.3).
type audience []string

func (a *audience) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(b, []byte("[")) {
		return json.Unmarshal(b, (*[]string)(a))
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	if s != "" {
		*a = audience{s}
	}
	return nil
}

func (a audience) String() string { return strings.Join(a, " ") }

func (a audience) some(f func(string) bool) bool { return slices.ContainsFunc(a, f) }

// seconds is a NumericDate: it may have a fraction.
type seconds float64

func (s seconds) time() time.Time {
	if s <= 0 || s > 253402300799 { // the year 9999: beyond, it is no date
		return time.Time{}
	}
	return time.Unix(int64(s), 0)
}
