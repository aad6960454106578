// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// endpoint chooses where to ask: the configured service, a local Ollama, or an
// emulated endpoint. done gives back what it started.
func endpoint(ctx context.Context, speaks gemma.Protocol, getenv func(string) string, stderr io.Writer, start, pace time.Duration) (config gemma.Config, done func()) {
	done = func() {}
	if url := getenv("GEMMA_ENDPOINT"); url != "" {
		fmt.Fprintln(stderr, "· endpoint: ", url)
		return gemma.Config{Endpoint: url}, done
	}
	url := localURL(getenv("OLLAMA_HOST"))
	if model := localGemma(ctx, url); model != "" {
		fmt.Fprintf(stderr, "· endpoint:  Ollama on this machine (%s), which serves %s\n", url, model)
		return gemma.Config{Endpoint: url, Model: model}, done
	}
	kind := gemmatest.Prebuilt
	if speaks == gemma.ProtocolGeminiFull {
		kind = gemmatest.GeminiServer
	}
	srv := gemmatest.NewServer(gemmatest.Config{
		Kind: kind, LoadTime: start / 3, FirstToken: 4 * pace, Pace: pace,
		FrontEnd: gemmatest.FrontEndConfig{Start: start, Slots: 4},
	})
	fmt.Fprintln(stderr, "· endpoint:  emulated inside this program, private and cold like a real one")
	fmt.Fprintln(stderr, "             (set GEMMA_ENDPOINT to the URL of your Cloud Run service to ask a real model)")
	return gemma.Config{Endpoint: srv.URL, Auth: srv.Source(), Model: "gemma-3-4b-it"}, srv.Close
}

// localURL is where an Ollama on this machine listens, by the variable that
// tells Ollama so: host, port, both or a URL; "" is the default.
func localURL(ollamaHost string) string {
	addr := ollamaHost
	if _, rest, ok := strings.Cut(addr, "://"); ok {
		addr = rest
	}
	addr = strings.TrimRight(addr, "/")
	host, port, err := net.SplitHostPort(addr)
	if err != nil { // no port
		host = strings.Trim(addr, "[]")
	}
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1" // 0.0.0.0 is for listening
	}
	port = cmp.Or(port, "11434")
	return "http://" + net.JoinHostPort(host, port)
}

// localGemma returns the first Gemma that a local Ollama serves, or "" if none
// answers quickly.
func localGemma(ctx context.Context, url string) string {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/tags", nil)
	if err != nil {
		return ""
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	var tags struct{ Models []struct{ Name string } }
	if json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&tags) != nil {
		return ""
	}
	for _, m := range tags.Models {
		if strings.HasPrefix(m.Name, "gemma") {
			return m.Name
		}
	}
	return ""
}

// reporter prints what the client tells while a call waits.
func reporter(w io.Writer) func(gemma.Event) {
	var mu sync.Mutex // events may come from several goroutines
	return func(e gemma.Event) {
		mu.Lock()
		defer mu.Unlock()
		switch e.Type {
		case gemma.EventToken:
			fmt.Fprintf(w, "· identity:  token for audience %s", e.Audience)
			if e.Principal != "" {
				fmt.Fprintf(w, " as %s", e.Principal)
			}
			fmt.Fprintln(w)
		case gemma.EventProbe:
			fmt.Fprintf(w, "· waking:    request %d to an endpoint that is not known to be ready%s\n", e.Attempts, expected(e))
		case gemma.EventCold:
			fmt.Fprintf(w, "· cold:      %s; waited %v%s\n", e.Reason, e.Waited.Round(100*time.Millisecond), expected(e))
		case gemma.EventReady:
			fmt.Fprintf(w, "· ready:     after %v\n", e.Waited.Round(100*time.Millisecond))
		case gemma.EventProtocol:
			fmt.Fprintf(w, "· protocol:  %s\n", e.Reason)
		case gemma.EventEmulated:
			fmt.Fprintf(w, "· emulated:  %s: %s\n", e.Feature, e.Reason)
		default:
			fmt.Fprintf(w, "· %-10s %s\n", e.Type.String()+":", e.Reason)
		}
	}
}

func expected(e gemma.Event) string {
	if e.Expected <= 0 {
		return ""
	}
	return fmt.Sprintf(", about %v more expected", e.Expected.Round(time.Second))
}
