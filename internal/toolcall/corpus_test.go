// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genai"
)

// tools are the declarations of the whole corpus: some by genai.Schema, some by
// JSON Schema; with and without parameters; with dots and dashes in the name.
func tools() []*genai.Tool {
	str := &genai.Schema{Type: genai.TypeString}
	num := &genai.Schema{Type: genai.TypeNumber}
	object := func(required []string, p map[string]*genai.Schema) *genai.Schema {
		return &genai.Schema{Type: genai.TypeObject, Properties: p, Required: required}
	}
	return []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{
		{Name: "get_weather", Description: "Get the weather", Parameters: object([]string{"city"}, map[string]*genai.Schema{
			"city": str,
			"unit": {Type: genai.TypeString, Format: "enum", Enum: []string{"celsius", "fahrenheit"}},
			"days": {Type: genai.TypeInteger, Minimum: new(1.0), Maximum: new(14.0)},
		})},
		{Name: "get_time", Parameters: object([]string{"timezone"}, map[string]*genai.Schema{"timezone": str})},
		{Name: "list_files"},
		{Name: "search", Parameters: object([]string{"query"}, map[string]*genai.Schema{
			"query": str,
			"limit": {Type: genai.TypeInteger},
			"filters": object(nil, map[string]*genai.Schema{
				"lang": str,
				"tags": {Type: genai.TypeArray, Items: str},
			}),
		})},
	}}, {FunctionDeclarations: []*genai.FunctionDeclaration{
		{Name: "send_email", Parameters: object([]string{"to", "subject", "body"}, map[string]*genai.Schema{
			"to":      {Type: genai.TypeArray, Items: str, MinItems: new(int64(1))},
			"subject": str, "body": str,
			"urgent": {Type: genai.TypeBoolean},
		})},
		{Name: "set_lights", Parameters: object([]string{"on"}, map[string]*genai.Schema{
			"on":         {Type: genai.TypeBoolean},
			"brightness": num,
			"color":      str,
		})},
		{Name: "write_file", Parameters: object([]string{"path", "content"}, map[string]*genai.Schema{"path": str, "content": str})},
		{Name: "math.add", Parameters: object([]string{"a", "b"}, map[string]*genai.Schema{"a": num, "b": num})},
		{Name: "convert-currency", Parameters: object([]string{"amount", "from", "to"}, map[string]*genai.Schema{"amount": num, "from": str, "to": str})},
		{Name: "create_event", ParametersJsonSchema: json.RawMessage(`{
			"type": "object",
			"properties": {
				"title": {"type": "string"},
				"start": {"type": "string", "format": "date-time"},
				"attendees": {"type": "array", "items": {"$ref": "#/$defs/person"}}
			},
			"required": ["title", "start"],
			"additionalProperties": false,
			"$defs": {"person": {"type": "object", "properties": {"name": {"type": "string"}, "email": {"type": "string"}}, "required": ["name"]}}
		}`)},
	}}}
}

func shim(t testing.TB, mode genai.FunctionCallingConfigMode, allowed ...string) *Shim {
	t.Helper()
	s, err := New(tools(), &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: mode, AllowedFunctionNames: allowed}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// example is one case of the corpus.
type example struct {
	category, name string
	flags          []string
	answer         string
	want           outcome
}

// outcome is what an answer comes to.
type outcome struct {
	Text  string
	Calls []string // name and arguments as JSON
	Fails []string // name and path
}

func (e example) has(flag string) bool { return slices.Contains(e.flags, flag) }

// corpus reads testdata/corpus. In an answer \r at a line's end is a carriage return.
func corpus(t testing.TB) []example {
	t.Helper()
	files, err := filepath.Glob("testdata/corpus/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no corpus", err)
	}
	var all []example
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split("\n"+string(text), "\n=== ")[1:] {
			head, rest, _ := strings.Cut(part, "\n")
			answer, want, ok := strings.Cut(rest, "\n--- want\n")
			if !ok {
				if answer, ok = strings.CutSuffix(rest, "\n--- want"); !ok {
					t.Fatalf("%s: %s: no --- want", f, head)
				}
			}
			name, flags, _ := strings.Cut(head, " ")
			e := example{
				category: strings.TrimSuffix(filepath.Base(f), ".txt"),
				name:     name,
				flags:    strings.Fields(strings.Trim(flags, "[]")),
				answer:   strings.ReplaceAll(answer+"\n", "\\r\n", "\r\n"),
			}
			e.answer = strings.TrimSuffix(e.answer, "\n")
			e.read(t, want)
			all = append(all, e)
		}
	}
	return all
}

func (e *example) read(t testing.TB, want string) {
	texted := false
	for line := range strings.SplitSeq(strings.TrimSpace(want), "\n") {
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "":
		case "call":
			name, args, _ := strings.Cut(rest, " ")
			var v any
			if err := json.Unmarshal([]byte(args), &v); err != nil {
				t.Fatalf("%s: %v", e.name, err)
			}
			text, _ := json.Marshal(v)
			e.want.Calls = append(e.want.Calls, name+" "+string(text))
		case "fail":
			e.want.Fails = append(e.want.Fails, strings.TrimSpace(rest))
		case "text":
			text, err := strconv.Unquote(rest)
			if err != nil {
				t.Fatalf("%s: %v", e.name, err)
			}
			e.want.Text, texted = text, true
		default:
			t.Fatalf("%s: what is %q?", e.name, line)
		}
	}
	if !texted && e.want.Calls == nil && e.want.Fails == nil {
		e.want.Text = e.answer
	}
}

func (e example) shim(t testing.TB) *Shim {
	switch {
	case e.has("any"):
		return shim(t, genai.FunctionCallingConfigModeAny)
	case e.has("none"):
		return shim(t, genai.FunctionCallingConfigModeNone)
	case e.has("weather-only"):
		return shim(t, genai.FunctionCallingConfigModeAny, "get_weather")
	}
	return shim(t, genai.FunctionCallingConfigModeAuto)
}

// scan feeds an answer in pieces, and tells what it comes to and its events
// with neighbouring texts joined.
func scan(t testing.TB, sc *Scanner, cut bool, pieces ...string) (outcome, []string) {
	var o outcome
	var events []string
	take := func(list []Event) {
		for _, ev := range list {
			if ev.Call == nil {
				o.Text += ev.Text
				if n := len(events); n > 0 && events[n-1][0] == 'T' {
					events[n-1] += ev.Text
				} else {
					events = append(events, "T"+ev.Text)
				}
				continue
			}
			if want := fmt.Sprintf("call_%d", len(o.Calls)); ev.Call.ID != want {
				t.Errorf("call %d has the id %q", len(o.Calls), ev.Call.ID)
			}
			args, err := json.Marshal(ev.Call.Args)
			if err != nil {
				t.Fatal(err)
			}
			o.Calls = append(o.Calls, ev.Call.Name+" "+string(args))
			events = append(events, "C"+o.Calls[len(o.Calls)-1])
		}
	}
	for _, p := range pieces {
		take(sc.Write(p))
	}
	last, err := sc.Close(cut)
	take(last)
	if e, ok := errors.AsType[*Error](err); ok {
		for _, a := range e.Attempts {
			name := a.Name
			if name == "" {
				name = "-"
			}
			o.Fails = append(o.Fails, strings.TrimSpace(name+" "+a.Path))
			// Of several faults in one call the validator names any: it walks a map.
			events = append(events, "E"+a.Name+a.Raw)
		}
	} else if err != nil {
		t.Errorf("%v is no *Error", err)
	}
	return o, events
}

func bytewise(s string) []string {
	out := make([]string, len(s))
	for i := range len(s) {
		out[i] = s[i : i+1]
	}
	return out
}

func random(r *rand.Rand, s string) []string {
	var out []string
	for s != "" {
		n := 1 + r.IntN(min(len(s), 12))
		out = append(out, s[:n])
		s = s[n:]
	}
	return out
}

// TestCorpus holds the scanner to what the answers in testdata/corpus mean:
// at least 98 of 100 right, no call in what is none, and nothing wrong but what
// is marked as a miss.
func TestCorpus(t *testing.T) {
	cases := corpus(t)
	if len(cases) < 160 {
		t.Fatalf("the corpus has %d cases", len(cases))
	}
	type score struct{ right, all int }
	scores := map[string]*score{}
	right, falseCalls := 0, 0
	var wrong []string
	for _, e := range cases {
		t.Run(e.category+"/"+e.name, func(t *testing.T) {
			s := scores[e.category]
			if s == nil {
				s = new(score)
				scores[e.category] = s
			}
			s.all++
			sh := e.shim(t)
			got, whole := scan(t, sh.NewScanner(e.has("constrained")), e.has("cut"), e.answer)
			if diff := cmp.Diff(e.want, got); diff != "" {
				wrong = append(wrong, e.category+"/"+e.name)
				if !e.has("miss") {
					t.Errorf("wrong (-want +got):\n%s", diff)
				}
			} else {
				if e.has("miss") {
					t.Error("right, and marked as a miss")
				}
				s.right++
				right++
			}
			if len(got.Calls) > len(e.want.Calls) {
				falseCalls++
				t.Errorf("a call was found in what is none: %q", got.Calls)
			}
			r := rand.New(rand.NewPCG(1, uint64(len(e.answer))))
			ways := [][]string{bytewise(e.answer)}
			for range 8 {
				ways = append(ways, random(r, e.answer))
			}
			for _, pieces := range ways {
				if _, events := scan(t, sh.NewScanner(e.has("constrained")), e.has("cut"), pieces...); !slices.Equal(events, whole) {
					t.Errorf("in pieces %q:\n got %q\nwant %q", pieces, events, whole)
				}
			}
		})
	}
	for category, s := range scores {
		t.Logf("%-12s %3d of %3d right", category, s.right, s.all)
	}
	rate := 100 * float64(right) / float64(len(cases))
	t.Logf("%d of %d right (%.1f %%), %d false calls; wrong: %q", right, len(cases), rate, falseCalls, wrong)
	if rate < 98 {
		t.Errorf("%.1f %% right, want 98", rate)
	}
}
