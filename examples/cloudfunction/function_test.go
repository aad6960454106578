// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package function

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

func serve(t *testing.T, h http.Handler) string {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

func get(t *testing.T, url string) (*http.Response, string, error) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

// TestAnswerStreams: text arrives in pieces from a private endpoint, and two
// requests share one client.
func TestAnswerStreams(t *testing.T) {
	endpoint := gemmatest.NewServer(gemmatest.Config{})
	defer endpoint.Close()
	made := 0
	url := serve(t, newHandler(func() (gemma.Config, error) {
		made++
		return gemma.Config{Endpoint: endpoint.URL, Auth: endpoint.Source()}, nil
	}))
	for range 2 {
		resp, body, err := get(t, url+"/?q=Why+is+the+sky+blue%3F")
		if err != nil || resp.StatusCode != 200 || len(strings.Fields(body)) < 5 {
			t.Fatalf("%v %q %v", resp, body, err)
		}
	}
	if made != 1 {
		t.Errorf("the client was made %d times", made)
	}
}

// TestFailureToStartIsNotKept: a function whose configuration failed once works
// at the next request.
func TestFailureToStartIsNotKept(t *testing.T) {
	endpoint := gemmatest.NewServer(gemmatest.Config{})
	defer endpoint.Close()
	calls := 0
	url := serve(t, newHandler(func() (gemma.Config, error) {
		if calls++; calls == 1 {
			return gemma.Config{}, errors.New("no such secret yet")
		}
		return gemma.Config{Endpoint: endpoint.URL, Auth: endpoint.Source()}, nil
	}))
	resp, body, err := get(t, url+"/?q=hi")
	if err != nil || resp.StatusCode != 500 || !strings.Contains(body, "no such secret yet") {
		t.Fatalf("%v %q %v", resp, body, err)
	}
	if resp, body, err = get(t, url+"/?q=hi"); err != nil || resp.StatusCode != 200 {
		t.Fatalf("%v %q %v", resp, body, err)
	}
}

// TestDeadline: an endpoint that starts for longer than the platform allows
// becomes a 503 that says when to come back.
func TestDeadline(t *testing.T) {
	endpoint := gemmatest.NewServer(gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Start: time.Hour}})
	defer endpoint.Close()
	h := newHandler(func() (gemma.Config, error) {
		return gemma.Config{Endpoint: endpoint.URL, Auth: endpoint.Source()}, nil
	})
	h.limit = 50 * time.Millisecond
	resp, body, err := get(t, serve(t, h)+"/?q=hi")
	if err != nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Fatalf("%v %q %v", resp, body, err)
	}
}

// TestNothingBeforeTheFirstRequest: the package's own handler was registered in
// init without an endpoint, and says so when it is asked.
func TestNothingBeforeTheFirstRequest(t *testing.T) {
	os.Unsetenv("GEMMA_ENDPOINT")
	resp, body, err := get(t, serve(t, newHandler(configFromEnv))+"/?q=hi")
	if err != nil || resp.StatusCode != 500 || !strings.Contains(body, "GEMMA_ENDPOINT") {
		t.Fatalf("%v %q %v", resp, body, err)
	}
}
