// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/oauth2"

	"github.com/gemma-go/sdk/auth"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// Each failure to get a token says whose it was, who said what, whether trying
// again can help, and what mends it. None shows a secret.
func TestGoogleFailures(t *testing.T) {
	for _, tc := range []struct {
		name  string
		cred  func(*fakeGoogle) map[string]any
		opts  auth.GoogleOptions
		setup func(*fakeGoogle)
		retry bool
		want  []string
	}{
		{name: "key deleted", cred: func(g *fakeGoogle) map[string]any {
			c := g.serviceAccount()
			c["private_key_id"] = "ffff"
			return c
		}, want: []string{robot, "400", "invalid_grant", "Invalid JWT", "keys list --iam-account=" + robot}},
		{name: "login revoked", cred: func(g *fakeGoogle) map[string]any {
			c := g.user()
			c["refresh_token"] = "1//0e-another-refresh-token"
			return c
		}, want: []string{"invalid_grant", "expired or revoked", "gcloud auth application-default login"}},
		{name: "may not impersonate", cred: (*fakeGoogle).user, opts: auth.GoogleOptions{ImpersonateServiceAccount: target},
			want: []string{target, "403", "PERMISSION_DENIED", "roles/iam.serviceAccountTokenCreator"}},
		{name: "account may not impersonate", cred: (*fakeGoogle).serviceAccount, opts: auth.GoogleOptions{ImpersonateServiceAccount: target},
			want: []string{"add-iam-policy-binding " + target + " --member=serviceAccount:" + robot + " --role=roles/iam.serviceAccountTokenCreator"}},
		{name: "gap in the delegates", cred: (*fakeGoogle).user,
			opts:  auth.GoogleOptions{ImpersonateServiceAccount: chained, Delegates: []string{middle}},
			setup: func(g *fakeGoogle) { g.allow(person, chained); g.allow(person, middle) },
			want:  []string{chained, "PERMISSION_DENIED"}},
		{name: "subject token refused", cred: func(g *fakeGoogle) map[string]any {
			c := g.external(target)
			c["subject_token_type"] = "urn:ietf:params:oauth:token-type:id_token"
			return c
		}, want: []string{"federated identity", "invalid_request", "attribute condition"}},
		{name: "no service account attached", setup: func(g *fakeGoogle) { g.fail = func(string) int { return 404 } },
			want: []string{"attached service account", "404", "service account"}},
		{name: "IAM down", cred: (*fakeGoogle).user, opts: auth.GoogleOptions{ImpersonateServiceAccount: target}, retry: true,
			setup: failOn("generateIdToken", 503), want: []string{target, "503"}},
		{name: "STS down", cred: func(g *fakeGoogle) map[string]any { return g.external(target) }, retry: true,
			setup: failOn("/sts", 502), want: []string{"502"}},
		{name: "token server overloaded", cred: (*fakeGoogle).serviceAccount, retry: true,
			setup: failOn("/token", 429), want: []string{"429"}},
		{name: "metadata server not ready", retry: true, setup: failOn("identity", 500), want: []string{"500"}},
		{name: "token server out of reach", cred: (*fakeGoogle).serviceAccount, retry: true,
			setup: func(g *fakeGoogle) { g.Close() }, want: []string{"cannot be reached", "refused"}},
		{name: "token server redirects", cred: (*fakeGoogle).serviceAccount,
			setup: failOn("/token", 307), want: []string{"307"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			noCredentials(t)
			g := newFakeGoogle(t)
			opts := tc.opts
			opts.SetIAMEndpoint(g.URL)
			var secrets []string
			if tc.cred != nil {
				c := tc.cred(g)
				for _, k := range []string{"private_key", "refresh_token", "client_secret"} {
					if s, ok := c[k].(string); ok {
						secrets = append(secrets, s)
					}
				}
				opts.CredentialsJSON = jsonOf(c)
			} else {
				t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(g.URL, "http://"))
			}
			if tc.setup != nil {
				tc.setup(g)
			}
			src, err := auth.Google(endpoint, &opts)
			if err != nil {
				t.Fatal(err)
			}
			_, err = auth.Uncached(src).Token(t.Context())
			e, ok := errors.AsType[*auth.Error](err)
			if !ok || e.Status != 0 {
				t.Fatalf("error %v", err)
			}
			if e.Retryable() != tc.retry {
				t.Errorf("retryable %v: %v", e.Retryable(), err)
			}
			if slices.Contains(g.asked(), "/elsewhere") {
				t.Error("the assertion followed a redirect")
			}
			for _, w := range tc.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q is missing in: %v", w, err)
				}
			}
			for _, s := range append(secrets, refreshToken, subjectToken, "ya29.", "eyJ", "BEGIN") {
				if strings.Contains(err.Error(), s) {
					t.Errorf("a secret (%.8s…) in: %v", s, err)
				}
			}
		})
	}
}

func failOn(part string, status int) func(*fakeGoogle) {
	return func(g *fakeGoogle) {
		g.fail = func(path string) int {
			if strings.HasSuffix(path, part) {
				return status
			}
			return 0
		}
	}
}

// What cannot work is refused at once, naming the place and the field.
func TestGoogleRefusesBadConfiguration(t *testing.T) {
	noCredentials(t)
	g := newFakeGoogle(t)
	with := func(c map[string]any, key string, value any) *auth.GoogleOptions {
		c[key] = value
		return &auth.GoogleOptions{CredentialsJSON: jsonOf(c)}
	}
	for _, tc := range []struct {
		name string
		opts *auth.GoogleOptions
		want string
	}{
		{"not JSON", &auth.GoogleOptions{CredentialsJSON: []byte(`{"private_key": "secret`)}, "not JSON"},
		{"no type", &auth.GoogleOptions{CredentialsJSON: []byte(`{"installed":{}}`)}, `no "type"`},
		{"unknown type", with(g.user(), "type", "gdch_service_account"), "gdch_service_account"},
		{"no key", with(g.serviceAccount(), "private_key", ""), "private_key"},
		{"broken key", with(g.serviceAccount(), "private_key", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"), "not an RSA key"},
		{"no email", with(g.serviceAccount(), "client_email", ""), "client_email"},
		{"token server in clear", with(g.serviceAccount(), "token_uri", "http://oauth2.example.com/token"), "token_uri"},
		{"no refresh token", with(g.user(), "refresh_token", ""), "refresh_token"},
		{"federated alone", &auth.GoogleOptions{CredentialsJSON: jsonOf(g.external(""))}, "ImpersonateServiceAccount"},
		{"federated, no token server", with(g.external(target), "token_url", ""), "token_url"},
		{"federated, odd impersonation", with(g.external(target), "service_account_impersonation_url", "https://example.com/x"), "generateAccessToken"},
		{"impersonation in clear", with(g.external(target), "service_account_impersonation_url",
			"http://example.com/v1/projects/-/serviceAccounts/a@b:generateAccessToken"), "https"},
		{"impersonated without a source", with(g.impersonated(g.user(), target), "source_credentials", nil), "source_credentials"},
		{"impersonated, bad source", &auth.GoogleOptions{CredentialsJSON: jsonOf(g.impersonated(map[string]any{"type": "x"}, target))}, "source_credentials"},
		{"a workforce user alone", &auth.GoogleOptions{CredentialsJSON: []byte(`{"type":"external_account_authorized_user"}`)}, "ImpersonateServiceAccount"},
		{"file and JSON", &auth.GoogleOptions{CredentialsFile: "f", CredentialsJSON: []byte("{}")}, "both"},
		{"no such file", &auth.GoogleOptions{CredentialsFile: "/does/not/exist.json"}, "/does/not/exist.json"},
		{"gcloud and a file", &auth.GoogleOptions{GCloud: true, CredentialsFile: "f"}, "GCloud"},
		{"delegates of nobody", &auth.GoogleOptions{Delegates: []string{middle}}, "Delegates"},
		{"not an email", &auth.GoogleOptions{ImpersonateServiceAccount: "../../x"}, "email"},
	} {
		_, err := auth.Google(endpoint, tc.opts)
		e, ok := errors.AsType[*auth.Error](err)
		if !ok || e.Retryable() || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") && !strings.Contains(tc.name, "secret") {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
	if _, err := auth.Google("", nil); err == nil {
		t.Error("an empty audience was taken")
	}
}

// Where there is nothing at all, that is said soon and for good.
func TestGoogleNoCredentialsAtAll(t *testing.T) {
	noCredentials(t)
	synctest.Test(t, func(t *testing.T) {
		src, err := auth.Google(endpoint, &auth.GoogleOptions{HTTPClient: &http.Client{Transport: roundTripFunc(
			func(r *http.Request) (*http.Response, error) { // the address leads nowhere, as on most networks
				if r.Header.Get("Metadata-Flavor") != "Google" || r.URL.Host != "169.254.169.254" {
					t.Errorf("asked %s", r.URL)
				}
				<-r.Context().Done()
				return nil, r.Context().Err()
			})}})
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		_, err = src.Token(t.Context())
		e, ok := errors.AsType[*auth.Error](err)
		if !ok || e.Retryable() || !strings.Contains(e.Error(), "gcloud auth application-default login") {
			t.Errorf("error %v", err)
		}
		if d := time.Since(begun); d > 2*time.Second {
			t.Errorf("said after %s", d)
		}
	})
}

// The whole way in virtual time: gemmatest's metadata server hands out tokens
// with ten minutes left, and its front end checks each.
func TestMetadataTokenIsRenewedInTime(t *testing.T) {
	noCredentials(t)
	t.Setenv("GCE_METADATA_HOST", "metadata.google.internal")
	synctest.Test(t, func(t *testing.T) {
		srv := gemmatest.NewServer(gemmatest.Config{Kind: gemmatest.Ollama, InMemory: true, TokenLifetime: 600 * time.Second})
		defer srv.Close()
		src, err := auth.Google(srv.URL, &auth.GoogleOptions{HTTPClient: &http.Client{Transport: srv.Transport()}})
		if err != nil {
			t.Fatal(err)
		}
		rt, err := auth.NewTransport(srv.URL, src, srv.Transport())
		if err != nil {
			t.Fatal(err)
		}
		for range 60 {
			resp, err := (&http.Client{Transport: rt}).Get(srv.URL + "/api/version")
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			time.Sleep(time.Minute)
		}
		if n := len(srv.MetadataRequests()); n < 6 || n > 16 {
			t.Errorf("%d tokens in an hour", n)
		}
		for _, r := range srv.Requests() {
			if r.Status != 200 {
				t.Errorf("a request got %d", r.Status)
			}
		}
	})
}

// The front end refuses a token that is valid by its claims: one more token,
// one more try, no more.
func TestRefusedToken(t *testing.T) {
	for _, refuse := range []int{0, 1, 2} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var tokens []string
			srv := gemmatest.NewServer(gemmatest.Config{Kind: gemmatest.Ollama, InMemory: true,
				FrontEnd: gemmatest.FrontEndConfig{Intercept: func(r *http.Request) *gemmatest.Page {
					mu.Lock()
					defer mu.Unlock()
					tokens = append(tokens, r.Header.Get("Authorization"))
					if len(tokens) <= refuse {
						return gemmatest.FrontEndPage(401, r.URL.Path)
					}
					return nil
				}}})
			defer srv.Close()
			n := 0
			rt, err := auth.NewTransport(srv.URL, auth.SourceFunc(func(ctx context.Context) (auth.Token, error) {
				n++
				time.Sleep(time.Second) // tokens minted in different seconds differ
				return srv.Source().Token(ctx)
			}), srv.Transport())
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			resp, err := (&http.Client{Transport: rt}).Post(srv.URL+"/api/show", "application/json", strings.NewReader(`{"model":"gemma3:4b"}`))
			if err == nil {
				resp.Body.Close()
			}
			if e, ok := errors.AsType[*auth.Error](err); refuse < 2 && (err != nil || resp.StatusCode != 200) || refuse == 2 && (!ok || e.Status != 401) {
				t.Errorf("refused %d times: %v", refuse, err)
			}
			if want := min(refuse, 1) + 1; n != want || len(tokens) != want || time.Since(begun) != time.Duration(want)*time.Second {
				t.Errorf("refused %d times: %d tokens, %d requests, %s", refuse, n, len(tokens), time.Since(begun))
			}
		})
	}
}

func TestStatic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		value := gemmatest.Mint(gemmatest.MintOptions{Audience: endpoint, Lifetime: time.Hour})
		src := auth.Static(value)
		tok, err := src.Token(t.Context())
		if err != nil || tok.Value != value || tok.Audience != endpoint || !tok.Expiry.Equal(time.Now().Add(time.Hour)) {
			t.Errorf("%v, %v", tok, err)
		}
		time.Sleep(time.Hour)
		if _, err := src.Token(t.Context()); err == nil || !strings.Contains(err.Error(), "expired at") {
			t.Errorf("after an hour: %v", err)
		}
	})
	if _, err := auth.Static("").Token(t.Context()); err == nil {
		t.Error("an empty token")
	}
	if tok, err := auth.Static("opaque").Token(t.Context()); err != nil || tok.Value != "opaque" {
		t.Error(err)
	}
}

type oauth2Source func() (*oauth2.Token, error)

func (f oauth2Source) Token() (*oauth2.Token, error) { return f() }

func TestFromTokenSource(t *testing.T) {
	value := gemmatest.Mint(gemmatest.MintOptions{Audience: endpoint, Lifetime: 10 * time.Minute})
	// idtoken says an hour of any metadata token; the token knows better.
	wrong := time.Now().Add(55 * time.Minute)
	tok, err := auth.FromTokenSource(oauth2.StaticTokenSource(&oauth2.Token{AccessToken: value, Expiry: wrong})).Token(t.Context())
	if err != nil || tok.Value != value || tok.Audience != endpoint || time.Until(tok.Expiry) > 10*time.Minute {
		t.Errorf("%v, %v", tok, err)
	}
	both := (&oauth2.Token{AccessToken: "ya29.x"}).WithExtra(map[string]any{"id_token": value})
	if tok, err := auth.FromTokenSource(oauth2.StaticTokenSource(both)).Token(t.Context()); err != nil || tok.Value != value {
		t.Errorf("the id_token beside the access token: %v, %v", tok, err)
	}
	for status, retry := range map[int]bool{400: false, 403: false, 429: true, 503: true} {
		_, err := auth.FromTokenSource(oauth2Source(func() (*oauth2.Token, error) {
			return nil, &oauth2.RetrieveError{Response: &http.Response{StatusCode: status}}
		})).Token(t.Context())
		if e, ok := errors.AsType[*auth.Error](err); !ok || e.Retryable() != retry {
			t.Errorf("%d: %v", status, err)
		}
	}
	if _, err := auth.FromTokenSource(oauth2Source(func() (*oauth2.Token, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("no route to host")}
	})).Token(t.Context()); err == nil || !err.(*auth.Error).Retryable() {
		t.Errorf("a network error: %v", err)
	}
	if _, err := auth.FromTokenSource(nil).Token(t.Context()); err == nil {
		t.Error("nil gave a token")
	}
}
