// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// start runs the program and returns its lines and the address it listens on.
func start(t *testing.T, args ...string) (lines *bufio.Scanner, address string) {
	t.Helper()
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		err := run(ctx, append([]string{"-listen", "127.0.0.1:0"}, args...), w)
		w.Close()
		done <- err
	}()
	t.Cleanup(func() {
		cancel()
		io.Copy(io.Discard, r)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	lines = bufio.NewScanner(r)
	if !lines.Scan() {
		t.Fatal("it said nothing")
	}
	address, _, _ = strings.Cut(lines.Text(), " ")
	return lines, address
}

func TestProxy(t *testing.T) {
	srv := gemmatest.NewServer(gemmatest.Config{})
	defer srv.Close()
	_, address := start(t, "-endpoint", srv.URL, "-public")
	resp, err := http.Get(address + "/")
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 403 || !strings.Contains(string(b), "no identity token was sent") {
		t.Errorf("without a token: %d %s", resp.StatusCode, b)
	}
}

// With credentials, here those of a metadata server, every request goes
// through, and a stream comes as it is sent.
func TestProxyWithIdentity(t *testing.T) {
	srv := gemmatest.NewServer(gemmatest.Config{Kind: gemmatest.Ollama})
	defer srv.Close()
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
	t.Setenv("CLOUDSDK_CONFIG", t.TempDir())
	t.Setenv("GCE_METADATA_HOST", srv.MetadataHost())
	lines, address := start(t, "-endpoint", srv.URL, "-audience", srv.URL)
	if !lines.Scan() || lines.Text() != "calling as "+gemmatest.DefaultPrincipal+", audience "+srv.URL {
		t.Errorf("said %q", lines.Text())
	}
	resp, err := http.Post(address+"/api/generate", "application/json", strings.NewReader(`{"model":"gemma3:4b","prompt":"Hello"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || strings.Count(string(b), "\n") < 2 || !strings.Contains(string(b), `"done":true`) {
		t.Errorf("%d %.200s %v", resp.StatusCode, b, err)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Setenv("GEMMA_ENDPOINT", "")
	for _, tc := range []struct {
		args []string
		want string
	}{
		{nil, "no endpoint"},
		{[]string{"-endpoint", "http://example.com"}, "not encrypted"},
		{[]string{"-endpoint", "https://example.com", "-listen", ":9090"}, "open to other machines"},
		{[]string{"-endpoint", "https://example.com", "-listen", "0.0.0.0:9090"}, "-allow-host"},
		{[]string{"-endpoint", "https://example.com", "-listen", "9090"}, "-listen"},
		{[]string{"-endpoint", "https://example.com", "-credentials", "/does/not/exist"}, "no such file"},
	} {
		err := run(t.Context(), tc.args, io.Discard)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: %v, want %q", tc.args, err, tc.want)
		}
	}
}
