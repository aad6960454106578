// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"google.golang.org/genai"
)

// Collect ranges over seq and returns the whole answer as one response.
// With an error it still returns what arrived; the response is never nil.
//
// Candidates are told apart by their index and sorted by it. Neighbouring
// pieces of text become one part, thoughts apart from the answer; a part that is
// anything more than text (a call, a thought signature, metadata) stays as it
// came. Token log probabilities and citations are strung together. Of
// everything else — finish reason, usage, model version, grounding — the latest value that
// says something is kept. The responses of seq are not changed.
func Collect(seq Seq) (*genai.GenerateContentResponse, error) {
	c := collector{whole: new(genai.GenerateContentResponse)}
	var end ending
	for r, err := range seq {
		if r != nil {
			end.saw(r)
			c.add(r)
		}
		if err != nil {
			return c.finish(), err
		}
	}
	return c.finish(), end.truncated()
}

type collector struct {
	whole      *genai.GenerateContentResponse
	candidates []*candidate // sorted by index
}

type candidate struct {
	whole *genai.Candidate
	// The run of text that is still growing, and whether it is thought.
	run     strings.Builder
	thought bool
	// How many responses brought log probabilities.
	logprobs int
}

func (c *collector) add(r *genai.GenerateContentResponse) {
	if bare(r) {
		c.whole.ModelVersion = cmp.Or(r.ModelVersion, c.whole.ModelVersion)
		c.whole.ResponseID = cmp.Or(r.ResponseID, c.whole.ResponseID)
	} else {
		overlay(c.whole, r)
		c.whole.Candidates = nil // set by finish
	}
	for _, next := range r.Candidates {
		if next == nil {
			continue
		}
		at, ok := slices.BinarySearchFunc(c.candidates, next.Index, func(have *candidate, index int32) int {
			return cmp.Compare(have.whole.Index, index)
		})
		if !ok {
			c.candidates = slices.Insert(c.candidates, at, &candidate{whole: &genai.Candidate{Index: next.Index}})
		}
		c.candidates[at].add(next)
	}
}

func (c *candidate) add(next *genai.Candidate) {
	if bareCandidate(next) {
		if finished(next.FinishReason) || c.whole.FinishReason == "" {
			c.whole.FinishReason = cmp.Or(next.FinishReason, c.whole.FinishReason)
		}
		c.content(next.Content)
		return
	}
	have := *c.whole
	overlay(c.whole, next)
	c.whole.Content = have.Content
	c.whole.CitationMetadata = joinCitations(have.CitationMetadata, next.CitationMetadata)
	c.whole.LogprobsResult = joinLogprobs(have.LogprobsResult, next.LogprobsResult)
	if next.LogprobsResult != nil {
		c.logprobs++
	}
	if have.GroundingMetadata != nil && next.GroundingMetadata != nil {
		both := *have.GroundingMetadata
		overlay(&both, next.GroundingMetadata)
		c.whole.GroundingMetadata = &both
	}
	if next.FinishReason == genai.FinishReasonUnspecified && have.FinishReason != "" {
		c.whole.FinishReason = have.FinishReason
	}
	c.content(next.Content)
}

func (c *candidate) content(next *genai.Content) {
	if next == nil {
		return
	}
	if c.whole.Content == nil {
		c.whole.Content = new(genai.Content)
	}
	if next.Role != "" {
		c.whole.Content.Role = next.Role
	}
	for _, p := range next.Parts {
		c.part(p)
	}
}

func (c *candidate) part(p *genai.Part) {
	if p == nil {
		return
	}
	if !plain(p) {
		c.flush()
		c.whole.Content.Parts = append(c.whole.Content.Parts, p)
		return
	}
	if p.Text == "" {
		return
	}
	if p.Thought != c.thought {
		c.flush()
		c.thought = p.Thought
	}
	c.run.WriteString(p.Text)
}

func (c *candidate) flush() {
	if c.run.Len() == 0 {
		return
	}
	c.whole.Content.Parts = append(c.whole.Content.Parts, &genai.Part{Text: c.run.String(), Thought: c.thought})
	c.run.Reset()
}

func (c *collector) finish() *genai.GenerateContentResponse {
	for _, have := range c.candidates {
		have.flush()
		// An average of the last piece says nothing about the whole.
		if have.logprobs > 1 && have.whole.AvgLogprobs != 0 {
			have.whole.AvgLogprobs = average(have.whole.LogprobsResult.ChosenCandidates)
		}
		if have.whole.Content != nil {
			have.whole.Content.Role = cmp.Or(have.whole.Content.Role, genai.RoleModel)
		}
		c.whole.Candidates = append(c.whole.Candidates, have.whole)
	}
	return c.whole
}

// plain reports whether p is text and nothing else, so that it can be joined
// with its neighbour. Signatures belong to the very part they came with.
func plain(p *genai.Part) bool {
	return p.MediaResolution == nil && p.CodeExecutionResult == nil && p.ExecutableCode == nil && p.FileData == nil &&
		p.FunctionCall == nil && p.FunctionResponse == nil && p.InlineData == nil && p.ThoughtSignature == nil && p.VideoMetadata == nil &&
		p.ToolCall == nil && p.ToolResponse == nil && p.PartMetadata == nil && p.AudioTranscription == nil && p.MediaProcessing == "" && p.SpeechMetadata == nil
}

// bare reports whether r has nothing but candidates and names, as nearly every
// response of an answer: then overlay's walk over all the fields, which would
// be most of what collecting costs, is not needed. A test holds this and its
// like against genai's structs.
func bare(r *genai.GenerateContentResponse) bool {
	return r.SDKHTTPResponse == nil && r.CreateTime.IsZero() && r.PromptFeedback == nil && r.UsageMetadata == nil && r.ModelStatus == nil
}

// bareCandidate is bare for a candidate: content, index and finish reason.
func bareCandidate(c *genai.Candidate) bool {
	return c.CitationMetadata == nil && c.FinishMessage == "" && c.TokenCount == 0 && c.GroundingMetadata == nil && c.AvgLogprobs == 0 &&
		c.LogprobsResult == nil && c.SafetyRatings == nil && c.URLContextMetadata == nil && c.ContinuationToken == nil
}

// overlay sets each field of dst that says something in src. It goes over all
// fields there are, so that one that a later genai adds is not lost.
func overlay[S any](dst, src *S) {
	d, s := reflect.ValueOf(dst).Elem(), reflect.ValueOf(src).Elem()
	for i := range s.NumField() {
		f := s.Field(i)
		if !d.Field(i).CanSet() || f.IsZero() {
			continue
		}
		// A pointer to nothing (usageMetadata: {}) says nothing either.
		if f.Kind() == reflect.Pointer && f.Elem().IsZero() && !d.Field(i).IsNil() {
			continue
		}
		d.Field(i).Set(f)
	}
}

func joinCitations(have, next *genai.CitationMetadata) *genai.CitationMetadata {
	if have == nil || next == nil {
		return cmp.Or(have, next)
	}
	all := &genai.CitationMetadata{Citations: slices.Clip(have.Citations)}
	for _, n := range next.Citations {
		// Some servers repeat all the citations so far with every response.
		if !slices.ContainsFunc(all.Citations, func(h *genai.Citation) bool { return reflect.DeepEqual(h, n) }) {
			all.Citations = append(all.Citations, n)
		}
	}
	return all
}

func joinLogprobs(have, next *genai.LogprobsResult) *genai.LogprobsResult {
	if next == nil {
		return have
	}
	if have == nil {
		have = new(genai.LogprobsResult)
	}
	have.ChosenCandidates = append(have.ChosenCandidates, next.ChosenCandidates...)
	have.TopCandidates = append(have.TopCandidates, next.TopCandidates...)
	if next.LogProbabilitySum != nil {
		sum := *next.LogProbabilitySum
		if have.LogProbabilitySum != nil {
			sum += *have.LogProbabilitySum
		}
		have.LogProbabilitySum = &sum
	}
	return have
}

func average(chosen []*genai.LogprobsResultCandidate) float64 {
	if len(chosen) == 0 {
		return 0
	}
	var sum float64
	for _, c := range chosen {
		if c != nil {
			sum += float64(c.LogProbability)
		}
	}
	return sum / float64(len(chosen))
}
