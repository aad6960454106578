// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
)

// TestPictureIsCurrent: the picture in docs is the one of the committed results.
func TestPictureIsCurrent(t *testing.T) {
	raw, err := os.ReadFile("../results.json")
	if err != nil {
		t.Fatal(err)
	}
	var results []result
	if err := json.Unmarshal(raw, &results); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := draw(&got, results); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../../../../docs/coldstart.svg")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("docs/coldstart.svg is out of date: go -C internal/coldstart/coldbench run ./picture > docs/coldstart.svg")
	}
}
