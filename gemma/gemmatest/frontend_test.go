// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// bubble runs f in virtual time with an in-memory server.
func bubble(t *testing.T, c Config, f func(t *testing.T, s *Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c.InMemory = true
		s := NewServer(c)
		defer s.Close()
		f(t, s)
	})
}

// call sends a request to /api/version or whatever path with a good token.
func call(ctx context.Context, s *Server, path, body string) (*http.Response, error) {
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+Mint(MintOptions{Audience: s.URL}))
	return s.Transport().RoundTrip(req)
}

// get is call with the body read; on an error the status is 0.
func get(s *Server, path, body string) (int, string, error) {
	resp, err := call(context.Background(), s, path, body)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

const chat4b = `{"model":"gemma3:4b","messages":[{"role":"user","content":"hi"}]}`

func TestAuthorize(t *testing.T) {
	const custom = "https://gemma.example.com"
	s := NewServer(Config{InMemory: true, APIKey: "", FrontEnd: FrontEndConfig{Audiences: []string{custom}, Invokers: []string{DefaultPrincipal, "alice@example.com"}}})
	defer s.Close()
	ok := Mint(MintOptions{Audience: s.URL})
	for _, c := range []struct {
		name          string
		auth, service string // headers
		want          int
	}{
		{"good", "Bearer " + ok, "", 200},
		{"lower-case scheme", "bearer " + ok, "", 200},
		{"trailing slash in the audience", "Bearer " + Mint(MintOptions{Audience: s.URL + "/"}), "", 200},
		{"custom audience", "Bearer " + Mint(MintOptions{Audience: custom}), "", 200},
		{"serverless header", "", "Bearer " + ok, 200},
		{"serverless header first", "Bearer app-key", "Bearer " + ok, 200},
		{"bad serverless header is not saved by a good one", "Bearer " + ok, "Bearer nonsense", 401},
		{"user token of gcloud", "Bearer " + Mint(MintOptions{Audience: GcloudAudience, Principal: "alice@example.com"}), "", 200},
		{"nearly expired", "Bearer " + Mint(MintOptions{Audience: s.URL, Lifetime: time.Second}), "", 200},
		{"none", "", "", 403},
		{"opaque key", "Bearer sk-123", "", 401},
		{"basic", "Basic Zm9vOmJhcg==", "", 401},
		{"access token", "Bearer " + Mint(MintOptions{Access: true}), "", 401},
		{"expired", "Bearer " + Mint(MintOptions{Audience: s.URL, Lifetime: -time.Minute}), "", 401},
		{"wrong audience", "Bearer " + Mint(MintOptions{Audience: "https://other-ew.a.run.app"}), "", 401},
		{"path in the audience", "Bearer " + Mint(MintOptions{Audience: s.URL + "/v1"}), "", 401},
		{"no audience", "Bearer " + Mint(MintOptions{}), "", 401},
		{"forged", "Bearer " + Mint(MintOptions{Audience: s.URL, Forged: true}), "", 401},
		{"other issuer", "Bearer " + Mint(MintOptions{Audience: s.URL, Issuer: "https://issuer.example"}), "", 401},
		{"no signature", "Bearer " + ok[:strings.LastIndexByte(ok, '.')+1], "", 401},
		{"not an invoker", "Bearer " + Mint(MintOptions{Audience: s.URL, Principal: "eve@p.iam.gserviceaccount.com"}), "", 403},
		{"without email", "Bearer " + Mint(MintOptions{Audience: s.URL, NoEmail: true}), "", 403},
		{"user token for another service", "Bearer " + Mint(MintOptions{Audience: "https://other-ew.a.run.app", Principal: "alice@example.com"}), "", 404},
	} {
		t.Run(c.name, func(t *testing.T) {
			req, err := http.NewRequest("GET", s.URL+"/api/version", nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.auth != "" {
				req.Header.Set("Authorization", c.auth)
			}
			if c.service != "" {
				req.Header.Set("X-Serverless-Authorization", c.service)
			}
			resp, err := s.Transport().RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			b, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != c.want {
				t.Errorf("status %d, want %d", resp.StatusCode, c.want)
			}
			if c.want != 200 && !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
				t.Errorf("content type %q", resp.Header.Get("Content-Type"))
			}
			switch c.want {
			case 401:
				if resp.Header.Get("Www-Authenticate") != `Bearer error="invalid_token" error_description="The access token could not be verified"` ||
					!strings.Contains(string(b), "Your client does not have permission to the requested URL <code>/api/version</code>.") {
					t.Errorf("%v\n%s", resp.Header, b)
				}
			case 403:
				if !strings.Contains(string(b), "<h1>Error: Forbidden</h1>\n<h2>Your client does not have permission to get URL <code>/api/version</code> from this server.</h2>") {
					t.Errorf("%s", b)
				}
			}
		})
	}
	for _, r := range s.Requests() {
		if r.Phase != Ready || r.Status == 401 && r.Refused == "" && strings.Count(r.Header.Get("Authorization"), "{") > 0 {
			t.Errorf("the record says %v, %d, %q", r.Phase, r.Status, r.Refused)
		}
		for _, h := range []string{"Authorization", "X-Serverless-Authorization"} {
			if v := r.Header.Get(h); strings.Count(v, ".") >= 2 && strings.Contains(v, "eyJ") {
				t.Errorf("a token is in the record: %s", v)
			}
		}
	}
}

// TestSignatureRemoved: the container can read the claims and not use the
// token.
func TestSignatureRemoved(t *testing.T) {
	var seen http.Header
	s := NewServer(Config{InMemory: true, Backend: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen = r.Header.Clone() })})
	defer s.Close()
	tok := Mint(MintOptions{Audience: s.URL})
	req, err := http.NewRequest("GET", s.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Serverless-Authorization", "Bearer "+tok)
	req.Header.Set("Authorization", "Bearer KEY")
	resp, err := s.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := seen.Get("X-Serverless-Authorization"); !strings.HasSuffix(got, ".SIGNATURE_REMOVED_BY_GOOGLE") || strings.Contains(got, tok) {
		t.Errorf("the container got %q", got)
	}
	if got := seen.Get("Authorization"); got != "Bearer KEY" {
		t.Errorf("the app's own header became %q", got)
	}
}

func TestPages(t *testing.T) {
	for status, want := range map[int][2]string{
		429: {"text/plain", "Rate exceeded."},
		500: {"text/html", "Please try again in 30 seconds."},
		503: {"text/plain", "Service Unavailable"},
		504: {"text/plain", "upstream request timeout"},
		404: {"text/html", "The requested URL <code>/a&lt;b</code> was not found on this server."},
		411: {"text/html", "411."},
		413: {"text/html", "413."},
	} {
		p := FrontEndPage(status, "/a<b")
		ct := p.ContentType
		if ct == "" {
			ct = "text/html"
		}
		if ct != want[0] || !strings.Contains(p.Body, want[1]) {
			t.Errorf("%d: %q %q", status, ct, p.Body)
		}
	}
}

func TestTimeout(t *testing.T) {
	// Before the headers: 504. After: the connection is cut.
	bubble(t, Config{FirstToken: time.Minute, FrontEnd: FrontEndConfig{Timeout: 30 * time.Second}}, func(t *testing.T, s *Server) {
		began := time.Now()
		got, body, err := get(s, "/api/chat", chat4b)
		if got != 504 || body != "upstream request timeout" || err != nil || time.Since(began) != 30*time.Second {
			t.Errorf("%d %q %v after %v", got, body, err, time.Since(began))
		}
	})
	bubble(t, Config{Pace: 10 * time.Second, FrontEnd: FrontEndConfig{Timeout: 35 * time.Second}}, func(t *testing.T, s *Server) {
		began := time.Now()
		got, body, err := get(s, "/api/chat", chat4b)
		if got != 200 || strings.Count(body, "\n") != 4 || !errors.Is(err, io.ErrUnexpectedEOF) || time.Since(began) != 35*time.Second {
			t.Errorf("%d %q %v after %v", got, body, err, time.Since(began))
		}
		if n := s.FrontEnd().InFlight(); n != 0 {
			t.Errorf("%d in flight", n)
		}
	})
}

func TestKill(t *testing.T) {
	bubble(t, Config{Pace: time.Second, FrontEnd: FrontEndConfig{Start: 10 * time.Second}}, func(t *testing.T, s *Server) {
		get(s, "/api/version", "")
		time.AfterFunc(2500*time.Millisecond, s.FrontEnd().Kill)
		if _, body, err := get(s, "/api/chat", chat4b); err == nil || strings.Count(body, "\n") != 3 {
			t.Errorf("%q %v", body, err)
		}
		if s.FrontEnd().Phase() != Cold {
			t.Errorf("phase %v", s.FrontEnd().Phase())
		}
		if got, _, _ := get(s, "/api/version", ""); got != 200 || s.Stats().Starts != 2 {
			t.Errorf("%d, %d starts", got, s.Stats().Starts)
		}
	})
	// A crash before the headers is the front end's 503.
	bubble(t, Config{Kind: VLLM, Reply: Script(Reply{Fault: ClosedEarly})}, func(t *testing.T, s *Server) {
		got, body, err := get(s, "/v1/chat/completions", `{"messages":[{"role":"user","content":"hi"}]}`)
		if got != 503 || body != "Service Unavailable" || err != nil {
			t.Errorf("%d %q %v", got, body, err)
		}
	})
}

// TestBroken: a permanent failure reaches those who wait, at once.
func TestBroken(t *testing.T) {
	bubble(t, Config{FrontEnd: FrontEndConfig{Start: time.Minute, Hold: Forever}}, func(t *testing.T, s *Server) {
		began := time.Now()
		time.AfterFunc(5*time.Second, func() { s.FrontEnd().SetBroken(404) })
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if got, _, _ := get(s, "/api/version", ""); got != 404 || time.Since(began) != 5*time.Second {
					t.Errorf("%d after %v", got, time.Since(began))
				}
			})
		}
		wg.Wait()
		if got, _, _ := get(s, "/api/version", ""); got != 404 {
			t.Errorf("status %d", got)
		}
	})
}

func TestRedirectInterceptAndLimits(t *testing.T) {
	bubble(t, Config{FrontEnd: FrontEndConfig{Redirect: "https://elsewhere.example/"}}, func(t *testing.T, s *Server) {
		resp, err := call(t.Context(), s, "/api/version?a=b", "")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 307 || resp.Header.Get("Location") != "https://elsewhere.example/api/version?a=b" {
			t.Errorf("%d %v", resp.StatusCode, resp.Header)
		}
	})
	n := 0
	bubble(t, Config{FrontEnd: FrontEndConfig{MaxBody: 100, Intercept: func(r *http.Request) *Page {
		if n++; n == 1 {
			return FrontEndPage(500, r.URL.Path)
		}
		return nil
	}}}, func(t *testing.T, s *Server) {
		for i, want := range []int{500, 413, 200} {
			body := ""
			if i == 1 {
				body = strings.Repeat("x", 101)
			}
			if got, _, _ := get(s, "/api/version", body); got != want {
				t.Errorf("request %d: %d, want %d", i, got, want)
			}
		}
		// Without a length: 411. With the body in chunks: as with one.
		conn, err := s.mem.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		if b, err := io.ReadAll(conn); !bytes.HasPrefix(b, []byte("HTTP/1.1 411 ")) {
			t.Errorf("%q %v", b, err)
		}
		req, err := http.NewRequest("POST", s.URL, struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 101))})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := s.Transport().RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 413 {
			t.Errorf("status %d", resp.StatusCode)
		}
	})
}

// TestNothingLeft: after 200 broken-off streams no connection is open and
// nothing is in flight.
func TestNothingLeft(t *testing.T) {
	bubble(t, Config{Pace: time.Second}, func(t *testing.T, s *Server) {
		for range 200 {
			ctx, cancel := context.WithCancel(t.Context())
			resp, err := call(ctx, s, "/api/chat", chat4b)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := resp.Body.Read(make([]byte, 16)); err != nil {
				t.Fatal(err)
			}
			cancel()
			resp.Body.Close()
		}
		s.base.CloseIdleConnections()
		synctest.Wait()
		if st := s.Stats(); st.OpenConns != 0 || st.InFlight != 0 || st.Conns != 200 {
			t.Errorf("%+v", st)
		}
	})
}
