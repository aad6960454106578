// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"
)

// DefaultPrincipal is the account that [Server.Source] and the metadata server
// speak for unless told otherwise.
const DefaultPrincipal = "caller@gemma-test.iam.gserviceaccount.com"

// GcloudAudience is the audience of a token that gcloud prints for a user:
// gcloud's own OAuth client. Cloud Run accepts it for any service.
const GcloudAudience = "32555940559.apps.googleusercontent.com"

const (
	issuer = "https://accounts.google.com"
	keyID  = "gemmatest-1"

	// leeway is how far the clocks of a caller and of the front end may differ.
	leeway = 10 * time.Second
)

// signingKey stands for Google's: there is one Google, so every server of a
// process shares it, and a token minted by one is refused by another for its
// audience, not for its signature. It is made on first use, for a key in the
// source would be one that leaks.
var signingKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic("gemmatest: making a signing key: " + err.Error())
	}
	return key
})

// MintOptions says which token [Mint] makes. The zero value is a good identity
// token of [DefaultPrincipal] without an audience.
type MintOptions struct {
	Audience  string
	Principal string        // email; "" means DefaultPrincipal
	Lifetime  time.Duration // 0 means an hour; negative makes a token that has expired
	Issuer    string        // "" means https://accounts.google.com
	Forged    bool          // the signature is wrong
	Access    bool          // an opaque access token (ya29.…), not an identity token
	NoEmail   bool          // without email claims, as IAM Credentials mints unless includeEmail is asked for
}

// Mint makes a token as Google would sign it. The front end of every server in
// this process knows the key.
func Mint(o MintOptions) string {
	if o.Access {
		var b [24]byte
		rand.Read(b[:])
		return "ya29.c.gemmatest-" + base64.RawURLEncoding.EncodeToString(b[:])
	}
	lifetime := o.Lifetime
	if lifetime == 0 {
		lifetime = time.Hour
	}
	now := time.Now()
	iat := now
	if lifetime < time.Hour { // a token with less left than an hour was minted earlier
		iat = now.Add(lifetime - time.Hour)
	}
	email := o.Principal
	if email == "" {
		email = DefaultPrincipal
	}
	sub := fmt.Sprintf("1%020d", crcOf(email))
	c := claims{Audience: o.Audience, AuthorizedParty: sub, Email: email, EmailVerified: true,
		Expiry: now.Add(lifetime).Unix(), IssuedAt: iat.Unix(), Issuer: o.Issuer, Subject: sub}
	if c.Issuer == "" {
		c.Issuer = issuer
	}
	if o.NoEmail {
		c.Email, c.EmailVerified = "", false
	}
	return sign(c, o.Forged)
}

// claims are an identity token's, in the order in which Google writes them.
type claims struct {
	Audience        string `json:"aud"`
	AuthorizedParty string `json:"azp,omitempty"`
	Email           string `json:"email,omitempty"`
	EmailVerified   bool   `json:"email_verified,omitempty"`
	Expiry          int64  `json:"exp"`
	IssuedAt        int64  `json:"iat"`
	Issuer          string `json:"iss"`
	Subject         string `json:"sub"`
}

func sign(c claims, forged bool) string {
	body, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers only
	}
	head := `{"alg":"RS256","kid":"` + keyID + `","typ":"JWT"}`
	signed := base64.RawURLEncoding.EncodeToString([]byte(head)) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(nil, signingKey(), crypto.SHA256, sum[:])
	if err != nil {
		panic("gemmatest: signing a token: " + err.Error())
	}
	if forged {
		sig[len(sig)/2] ^= 0xff
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// parseToken reads a token's claims without checking anything but its shape.
func parseToken(token string) (c claims, signed string, sig []byte, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, "", nil, errors.New("not a JWT")
	}
	var head struct{ Alg, Kid string }
	b, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err == nil {
		err = json.Unmarshal(b, &head)
	}
	if err != nil || head.Alg != "RS256" {
		return c, "", nil, errors.New("not an RS256 JWT")
	}
	b, err = base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		return c, "", nil, errors.New("unreadable claims")
	}
	sig, err = base64.RawURLEncoding.DecodeString(parts[2])
	return c, parts[0] + "." + parts[1], sig, err
}

// verifyToken checks everything but the audience.
func verifyToken(token string, now time.Time) (claims, error) {
	c, signed, sig, err := parseToken(token)
	if err != nil {
		return c, err
	}
	sum := sha256.Sum256([]byte(signed))
	if err := rsa.VerifyPKCS1v15(&signingKey().PublicKey, crypto.SHA256, sum[:], sig); err != nil {
		return c, errors.New("wrong signature")
	}
	switch {
	case c.Issuer != issuer && c.Issuer != "accounts.google.com":
		return c, errors.New("wrong issuer")
	case now.After(time.Unix(c.Expiry, 0).Add(leeway)):
		return c, errors.New("expired")
	case now.Before(time.Unix(c.IssuedAt, 0).Add(-leeway)):
		return c, errors.New("not valid yet")
	}
	return c, nil
}

// jwks is Google's published key set, with the fake's key in it.
func jwks() []byte {
	pub := signingKey().PublicKey
	e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(pub.E)).Bytes())
	n := base64.RawURLEncoding.EncodeToString(pub.N.Bytes())
	return fmt.Appendf(nil, `{"keys":[{"alg":"RS256","e":%q,"kid":%q,"kty":"RSA","n":%q,"use":"sig"}]}`, e, keyID, n)
}

// crcOf turns a name into a number that is always the same for that name.
func crcOf(s string) uint64 {
	h := uint64(14695981039346656037) // FNV-1a
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
