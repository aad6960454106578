// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

func TestTokenIsNeverShown(t *testing.T) {
	value := unsigned(time.Hour)
	tok := Token{Value: value}.fill()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "token", tok, "pointer", &tok)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "token", tok)
	b, _ := json.Marshal(tok)
	texts := []string{log.String(), string(b)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		texts = append(texts, fmt.Sprintf(verb, tok), fmt.Sprintf(verb, &tok), fmt.Sprintf(verb, []Token{tok}))
	}
	for _, s := range texts {
		if strings.Contains(s, value[:10]) || strings.Contains(s, fmt.Sprintf("%x", value[:10])) {
			t.Errorf("shown: %s", s)
		}
	}
	if s := fmt.Sprint(tok); !strings.Contains(s, "caller@p.iam.gserviceaccount.com") || !strings.Contains(s, service) {
		t.Errorf("says too little: %s", s)
	}
}

func TestErrorText(t *testing.T) {
	for _, tc := range []struct {
		err  *Error
		want string
	}{
		{&Error{}, "auth: no identity token"},
		{&Error{Message: "m"}, "auth: m"},
		{&Error{Status: 403, Message: "m", Hint: "h"}, "auth: HTTP 403: m; h"},
		{&Error{Err: errors.New("cause")}, "auth: cause"},
		{&Error{Err: errors.New("got Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln back")}, "auth: got [hidden] back"},
	} {
		if got := tc.err.Error(); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}

func TestScrub(t *testing.T) {
	for _, secret := range []string{
		unsigned(time.Hour), "ya29.a0AfH6SMBx-_y", "1//0eXyzAbCdEfGhIjKl", "AIzaSyA1234567890abcdefghijklmnopqrstu",
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "Bearer 0123456789abcdef0123",
	} {
		if s := clip("before " + secret + " after"); strings.Contains(s, strings.TrimPrefix(secret, "Bearer ")[:12]) {
			t.Errorf("left: %s", s)
		}
	}
	const harmless = "the bearer token of eyJafjalla is missing: HTTP 403 at https://x.example.com/1/2"
	if s := scrub(harmless); s != harmless && !strings.Contains(s, "is missing: HTTP 403 at https://x.example.com/1/2") {
		t.Errorf("took too much: %s", s)
	}
}

// FuzzClaims holds the reader of claims against encoding/json on a map.
func FuzzClaims(f *testing.F) {
	for _, s := range []string{
		`{"aud":"a","exp":1700000000,"email":"e"}`, `{"aud":["a","b"],"exp":1.7e9}`, `{"aud":[],"exp":-1}`,
		`{"aud":null,"exp":null}`, `{"exp":"soon"}`, `{"exp":1e400}`, `[]`, `null`, ``, `{"aud":{"x":1}}`, `{"exp":1e300}`, `{"":1e700}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		c, ok := parseClaims("e30." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2ln")
		tok := Token{Value: payload}
		_ = tok.fill()
		if !ok {
			return
		}
		var m map[string]any
		d := json.NewDecoder(strings.NewReader(payload))
		d.UseNumber() // a number out of range is an error only where it is wanted
		if err := d.Decode(&m); err != nil {
			t.Fatalf("took what is not an object: %q", payload)
		}
		if y := c.expiry().Year(); y < 1 || y > 9999 {
			t.Errorf("expiry in the year %d", y)
		}
		// encoding/json takes the last of several keys, in any case of letters.
		plain := func(key string) bool {
			return strings.Count(strings.ToLower(payload), key) == 1 && !strings.ContainsFunc(payload, func(r rune) bool { return r > '~' || r == '\\' })
		}
		if n, ok := m["exp"].(json.Number); ok && plain("exp") {
			if exp, _ := n.Float64(); exp >= 1 && exp < 4e9 && c.expiry().Unix() != int64(exp) {
				t.Errorf("exp %v became %v", exp, c.expiry())
			}
		}
		if aud, ok := m["aud"].(string); ok && plain("aud") && c.Audience.String() != aud {
			t.Errorf("aud %q became %q", aud, c.Audience)
		}
	})
}

func TestClaimsOfWhatIsNoToken(t *testing.T) {
	for _, s := range []string{"", "a", "a.b", "a.b.c.d", "ya29.access.token", "..", "a.%%%.c", strings.Repeat("a", 1<<20)} {
		if _, ok := parseClaims(s); ok {
			t.Errorf("%.20q was read", s)
		}
	}
}

func TestAudience(t *testing.T) {
	for _, tc := range []struct{ endpoint, want string }{
		{"https://gemma-abc123-ew.a.run.app", "https://gemma-abc123-ew.a.run.app"},
		{"https://Gemma-abc123-EW.a.run.app:443/v1/", "https://gemma-abc123-ew.a.run.app"},
		{"https://canary---gemma-abc123-ew.a.run.app", "https://gemma-abc123-ew.a.run.app"},
		{"https://canary---gemma-123456789012.europe-west1.run.app", "https://gemma-123456789012.europe-west1.run.app"},
		{"https://llm.example.com/x", "https://llm.example.com"},
		{"http://127.0.0.1:8080/", "http://127.0.0.1:8080"},
		{"http://example.com", ""},
		{"gemma", ""},
	} {
		got, err := Audience(tc.endpoint)
		if got != tc.want || (err == nil) != (tc.want != "") {
			t.Errorf("%s: %q, %v", tc.endpoint, got, err)
		}
	}
}

func TestRunHost(t *testing.T) {
	for _, tc := range []struct {
		host string
		want runHost
		ok   bool
	}{
		{"gemma-abc123xyz-ew.a.run.app", runHost{service: "gemma", region: "europe-west1"}, true},
		{"my-gemma-4b-abc123xyz-uc.a.run.app", runHost{service: "my-gemma-4b", region: "us-central1"}, true},
		{"gemma-abc123xyz-zz.a.run.app", runHost{service: "gemma"}, true},
		{"my-gemma-123456789012.us-central1.run.app", runHost{service: "my-gemma", project: "123456789012", region: "us-central1"}, true},
		{"t1---gemma-123456789012.us-central1.run.app", runHost{tag: "t1", service: "gemma", project: "123456789012", region: "us-central1"}, true},
		{"gemma.us-central1.run.app", runHost{}, false},
		{"a.run.app", runHost{}, false},
		{"gemma.a.run.app", runHost{}, false},
		{"gemma-x-ew.b.c.run.app", runHost{}, false},
		{"example.com", runHost{}, false},
	} {
		got, ok := parseRunHost(tc.host)
		if got != tc.want || ok != tc.ok {
			t.Errorf("%s: %+v %v", tc.host, got, ok)
		}
	}
}

// FuzzPageText looks for panics, and for what must never be in an error.
func FuzzPageText(f *testing.F) {
	f.Add("<html><head><title>403 Forbidden</title></head><body><h1>Error: Forbidden</h1></body></html>")
	f.Add("<script>x</script><!-- <b> --> &lt;b&gt; \x00\xff")
	f.Add("Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln")
	f.Fuzz(func(t *testing.T, page string) {
		s := pageText([]byte(page))
		if len(s) > 410 || strings.ContainsAny(s, "\n\r\x00") || strings.ToValidUTF8(s, "") != s {
			t.Errorf("%q", s)
		}
	})
}
