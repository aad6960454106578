// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package auth gives calls of a private Cloud Run service their identity. It
// gets identity tokens with any kind of Google credential, keeps them fresh,
// hands them to one origin only, and says what is wrong when the service
// refuses one.
//
// It needs nothing else of this module. A private service of any kind is
// called like this:
//
//	src, err := auth.Google("https://hello-abc123-ew.a.run.app", nil)
//	// …
//	rt, err := auth.NewTransport("https://hello-abc123-ew.a.run.app", src, nil)
//	// …
//	client := &http.Client{Transport: rt}
//	resp, err := client.Get("https://hello-abc123-ew.a.run.app/")
//
// # Which credential gives which token
//
// Cloud Run lets a request in whose identity token is signed by Google, has
// not expired, was minted for the service (its audience), and speaks for
// somebody with the role roles/run.invoker on it. What "asked for" means below
// is the audience given to [Google].
//
//	credential                     where it comes from                    audience             Cloud Run says
//	-----------------------------  -------------------------------------  -------------------  -------------------------------
//	service account, attached      metadata server of Cloud Run,          asked for            200; 403 without the role
//	                               Functions, GCE, GKE
//	service account key            file, type service_account             asked for            200; 403 without the role
//	impersonated service account   file, type                             asked for            200; 403 without the role
//	                               impersonated_service_account
//	federated identity (AWS,       file, type external_account with       asked for            200; 403 without the role
//	GitHub, OIDC …) with an        service_account_impersonation_url
//	account
//	federated identity without     file, type external_account            none: no identity    not asked: Google returns an
//	an account                                                            token                error; name an account
//	person, logged in to gcloud    file, type authorized_user, from       gcloud's OAuth       200 at run.app URLs; 401 or
//	                               gcloud auth application-default login  client, not yours    404 at custom domains and
//	                                                                                           audiences; 403 without the role
//	person, by gcloud itself       GoogleOptions.GCloud: gcloud auth      gcloud's OAuth       as above
//	                               print-identity-token                   client, not yours
//	any of these, impersonating    GoogleOptions.                         asked for            200; 403 if the account lacks
//	a named account                ImpersonateServiceAccount                                   the role
//	workforce identity             file, type                             none: name an        not asked
//	                               external_account_authorized_user       account
//	access token (ya29.…)          gcloud auth print-access-token         none                 401
//	JWT signed by the account      google.JWTAccessTokenSource            as signed            401
//	itself
//
// The audience of a person's token is that of the OAuth client that the person
// logged in with, and no choice of the caller. So the token does not say which
// service it is for: give it to services you trust only, or impersonate.
// [Audience] makes the right audience of an endpoint's URL.
//
// # Keeping
//
// [Cached] renews a token five to six minutes before its end, or halfway to it
// if it comes with less than ten minutes left, and does so while calls go on
// with the old one. Nothing runs in the background: on Cloud Run and Cloud
// Functions the CPU may stop between requests.
//
// # Errors
//
// Every failure is an [*Error]. A Status of 0 means that no token could be had
// or that the request was refused before it was sent; 401, 403 and 404 are the
// answers of the service's front end, with the command that mends them. The
// container's own answers are never errors here.
package auth
