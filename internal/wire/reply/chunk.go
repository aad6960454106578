// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package reply holds what all protocols' answers have in common: building the
// Gen AI SDK's responses with few allocations, finish reasons, the check of the
// model's name, and reading errors.
package reply

import "google.golang.org/genai"

// chunk is a response with one candidate and one part, in one piece of memory:
// a stream's response is made once per token.
type chunk struct {
	resp    genai.GenerateContentResponse
	cand    genai.Candidate
	content genai.Content
	part    genai.Part
	cands   [1]*genai.Candidate
	parts   [1]*genai.Part
}

// Text returns a response with one candidate of one text part; without a text
// the candidate's content has no parts. The response is the caller's: no other
// one shares memory with it but model's string.
func Text(text string, thought bool, model string) *genai.GenerateContentResponse {
	c := new(chunk)
	c.resp.ModelVersion = model
	c.content.Role = genai.RoleModel
	if text != "" {
		c.part.Text = text
		c.part.Thought = thought
		c.parts[0] = &c.part
		c.content.Parts = c.parts[:]
	}
	c.cand.Content = &c.content
	c.cands[0] = &c.cand
	c.resp.Candidates = c.cands[:]
	return &c.resp
}

// Usage fills in the counts of a response.
func Usage(prompt, answer, thoughts, cached int32) *genai.GenerateContentResponseUsageMetadata {
	return &genai.GenerateContentResponseUsageMetadata{
		PromptTokenCount:        prompt,
		CandidatesTokenCount:    answer,
		ThoughtsTokenCount:      thoughts,
		CachedContentTokenCount: cached,
		TotalTokenCount:         prompt + answer + thoughts,
	}
}

// Finish translates the reasons of Ollama and of OpenAI-compatible servers.
func Finish(reason string) genai.FinishReason {
	switch reason {
	case "stop", "tool_calls", "function_call", "eos_token", "stop_sequence":
		return genai.FinishReasonStop
	case "length", "max_tokens":
		return genai.FinishReasonMaxTokens
	case "content_filter":
		return genai.FinishReasonSafety
	}
	return genai.FinishReasonOther
}

// Name keeps the string of a name that each chunk repeats.
type Name struct{ last string }

// Of returns b as a string, the same one as long as the name is the same.
func (n *Name) Of(b []byte) string {
	if string(b) != n.last {
		n.last = string(b)
	}
	return n.last
}

// AddPart adds a part to the response's candidate.
func AddPart(r *genai.GenerateContentResponse, p *genai.Part) {
	c := r.Candidates[0].Content
	c.Parts = append(c.Parts, p)
}
