// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"google.golang.org/genai"
)

// FuzzParse holds the scanner to what it promises of any answer: how it is cut
// does not matter, text without a call comes out as it went in, and a call is
// of a declared function with arguments that fit.
func FuzzParse(f *testing.F) {
	for _, e := range corpus(f) {
		f.Add(e.answer, uint64(len(e.answer)), e.has("constrained"), e.has("cut"))
	}
	s := shim(f, genai.FunctionCallingConfigModeAuto)
	f.Fuzz(func(t *testing.T, answer string, seed uint64, constrained, cut bool) {
		if len(answer) > 4096 {
			return
		}
		got, whole := scan(t, s.NewScanner(constrained), cut, answer)
		if len(got.Calls) == 0 && len(got.Fails) == 0 && !constrained && got.Text != answer {
			t.Fatalf("%q came out as %q", answer, got.Text)
		}
		for _, c := range got.Calls {
			name, args, _ := strings.Cut(c, " ")
			fn := s.names[name]
			if fn == nil {
				t.Fatalf("%q calls %q", answer, c)
			}
			if err := fn.check.Validate([]byte(args)); err != nil {
				t.Fatalf("%q calls %q: %v", answer, c, err)
			}
		}
		r := rand.New(rand.NewPCG(seed, 0))
		for _, pieces := range [][]string{bytewise(answer), random(r, answer), random(r, answer)} {
			if _, events := scan(t, s.NewScanner(constrained), cut, pieces...); !slices.Equal(events, whole) {
				t.Fatalf("%q in pieces %q:\n got %q\nwant %q", answer, pieces, events, whole)
			}
		}
		if !constrained && !cut {
			rest, calls, err := Parse(s, answer)
			if rest != got.Text || len(calls) != len(got.Calls) || (err != nil) != (len(got.Fails) > 0) {
				t.Fatalf("Parse(%q) = %q, %d calls, %v; the scanner: %+v", answer, rest, len(calls), err, got)
			}
		}
		if utf8.ValidString(answer) && !constrained {
			sc := s.NewScanner(false)
			for _, p := range bytewise(answer) {
				for _, e := range sc.Write(p) {
					if !utf8.ValidString(e.Text) {
						t.Fatalf("%q: the event %q is cut inside a character", answer, e.Text)
					}
				}
			}
		}
	})
}

// FuzzValue holds the reader to encoding/json on everything that is JSON.
func FuzzValue(f *testing.F) {
	for _, e := range corpus(f) {
		f.Add(e.answer)
	}
	f.Add(`{"a":[1,-2.5e3,"\u00e9\ud83d\ude00\ud83d x\/\b",true,false,null,{}],"":{"b":[]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		var want any
		r := &reader{s: text}
		got, ok := r.value()
		ok = ok && r.end()
		if json.Unmarshal([]byte(text), &want) != nil || depth(text) >= maxDepth-1 || strings.Contains(text, "<escape>") || strings.Contains(text, `<|"|>`) {
			return
		}
		if !ok || !reflect.DeepEqual(plain(got), want) {
			t.Fatalf("%q: %#v, %v; encoding/json: %#v", text, got, ok, want)
		}
	})
}

func depth(text string) int { return strings.Count(text, "{") + strings.Count(text, "[") }

// hostile are answers made to be slow, n bytes or a little more.
func hostile(n int) map[string]string {
	rep := func(s string) string { return strings.Repeat(s, n/len(s)+1) }
	call := `{"name":"search","parameters":{"query":"`
	return map[string]string{
		"braces":             rep("{"),
		"brackets":           rep("["),
		"braces on lines":    rep("{\n"),
		"heads":              rep(`{"name":`),
		"heads on lines":     rep("{\"name\": \"search\",\n"),
		"heads in blanks":    rep("{\"name\": \"search\",\n\n"),
		"fences":             rep("```"),
		"fences on lines":    rep("```\n"),
		"json fences":        rep("```json\n{\"name\":\n"),
		"python fences":      rep("```python\nsearch(\n"),
		"ticks":              rep("` "),
		"quotes":             rep(`"`),
		"triple quotes":      rep(`search(query="""` + "\n"),
		"backslashes":        call + rep(`\`),
		"long string":        call + rep("x"),
		"long string closed": call + rep("x") + `"}}`,
		"many calls":         rep(call + "\"}}\n"),
		"many in a list":     "[" + rep(call+`"}},`) + call + `"}}]`,
		"bad in a list":      "[" + rep(call+`"}},`) + "{]",
		"deep":               call + `","filters":` + rep(`{"a":`) + "1",
		"deep lists":         call + `","filters":` + rep("[") + "1",
		"marks":              rep("<tool_call>"),
		"open marks":         rep("<|tool_call>call:search{"),
		"half marks":         rep("<start_function_cal"),
		"escapes":            "<start_function_call>call:search{query:" + rep("<escape>"),
		"words":              rep("call:search{query:a,"),
		"commas":             "<start_function_call>call:search{" + rep(","),
		"names":              rep("a"),
		"assignments":        rep("a="),
		"prints":             rep("print("),
		"blank":              rep(" "),
		"blank lines":        rep("\n"),
		"comments":           "```tool_code\n" + rep("# x\n"),
		"prose":              rep("The quick brown fox, and so on. "),
		"info":               "```json" + rep("x"),
		"line fence":         "```json " + rep("` "),
		"long intro":         rep("for exampl") + "\n" + call + `x"}}`,
		"tail":               call + `x"}}` + rep(";"),
		"spaces in a head":   "{" + rep(" ") + `"name"`,
	}
}

// TestLinear makes answers that were made to be slow sixteen times as long, and
// holds the time to less than a third of what it would be if it grew with the square.
func TestLinear(t *testing.T) {
	s := shim(t, genai.FunctionCallingConfigModeAuto)
	const size, factor = 16 << 10, 16
	small, large := hostile(size), hostile(factor*size)
	measure := func(answer string, constrained bool, step int) time.Duration {
		best := time.Hour
		for range 3 {
			start := time.Now()
			sc := s.NewScanner(constrained)
			for i := 0; i < len(answer); i += step {
				sc.Write(answer[i:min(i+step, len(answer))])
			}
			sc.Close(false)
			best = min(best, time.Since(start))
		}
		return best
	}
	for name := range small {
		for _, step := range []int{3, 1 << 20} {
			for _, constrained := range []bool{false, true} {
				var a, b time.Duration
				ok := false
				for range 4 { // others use the machine, too
					a, b = measure(small[name], constrained, step), measure(large[name], constrained, step)
					if ok = b < factor*factor/3*max(a, 20*time.Microsecond); ok {
						break
					}
				}
				if !ok {
					t.Errorf("%s (constrained %v, step %d): %v for %d bytes, %v for %d", name, constrained, step, a, len(small[name]), b, len(large[name]))
				}
			}
		}
	}
}

func BenchmarkScanner(b *testing.B) {
	s := shim(b, genai.FunctionCallingConfigModeAuto)
	call := "Let me check.\n```json\n" + `{"name": "search", "parameters": {"query": "` + strings.Repeat("x", 200) + "\"}}\n```\n"
	prose := strings.Repeat("It is 15 °C in Paris; `x` and <b>y</b> are fine.\n", 20)
	for name, unit := range map[string]string{"prose": prose, "calls": call} {
		for _, size := range []int{1 << 14, 1 << 16, 1 << 18} {
			answer := strings.Repeat(unit, size/len(unit))
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(answer)))
				for b.Loop() {
					sc := s.NewScanner(false)
					for i := 0; i < len(answer); i += 5 {
						sc.Write(answer[i:min(i+5, len(answer))])
					}
					sc.Close(false)
				}
			})
		}
	}
}
