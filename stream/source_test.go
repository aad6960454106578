// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"google.golang.org/genai"
)

// source is a scripted sequence for tests that tells what was done with it. It
// may be ranged over any number of times, so that single use is seen to be
// the work of the function under test.
type source struct {
	responses []*genai.GenerateContentResponse
	err       error // after the responses
	stubborn  bool  // goes on after the error
	ranges    int   // times it was started
	asked     int   // responses that were asked for
	released  int   // times its own clean-up ran
}

func (s *source) seq() Seq {
	return func(yield func(*genai.GenerateContentResponse, error) bool) {
		s.ranges++
		defer func() { s.released++ }()
		for _, r := range s.responses {
			s.asked++
			if !yield(r, nil) {
				return
			}
		}
		if s.err != nil && yield(nil, s.err) && s.stubborn {
			panic("ranged on after an error")
		}
	}
}

// say returns responses for candidate 0, one for each text, and a last empty one that finishes.
func say(texts ...string) []*genai.GenerateContentResponse {
	var rs []*genai.GenerateContentResponse
	for _, t := range texts {
		rs = append(rs, respond(&genai.Part{Text: t}))
	}
	return append(rs, finish(genai.FinishReasonStop))
}

func respond(parts ...*genai.Part) *genai.GenerateContentResponse {
	return &genai.GenerateContentResponse{Candidates: []*genai.Candidate{{
		Content: &genai.Content{Role: genai.RoleModel, Parts: parts},
	}}}
}

func finish(reason genai.FinishReason) *genai.GenerateContentResponse {
	return &genai.GenerateContentResponse{
		Candidates:    []*genai.Candidate{{FinishReason: reason, Content: &genai.Content{Role: genai.RoleModel, Parts: []*genai.Part{{Text: ""}}}}},
		UsageMetadata: &genai.GenerateContentResponseUsageMetadata{PromptTokenCount: 5, CandidatesTokenCount: 7},
	}
}

// at moves a response to another candidate.
func at(index int32, r *genai.GenerateContentResponse) *genai.GenerateContentResponse {
	for _, c := range r.Candidates {
		c.Index = index
	}
	return r
}

// of returns a sequence of the responses.
func of(rs ...*genai.GenerateContentResponse) Seq { return (&source{responses: rs}).seq() }

// split cuts s into pieces of n bytes.
func split(s string, n int) []string {
	var out []string
	for len(s) > n {
		out = append(out, s[:n])
		s = s[n:]
	}
	return append(out, s)
}
