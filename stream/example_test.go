// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream_test

import (
	"errors"
	"fmt"
	"io"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/stream"
)

// answer stands for client.Stream(ctx, …): a model that says these pieces of text.
func answer(texts ...string) stream.Seq {
	var parts []*genai.Part
	for _, t := range texts {
		parts = append(parts, &genai.Part{Text: t})
	}
	return parted(parts...)
}

// parted is answer for parts that are more than text.
func parted(parts ...*genai.Part) stream.Seq {
	return func(yield func(*genai.GenerateContentResponse, error) bool) {
		for i, p := range parts {
			r := &genai.GenerateContentResponse{Candidates: []*genai.Candidate{{Content: genai.NewContentFromParts([]*genai.Part{p}, genai.RoleModel)}}}
			if i == len(parts)-1 {
				r.Candidates[0].FinishReason = genai.FinishReasonStop
				r.UsageMetadata = &genai.GenerateContentResponseUsageMetadata{PromptTokenCount: 9, CandidatesTokenCount: int32(len(parts))}
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// broken is an answer whose connection ends in the middle.
func broken(text string) stream.Seq {
	return func(yield func(*genai.GenerateContentResponse, error) bool) {
		yield(&genai.GenerateContentResponse{Candidates: []*genai.Candidate{{Content: genai.NewContentFromText(text, genai.RoleModel)}}}, nil)
	}
}

func ExampleText() {
	seq := answer("Because ", "of Rayleigh ", "scattering.") // client.Stream(ctx, genai.Text("Why is the sky blue?"), nil)
	for text, err := range stream.Text(seq) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Print(text)
	}
	// Output: Because of Rayleigh scattering.
}

// An answer that just stops is an error, not a short answer.
func ExampleText_truncated() {
	for text, err := range stream.Text(broken("Because of")) {
		if errors.Is(err, stream.ErrTruncated) {
			fmt.Print(" … cut off")
			return
		}
		fmt.Print(text)
	}
	// Output: Because of … cut off
}

func ExampleThoughts() {
	seq := parted(&genai.Part{Text: "The user wants a number.", Thought: true}, &genai.Part{Text: "42"})
	for thought, err := range stream.Thoughts(seq) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(thought)
	}
	// Output: The user wants a number.
}

func ExampleFunctionCalls() {
	seq := parted(
		&genai.Part{Text: "Let me look."},
		genai.NewPartFromFunctionCall("weather", map[string]any{"city": "Paris"}),
		genai.NewPartFromFunctionCall("weather", map[string]any{"city": "Rome"}),
	)
	for call, err := range stream.FunctionCalls(seq) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(call.Name, call.Args["city"])
	}
	// Output:
	// weather Paris
	// weather Rome
}

func ExampleCollect() {
	whole, err := stream.Collect(answer("Hello, ", "world."))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(whole.Text())
	fmt.Println(len(whole.Candidates[0].Content.Parts), "part,", whole.UsageMetadata.CandidatesTokenCount, "tokens,", whole.Candidates[0].FinishReason)
	// Output:
	// Hello, world.
	// 1 part, 2 tokens, STOP
}

// With an error there is still what arrived.
func ExampleCollect_partial() {
	whole, err := stream.Collect(broken("Once upon a"))
	fmt.Printf("%q %t\n", whole.Text(), errors.Is(err, stream.ErrTruncated))
	// Output: "Once upon a" true
}

func ExampleMeasure() {
	var stats stream.Stats
	for _, err := range stream.Text(stream.Measure(answer("one ", "two ", "three"), &stats)) {
		if err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(stats.OutputTokens, "tokens,", stats.Finish, stats.FirstToken <= stats.Total)
	// Output: 3 tokens, STOP true
}

func ExampleChecked() {
	for r, err := range stream.Checked(broken("Because of")) { // GenerateContentStream of the Gen AI SDK, say
		if err != nil {
			fmt.Println(errors.Is(err, stream.ErrTruncated))
			return
		}
		fmt.Println(r.Text())
	}
	// Output:
	// Because of
	// true
}

func ExampleCandidate() {
	seq := func(yield func(*genai.GenerateContentResponse, error) bool) {
		for i, text := range []string{"heads", "tails"} {
			if !yield(&genai.GenerateContentResponse{Candidates: []*genai.Candidate{{
				Index: int32(i), Content: genai.NewContentFromText(text, genai.RoleModel), FinishReason: genai.FinishReasonStop,
			}}}, nil) {
				return
			}
		}
	}
	for text, err := range stream.Text(stream.Candidate(seq, 1)) {
		fmt.Println(text, err)
	}
	// Output: tails <nil>
}

func ExampleJSON() {
	type Recipe struct {
		Name    string   `json:"name"`
		Minutes int      `json:"minutes"`
		Steps   []string `json:"steps"`
	}
	seq := answer("```json\n", `{"name": "Tom`, `ato soup", "minutes": 2`, `5, "steps": ["Cut`, `.", "Boil."`, "]}\n```")
	for recipe, err := range stream.JSON[Recipe](seq) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%+v\n", recipe)
	}
	// Output:
	// {Name:Tomato soup Minutes:0 Steps:[]}
	// {Name:Tomato soup Minutes:25 Steps:[]}
	// {Name:Tomato soup Minutes:25 Steps:[Cut. Boil.]}
	// {Name:Tomato soup Minutes:25 Steps:[Cut. Boil.]}
}

// Long texts can be shown as they grow, and the result can be checked.
func ExampleJSONWith() {
	type Review struct {
		Summary string `json:"summary"`
		Stars   int    `json:"stars"`
	}
	seq := answer(`{"summary": "Warm`, ` and filling", `, `"stars": 4}`)
	options := stream.JSONOptions{
		GrowingText: true,
		Validate: func(document []byte) error {
			fmt.Println("checking", len(document), "bytes")
			return nil
		},
	}
	for review, err := range stream.JSONWith[Review](seq, options) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%q %d\n", review.Summary, review.Stars)
	}
	// Output:
	// "Warm" 0
	// "Warm and filling" 0
	// checking 43 bytes
	// "Warm and filling" 4
}

// A wrong answer ends the request where it goes wrong.
func ExampleJSONError() {
	type Review struct {
		Stars int `json:"stars"`
	}
	for _, err := range stream.JSON[Review](answer(`{"stars": "four"`, `, "more": "never read"}`)) {
		if e, ok := errors.AsType[*stream.JSONError](err); ok {
			fmt.Println(e.Offset, e.Path)
		}
	}
	for _, err := range stream.JSON[Review](answer(`{"stars":`)) {
		fmt.Println(errors.Is(err, io.ErrUnexpectedEOF))
	}
	// Output:
	// 10 .stars
	// true
}

func ExampleElements() {
	type City struct {
		Name string `json:"name"`
		Size int    `json:"size"`
	}
	seq := answer(`[{"name": "Paris", "si`, `ze": 2}, {"name": "Ro`, `me", "size": 3}`, `]`)
	for city, err := range stream.Elements[City](seq) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(city.Name, city.Size)
	}
	// Output:
	// Paris 2
	// Rome 3
}

func ExampleElementsWith() {
	odd := errors.New("odd")
	options := stream.JSONOptions{Validate: func(element []byte) error {
		if element[len(element)-1]%2 == 1 {
			return odd
		}
		return nil
	}}
	for n, err := range stream.ElementsWith[int](answer(`[2, 4, 5, 6]`), options) {
		fmt.Println(n, errors.Is(err, odd))
	}
	// Output:
	// 2 false
	// 4 false
	// 0 true
}

func ExampleDecode() {
	numbers, err := stream.Decode[[]int]("```json\n[1, 2, 3]\n```", stream.JSONOptions{})
	fmt.Println(numbers, err)
	// Output: [1 2 3] <nil>
}
