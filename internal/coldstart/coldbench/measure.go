// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// result is one cell of the table.
type result struct {
	Scenario string  `json:"scenario"`
	Client   string  `json:"client"`
	Median   float64 `json:"median_s"`
	Calls    int     `json:"calls"`
	Success  float64 `json:"success"`
	Found    int     `json:"found"`    // starts that count for the waste
	Waste    float64 `json:"waste_s"`  // mean, from ready until the call was answered
	Part     float64 `json:"waste"`    // the same as a part of the median start
	Requests float64 `json:"requests"` // sent per start while the endpoint was not known to be ready
}

// measure runs a cell. Every client sees the same starts.
func measure(t *testing.T, s scenario, c client) result {
	r := result{Scenario: s.name, Client: c.name, Median: s.median}
	requests, good := 0, 0
	for p := range *processes {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(uint64(p), 7))
			times := make([]time.Duration, *starts+1)
			for i := range times {
				times[i] = time.Duration(s.draw(rnd) * float64(time.Second))
			}
			srv := gemmatest.NewServer(gemmatest.Config{
				InMemory: true, Backend: http.HandlerFunc(answer),
				FrontEnd: gemmatest.FrontEndConfig{
					Public: true, Hold: s.hold, ShedStatus: s.status,
					StartTime: func(n int) time.Duration { return times[min(n-1, len(times)-1)] },
				},
			})
			defer srv.Close()
			call, err := c.make(t.Context(), srv.URL, srv.Transport())
			if err != nil {
				t.Fatal(err)
			}
			for k := range *starts {
				before := srv.Stats().Requests
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
				err := call(ctx)
				done := time.Now()
				cancel()
				r.Calls++
				all := srv.Starts()
				requests += srv.Stats().Requests - before
				if err == nil {
					good++
					if last := all[len(all)-1]; k >= 2 {
						r.Found++
						r.Waste += done.Sub(last.Ready).Seconds()
					}
				}
				time.Sleep(3 * time.Hour) // scaled to zero again
			}
		})
	}
	r.Success = float64(good) / float64(r.Calls)
	r.Requests = float64(requests) / float64(r.Calls)
	if c.name == gateName {
		r.Requests-- // the call itself, which comes after the probe
	}
	if r.Found > 0 {
		r.Waste /= float64(r.Found)
		r.Part = r.Waste / s.median
	}
	return r
}

// answer is a model server that answers every protocol at once.
func answer(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	switch {
	case strings.Contains(r.URL.Path, "generateContent"):
		_, _ = io.WriteString(w, `{"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},"finishReason":"STOP"}]}`)
	case strings.HasSuffix(r.URL.Path, "/chat/completions"):
		_, _ = io.WriteString(w, `{"id":"1","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Hi"},"finish_reason":"stop"}]}`)
	default:
		_, _ = io.WriteString(w, `{"done":true}`)
	}
}
