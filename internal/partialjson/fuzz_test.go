// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package partialjson

import (
	"encoding/json"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// FuzzParser holds the parser against encoding/json, whole and cut at every
// place, on any text.
func FuzzParser(f *testing.F) {
	suite, _ := os.ReadFile("testdata/suite.txt")
	for line := range strings.Lines(string(suite)) {
		_, quoted, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if text, err := strconv.Unquote(quoted); err == nil {
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 128 {
			return
		}
		got, err := read(new(Parser), text)
		if first := strings.TrimLeft(text, " \t\r\n"); first == "" || first[0] != '`' && first[0] != '~' {
			var want any
			std := json.Unmarshal([]byte(text), &want)
			if _, range_ := std.(*json.UnmarshalTypeError); range_ {
				std = nil // a number too large for a float64 is still JSON
				want = got
			}
			if std == nil && twice(text) {
				if err == nil {
					t.Fatalf("%q: a name that comes twice was accepted", text)
				}
			} else if (err != nil) != (std != nil) || err == nil && !reflect.DeepEqual(got, want) {
				t.Fatalf("%q: %#v, %v; encoding/json: %#v, %v", text, got, err, want, std)
			}
		}
		for i := range len(text) {
			cut, cutErr := read(new(Parser), text[:i], text[i:])
			if !reflect.DeepEqual(cutErr, err) || !reflect.DeepEqual(cut, got) {
				t.Fatalf("%q cut at %d: %#v, %v; whole: %#v, %v", text, i, cut, cutErr, got, err)
			}
		}
		if slow, slowErr := read(new(Parser), bytewise(text)...); !reflect.DeepEqual(slowErr, err) || !reflect.DeepEqual(slow, got) {
			t.Fatalf("%q bytewise: %#v, %v; whole: %#v, %v", text, slow, slowErr, got, err)
		}
		if s, ok := got.(string); ok && err == nil && text[0] == '"' {
			checkPrefixes(t, strings.TrimRight(text, " \t\r\n"), s)
		}
	})
}

// twice reports whether an object in the valid text has a name twice.
func twice(text string) bool {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber() // or a number that no float64 holds would end the walk
	type open struct {
		names map[string]bool // nil for an array
		value bool            // a value comes next
	}
	var stack []open
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return false
		}
		top := len(stack) - 1
		if s, ok := tok.(string); ok && top >= 0 && stack[top].names != nil && !stack[top].value {
			if stack[top].names[s] {
				return true
			}
			stack[top].names[s] = true
			stack[top].value = true
			continue
		}
		if top >= 0 {
			stack[top].value = false
		}
		switch tok {
		case json.Delim('{'):
			stack = append(stack, open{names: map[string]bool{}})
		case json.Delim('['):
			stack = append(stack, open{})
		case json.Delim('}'), json.Delim(']'):
			stack = stack[:top]
		default:
			if err != nil {
				return false
			}
		}
	}
}

func BenchmarkParser(b *testing.B) {
	doc := `{"items":[` + strings.Repeat(`{"name":"Ada Lovelace","born":1815,"fields":["mathematics","computing"]},`, 1000) + `{}]}`
	for _, size := range []int{1, 4, 64, len(doc)} {
		b.Run("piece="+strconv.Itoa(size), func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				p := new(Parser)
				for rest := doc; rest != ""; {
					n := min(size, len(rest))
					p.Write(rest[:n])
					rest = rest[n:]
					for {
						_, ok, err := p.Next()
						if err != nil {
							b.Fatal(err)
						}
						if !ok {
							break
						}
					}
				}
			}
		})
	}
}
