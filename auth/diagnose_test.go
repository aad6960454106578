// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gemma-go/sdk/auth"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// front is gemmatest's front end as a transport: no socket, any host name.
type front struct{ h http.Handler }

func (f front) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.Host = r.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &memWriter{header: http.Header{}, status: 200}
	f.h.ServeHTTP(w, in)
	return &http.Response{StatusCode: w.status, Header: w.header, Request: r, ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader(w.body.String()))}, nil
}

type memWriter struct {
	header http.Header
	status int
	body   strings.Builder
}

func (w *memWriter) Header() http.Header         { return w.header }
func (w *memWriter) WriteHeader(status int)      { w.status = status }
func (w *memWriter) Write(p []byte) (int, error) { return w.body.Write(p) }

// call makes one request with a token and returns what the transport says.
func call(t *testing.T, origin string, cfg gemmatest.FrontEndConfig, token string) (string, error) {
	t.Helper()
	served := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch r.URL.Path {
		case "/401", "/403", "/404":
			w.WriteHeader(map[string]int{"/401": 401, "/403": 403, "/404": 404}[r.URL.Path])
		}
		io.WriteString(w, `{"error":"the model server's own"}`)
	})
	var src auth.Source
	if token != "" {
		src = auth.SourceFunc(func(context.Context) (auth.Token, error) { return auth.Token{Value: token}, nil })
	}
	rt, err := auth.NewTransport(origin, src, front{gemmatest.NewFrontEnd(cfg, served)})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: rt}).Post(origin+"/api/chat", "application/json", strings.NewReader("{}"))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return string(b), nil
}

func TestDiagnosis(t *testing.T) {
	const (
		short  = "https://gemma-abc123xyz-ew.a.run.app"
		long   = "https://gemma-123456789012.europe-west1.run.app"
		tagged = "https://canary---gemma-abc123xyz-ew.a.run.app"
		custom = "https://llm.example.com"
	)
	mint := gemmatest.Mint
	type config = gemmatest.FrontEndConfig
	for _, tc := range []struct {
		name    string
		origin  string
		cfg     config
		token   string
		status  int
		message string
		hint    string
	}{
		{"no token", short, config{}, "",
			403, "no identity token was sent", `auth.Google("` + short + `", nil)`},
		{"access token", short, config{}, mint(gemmatest.MintOptions{Access: true}),
			401, "access token", "print-identity-token"},
		{"not a JWT", short, config{}, "sk-something",
			401, "not a JWT", "auth.Google"},
		{"wrong audience, short form", short, config{}, mint(gemmatest.MintOptions{Audience: "https://other.example.com"}),
			401, "audience is https://other.example.com, and this service's is " + short, "https://gemma-PROJECT_NUMBER.europe-west1.run.app"},
		{"wrong audience, long form", long, config{}, mint(gemmatest.MintOptions{Audience: "https://other.example.com"}),
			401, "this service's is " + long, "mint the token for " + long},
		{"path in the audience", short, config{}, mint(gemmatest.MintOptions{Audience: short + "/v1"}),
			401, "audience is " + short + "/v1", "without a path"},
		{"tag in the audience", tagged, config{URL: short}, mint(gemmatest.MintOptions{Audience: tagged}),
			401, "this service's is " + short, "mint the token for " + short},
		{"custom domain not configured", custom, config{URL: short}, mint(gemmatest.MintOptions{Audience: "https://elsewhere.example.com"}),
			401, "this service's is " + custom, "--add-custom-audiences=" + custom},
		{"custom domain, right audience", custom, config{URL: short}, mint(gemmatest.MintOptions{Audience: custom}),
			401, custom + " may not be an audience", "--add-custom-audiences=" + custom},
		{"no audience", short, config{}, mint(gemmatest.MintOptions{}),
			401, "no audience", short},
		{"another issuer", short, config{}, mint(gemmatest.MintOptions{Audience: short, Issuer: "https://token.actions.githubusercontent.com"}),
			401, "githubusercontent", "impersonate a service account"},
		{"self-signed", short, config{}, mint(gemmatest.MintOptions{Audience: short, Issuer: robot}),
			401, "signed by the service account itself", "auth.Google"},
		{"forged", short, config{}, mint(gemmatest.MintOptions{Audience: short, Forged: true}),
			401, "could not be verified", "deleted or disabled"},
		{"no role, service account", short, config{Invokers: []string{}}, mint(gemmatest.MintOptions{Audience: short, Principal: robot}),
			403, robot + " lacks the role roles/run.invoker on the service (just granted? it takes a minute",
			"gcloud run services add-iam-policy-binding gemma --region=europe-west1 --member=serviceAccount:" + robot + " --role=roles/run.invoker"},
		{"no role, user", long, config{Invokers: []string{}}, mint(gemmatest.MintOptions{Audience: gemmatest.GcloudAudience, Principal: person}),
			403, person + " lacks", "--member=user:" + person + " --role=roles/run.invoker --project=123456789012"},
		{"no role, custom domain", custom, config{URL: short, Audiences: []string{custom}, Invokers: []string{}}, mint(gemmatest.MintOptions{Audience: custom}),
			403, "lacks", "add-iam-policy-binding SERVICE --region=REGION"},
		{"user with another audience", short, config{}, mint(gemmatest.MintOptions{Audience: "https://other.example.com", Principal: person}),
			404, "the user " + person, "gcloud run services describe gemma --region=europe-west1"},
		{"deleted", long, config{Broken: 404}, mint(gemmatest.MintOptions{Audience: long}),
			404, "not the model server's answer", "gcloud run services describe gemma --region=europe-west1 --project=123456789012"},
		{"wrong custom domain", custom, config{Broken: 404}, mint(gemmatest.MintOptions{Audience: custom}),
			404, "ingress", "gcloud run services list"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.cfg.URL == "" {
				tc.cfg.URL = tc.origin
			}
			_, err := call(t, tc.origin, tc.cfg, tc.token)
			e, ok := errors.AsType[*auth.Error](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			if e.Status != tc.status || !strings.Contains(e.Message, tc.message) || !strings.Contains(e.Hint, tc.hint) {
				t.Errorf("status %d\nmessage %s\nwant    %s\nhint    %s\nwant    %s", e.Status, e.Message, tc.message, e.Hint, tc.hint)
			}
			if e.Origin != tc.origin || e.Retryable() {
				t.Errorf("origin %s, retryable %v", e.Origin, e.Retryable())
			}
			if tc.token != "" && strings.Contains(err.Error(), tc.token[:min(20, len(tc.token))]) {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}

// The expiry is told by the token and by the endpoint's clock.
func TestDiagnosisExpired(t *testing.T) {
	rt := func(skew time.Duration) error {
		token := gemmatest.Mint(gemmatest.MintOptions{Audience: endpoint, Lifetime: time.Minute})
		tr, err := auth.NewTransport(endpoint, auth.Static(token), front{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(skew).UTC().Format(http.TimeFormat))
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(401)
		})})
		if err != nil {
			t.Fatal(err)
		}
		_, err = (&http.Client{Transport: tr}).Get(endpoint)
		return err
	}
	if err := rt(2 * time.Hour); err == nil || !strings.Contains(err.Error(), "expired at") || !strings.Contains(err.Error(), "set this machine's clock") {
		t.Errorf("clock two hours late: %v", err)
	}
	if err := rt(0); err == nil || strings.Contains(err.Error(), "expired") {
		t.Errorf("right clock: %v", err)
	}
}

// What the model server itself answers is not the front end's.
func TestDiagnosisLeavesTheModelServerAlone(t *testing.T) {
	for _, tc := range []struct {
		status            int
		contentType, text string
	}{
		{401, "application/json", `{"error":{"code":401,"message":"invalid key"}}`},
		{401, "text/plain; charset=utf-8", "Invalid API key."},
		{403, "application/json; charset=utf-8", `{"error":{"code":403}}`},
		{404, "text/plain; charset=utf-8", "404 page not found"},
		{404, "application/json", `{"error":"model \"nope\" not found, try pulling it first"}`},
		{500, "text/html; charset=UTF-8", "<html>Server Error</html>"},
		{429, "text/plain", "Rate exceeded."},
	} {
		rt, _ := auth.NewTransport(endpoint, auth.Static("a.b.c"), front{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", tc.contentType)
			w.WriteHeader(tc.status)
			io.WriteString(w, tc.text)
		})})
		resp, err := (&http.Client{Transport: rt}).Get(endpoint)
		if err != nil {
			t.Errorf("%d %s: %v", tc.status, tc.contentType, err)
			continue
		}
		b, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != tc.status || string(b) != tc.text {
			t.Errorf("%d %q", resp.StatusCode, b)
		}
	}
}

func TestDiagnosisOfACallersOwnIdentity(t *testing.T) {
	rt, _ := auth.NewTransport(endpoint, auth.Static("a.b.c"), front{gemmatest.NewFrontEnd(gemmatest.FrontEndConfig{URL: endpoint}, nil)})
	req, _ := http.NewRequest("GET", endpoint, nil)
	req.Header.Set("X-Serverless-Authorization", "Bearer mine")
	_, err := rt.RoundTrip(req)
	if err == nil || !strings.Contains(err.Error(), "X-Serverless-Authorization") {
		t.Error(err)
	}
}

// An endless error page is not read to its end.
func TestDiagnosisIsBounded(t *testing.T) {
	read := 0
	rt, _ := auth.NewTransport(endpoint, nil, roundTripFunc(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 403, Header: http.Header{"Content-Type": {"text/html"}},
			Body: io.NopCloser(readerFunc(func(p []byte) (int, error) { read += len(p); return len(p), nil }))}, nil
	}))
	if _, err := (&http.Client{Transport: rt}).Get(endpoint); err == nil || read > 64<<10 {
		t.Errorf("read %d bytes, %v", read, err)
	}
}

func TestDiagnosisOfIAP(t *testing.T) {
	rt, _ := auth.NewTransport(endpoint, auth.Static("a.b.c"), front{http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Goog-Iap-Generated-Response", "true")
		w.WriteHeader(401)
		io.WriteString(w, "Invalid IAP credentials: JWT signature is invalid")
	})})
	_, err := (&http.Client{Transport: rt}).Get(endpoint)
	if err == nil || !strings.Contains(err.Error(), "Identity-Aware Proxy") {
		t.Error(err)
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
