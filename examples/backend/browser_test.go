// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

var quiet = slog.New(slog.DiscardHandler)

// chromium is the first headless browser found, or "".
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// TestPageInBrowser opens the page in headless Chromium, where there is one, on
// a cold endpoint: the answer appears, and the state ends as done.
func TestPageInBrowser(t *testing.T) {
	browser := chromium()
	if browser == "" {
		t.Skip("no Chromium on this machine")
	}
	endpoint := gemmatest.NewServer(gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Start: 500 * time.Millisecond}})
	defer endpoint.Close()
	status := newStatus()
	client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: endpoint.URL, Auth: endpoint.Source(), OnEvent: status.observe})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(newServer(client, status, time.Minute))
	defer srv.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// The virtual time budget lets the page's requests end before the dump.
	out, err := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--user-data-dir="+t.TempDir(),
		"--virtual-time-budget=20000", "--dump-dom", srv.URL+"/?q=Why+is+the+sky+blue%3F").Output()
	if err != nil {
		t.Fatal(err)
	}
	dom := string(out)
	if !strings.Contains(dom, `data-state="done"`) || !strings.Contains(dom, "The sky looks blue") {
		t.Errorf("the page shows:\n%s", dom[max(0, strings.Index(dom, "<p id=\"state\"")):])
	}
}
