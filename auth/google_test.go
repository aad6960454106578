// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"

	"github.com/gemma-go/sdk/auth"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// noCredentials takes away what the machine of the test may have.
func noCredentials(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
	t.Setenv("CLOUDSDK_CONFIG", t.TempDir())
	for _, env := range []string{"GCE_METADATA_HOST", "K_SERVICE", "CLOUD_RUN_JOB", "FUNCTION_TARGET", "GAE_SERVICE"} {
		t.Setenv(env, "")
	}
}

// accepted calls a private endpoint with the source's token: through the
// transport and Cloud Run's front end, which lets in the principal alone, and
// through Google's own validation.
func accepted(t *testing.T, src auth.Source, audience, principal string) {
	t.Helper()
	front := httptest.NewServer(gemmatest.NewFrontEnd(
		gemmatest.FrontEndConfig{URL: endpoint, Invokers: []string{principal}},
		http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("served")) })))
	defer front.Close()
	rt, err := auth.NewTransport(front.URL, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: rt}).Get(front.URL)
	if err != nil {
		t.Fatalf("the front end refused: %v", err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Fatalf("status %d", resp.StatusCode)
	}

	tok, err := src.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if tok.Audience != audience || tok.Principal != principal || tok.Expiry.IsZero() {
		t.Errorf("%v, want audience %s, principal %s", tok, audience, principal)
	}
	v, err := idtoken.NewValidator(t.Context(), option.WithHTTPClient(gemmatest.GoogleClient()))
	if err != nil {
		t.Fatal(err)
	}
	p, err := v.Validate(t.Context(), tok.Value, audience)
	if err != nil {
		t.Fatalf("idtoken.Validate: %v", err)
	}
	if p.Claims["email"] != principal {
		t.Errorf("email %v, want %s", p.Claims["email"], principal)
	}
}

func TestGoogleEveryKind(t *testing.T) {
	for _, tc := range []struct {
		name      string
		cred      func(*fakeGoogle) map[string]any // nil: the metadata server
		opts      auth.GoogleOptions
		audience  string
		principal string
		path      []string // of the requests, in order
	}{
		{name: "service account key", cred: (*fakeGoogle).serviceAccount, principal: robot, path: []string{"/token"}},
		{name: "metadata server", principal: robot, path: []string{"/computeMetadata/v1/instance/service-accounts/default/identity"}},
		{name: "gcloud user", cred: (*fakeGoogle).user, principal: person, audience: gemmatest.GcloudAudience, path: []string{"/token"}},
		{name: "impersonated, source service account",
			cred:      func(g *fakeGoogle) map[string]any { return g.impersonated(g.serviceAccount(), target) },
			principal: target, path: []string{"/token", idMethod}},
		{name: "impersonated, source user",
			cred:      func(g *fakeGoogle) map[string]any { return g.impersonated(g.user(), target) },
			principal: target, path: []string{"/token", idMethod}},
		{name: "impersonated, with delegates",
			cred: func(g *fakeGoogle) map[string]any {
				return g.impersonated(g.user(), chained, "projects/-/serviceAccounts/"+middle)
			},
			principal: chained, path: []string{"/token", chainedMethod}},
		{name: "impersonated, source federated",
			cred:      func(g *fakeGoogle) map[string]any { return g.impersonated(g.external(""), target) },
			principal: target, path: []string{"/sts", idMethod}},
		{name: "federated with impersonation",
			cred:      func(g *fakeGoogle) map[string]any { return g.external(target) },
			principal: target, path: []string{"/sts", idMethod}},

		{name: "named account, from a service account key", cred: (*fakeGoogle).serviceAccount,
			opts: auth.GoogleOptions{ImpersonateServiceAccount: target}, principal: target, path: []string{"/token", idMethod}},
		{name: "named account, from the metadata server",
			opts: auth.GoogleOptions{ImpersonateServiceAccount: target}, principal: target,
			path: []string{"/computeMetadata/v1/instance/service-accounts/default/token", idMethod}},
		{name: "named account, from a user", cred: (*fakeGoogle).user,
			opts: auth.GoogleOptions{ImpersonateServiceAccount: target}, principal: target, path: []string{"/token", idMethod}},
		{name: "named account, from a federated identity without one", cred: func(g *fakeGoogle) map[string]any { return g.external("") },
			opts: auth.GoogleOptions{ImpersonateServiceAccount: target}, principal: target, path: []string{"/sts", idMethod}},
		{name: "named account, from an impersonated one",
			cred: func(g *fakeGoogle) map[string]any { return g.impersonated(g.user(), middle) },
			opts: auth.GoogleOptions{ImpersonateServiceAccount: chained}, principal: chained,
			path: []string{"/token", "/v1/projects/-/serviceAccounts/" + middle + ":generateAccessToken", chainedMethod}},
		{name: "named account, with delegates", cred: (*fakeGoogle).user,
			opts:      auth.GoogleOptions{ImpersonateServiceAccount: chained, Delegates: []string{middle}},
			principal: chained, path: []string{"/token", chainedMethod}},

		{name: "service account of another universe", cred: func(g *fakeGoogle) map[string]any {
			c := g.serviceAccount()
			c["universe_domain"] = "example-cloud.test"
			return c
		}, principal: robot, path: []string{"/v1/projects/-/serviceAccounts/" + robot + ":generateIdToken"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noCredentials(t)
			g := newFakeGoogle(t)
			for _, from := range []string{robot, person, workload} {
				g.allow(from, target)
			}
			g.allow(person, middle)
			g.allow(middle, chained)
			g.allow(robot, robot)
			opts := tc.opts
			opts.SetIAMEndpoint(g.URL)
			if tc.cred != nil {
				opts.CredentialsJSON = jsonOf(tc.cred(g))
			} else {
				t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(g.URL, "http://"))
			}
			src, err := auth.Google(endpoint, &opts)
			if err != nil {
				t.Fatal(err)
			}
			if n := len(g.asked()); n != 0 {
				t.Errorf("%d requests before the first token is wanted", n)
			}
			audience := tc.audience
			if audience == "" {
				audience = endpoint
			}
			accepted(t, src, audience, tc.principal)
			if got := g.asked(); !slices.Equal(got, tc.path) {
				t.Errorf("asked %q\nwant  %q", got, tc.path)
			}
		})
	}
}

const (
	target        = "invoker@gemma-test.iam.gserviceaccount.com"
	chained       = "chained@gemma-test.iam.gserviceaccount.com"
	idMethod      = "/v1/projects/-/serviceAccounts/" + target + ":generateIdToken"
	chainedMethod = "/v1/projects/-/serviceAccounts/" + chained + ":generateIdToken"
)

// gemmatest's own metadata server, as the rest of the module uses it.
func TestGoogleWithGemmatestMetadata(t *testing.T) {
	noCredentials(t)
	srv := gemmatest.NewServer(gemmatest.Config{})
	defer srv.Close()
	t.Setenv("GCE_METADATA_HOST", srv.MetadataHost())
	src, err := auth.Google(srv.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	rt, err := auth.NewTransport(srv.URL, src, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: rt}).Get(srv.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

// fakeGcloud puts a gcloud on the PATH that prints a token for the arguments it
// knows.
func fakeGcloud(t *testing.T, account string, tokens map[string]string) {
	t.Helper()
	var script strings.Builder
	script.WriteString("#!/bin/sh\ncase \"$*\" in\n'config get-value account --quiet') echo '" + account + "';;\n")
	for args, token := range tokens {
		script.WriteString("'" + args + "') echo '" + token + "';;\n")
	}
	script.WriteString("*) echo \"ERROR: (gcloud.auth) unexpected: $*\" >&2; exit 1;;\nesac\n")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "gcloud"), []byte(script.String()), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

func TestGoogleGCloud(t *testing.T) {
	const print = "auth print-identity-token --quiet"
	userToken := gemmatest.Mint(gemmatest.MintOptions{Audience: gemmatest.GcloudAudience, Principal: person})
	robotToken := gemmatest.Mint(gemmatest.MintOptions{Audience: endpoint, Principal: robot})
	targetToken := gemmatest.Mint(gemmatest.MintOptions{Audience: endpoint, Principal: target})
	for _, tc := range []struct {
		name, account, args, token string
		opts                       auth.GoogleOptions
		audience, principal        string
	}{
		{"user", person, print, userToken, auth.GoogleOptions{GCloud: true}, gemmatest.GcloudAudience, person},
		{"service account", robot, print + " --audiences=" + endpoint, robotToken, auth.GoogleOptions{GCloud: true}, endpoint, robot},
		{"impersonation", person,
			print + " --impersonate-service-account=" + middle + "," + target + " --include-email --audiences=" + endpoint,
			targetToken, auth.GoogleOptions{GCloud: true, ImpersonateServiceAccount: target, Delegates: []string{middle}}, endpoint, target},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noCredentials(t)
			fakeGcloud(t, tc.account, map[string]string{tc.args: tc.token})
			src, err := auth.Google(endpoint, &tc.opts)
			if err != nil {
				t.Fatal(err)
			}
			accepted(t, src, tc.audience, tc.principal)
		})
	}
	t.Run("not logged in", func(t *testing.T) {
		noCredentials(t)
		fakeGcloud(t, person, nil)
		src, _ := auth.Google(endpoint, &auth.GoogleOptions{GCloud: true})
		_, err := src.Token(t.Context())
		if err == nil || !strings.Contains(err.Error(), "gcloud auth login") || !strings.Contains(err.Error(), "unexpected") {
			t.Error(err)
		}
	})
	t.Run("not installed", func(t *testing.T) {
		noCredentials(t)
		t.Setenv("PATH", t.TempDir())
		src, _ := auth.Google(endpoint, &auth.GoogleOptions{GCloud: true})
		_, err := src.Token(t.Context())
		if e, ok := errors.AsType[*auth.Error](err); !ok || e.Retryable() || !strings.Contains(e.Message, "not on the PATH") {
			t.Error(err)
		}
	})
}

// Application Default Credentials, in Google's order.
func TestGoogleOrder(t *testing.T) {
	noCredentials(t)
	g := newFakeGoogle(t)
	g.allow(person, target)
	dir := t.TempDir()
	write := func(name string, v any) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, jsonOf(v), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	principal := func(opts *auth.GoogleOptions) string {
		t.Helper()
		src, err := auth.Google(endpoint, opts)
		if err != nil {
			t.Fatal(err)
		}
		tok, err := src.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return tok.Principal
	}
	t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(g.URL, "http://"))
	if p := principal(nil); p != robot || !strings.HasPrefix(g.asked()[0], "/computeMetadata/") {
		t.Errorf("metadata server: %s, %q", p, g.asked())
	}
	t.Setenv("CLOUDSDK_CONFIG", dir)
	write("application_default_credentials.json", g.user())
	if p := principal(nil); p != person {
		t.Errorf("gcloud's file: %s", p)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", write("env.json", g.impersonated(g.user(), target)))
	if p := principal(nil); p != target {
		t.Errorf("the environment's file: %s", p)
	}
	if p := principal(&auth.GoogleOptions{CredentialsFile: write("explicit.json", g.user())}); p != person {
		t.Errorf("an explicit file: %s", p)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(dir, "missing.json"))
	if _, err := auth.Google(endpoint, nil); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "GOOGLE_APPLICATION_CREDENTIALS") {
		t.Errorf("a file that the environment names and that is missing: %v", err)
	}
}
