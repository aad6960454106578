// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

const notes = `12 March 2026, budget for the spring fair. Ada, Grace and Linus came.
Ada gets three offers for tents. Grace asks the town about the square.
Linus said that he would look after the music, and bake something.`

// endpoint is the configured service, or an emulated one. done gives back what
// it started.
func endpoint(getenv func(string) string, pace time.Duration, stderr io.Writer) (config gemma.Config, done func()) {
	if url := getenv("GEMMA_ENDPOINT"); url != "" {
		return gemma.Config{Endpoint: url}, func() {}
	}
	fmt.Fprintln(stderr, "· emulated endpoint, which always answers the same; set GEMMA_ENDPOINT to ask a real model")
	srv := gemmatest.NewServer(gemmatest.Config{Reply: canned, Pace: pace})
	return gemma.Config{Endpoint: srv.URL, Auth: srv.Source()}, srv.Close
}

// canned is what a model says of the notes, in tokens of five bytes.
func canned(c gemmatest.Call) gemmatest.Reply {
	const list = `[{"who": "Ada", "what": "Get three offers for tents"},
 {"who": "Grace", "what": "Ask the town about the square"},
 {"who": "Linus", "what": "Look after the music"},
 {"who": "Linus", "what": "Bake something"}]`
	answer := list
	if strings.Contains(string(c.Format), `"title"`) {
		answer = `{"title": "Budget for the spring fair", "date": "2026-03-12",
 "people": ["Ada", "Grace", "Linus"], "actions": ` + list + `}`
	}
	var r gemmatest.Reply
	for len(answer) > 5 {
		r.Chunks = append(r.Chunks, answer[:5])
		answer = answer[5:]
	}
	r.Chunks = append(r.Chunks, answer)
	return r
}
