// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"reflect"
	"slices"
	"testing"

	"google.golang.org/genai"
)

func TestTextKeepsToTheAnswer(t *testing.T) {
	var text, thoughts []string
	for s, err := range Text(of(talk()...)) {
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, s)
	}
	for s, err := range Thoughts(of(talk()...)) {
		if err != nil {
			t.Fatal(err)
		}
		thoughts = append(thoughts, s)
	}
	if want := []string{`["a",`, `"b"]`}; !slices.Equal(text, want) {
		t.Errorf("Text yields %q, want %q", text, want)
	}
	if want := []string{"so ", "what"}; !slices.Equal(thoughts, want) {
		t.Errorf("Thoughts yields %q, want %q", thoughts, want)
	}
}

func TestFunctionCallsInOrder(t *testing.T) {
	var names []string
	for c, err := range FunctionCalls(of(talk()...)) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, c.Name)
	}
	if !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("got %q", names)
	}
}

// In a stream of several candidates a response may hold any of them.
func TestCandidates(t *testing.T) {
	make := func() []*genai.GenerateContentResponse {
		both := respond(&genai.Part{Text: "one"})
		both.Candidates = append(at(1, respond(&genai.Part{Text: "eins"})).Candidates, both.Candidates...)
		return []*genai.GenerateContentResponse{
			both, at(1, respond(&genai.Part{Text: " zwei"})), respond(&genai.Part{Text: " two"}),
			finish(genai.FinishReasonStop), at(1, finish(genai.FinishReasonStop)),
		}
	}
	for index, want := range []string{"one two", "eins zwei", ""} {
		var got string
		var failed error
		for s, err := range Text(Candidate(of(make()...), index)) {
			got, failed = got+s, err
		}
		if got != want || (failed != nil) != (index == 2) {
			t.Errorf("candidate %d: %q, %v; want %q", index, got, failed, want)
		}
	}
	rs := make()
	before := rs[0].Candidates[0].Index
	for range Candidate(of(rs...), 1) {
	}
	if rs[0].Candidates[0].Index != before || len(rs[0].Candidates) != 2 {
		t.Error("Candidate changed the response of the sequence inside")
	}
	r, err := Collect(of(make()...))
	if err != nil || len(r.Candidates) != 2 {
		t.Fatalf("Collect: %d candidates, %v", len(r.Candidates), err)
	}
	for i, want := range []string{"one two", "eins zwei"} {
		if c := r.Candidates[i]; int(c.Index) != i || !reflect.DeepEqual(c.Content.Parts, []*genai.Part{{Text: want}}) {
			t.Errorf("Collect: candidate %d is %+v", i, c)
		}
	}
}
