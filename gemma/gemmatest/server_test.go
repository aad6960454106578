// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// post sends a JSON body with a good token and returns status and body.
func post(t *testing.T, s *Server, path, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	tok, err := s.Source().Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Serverless-Authorization", "Bearer "+tok.Value)
	resp, err := s.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Logf("body: %v", err)
	}
	return resp, string(b)
}

const sky = "Why is the sky blue?"

func TestStreamOverLoopback(t *testing.T) {
	s := NewServer(Config{})
	defer s.Close()
	resp, body := post(t, s, "/api/chat", `{"model":"gemma3:4b","messages":[{"role":"user","content":"`+sky+`"}]}`)
	if resp.StatusCode != 200 || !strings.Contains(body, `"content":" blue"`) || !strings.HasSuffix(body, "}\n") {
		t.Fatalf("%s\n%.300s", resp.Status, body)
	}
}

func TestColdStartInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewServer(Config{InMemory: true, Pace: 100 * time.Millisecond, FrontEnd: FrontEndConfig{Start: 8 * time.Second}})
		defer s.Close()
		began := time.Now()
		resp, body := post(t, s, "/api/chat", `{"model":"gemma3:4b","messages":[{"role":"user","content":"`+sky+`"}]}`)
		if resp.StatusCode != 200 || !strings.Contains(body, `"done":true`) {
			t.Fatalf("%s\n%.300s", resp.Status, body)
		}
		words := len(strings.Split(strings.TrimSpace(body), "\n")) - 1
		want := 8*time.Second + time.Duration(words)*100*time.Millisecond
		if took := time.Since(began); took != want {
			t.Errorf("took %v, want %v for %d words", took, want, words)
		}
		if r := s.Requests(); len(r) != 1 || r[0].Phase != Cold || r[0].Status != 200 {
			t.Errorf("requests %+v", r)
		}
	})
}
