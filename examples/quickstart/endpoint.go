// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// ollamaURL is where an Ollama on this machine listens by default.
const ollamaURL = "http://127.0.0.1:11434"

// endpoint chooses where to ask: the configured service, a local Ollama, or an
// emulated endpoint. done gives back what it started.
func endpoint(ctx context.Context, getenv func(string) string, stderr io.Writer, start, pace time.Duration) (config gemma.Config, done func(), err error) {
	done = func() {}
	if url := getenv("GEMMA_ENDPOINT"); url != "" {
		fmt.Fprintln(stderr, "· endpoint: ", url)
		return gemma.Config{Endpoint: url}, done, nil
	}
	url := ollamaURL
	if host := getenv("OLLAMA_HOST"); host != "" {
		if url = host; !strings.Contains(url, "://") {
			url = "http://" + host
		}
	}
	if model := localGemma(ctx, url); model != "" {
		fmt.Fprintf(stderr, "· endpoint:  Ollama on this machine (%s), which serves %s\n", url, model)
		return gemma.Config{Endpoint: url}, done, nil
	}
	srv := gemmatest.NewServer(gemmatest.Config{
		LoadTime: start / 3, FirstToken: 4 * pace, Pace: pace,
		FrontEnd: gemmatest.FrontEndConfig{Start: start, Slots: 4},
	})
	fmt.Fprintln(stderr, "· endpoint:  emulated inside this program, private and cold like a real one")
	fmt.Fprintln(stderr, "             (set GEMMA_ENDPOINT to the URL of your Cloud Run service to ask a real model)")
	return gemma.Config{Endpoint: srv.URL, Auth: srv.Source()}, srv.Close, nil
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
	return func(e gemma.Event) {
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
