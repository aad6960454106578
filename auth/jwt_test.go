// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"
)

// unsigned makes a token that looks like Google's, for tests where nobody
// checks the signature. The pairs overwrite its claims.
func unsigned(lifetime time.Duration, pairs ...any) string {
	now := time.Now()
	c := map[string]any{
		"iss": "https://accounts.google.com", "aud": "https://gemma-abc123-ew.a.run.app",
		"sub": "1234567890", "email": "caller@p.iam.gserviceaccount.com", "email_verified": true,
		"iat": now.Unix(), "exp": now.Add(lifetime).Unix(), "jti": fmt.Sprint(serial.Add(1)),
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == nil {
			delete(c, pairs[i].(string))
			continue
		}
		c[pairs[i].(string)] = pairs[i+1]
	}
	body, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"RS256","typ":"JWT"}`)) + "." + enc(body) + "." + enc([]byte("a signature"))
}

var serial atomic.Int64

// counter is a source of new tokens that counts its calls.
type counter struct {
	calls    atomic.Int64
	lifetime time.Duration
	delay    time.Duration
	fail     func(call int64) error
	stubborn bool // the first call takes its delay whatever ctx says, later ones take none
}

func (c *counter) Token(ctx context.Context) (Token, error) {
	n := c.calls.Add(1)
	if c.delay > 0 && !(c.stubborn && n > 1) {
		t := time.NewTimer(c.delay)
		defer t.Stop()
		done := ctx.Done()
		if c.stubborn {
			done = nil
		}
		select {
		case <-t.C:
		case <-done:
			return Token{}, ctx.Err()
		}
	}
	if c.fail != nil {
		if err := c.fail(n); err != nil {
			return Token{}, err
		}
	}
	return Token{Value: unsigned(c.lifetime)}, nil
}
