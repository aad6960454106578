// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func getenv(string) string { return "" }

func TestRecord(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), nil, getenv, 0, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	want := `title:   Budget for the spring fair
date:    2026-03-12
person:  Ada
person:  Grace
person:  Linus
action:  Ada: Get three offers for tents
action:  Grace: Ask the town about the square
action:  Linus: Look after the music
action:  Linus: Bake something
`
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}

func TestList(t *testing.T) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"-list"}, getenv, 0, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(out.String(), "\n"); lines != 4 || !strings.HasPrefix(out.String(), "Ada    Get three") {
		t.Errorf("got\n%s", &out)
	}
}

func TestFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(name, []byte("Ada came."), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"-list", "-file", name}, getenv, 0, io.Discard, io.Discard); err != nil {
		t.Error(err)
	}
	if err := run(t.Context(), []string{"-file", name + ".no"}, getenv, 0, io.Discard, io.Discard); err == nil {
		t.Error("a file that is not there was read")
	}
}
