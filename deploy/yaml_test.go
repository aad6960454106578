// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readYAML reads the subset that appendYAML writes: block maps and lists, plain
// and JSON-quoted strings, integers and booleans. It is the reference that the
// emitter is fuzzed against.
type yamlReader struct {
	t     *testing.T
	lines []string
}

func (r *yamlReader) indent() int {
	if len(r.lines) == 0 {
		return -1
	}
	return len(r.lines[0]) - len(strings.TrimLeft(r.lines[0], " "))
}

func (r *yamlReader) value(indent int) any {
	if strings.HasPrefix(strings.TrimLeft(r.lines[0], " "), "- ") {
		l := list{}
		for r.indent() == indent && strings.HasPrefix(r.lines[0][indent:], "- ") {
			rest := r.lines[0][indent+2:]
			if _, _, isMap := r.key(rest); isMap {
				r.lines[0] = strings.Repeat(" ", indent+2) + rest
				l = append(l, r.value(indent+2))
			} else {
				l = append(l, r.scalar(rest))
				r.lines = r.lines[1:]
			}
		}
		return l
	}
	m := obj{}
	for r.indent() == indent && !strings.HasPrefix(r.lines[0][indent:], "- ") {
		k, rest, ok := r.key(r.lines[0][indent:])
		if !ok {
			r.t.Fatalf("not a key: %q", r.lines[0])
		}
		r.lines = r.lines[1:]
		if rest != "" {
			m[k] = r.scalar(rest)
			continue
		}
		m[k] = r.value(r.indent())
	}
	return m
}

// key splits "key: rest", where the key may be quoted.
func (r *yamlReader) key(s string) (key, rest string, ok bool) {
	if strings.HasPrefix(s, `"`) {
		dec := json.NewDecoder(strings.NewReader(s))
		if dec.Decode(&key) != nil {
			return "", "", false
		}
		s = s[dec.InputOffset():]
		if !strings.HasPrefix(s, ":") {
			return "", "", false
		}
		return key, strings.TrimPrefix(s[1:], " "), true
	}
	if strings.HasSuffix(s, ":") && !strings.Contains(s, ": ") {
		return s[:len(s)-1], "", true
	}
	return strings.Cut(s, ": ")
}

// ambiguous is what a YAML 1.1 or 1.2 reader resolves to something other than
// a string, from the two specifications' core schemas.
var ambiguous = regexp.MustCompile(`(?i)^(~|null|true|false|yes|no|on|off|y|n|[-+]?(\.inf|\.nan|inf|nan)|[-+]?[0-9][0-9_,.:eExXoOa-fA-F+-]*|\.[0-9]+.*|[0-9]{4}-.*)$`)

func (r *yamlReader) scalar(s string) any {
	switch {
	case s == "{}":
		return obj{}
	case s == "[]":
		return list{}
	case s == "true", s == "false":
		return s == "true"
	case strings.HasPrefix(s, `"`):
		var out string
		if err := json.Unmarshal([]byte(s), &out); err != nil {
			r.t.Fatalf("%q: %v", s, err)
		}
		return out
	}
	if n, err := strconv.Atoi(s); err == nil {
		return n
	}
	if ambiguous.MatchString(s) || s == "" || strings.ContainsAny(s[:1], "-?:,[]{}#&*!|>'\"%@`") || strings.Contains(s, " #") || strings.Contains(s, ": ") || strings.HasSuffix(s, ":") {
		r.t.Fatalf("%q is not a plain string", s)
	}
	return s
}

func TestYAMLReadsBack(t *testing.T) {
	k, err := full().knative()
	if err != nil {
		t.Fatal(err)
	}
	r := yamlReader{t, strings.Split(strings.TrimSuffix(string(appendYAML(nil, k, 0)), "\n"), "\n")}
	// Through JSON, which makes all lists and maps of one type.
	if diff := cmp.Diff(asMap(t, k), asMap(t, r.value(0))); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

// TestYAMLQuotes what some reader takes for another type than string.
func TestYAMLQuotes(t *testing.T) {
	for _, s := range []string{"", "y", "N", "yes", "No", "on", "OFF", "true", "null", "~", "1", "-1", "1e3", "0x1", "1_000", "12:30", "2026-11-23", ".5", ".inf", "NaN", "a b", "a: b", "#a", "-", "@a", "é"} {
		if got := yamlString(s); !strings.HasPrefix(got, `"`) {
			t.Errorf("%q is written as %s", s, got)
		}
	}
	for _, s := range []string{"Service", "nvidia.com/gpu", "serving.knative.dev/v1", "us-docker.pkg.dev/cloudrun/container/gemma/gemma3-4b", "shared:projects/1"} {
		if got := yamlString(s); got != s {
			t.Errorf("%q is written as %s", s, got)
		}
	}
}

func FuzzYAML(f *testing.F) {
	for _, s := range []string{"", "yes", "No", "~", "1e3", "0x10", "12:30:45", "2026-11-23", "a: b", "a #b", "- x", "-1", "{", "%", "\u0085\u2028", "a\nb", `"q"`, "nvidia.com/gpu", "a:b", "a:", "true", ".5", "null", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "?") // as every string of a manifest is, once it was JSON
		want := obj{"k": s, "l": list{s, obj{"a" + s: s, "m": list{}}, obj{"n": obj{}}}, "z": obj{s + "b": list{1, true}}}
		out := string(appendYAML(nil, want, 0))
		r := yamlReader{t, strings.Split(strings.TrimSuffix(out, "\n"), "\n")}
		if diff := cmp.Diff(want, r.value(0)); diff != "" {
			t.Errorf("%s\n(-written +read):\n%s", out, diff)
		}
	})
}
