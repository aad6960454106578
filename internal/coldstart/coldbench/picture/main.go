// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Picture draws the benchmark's results as an SVG:
//
//	go -C internal/coldstart/coldbench run ./picture > docs/coldstart.svg
package main

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"log"
	"os"
	"strings"
)

// result is one row of ../results.json.
type result struct {
	Scenario string  `json:"scenario"`
	Client   string  `json:"client"`
	Success  float64 `json:"success"`
	WasteS   float64 `json:"waste_s"`
	Waste    float64 `json:"waste"` // of the median start
	Requests float64 `json:"requests"`
}

func main() {
	raw, err := os.ReadFile("results.json")
	if err != nil {
		log.Fatal(err)
	}
	var results []result
	if err := json.Unmarshal(raw, &results); err != nil {
		log.Fatal(err)
	}
	if err := draw(os.Stdout, results); err != nil {
		log.Fatal(err)
	}
}

const (
	width     = 900
	left      = 250 // where bars begin
	full      = 300 // the length of a bar for a waste of scale
	scale     = 0.6
	row       = 22
	textRight = left + full + 20
)

// draw writes one group of bars for each scenario in which the endpoint sheds
// at once, the hard case.
func draw(w io.Writer, results []result) error {
	var b strings.Builder
	y := 34
	scenario := ""
	for _, r := range results {
		if !strings.Contains(r.Scenario, "shed at once") {
			continue
		}
		if r.Scenario != scenario {
			scenario = r.Scenario
			y += 16
			fmt.Fprintf(&b, "<text x=\"12\" y=\"%d\" class=\"h\">%s</text>\n", y, html.EscapeString("Start: "+scenario))
			y += 8
		}
		class := "peer"
		if r.Client == "this gate" {
			class, r.Client = "ours", "gemma.Client"
		}
		fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" class=\"name\">%s</text>\n", left-10, y+15, html.EscapeString(r.Client))
		if r.Success == 0 {
			fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" class=\"fail\">every call fails after %.0f request(s)</text>\n", left, y+15, r.Requests)
		} else {
			fmt.Fprintf(&b, "<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"14\" class=\"%s\"/>\n", left, y+4, max(1, min(r.Waste/scale, 1)*full), class)
			class := "note"
			if r.Success < 0.999 {
				class = "fail"
			}
			fmt.Fprintf(&b, "<text x=\"%d\" y=\"%d\" class=\"%s\">%.1f s wasted, %.0f %% succeed, %.1f requests</text>\n", textRight, y+15, class, r.WasteS, r.Success*100, r.Requests)
		}
		y += row
	}
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, sans-serif" font-size="13">
<title>Time lost after a cold endpoint is ready, by client</title>
<style>
.bg{fill:#fff}.t{font-size:16px;font-weight:600}.h{font-weight:600}.name{text-anchor:end}.note{fill:#444}.fail{fill:#b00020}
.ours{fill:#1a73e8}.peer{fill:#bdc1c6}
</style>
<rect class="bg" width="100%%" height="100%%"/>
<text x="12" y="26" class="t">Time a call loses after a cold endpoint is ready (bar: share of the median start)</text>
%s</svg>
`, width, y+16, b.String())
	return err
}
