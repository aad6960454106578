// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// row is one comparison: a figure of this module's beside a peer's.
type row struct {
	Group   string   `json:"group"`
	What    string   `json:"what"`
	Unit    string   `json:"unit"`
	Ours    float64  `json:"ours"`
	Peer    string   `json:"peer,omitempty"`
	Theirs  float64  `json:"theirs,omitempty"`
	Compare compare  `json:"compare"`
	Result  float64  `json:"result"` // ours ÷ theirs, or ours − theirs
	Goal    *float64 `json:"goal,omitempty"`
	Met     *bool    `json:"met,omitempty"`
}

// compare says what a row's result is.
type compare string

const (
	divided    compare = "ratio"
	subtracted compare = "difference"
	alone      compare = "figure"
)

// goal adds the most that the result may be.
func (r row) goal(most float64) row {
	r.Goal, r.Met = &most, new(r.Result <= most)
	return r
}

func (r *row) result() string {
	switch r.Compare {
	case divided:
		return fraction(r.Result)
	case subtracted:
		sign := ""
		if r.Result >= 0 {
			sign = "+"
		}
		return sign + figure(r.Result) + " " + r.Unit
	}
	return ""
}

// fraction writes a ratio below one as a part: 1/13.4.
func fraction(r float64) string {
	if r > 0 && r < 1 && !math.IsInf(r, 0) {
		return fmt.Sprintf("1/%.3g", 1/r)
	}
	return fmt.Sprintf("%.3g", r)
}

func (r *row) verdict() (goal, met string) {
	if r.Goal == nil {
		return "", ""
	}
	switch goal, met = "≤ "+fmt.Sprintf("%.4g %s", *r.Goal, r.Unit), "yes"; {
	case r.Compare == divided:
		goal = "≤ " + fraction(*r.Goal)
	case *r.Goal == 0:
		goal = "0"
	}
	if !*r.Met {
		met = "NO"
	}
	return goal, met
}

// print writes the report as one table.
func (r *report) print(w io.Writer) error {
	fmt.Fprintf(w, "%s\n%s\n\n", r.Machine, r.Versions)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "\tthis module\tpeer\t\tresult\tgoal\tmet")
	group := ""
	for _, row := range r.Rows {
		if row.Group != group {
			group = row.Group
			fmt.Fprintf(t, "%s\t\t\t\t\t\t\n", group)
		}
		theirs := ""
		if row.Peer != "" {
			theirs = figure(row.Theirs) + " " + row.Unit
		}
		goal, met := row.verdict()
		fmt.Fprintf(t, "  %s\t%s %s\t%s\t%s\t%s\t%s\t%s\n", row.What, figure(row.Ours), row.Unit, row.Peer, theirs, row.result(), goal, met)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s\n", notes)
	return err
}

// figure writes a number with three digits that count.
func figure(v float64) string {
	if a := math.Abs(v); a >= 100 || a == math.Trunc(a) {
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

const notes = `Costs are CPU time of the process, the garbage collector included, over answers from memory: no
socket is in them. A chunk is one flush and one Read of the body. Figures are medians over the rounds
of one run in which everybody takes turns; a ratio is the median of the ratios within each round.
A unary call of this module streams underneath, to see an answer that breaks off; the peers get one
document. ollama/api allocates 8 MB for each call, which is part of its figures.
First token: over warm loopback connections, call by call in turn; the difference is the median of
the pairs. Many streams: chunk by chunk beside net/http streams served in the same seconds for the
delay; net/http's heap has a buffer for lines of 4 KiB in it too.`
