// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Command coldbench shows what a cold start costs through this module's gate
// and through other clients, in virtual time, before the same simulated front
// end of Cloud Run.
//
//	go run .                 # the table
//	go run . -json out.json  # and the numbers, for a picture
//
// A cell says how many calls succeeded, how long the endpoint was ready before
// the call found out, as a part of the median start, and how many requests a
// start took. Each process makes several starts; the third and later ones count
// for the waste, so that a client that learns has had something to learn from.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"text/tabwriter"
)

var (
	out       = flag.String("json", "", "write the numbers to this file")
	processes = flag.Int("processes", 12, "processes a cell")
	starts    = flag.Int("starts", 8, "starts a process")
)

func main() {
	// synctest wants a *testing.T.
	testing.Main(func(string, string) (bool, error) { return true, nil },
		[]testing.InternalTest{{Name: "coldbench", F: table}}, nil, nil)
}

func table(t *testing.T) {
	var results []result
	for _, s := range scenarios() {
		for _, c := range clients() {
			results = append(results, measure(t, s, c))
		}
	}
	print(results)
	if *out == "" {
		return
	}
	text, err := json.MarshalIndent(results, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(*out, append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

func print(results []result) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	last := ""
	for _, r := range results {
		if r.Scenario != last {
			if last != "" {
				fmt.Fprintln(w)
			}
			fmt.Fprintf(w, "%s\tsuccess\twaste after ready\tof the median\trequests a start\n", r.Scenario)
			last = r.Scenario
		}
		waste, part := "-", "-"
		if r.Found > 0 {
			waste, part = fmt.Sprintf("%.2f s", r.Waste), fmt.Sprintf("%.1f %%", 100*r.Part)
		}
		fmt.Fprintf(w, "  %s\t%5.1f %%\t%s\t%s\t%.1f\n", r.Client, 100*r.Success, waste, part, r.Requests)
	}
	_ = w.Flush()
	fmt.Println(strings.Repeat("-", 20))
	fmt.Printf("%d processes of %d starts a cell; waste over the third and later starts that were found\n", *processes, *starts)
}
