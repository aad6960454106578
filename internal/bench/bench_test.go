// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == serveArg {
		exit(serveCrowd())
		return
	}
	os.Exit(m.Run())
}

// TestEverybodyGetsTheAnswer holds every client to the same text, streamed token
// by token and whole, from memory and over a socket: the figures compare equals.
func TestEverybodyGetsTheAnswer(t *testing.T) {
	const tokens = 40
	seen := 0
	for _, p := range protocols {
		a := newAnswer(p, tokens)
		server := httptest.NewServer(a)
		defer server.Close()
		transport := newTransport()
		defer transport.CloseIdleConnections()
		for _, from := range []struct {
			name, base string
			rt         http.RoundTripper
		}{{"memory", fake, a}, {"socket", server.URL, transport}} {
			askers, err := newAskers(t.Context(), p, from.base, from.rt)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range askers {
				t.Run(fmt.Sprint(k.name, " ", p, " ", from.name), func(t *testing.T) {
					seen++
					text, pieces := "", 0
					if err := k.stream(t.Context(), func(piece string) { text, pieces = text+piece, pieces+1 }); err != nil {
						t.Fatal(err)
					}
					if text != a.text {
						t.Errorf("streamed %q, want %q", text, a.text)
					}
					if pieces != tokens {
						t.Errorf("%d pieces, want one for each of %d tokens", pieces, tokens)
					}
					if text, err := k.whole(t.Context()); err != nil || text != a.text {
						t.Errorf("whole: %q, %v, want %q", text, err, a.text)
					}
				})
			}
		}
	}
	if seen != 14 {
		t.Errorf("%d clients took part, want 7, twice each", seen)
	}
}

// TestBareCutsTheText: the floor reads the same answer.
func TestBareCutsTheText(t *testing.T) {
	a := newAnswer(ollama, 40)
	quoted := ""
	bare := askBare(fake, a)
	if err := bare.stream(t.Context(), func(piece string) { quoted += piece }); err != nil {
		t.Fatal(err)
	}
	var text string
	if err := json.Unmarshal([]byte(`"`+quoted+`"`), &text); err != nil || text != a.text {
		t.Errorf("%q, %v, want %q", text, err, a.text)
	}
}

// TestLostTextIsNoFigure: a client that loses text is not measured.
func TestLostTextIsNoFigure(t *testing.T) {
	a := newAnswer(ollama, 5)
	askers, err := newAskers(t.Context(), ollama, fake, a)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range askers {
		longer := newAnswer(ollama, 6)
		if k.streams(t.Context(), longer) == nil || k.gets(t.Context(), longer) == nil {
			t.Errorf("%s: an answer that lacks a word passed", k.name)
		}
	}
}

// TestAllocations holds the goals that no neighbour on the machine can change.
func TestAllocations(t *testing.T) {
	const tokens = 1000
	perChunk := func(p protocol) map[string]float64 {
		a := newAnswer(p, tokens)
		askers, err := newAskers(t.Context(), p, fake, a)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]float64{}
		for _, k := range askers {
			found[k.name] = testing.AllocsPerRun(3, func() {
				if err := k.streams(t.Context(), a); err != nil {
					t.Fatal(err)
				}
			}) / tokens
		}
		return found
	}
	genAI := perChunk(gemini)
	for _, p := range []protocol{ollama, openAI} {
		if got := perChunk(p)[ours]; got > genAI[goGenAI]*mostAllocsToGenAI {
			t.Errorf("%s: %.2f allocations a chunk; go-genai makes %.2f, and the goal is %s of them", p, got, genAI[goGenAI], fraction(mostAllocsToGenAI))
		}
	}
	if genAI[viaBridge] > genAI[goGenAI]*mostTimeOfBridge {
		t.Errorf("the bridge: %.1f allocations a chunk, go-genai alone %.1f", genAI[viaBridge], genAI[goGenAI])
	}
}

// TestCrowd runs a small crowd of each client through its server in another
// process: every chunk arrives, in turn, and is timed.
func TestCrowd(t *testing.T) {
	c := crowdPlan{streams: 20, witnesses: 3, paced: 2, rate: 2000, flood: 5}
	for _, client := range []func(string) (asker, error){
		func(base string) (asker, error) { return askBare(base, newTransport()), nil },
		func(base string) (asker, error) {
			c, err := newClient(t.Context(), ollama, base, nil)
			return askGemma(ollama, c), err
		},
	} {
		got, err := crowd(t.Context(), c, client)
		if err != nil {
			t.Fatal(err)
		}
		if got.Lost != 0 || got.Rate <= 0 || len(got.Delays) != 40 || len(got.Floor) != 6 {
			t.Errorf("%d lost, %v chunks/s, %d delays, %d of the witnesses", got.Lost, got.Rate, len(got.Delays), len(got.Floor))
		}
		for _, d := range got.Delays {
			if d < 0 || d > float64(time.Minute) {
				t.Errorf("a delay of %v", time.Duration(d))
			}
		}
	}
}

// TestMembersMissNothing: chunks that are missing, doubled or out of turn count
// as lost.
func TestMembersMissNothing(t *testing.T) {
	for _, c := range []struct {
		name string
		seqs []int
		lost int
	}{{"all", []int{0, 1, 2}, 0}, {"one missing at the end", []int{0, 1}, 1}, {"swapped", []int{0, 2, 1}, 2}} {
		m := newMembers(crowdPlan{paced: 1, flood: 1}, 1)
		for _, seq := range c.seqs {
			m.all[0].saw(fmt.Sprintf("%d 1000", seq), 2000, 1)
		}
		if got := m.lost(); got != c.lost {
			t.Errorf("%s: %d lost, want %d", c.name, got, c.lost)
		}
	}
}

// TestRun makes a whole run, as small as can be, and reads what it wrote.
func TestRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.json")
	small := plan{tokens: 20, rounds: 1, sample: time.Microsecond, calls: 2, crowd: crowdPlan{rounds: 1, streams: 5, witnesses: 1, paced: 1, rate: 1000, flood: 2}}
	var table bytes.Buffer
	if err := run(t.Context(), small, "", &table, out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	var r report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	groups := map[string]bool{}
	goals := 0
	for _, row := range r.Rows {
		groups[row.Group] = true
		if row.Goal != nil {
			goals++
		}
		if !strings.Contains(table.String(), row.What) || !strings.Contains(table.String(), row.Group) {
			t.Errorf("the table lacks %s: %s", row.Group, row.What)
		}
	}
	if len(groups) != 5 || goals != 13 {
		t.Errorf("%d groups, %d goals, want 5 and 13:\n%s", len(groups), goals, &table)
	}
}

func TestStatistics(t *testing.T) {
	for _, c := range []struct {
		v    []float64
		q    float64
		want float64
	}{
		{nil, 0.5, 0}, {[]float64{3}, 0.99, 3}, {[]float64{3, 1, 2}, 0.5, 2}, {[]float64{4, 1, 3, 2}, 0.5, 2.5}, {[]float64{0, 10}, 0.99, 9.9}, {[]float64{1, 2, 3}, 1, 3},
	} {
		if got := quantile(c.v, c.q); got != c.want {
			t.Errorf("quantile %v of %v is %v, want %v", c.q, c.v, got, c.want)
		}
	}
	// The machine slowed down in the second round, for both.
	a, b := []cost{{CPU: 1}, {CPU: 10}, {CPU: 1}}, []cost{{CPU: 2}, {CPU: 20}, {CPU: 2}}
	if got := ratio(a, b, cpuOf); got != 0.5 {
		t.Errorf("ratio %v, want 0.5", got)
	}
	p := pairs{client: []float64{110, 220, 330}, floor: []float64{100, 200, 300}}
	if got := p.added(); got != 20 {
		t.Errorf("added %v, want 20", got)
	}
	for r, want := range map[float64]string{0.1: "1/10", 0.0213: "1/46.9", 1: "1", 1.35: "1.35", 0: "0"} {
		if got := fraction(r); got != want {
			t.Errorf("%v is %q, want %q", r, got, want)
		}
	}
	met, missed := row{Result: 49, Compare: subtracted, Unit: "µs"}.goal(50), row{Result: 0.1, Compare: divided}.goal(1.0/12)
	if goal, yes := met.verdict(); goal != "≤ 50 µs" || yes != "yes" {
		t.Error(goal, yes)
	}
	if goal, yes := missed.verdict(); goal != "≤ 1/12" || yes != "NO" {
		t.Error(goal, yes)
	}
}
