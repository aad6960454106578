// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// iam asks IAM Credentials for an identity token of a service account
// (projects.serviceAccounts.generateIdToken), with the access token of whoever
// may impersonate it.
//
// google.golang.org/api/impersonate does this too, but drops the delegates of
// a credential file, takes neither the URL that the file gives nor a caller's
// context, and reports the expiry as an hour from now whatever the token says.
type iam struct {
	url       string
	account   string
	member    string // the caller, as IAM policies name it; "" when unknown
	audience  string
	delegates []string
	quota     string // the project whose quota a person's calls use; or ""
	access    accessSource
	client    *http.Client
}

// newIAM impersonates the account that the options name.
func newIAM(audience string, o *GoogleOptions, universe string, access accessSource, member, quota string) Source {
	base := o.iamEndpoint
	if base == "" {
		base = "https://iamcredentials." + universe
	}
	return &iam{
		url:       base + "/v1/projects/-/serviceAccounts/" + o.ImpersonateServiceAccount + ":generateIdToken",
		account:   o.ImpersonateServiceAccount,
		member:    member,
		audience:  audience,
		delegates: delegates(o.Delegates),
		quota:     quota,
		access:    access,
		client:    o.HTTPClient,
	}
}

// newFileIAM impersonates the account that a credential file names, as the
// identity under it.
//
// The identity under it is used as it is: the file's own impersonation gives
// an access token of the account, and the account is seldom allowed to
// impersonate itself.
func newFileIAM(audience string, o *GoogleOptions, c *credential) (Source, error) {
	if c.ImpersonationURL == "" {
		return nil, c.bad("federate an identity without a service account, and only service accounts have identity tokens",
			"name one in GoogleOptions.ImpersonateServiceAccount, or create the configuration with --service-account=EMAIL")
	}
	base, ok := strings.CutSuffix(c.ImpersonationURL, ":generateAccessToken")
	if !ok || accountOf(c.ImpersonationURL) == "" {
		return nil, c.bad("have a service_account_impersonation_url that does not end in /serviceAccounts/EMAIL:generateAccessToken", "")
	}
	source := c
	var err error
	if c.Type == typeImpersonated {
		source, err = parseCredential(c.Source, c.from+" (source_credentials)")
	} else {
		var fields map[string]json.RawMessage
		if err = json.Unmarshal(c.raw, &fields); err == nil {
			delete(fields, "service_account_impersonation_url")
			var raw []byte
			if raw, err = json.Marshal(fields); err == nil {
				source, err = parseCredential(raw, c.from)
			}
		}
	}
	if err != nil {
		return nil, asError(err)
	}
	return &iam{
		url:       base + ":generateIdToken",
		account:   accountOf(c.ImpersonationURL),
		member:    source.member(),
		audience:  audience,
		delegates: delegates(c.Delegates),
		quota:     source.QuotaProjectID,
		access:    source.accessToken(o.HTTPClient),
		client:    o.HTTPClient,
	}, nil
}

// delegates writes emails as the API wants them.
func delegates(accounts []string) []string {
	out := make([]string, len(accounts))
	for i, a := range accounts {
		if !strings.Contains(a, "/") {
			a = "projects/-/serviceAccounts/" + a
		}
		out[i] = a
	}
	return out
}

func (s *iam) Token(ctx context.Context) (Token, error) {
	access, err := s.access(ctx)
	if err != nil {
		return Token{}, err
	}
	body, err := json.Marshal(struct {
		Audience     string   `json:"audience"`
		IncludeEmail bool     `json:"includeEmail"` // without it no log and no error could say who called
		Delegates    []string `json:"delegates,omitempty"`
	}{s.audience, true, s.delegates})
	if err != nil {
		return Token{}, err
	}
	what := fmt.Sprintf("an identity token of the service account %s", s.account)
	// The first of the delegates is whom the caller must be allowed to use.
	first := s.account
	if len(s.delegates) > 0 {
		first = s.delegates[0][strings.LastIndexByte(s.delegates[0], '/')+1:]
	}
	hint := fmt.Sprintf("gcloud iam service-accounts add-iam-policy-binding %s --member=%s --role=roles/iam.serviceAccountTokenCreator",
		first, cmp.Or(s.member, "PRINCIPAL"))

	ctx, w := watched(ctx, s.client)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return Token{}, &Error{Message: what + ": the URL of IAM Credentials is not valid", Err: err}
	}
	req.Header.Set("Authorization", "Bearer "+access)
	req.Header.Set("Content-Type", "application/json")
	if s.quota != "" {
		req.Header.Set("X-Goog-User-Project", s.quota)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return Token{}, w.explain(what, hint, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Token{}, w.explain(what, hint, nil)
	}
	var answer struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&answer); err != nil {
		return Token{}, w.explain(what, "", err)
	}
	return Token{Value: answer.Token}.fill(), nil
}
