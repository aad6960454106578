// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"net/http"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"
)

// userIdentity takes the identity token that comes with every refresh of a
// person's gcloud login.
//
// google.golang.org/api/idtoken refuses these credentials. gcloud's own proxy
// takes this token, and so does Cloud Run at a service's run.app URL, although
// its audience is the OAuth client that the person logged in with.
type userIdentity struct {
	cred   *credential
	client *http.Client
}

func (u *userIdentity) Token(ctx context.Context) (Token, error) {
	ctx, w := watched(ctx, u.client)
	conf := oauth2.Config{
		ClientID:     u.cred.ClientID,
		ClientSecret: u.cred.ClientSecret,
		Endpoint:     google.Endpoint,
	}
	if u.cred.TokenURI != "" {
		conf.Endpoint.TokenURL = u.cred.TokenURI
	}
	t, err := conf.TokenSource(ctx, &oauth2.Token{RefreshToken: u.cred.RefreshToken}).Token()
	if err != nil {
		return Token{}, w.explain("an identity token of "+u.cred.describe(), u.cred.hint(), err)
	}
	id, _ := t.Extra("id_token").(string)
	if id == "" {
		return Token{}, &Error{
			Message: "the login in " + u.cred.from + " gives no identity token: it lacks the scope openid",
			Hint:    "log in again with the default scopes: gcloud auth application-default login",
		}
	}
	return Token{Value: id}.fill(), nil
}
