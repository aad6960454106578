// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"context"

	"github.com/gemma-go/sdk/auth"
)

// Source mints tokens for this server: of Config.Principal, for its URL, with
// Config.TokenLifetime left. Every call makes a new one.
func (s *Server) Source() auth.Source {
	return auth.SourceFunc(func(ctx context.Context) (auth.Token, error) {
		if err := context.Cause(ctx); err != nil {
			return auth.Token{}, err
		}
		value := Mint(MintOptions{Audience: s.URL, Principal: s.cfg.Principal, Lifetime: s.cfg.TokenLifetime})
		c, _, _, err := parseToken(value)
		if err != nil {
			return auth.Token{}, err
		}
		return auth.Token{Value: value, Expiry: timeOf(c.Expiry), Audience: c.Audience, Principal: c.Email}, nil
	})
}
