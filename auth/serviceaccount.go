// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"

	"golang.org/x/oauth2/google"
	"golang.org/x/oauth2/jwt"
)

// serviceAccount trades an assertion signed with a service account's key for
// an identity token.
//
// The exchange is golang.org/x/oauth2/jwt's, as in
// google.golang.org/api/idtoken; but idtoken.NewTokenSource makes a first
// request where we promise none, and keeps its caller's context for all later
// ones.
type serviceAccount struct {
	cred   *credential
	conf   *jwt.Config
	client *http.Client
}

func newServiceAccount(audience string, o *GoogleOptions, c *credential) (Source, error) {
	if u := o.universe(c.UniverseDomain); u != defaultUniverse {
		// Only the public Cloud's token server gives identity tokens for
		// assertions. Elsewhere the account asks IAM for a token of its own,
		// with an access token that it signs itself.
		self := func(context.Context) (string, error) {
			ts, err := google.JWTAccessTokenSourceWithScope(c.raw, cloudPlatform)
			if err != nil {
				return "", &Error{Message: "signing with the key of " + c.ClientEmail + ": " + clip(err.Error()), Err: err}
			}
			t, err := ts.Token()
			if err != nil {
				return "", &Error{Message: "signing with the key of " + c.ClientEmail + ": " + clip(err.Error()), Err: err}
			}
			return t.AccessToken, nil
		}
		as := *o
		as.ImpersonateServiceAccount = c.ClientEmail
		return newIAM(audience, &as, u, self, c.member(), ""), nil
	}
	conf, err := google.JWTConfigFromJSON(c.raw)
	if err != nil {
		return nil, c.bad("are no service account key: "+clip(err.Error()), "")
	}
	conf.PrivateClaims = map[string]any{"target_audience": audience}
	conf.UseIDToken = true
	return &serviceAccount{cred: c, conf: conf, client: o.HTTPClient}, nil
}

func (s *serviceAccount) Token(ctx context.Context) (Token, error) {
	ctx, w := watched(ctx, s.client)
	t, err := s.conf.TokenSource(ctx).Token()
	if err != nil {
		return Token{}, w.explain(fmt.Sprintf("an identity token of the service account %s", s.cred.ClientEmail), s.cred.hint(), err)
	}
	return Token{Value: t.AccessToken, Expiry: t.Expiry}.fill(), nil
}

// parsableKey reports whether golang.org/x/oauth2 will be able to sign with a
// key. Its own error for a bad one comes late, and quotes it.
func parsableKey(key string) bool {
	der := []byte(key)
	if block, _ := pem.Decode(der); block != nil {
		der = block.Bytes
	}
	if k, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		_, ok := k.(*rsa.PrivateKey)
		return ok
	}
	_, err := x509.ParsePKCS1PrivateKey(der)
	return err == nil
}
