// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestCommand starts the program as its README does, and asks it.
func TestCommand(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	t.Setenv("PORT", port)
	t.Setenv("GEMMA_ENDPOINT", "")
	go main() // the framework's server has no end but the process's
	var resp *http.Response
	for range 1000 {
		if resp, err = http.Get("http://127.0.0.1:" + port + "/?q=Why+is+the+sky+blue%3F"); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), "The sky") {
		t.Errorf("%s: %q, %v", resp.Status, body, err)
	}
}
