// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/oauth2/google"
)

// The types of Google's credential files.
const (
	typeServiceAccount = "service_account"
	typeUser           = "authorized_user"
	typeExternal       = "external_account"
	typeExternalUser   = "external_account_authorized_user"
	typeImpersonated   = "impersonated_service_account"
)

// credential is what decides about the way to a token in a credential file.
// The rest of it is for golang.org/x/oauth2/google, which reads raw.
type credential struct {
	Type             string          `json:"type"`
	ClientEmail      string          `json:"client_email"`
	PrivateKey       string          `json:"private_key"`
	ClientID         string          `json:"client_id"`
	ClientSecret     string          `json:"client_secret"`
	RefreshToken     string          `json:"refresh_token"`
	TokenURI         string          `json:"token_uri"`
	TokenURL         string          `json:"token_url"`
	ImpersonationURL string          `json:"service_account_impersonation_url"`
	Delegates        []string        `json:"delegates"`
	Source           json.RawMessage `json:"source_credentials"`
	QuotaProjectID   string          `json:"quota_project_id"`
	UniverseDomain   string          `json:"universe_domain"`

	raw  []byte
	from string // where it was found, for errors
}

// findCredential follows the order that [Google] documents. It returns nil
// where only the metadata server is left.
func findCredential(o *GoogleOptions) (*credential, error) {
	switch {
	case o.CredentialsJSON != nil && o.CredentialsFile != "":
		return nil, &Error{Message: "GoogleOptions has both CredentialsFile and CredentialsJSON"}
	case o.CredentialsJSON != nil:
		return parseCredential(o.CredentialsJSON, "GoogleOptions.CredentialsJSON")
	case o.CredentialsFile != "":
		return readCredential(o.CredentialsFile, "GoogleOptions.CredentialsFile "+o.CredentialsFile)
	}
	const env = "GOOGLE_APPLICATION_CREDENTIALS"
	if name := os.Getenv(env); name != "" {
		return readCredential(name, env+"="+name)
	}
	name := wellKnownFile()
	if name == "" {
		return nil, nil
	}
	c, err := readCredential(name, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return c, err
}

// wellKnownFile is where gcloud keeps Application Default Credentials.
// CLOUDSDK_CONFIG moves gcloud's directory; golang.org/x/oauth2/google does not
// look at it, so a login made there was not found.
func wellKnownFile() string {
	const name = "application_default_credentials.json"
	if dir := os.Getenv("CLOUDSDK_CONFIG"); dir != "" {
		return filepath.Join(dir, name)
	}
	if runtime.GOOS == "windows" {
		if dir := os.Getenv("APPDATA"); dir != "" {
			return filepath.Join(dir, "gcloud", name)
		}
		return ""
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".config", "gcloud", name)
}

func readCredential(name, from string) (*credential, error) {
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, &Error{Message: fmt.Sprintf("credentials from %s: %v", from, err), Err: err}
	}
	return parseCredential(raw, from)
}

func parseCredential(raw []byte, from string) (*credential, error) {
	c := &credential{raw: raw, from: from}
	if err := json.Unmarshal(raw, c); err != nil {
		// The text of err may quote the file, and the file is a secret.
		return nil, c.bad("are not JSON of Google's credential format", "")
	}
	switch c.Type {
	case typeServiceAccount, typeUser, typeExternal, typeExternalUser, typeImpersonated:
		return c, nil
	case "":
		hint := "download a service account's key, or run: gcloud auth application-default login"
		return nil, c.bad(`have no "type" field`, hint)
	}
	return nil, c.bad(fmt.Sprintf("are of the unknown type %q", clip(c.Type)), "")
}

func (c *credential) bad(what, hint string) *Error {
	return &Error{Message: fmt.Sprintf("credentials from %s %s", c.from, what), Hint: hint}
}

// check refuses what cannot work and what would send a secret in clear.
func (c *credential) check() error {
	missing := func(field string) error { return c.bad("have no "+field, "") }
	switch c.Type {
	case typeServiceAccount:
		switch {
		case c.ClientEmail == "":
			return missing("client_email")
		case c.PrivateKey == "":
			return missing("private_key")
		case !parsableKey(c.PrivateKey):
			return c.bad("have a private_key that is not an RSA key in PEM form", "download the key again")
		}
	case typeUser:
		switch {
		case c.RefreshToken == "":
			return missing("refresh_token")
		case c.ClientID == "":
			return missing("client_id")
		}
	case typeExternal:
		if c.TokenURL == "" {
			return missing("token_url")
		}
	case typeImpersonated:
		switch {
		case c.ImpersonationURL == "":
			return missing("service_account_impersonation_url")
		case len(c.Source) == 0:
			return missing("source_credentials")
		}
		source, err := parseCredential(c.Source, c.from+" (source_credentials)")
		if err != nil {
			return err
		}
		if err := source.check(); err != nil {
			return err
		}
	}
	for _, f := range []struct{ name, url string }{
		{"token_uri", c.TokenURI}, {"token_url", c.TokenURL}, {"service_account_impersonation_url", c.ImpersonationURL},
	} {
		if f.url == "" {
			continue
		}
		u, err := url.Parse(f.url)
		if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
			return c.bad("have a "+f.name+" that is not an https URL", "")
		}
	}
	return nil
}

// accessToken gives access tokens of the credential itself, by
// golang.org/x/oauth2/google, which does these exchanges right for every type:
// the signed assertion, the refresh grant, the STS exchange with its subject
// token from a file, a URL, a program or AWS, and impersonation on top.
func (c *credential) accessToken(client *http.Client) accessSource {
	return func(ctx context.Context) (string, error) {
		ctx, w := watched(ctx, client)
		creds, err := google.CredentialsFromJSONWithTypeAndParams(ctx, c.raw, google.CredentialsType(c.Type),
			google.CredentialsParams{Scopes: []string{cloudPlatform}})
		if err != nil {
			return "", &Error{Message: fmt.Sprintf("credentials from %s: %s", c.from, clip(err.Error())), Err: err}
		}
		t, err := creds.TokenSource.Token()
		if err != nil {
			return "", w.explain("an access token of "+c.describe(), c.hint(), err)
		}
		return t.AccessToken, nil
	}
}

// describe says whose credential it is.
func (c *credential) describe() string {
	switch c.Type {
	case typeServiceAccount:
		return "the service account " + c.ClientEmail
	case typeUser:
		return "the user logged in to gcloud"
	case typeImpersonated:
		return "the impersonated service account " + accountOf(c.ImpersonationURL)
	}
	return "the federated identity"
}

// member is the credential's identity as IAM policies name it; "" when the file
// does not say.
func (c *credential) member() string {
	switch c.Type {
	case typeServiceAccount:
		return "serviceAccount:" + c.ClientEmail
	case typeImpersonated:
		return "serviceAccount:" + accountOf(c.ImpersonationURL)
	}
	return ""
}

// hint is what mends a credential that is refused for good.
func (c *credential) hint() string {
	switch c.Type {
	case typeServiceAccount:
		return "see that the key was not deleted: gcloud iam service-accounts keys list --iam-account=" + c.ClientEmail
	case typeUser:
		return "log in again: gcloud auth application-default login"
	case typeExternal:
		return "see that the workload identity pool's provider accepts the subject token and its attribute condition"
	}
	return ""
}

// accountOf is the email in the URL of an IAM Credentials method.
func accountOf(url string) string {
	_, rest, _ := strings.Cut(url, "/serviceAccounts/")
	email, _, _ := strings.Cut(rest, ":")
	return email
}
