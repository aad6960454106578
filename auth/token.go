// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// Token is one identity token.
//
// It is printed and logged without its Value, whatever the verb, and the Value
// is left out of its JSON too.
type Token struct {
	// Value is the token itself, a JWT in three parts, as it goes behind
	// "Bearer ".
	Value string `json:"-"`

	// Expiry is when the endpoint begins to refuse the token; zero means
	// unknown, and then the token counts as good for ever. [Cached] fills it
	// from the token's own exp claim, and trusts that claim more than a
	// source's guess: the metadata server hands out tokens it minted before,
	// with minutes left.
	Expiry time.Time

	// Audience is the token's aud claim: the service it was minted for.
	Audience string

	// Principal is whom the token speaks for: the email claim or, in tokens
	// without one, the account's numeric id (sub).
	Principal string
}

// fill takes from the token's own claims what they say.
func (t Token) fill() Token {
	c, ok := parseClaims(t.Value)
	if !ok {
		return t
	}
	if exp := c.expiry(); !exp.IsZero() {
		t.Expiry = exp
	}
	if t.Audience == "" {
		t.Audience = c.Audience.String()
	}
	if t.Principal == "" {
		t.Principal = c.principal()
	}
	return t
}

// String describes the token without giving it away.
func (t Token) String() string {
	if t.Value == "" {
		return "auth.Token(none)"
	}
	s := "auth.Token(value hidden"
	if t.Principal != "" {
		s += ", principal " + t.Principal
	}
	if t.Audience != "" {
		s += ", audience " + t.Audience
	}
	if !t.Expiry.IsZero() {
		s += ", expires " + t.Expiry.UTC().Format(time.RFC3339)
	}
	return s + ")"
}

// Format writes [Token.String] for every verb and flag, so that not even %#v
// or %d shows the Value.
func (t Token) Format(s fmt.State, _ rune) { io.WriteString(s, t.String()) }

// LogValue keeps the Value out of structured logs.
func (t Token) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("principal", t.Principal),
		slog.String("audience", t.Audience),
		slog.Time("expiry", t.Expiry),
	)
}

// Source gives identity tokens. Implementations are safe for concurrent use
// and heed ctx. They need not keep tokens: [Cached] does, and [NewTransport]
// wraps every source in it.
//
// An error with a method Retryable() bool says whether asking again can help
// ([*Error] has one); others count as worth another try.
type Source interface {
	Token(ctx context.Context) (Token, error)
}

// SourceFunc makes a [Source] of a function, such as a call of a company's own
// token broker.
type SourceFunc func(ctx context.Context) (Token, error)

// Token calls f.
func (f SourceFunc) Token(ctx context.Context) (Token, error) { return f(ctx) }

// Invalidator is a [Source] that can be told that the endpoint refused a
// token, so that it does not give out the same one again. Sources made by
// [Cached] and [Google] are. A source that wraps one passes the call on.
type Invalidator interface {
	Source
	Invalidate(refused Token)
}
