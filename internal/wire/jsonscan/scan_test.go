// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package jsonscan

import (
	"encoding/json"
	"testing"
)

// FuzzScan: every string, integer and scalar that a Scanner accepts is valid
// JSON and means what encoding/json says.
func FuzzScan(f *testing.F) {
	for _, s := range []string{`"a"`, `"a\n\u00e9\ud83d\ude00\ud83dx\ud83d\u0041\\\/"`, `"é`, "\"\xff\"", `12`, `-0`, `007`, `1.5`, `1e3`, `true`, `null`, `nul`, `-`, `"\x"`, `"\u12"`, "\"\x01\"", ` 999999999 `, `9999999999`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		s := New(doc)
		if raw, ok := s.Str(); ok && s.End() {
			var want string
			if err := json.Unmarshal(doc, &want); err != nil || raw.String() != want || string(raw.Append(nil)) != want {
				t.Fatalf("%q: %q, want %q, %v", doc, raw.String(), want, err)
			}
			if !raw.Escaped && !raw.Is(want) {
				t.Fatalf("%q is not itself", doc)
			}
		}
		s = New(doc)
		if n, ok := s.Int(); ok && s.End() {
			var want int32
			if err := json.Unmarshal(doc, &want); err != nil || n != want {
				t.Fatalf("%q: %d, want %d, %v", doc, n, want, err)
			}
		}
		s = New(doc)
		if s.Scalar() && s.End() && !json.Valid(doc) {
			t.Fatalf("%q is taken for a scalar", doc)
		}
		s = New(doc)
		if v, ok := s.Bool(); ok && s.End() {
			var want bool
			if err := json.Unmarshal(doc, &want); err != nil || v != want {
				t.Fatalf("%q: %v", doc, v)
			}
		}
	})
}

// TestNoAllocation: scanning costs no memory.
func TestNoAllocation(t *testing.T) {
	doc := []byte(`{"a":"b","n":12,"x":null}`)
	if n := testing.AllocsPerRun(100, func() {
		s := New(doc)
		if !s.Byte('{') {
			t.Fatal()
		}
		for more, ok := true, true; more; {
			if _, ok := s.Key(); !ok || !s.Scalar() {
				t.Fatal()
			}
			if more, ok = s.More('}'); !ok {
				t.Fatal()
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
