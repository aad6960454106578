// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package reply

import (
	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
)

// Logprob is one token's log probability, as Ollama and OpenAI both spell it.
type Logprob struct {
	Token   string
	Logprob float32
	Top     []Logprob `json:"top_logprobs"`
}

// Logprobs translates the tokens of one response.
func Logprobs(tokens []Logprob) *genai.LogprobsResult {
	if len(tokens) == 0 {
		return nil
	}
	out := &genai.LogprobsResult{}
	for _, t := range tokens {
		out.ChosenCandidates = append(out.ChosenCandidates, candidate(t))
		if len(t.Top) > 0 {
			top := &genai.LogprobsResultTopCandidates{}
			for _, alternative := range t.Top {
				top.Candidates = append(top.Candidates, candidate(alternative))
			}
			out.TopCandidates = append(out.TopCandidates, top)
		}
	}
	return out
}

func candidate(l Logprob) *genai.LogprobsResultCandidate {
	return &genai.LogprobsResultCandidate{Token: l.Token, LogProbability: l.Logprob}
}

// NoLogprobs is the fault of a server that was asked for log probabilities and
// answers without.
func NoLogprobs() error {
	return &fault.Error{Kind: fault.Unsupported, Field: "config.responseLogprobs",
		Message: "the server ignores it", Hint: "Ollama has log probabilities from v0.12.11 on"}
}
