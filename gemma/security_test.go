// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/auth"
	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

const (
	secretToken  = "eyJhbGciOiJSUzI1NiJ9.c2VjcmV0LXRva2Vu.c2lnbmF0dXJl"
	secretKey    = "sk-container-key"
	secretPrompt = "the merger is on friday"
)

// TestRedirectCarriesNothing: an endpoint that redirects to another host, to
// another port, or from https to http gets an error, and the other server
// neither token nor key nor prompt.
func TestRedirectCarriesNothing(t *testing.T) {
	var got []*http.Request
	var bodies bytes.Buffer
	thief := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r)
		bodies.ReadFrom(r.Body)
	}))
	defer thief.Close()
	for _, status := range []int{http.StatusTemporaryRedirect, http.StatusPermanentRedirect, http.StatusFound} {
		endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, thief.URL+r.URL.Path, status)
		}))
		for _, p := range []gemma.Protocol{gemma.ProtocolAuto, gemma.ProtocolOllama, gemma.ProtocolOpenAI, gemma.ProtocolGemini} {
			client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: endpoint.URL, Model: "gemma3:4b", Protocol: p, Auth: auth.Static(secretToken), APIKey: secretKey})
			if err != nil {
				t.Fatal(err)
			}
			_, err = text(client.Stream(t.Context(), genai.Text(secretPrompt), nil))
			noSecret(t, err)
			_, err = client.GenAI().Models.GenerateContent(t.Context(), "gemma3:4b", genai.Text(secretPrompt), nil)
			noSecret(t, err)
			resp, err := client.HTTPClient().Post(endpoint.URL+"/api/generate", "application/json", strings.NewReader(secretPrompt))
			if err == nil {
				resp.Body.Close()
			}
			noSecret(t, err)
		}
		endpoint.Close()
	}
	if len(got) > 0 || bodies.Len() > 0 {
		t.Errorf("the other server got %d requests", len(got))
	}
}

// noSecret wants an error that holds no secret.
func noSecret(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, s := range []string{secretToken, "c2VjcmV0LXRva2Vu", secretKey, secretPrompt} {
		if strings.Contains(err.Error(), s) {
			t.Errorf("the error holds %q: %v", s, err)
		}
	}
}

// TestOtherHostsGetNothing: the client's HTTP client carries requests to its
// own origin only, however much another host looks like it.
func TestOtherHostsGetNothing(t *testing.T) {
	sent := 0
	base := transportFunc(func(r *http.Request) (*http.Response, error) {
		sent++
		return &http.Response{StatusCode: 200, Body: http.NoBody, Header: http.Header{}, Request: r}, nil
	})
	client, err := gemma.NewClient(t.Context(), gemma.Config{
		Endpoint: "https://gemma-abc-ew.a.run.app", Model: "m", Auth: auth.Static(secretToken), APIKey: secretKey, Transport: base})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range []string{
		"http://gemma-abc-ew.a.run.app/", "https://gemma-abc-ew.a.run.app.evil.example/", "https://gemma-abc-ew.a.run.app:8443/",
		"https://evil.example/gemma-abc-ew.a.run.app", "https://gemma-abc-ew.a.run.app@evil.example/", "https://gemma-abc-ew-a.run.app/",
		"https://tag---gemma-abc-ew.a.run.app/", "https://xn--gemma-abc-ew.a.run.app/",
	} {
		resp, err := client.HTTPClient().Get(u)
		if err == nil {
			resp.Body.Close()
		}
		noSecret(t, err)
	}
	if sent != 0 {
		t.Errorf("%d requests were sent", sent)
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestBadConfig: every wrong field is named, nothing of a value that may be
// secret is repeated, and nothing touches the network.
func TestBadConfig(t *testing.T) {
	tests := []struct {
		name, names string
		config      gemma.Config
	}{
		{"no endpoint", "Config.Endpoint", gemma.Config{}},
		{"plain http", "https", gemma.Config{Endpoint: "http://gemma.example"}},
		{"plain http on a private address", "https", gemma.Config{Endpoint: "http://10.0.0.1:8080"}},
		{"looks like loopback", "https", gemma.Config{Endpoint: "http://127.0.0.1.example.com"}},
		{"looks like localhost", "https", gemma.Config{Endpoint: "http://localhost.example.com"}},
		{"scheme", "scheme", gemma.Config{Endpoint: "ftp://gemma.example"}},
		{"no scheme", "Config.Endpoint", gemma.Config{Endpoint: "gemma-abc-ew.a.run.app"}},
		{"password", "Config.Auth", gemma.Config{Endpoint: "https://user:" + secretKey + "@gemma.example"}},
		{"bad password", "Config.Endpoint", gemma.Config{Endpoint: "https://user:" + secretKey + "%zz@gemma.example"}},
		{"path of an API", "/v1", gemma.Config{Endpoint: "https://gemma.example/v1/"}},
		{"query", "query", gemma.Config{Endpoint: "https://gemma.example?key=" + secretKey}},
		{"protocol", "Config.Protocol", gemma.Config{Endpoint: "https://gemma.example", Public: true, Protocol: 99}},
		{"public with auth", "Config.Public", gemma.Config{Endpoint: "https://gemma.example", Public: true, Auth: auth.Static(secretToken)}},
		{"audience with auth", "Config.Audience", gemma.Config{Endpoint: "https://gemma.example", Audience: "x", Auth: auth.Static(secretToken)}},
		{"concurrency", "Config.Concurrency", gemma.Config{Endpoint: "https://gemma.example", Public: true, Concurrency: -1}},
		{"resume", "Config.Resume", gemma.Config{Endpoint: "https://gemma.example", Public: true, Resume: -1}},
		{"wait", "Config.ColdStart.MaxWait", gemma.Config{Endpoint: "https://gemma.example", Public: true, ColdStart: gemma.ColdStart{MaxWait: -1}}},
		{"key with a newline", "Config.APIKey", gemma.Config{Endpoint: "https://gemma.example", Public: true, APIKey: secretKey + "\n"}},
	}
	for _, tt := range tests {
		_, err := gemma.NewClient(t.Context(), tt.config)
		e := fails(t, err, gemma.KindInvalid)
		if !strings.Contains(e.Error(), tt.names) {
			t.Errorf("%s: %v does not name %s", tt.name, e, tt.names)
		}
		noSecret(t, err)
	}
	for _, good := range []string{"http://localhost:11434", "http://127.0.0.1:1/", "http://[::1]:8080", "https://GEMMA.example/", "https://lb.example/gemma"} {
		if _, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: good, Public: true}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
}

// TestEnvironmentKeysStayHere: the Gen AI SDK would send a key that it finds in
// the environment, and go where the environment points.
func TestEnvironmentKeysStayHere(t *testing.T) {
	for _, k := range []string{"GOOGLE_API_KEY", "GEMINI_API_KEY"} {
		t.Setenv(k, secretKey)
	}
	t.Setenv("GOOGLE_GENAI_USE_VERTEXAI", "true")
	t.Setenv("GOOGLE_GEMINI_BASE_URL", "https://evil.example")
	logged := globalLog(t)
	srv := gemmatest.NewServer(gemmatest.Config{})
	defer srv.Close()
	client := dial(t, srv)
	g := client.GenAI()
	if _, err := g.Models.GenerateContent(t.Context(), "gemma-3-4b-it", hi, nil); err != nil {
		t.Fatal(err)
	}
	for _, r := range srv.Requests() {
		for name, values := range r.Header {
			if strings.Contains(strings.Join(values, " "), secretKey) {
				t.Errorf("%s %s: %s holds the key", r.Method, r.Path, name)
			}
		}
		if strings.Contains(r.Query.Encode(), secretKey) {
			t.Errorf("%s: the query holds the key", r.Path)
		}
	}
	if strings.Contains(logged.String(), secretKey) {
		t.Error("the key was logged")
	}
}

// TestClientConfigIsFresh: genai.NewClient writes to what it is given.
func TestClientConfigIsFresh(t *testing.T) {
	client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: "https://gemma.example", Public: true})
	if err != nil {
		t.Fatal(err)
	}
	a, b := client.ClientConfig(), client.ClientConfig()
	a.APIKey, a.HTTPOptions.BaseURL, a.HTTPClient.Transport = "x", "https://x", nil
	if b.APIKey == "x" || b.HTTPOptions.BaseURL == "https://x" || b.HTTPClient.Transport == nil {
		t.Error("two ClientConfigs share something")
	}
}

// TestLogsHoldNoSecret runs calls that work, fail and break with everything
// logged, and greps.
func TestLogsHoldNoSecret(t *testing.T) {
	var logged bytes.Buffer
	broken := words(5)
	broken.Fault, broken.At = gemmatest.EndEarly, 2
	bubble(t, gemmatest.Config{APIKey: secretKey, Reply: gemmatest.Script(words(3), broken, broken)}, func(t *testing.T, srv *gemmatest.Server) {
		token, err := srv.Source().Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		client := dial(t, srv, func(c *gemma.Config) {
			c.APIKey = secretKey
			c.Auth = auth.Static(token.Value)
			c.Logger = slog.New(slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		if _, err := text(client.Stream(t.Context(), genai.Text(secretPrompt), nil)); err != nil {
			t.Fatal(err)
		}
		_, err = text(client.Stream(t.Context(), genai.Text(secretPrompt), nil))
		noSecret(t, err)
		if strings.Contains(err.Error(), token.Value) {
			t.Error("the error holds the token")
		}
		wrong := dial(t, srv, func(c *gemma.Config) { c.APIKey = "wrong-" + secretKey })
		_, err = text(wrong.Stream(t.Context(), genai.Text(secretPrompt), nil))
		fails(t, err, gemma.KindForbidden)
		noSecret(t, err)
		for _, s := range []string{token.Value, secretKey, secretPrompt, "worda"} {
			if strings.Contains(logged.String(), s) {
				t.Errorf("the log holds %q", s)
			}
		}
		if n := strings.Count(logged.String(), `"msg":"gemma call"`); n != 2 {
			t.Errorf("%d lines for 2 calls:\n%s", n, logged.String())
		}
	})
}

// TestHeldAnswerIsBounded: an answer that is kept back to be checked does not
// fill the memory.
func TestHeldAnswerIsBounded(t *testing.T) {
	endless := gemmatest.Reply{Pace: -1}
	for range 20 {
		endless.Chunks = append(endless.Chunks, strings.Repeat("x", 1<<20))
	}
	bubble(t, gemmatest.Config{Reply: func(gemmatest.Call) gemmatest.Reply { return endless }}, func(t *testing.T, srv *gemmatest.Server) {
		client := dial(t, srv, func(c *gemma.Config) { c.Model, c.Protocol = "gemma-3-4b-it", gemma.ProtocolGemini })
		_, err := client.Generate(t.Context(), hi, &genai.GenerateContentConfig{ResponseMIMEType: "application/json"})
		if e := fails(t, err, gemma.KindServer); !strings.Contains(e.Message, "16 MiB") {
			t.Error(err)
		}
	})
}
