// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Command bench compares this module with other Go clients of the same
// protocols, in one run on one machine, and prints a table of ratios.
//
//	go run .                 # the table, in two or three minutes
//	go run . -quick          # a rough one, in seconds
//	go run . -part crowd     # one part: costs, first or crowd
//	go run . -json out.json  # and the figures
//
// It talks to nothing but itself: answers come from memory, and over loopback
// where sockets matter.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

// report is everything that one run found.
type report struct {
	Machine  string                  `json:"machine"`
	Versions string                  `json:"versions"`
	Rows     []row                   `json:"rows"`
	Costs    map[string]cost         `json:"costs"` // medians over the rounds, by client and protocol
	First    map[string]firstFigures `json:"first_token"`
	Crowds   map[string][]*crowded   `json:"crowds"`
}

// plan says how much of everything.
type plan struct {
	tokens int
	rounds int
	sample time.Duration // CPU time of one sample
	calls  int           // for the first token
	crowd  crowdPlan
}

var (
	full = plan{tokens: 1000, rounds: 15, sample: 60 * time.Millisecond, calls: 2000,
		crowd: crowdPlan{rounds: 3, streams: 10_000, witnesses: 1000, paced: 5, rate: 8000, flood: 30}}
	quick = plan{tokens: 1000, rounds: 5, sample: 15 * time.Millisecond, calls: 200,
		crowd: crowdPlan{rounds: 1, streams: 500, witnesses: 50, paced: 3, rate: 1000, flood: 10}}
)

func main() {
	if len(os.Args) == 2 && os.Args[1] == serveArg {
		exit(serveCrowd())
		return
	}
	rough := flag.Bool("quick", false, "measure roughly, in seconds")
	part := flag.String("part", "", "measure only costs, first or crowd")
	out := flag.String("json", "", "write the figures to this file")
	flag.Parse()
	p := full
	if *rough {
		p = quick
	}
	exit(run(context.Background(), p, *part, os.Stdout, *out))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures everything, or the one part that is named, writes the table to w and, unless out is empty, the
// figures to that file.
func run(ctx context.Context, p plan, part string, w io.Writer, out string) error {
	r := &report{Machine: machine(), Versions: versions()}
	for _, step := range []struct {
		part, what string
		do         func(context.Context, plan) error
	}{{"costs", "costs", r.addCosts}, {"first", "first tokens", r.addFirst}, {"crowd", "many streams", r.addCrowd}} {
		if part != "" && part != step.part {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring: %s …\n", step.what)
		if err := step.do(ctx, p); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	r.Machine += " to " + load()
	if err := r.print(w); err != nil {
		return err
	}
	if out == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(out, append(text, '\n'), 0o644)
}
