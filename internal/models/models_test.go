// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package models

import "testing"

func TestLookupKnowsEverySpelling(t *testing.T) {
	for _, m := range All() {
		for _, name := range []string{m.ID, "models/" + m.ID, m.Ollama, m.HF, m.Image} {
			if name == "" {
				continue
			}
			got, ok := Lookup(name)
			if !ok || got.ID != m.ID {
				t.Errorf("Lookup(%q) = %q, %v; want %q", name, got.ID, ok, m.ID)
			}
		}
	}
}

func TestLookup(t *testing.T) {
	tests := []struct{ name, id string }{
		{"gemma3:4b-it-q4_K_M", "gemma-3-4b-it"},
		{"gemma3:4b-it-qat", "gemma-3-4b-it"},
		{"GEMMA-3-4B-IT", "gemma-3-4b-it"},
		{" gemma3:4b ", "gemma-3-4b-it"},
		{"gemma-3-4b", "gemma-3-4b-it"},
		{"gemma4:26b", "gemma-4-26b-a4b-it"}, // Ollama drops the a4b that the id carries
		{"gemma-3-4b-pt", ""},
		{"gemma3:4b-mine", ""},
		{"gemma3", ""}, // Ollama's latest moves; no size is implied
		{"functiongemma", "functiongemma-270m-it"},
		{"llama3:8b", ""},
		{"my-fine-tune", ""},
		{"", ""}, {"gemma", ""}, {"/", ""}, {":", ""},
	}
	for _, tt := range tests {
		got, ok := Lookup(tt.name)
		if got.ID != tt.id || ok != (tt.id != "") {
			t.Errorf("Lookup(%q) = %q, %v; want %q", tt.name, got.ID, ok, tt.id)
		}
	}
}

func TestSame(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{"gemma-3-4b-it", "gemma3:4b", true},
		{"google/gemma-4-31B-it", "gemma4:31b", true},
		{"gemma3:4b", "gemma3:12b", false},
		{"mine", "mine:latest", true},
		{"mine", "yours", false},
		{"gemma3:4b", "mine", false},
	}
	for _, tt := range tests {
		if got := Same(tt.a, tt.b); got != tt.want {
			t.Errorf("Same(%q, %q) = %v", tt.a, tt.b, got)
		}
	}
}

func FuzzLookup(f *testing.F) {
	for _, m := range All() {
		f.Add(m.Ollama)
		f.Add(m.HF)
	}
	f.Fuzz(func(t *testing.T, name string) {
		m, ok := Lookup(name)
		if ok != (m.ID != "") {
			t.Fatalf("Lookup(%q) = %+v, %v", name, m, ok)
		}
	})
}
