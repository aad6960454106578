// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"fmt"
	"net/http"
	"strings"
)

// GoogleOptions says where [Google] finds credentials. The zero value, and
// nil, mean Application Default Credentials.
type GoogleOptions struct {
	// CredentialsFile and CredentialsJSON give a credential in Google's JSON
	// format; at most one of them. A configuration of the types
	// external_account and impersonated_service_account says which URLs are
	// called and, for external_account, which program is run: take it only
	// from somebody you trust.
	CredentialsFile string
	CredentialsJSON []byte

	// ImpersonateServiceAccount is the email of a service account whose tokens
	// are wanted. The credentials found need the role
	// roles/iam.serviceAccountTokenCreator (or
	// roles/iam.serviceAccountOpenIdTokenCreator) on it. With a person's
	// credentials this is the way to a token of the wanted audience.
	ImpersonateServiceAccount string

	// Delegates are the emails of the service accounts between the credentials
	// and ImpersonateServiceAccount: each may make tokens for the next.
	Delegates []string

	// GCloud asks `gcloud auth print-identity-token`, and so uses the account
	// that gcloud is logged in with. It needs gcloud on the PATH, takes a
	// second, and is meant for a developer's machine.
	GCloud bool

	// HTTPClient carries the traffic to the token servers and to the metadata
	// server; nil means http.DefaultTransport and, for the metadata server, a
	// transport without a proxy. Its redirects are not followed.
	HTTPClient *http.Client

	// UniverseDomain is that of a Cloud other than the public one; "" means
	// the credential's own, else googleapis.com.
	UniverseDomain string

	iamEndpoint string // in place of https://iamcredentials.UNIVERSE, for tests
}

// Google returns a cached source of identity tokens of the given audience (see
// [Audience]) from Google credentials of any kind; the table in the package
// documentation lists them. Credentials are looked for in this order:
//
//  1. opts.GCloud, opts.CredentialsJSON or opts.CredentialsFile;
//  2. the file that the environment variable GOOGLE_APPLICATION_CREDENTIALS
//     names;
//  3. application_default_credentials.json in gcloud's configuration
//     directory, which `gcloud auth application-default login` writes;
//  4. the metadata server of Cloud Run, Cloud Functions, GCE or GKE.
//
// Files are read here, once. Nothing is sent before the first call of Token;
// a credential that cannot work is an error here already.
func Google(audience string, opts *GoogleOptions) (Source, error) {
	if audience == "" {
		return nil, &Error{Message: "the audience is empty", Hint: "give the service's URL"}
	}
	var o GoogleOptions
	if opts != nil {
		o = *opts
	}
	if len(o.Delegates) > 0 && o.ImpersonateServiceAccount == "" {
		return nil, &Error{Message: "GoogleOptions.Delegates without ImpersonateServiceAccount"}
	}
	if a := o.ImpersonateServiceAccount; a != "" && (!strings.Contains(a, "@") || strings.ContainsAny(a, "/:?# ")) {
		return nil, &Error{Message: fmt.Sprintf("GoogleOptions.ImpersonateServiceAccount %q is not the email of a service account", a)}
	}
	m, err := newMinter(audience, &o)
	if err != nil {
		return nil, err
	}
	return Cached(m), nil
}

// newMinter chooses the way to a token by the kind of credential.
func newMinter(audience string, o *GoogleOptions) (Source, error) {
	if o.GCloud {
		if o.CredentialsFile != "" || o.CredentialsJSON != nil {
			return nil, &Error{Message: "GoogleOptions.GCloud uses gcloud's own account: leave CredentialsFile and CredentialsJSON empty"}
		}
		return &gcloud{audience: audience, impersonate: o.ImpersonateServiceAccount, delegates: o.Delegates}, nil
	}
	c, err := findCredential(o)
	if err != nil {
		return nil, err
	}
	if c == nil {
		md := newMetadata(o.HTTPClient)
		if o.ImpersonateServiceAccount == "" {
			return &metadataIdentity{md: md, audience: audience}, nil
		}
		return newIAM(audience, o, o.universe(""), md.accessToken, "", ""), nil
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if o.ImpersonateServiceAccount != "" {
		return newIAM(audience, o, o.universe(c.UniverseDomain), c.accessToken(o.HTTPClient), c.member(), c.QuotaProjectID), nil
	}
	switch c.Type {
	case typeServiceAccount:
		return newServiceAccount(audience, o, c)
	case typeUser:
		return &userIdentity{cred: c, client: o.HTTPClient}, nil
	case typeImpersonated, typeExternal:
		return newFileIAM(audience, o, c)
	}
	return nil, c.bad(fmt.Sprintf("is of type %q, which has no identity tokens of its own", c.Type),
		"name a service account in GoogleOptions.ImpersonateServiceAccount")
}

func (o *GoogleOptions) universe(of string) string {
	switch {
	case o.UniverseDomain != "":
		return o.UniverseDomain
	case of != "":
		return of
	}
	return defaultUniverse
}

const (
	defaultUniverse = "googleapis.com"
	cloudPlatform   = "https://www.googleapis.com/auth/cloud-platform"
)

// accessSource gives the access token with which IAM Credentials is asked for
// an identity token.
type accessSource func(ctx context.Context) (string, error)
