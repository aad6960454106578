// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/api/idtoken"
	"google.golang.org/api/option"
)

// TestGoogleLibrary runs Google's own library, unmodified, against the
// metadata server, and its validator against the published keys.
func TestGoogleLibrary(t *testing.T) {
	s := NewServer(Config{Principal: "svc@p.iam.gserviceaccount.com"})
	defer s.Close()
	t.Setenv("GCE_METADATA_HOST", s.MetadataHost())
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
	t.Setenv("HOME", t.TempDir()) // no gcloud credentials
	client, err := idtoken.NewClient(t.Context(), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Get(s.URL + "/api/version")
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	client.CloseIdleConnections()
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s %s %v", resp.Status, b, err)
	}
	if r := s.Requests()[0]; !strings.Contains(r.Header.Get("Authorization"), `"email":"svc@p.iam.gserviceaccount.com"`) {
		t.Errorf("the record shows %q", r.Header.Get("Authorization"))
	}

	v, err := idtoken.NewValidator(t.Context(), option.WithHTTPClient(GoogleClient()))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := s.Source().Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := v.Validate(t.Context(), tok.Value, s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if p.Issuer != issuer || p.Claims["email"] != "svc@p.iam.gserviceaccount.com" || p.Expires != tok.Expiry.Unix() {
		t.Errorf("payload %+v for %+v", p, tok)
	}
	if _, err := v.Validate(t.Context(), Mint(MintOptions{Audience: s.URL, Forged: true}), s.URL); err == nil {
		t.Error("a forged token was found valid")
	}
	if _, err := v.Validate(t.Context(), tok.Value, "https://other.example"); err == nil {
		t.Error("a foreign audience was found valid")
	}
}

func TestMetadataServer(t *testing.T) {
	fail := 0
	bubble(t, Config{TokenLifetime: 600 * time.Second, MetadataFault: func(*http.Request) int { return fail }}, func(t *testing.T, s *Server) {
		ask := func(path string, flavor bool) (int, string) {
			req, err := http.NewRequest("GET", "http://metadata.google.internal/computeMetadata/v1/"+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			if flavor {
				req.Header.Set("Metadata-Flavor", "Google")
			}
			resp, err := s.Transport().RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.Header.Get("Metadata-Flavor") != "Google" {
				t.Error("no Metadata-Flavor")
			}
			b, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			return resp.StatusCode, string(b)
		}
		const identity = "instance/service-accounts/default/identity"
		_, tok := ask(identity+"?audience=https%3A%2F%2Fa.example&format=full", true)
		c, err := verifyToken(tok, time.Now())
		if err != nil || c.Audience != "https://a.example" || c.Email != DefaultPrincipal || c.Expiry != time.Now().Add(600*time.Second).Unix() {
			t.Errorf("%+v %v", c, err)
		}
		if status, _ := ask(identity+"?audience=x", false); status != 403 {
			t.Errorf("without Metadata-Flavor: %d", status)
		}
		if status, _ := ask(identity, true); status != 400 {
			t.Errorf("without audience: %d", status)
		}
		if _, body := ask("instance/service-accounts/default/token", true); !strings.Contains(body, `"expires_in":600`) {
			t.Errorf("access token %s", body)
		}
		if _, body := ask("instance/service-accounts/"+DefaultPrincipal+"/email", true); body != DefaultPrincipal {
			t.Errorf("email %s", body)
		}
		if _, body := ask("project/project-id", true); body != "gemma-test" {
			t.Errorf("project %s", body)
		}
		fail = 503
		if status, _ := ask(identity+"?audience=x", true); status != 503 {
			t.Errorf("fault: %d", status)
		}
		if n := len(s.MetadataRequests()); n != 7 {
			t.Errorf("%d requests on record", n)
		}
	})
}

func TestMintTimes(t *testing.T) {
	now := time.Now()
	for _, life := range []time.Duration{0, 10 * time.Minute, -time.Minute} {
		c, _, _, err := parseToken(Mint(MintOptions{Audience: "a", Lifetime: life}))
		want := life
		if want == 0 {
			want = time.Hour
		}
		if err != nil || time.Duration(c.Expiry-now.Unix())*time.Second-want > 2*time.Second {
			t.Errorf("lifetime %v: %+v %v", life, c, err)
		}
		if c.IssuedAt > now.Unix()+1 || c.Expiry-c.IssuedAt > 3601 {
			t.Errorf("lifetime %v: issued at %d, expires %d", life, c.IssuedAt, c.Expiry)
		}
	}
}
