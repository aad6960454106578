// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"time"

	"google.golang.org/genai"
)

// Stats says how an answer arrived. [Measure] fills it while the answer goes
// by: it may be read between two responses and after the last, by the
// goroutine that ranges.
type Stats struct {
	// FirstToken is the time from the start of the range to the first response with
	// content: a cold start, the queue and the reading of the prompt are all in it. 0
	// until then.
	FirstToken time.Duration
	// Total is the time from the start of the range to the latest response or, in
	// the end, to the end.
	Total time.Duration
	// LongestGap is the longest wait for one response after the first. The time that the
	// caller's own loop takes is not waiting.
	LongestGap time.Duration
	// Responses is the number of responses. A response may hold any number of tokens.
	Responses int

	// The server's own counts of tokens, as last reported; 0 where it reports none.
	PromptTokens, OutputTokens, ThoughtTokens int

	Model  string             // the model that answered, as the server names it
	Finish genai.FinishReason // of candidate 0; "" until it finished
	Err    error              // what ended the answer before its end; nil for a whole answer and after a break

	begun bool // FirstToken is set, and may be 0
}

// TokensPerSecond returns the speed of generation: output tokens (thoughts
// included, prompt not) over the time from the first token to the end, or over
// the whole time if everything came at once. It is 0 while the server has not
// reported its counts, which most do with the last response.
func (s *Stats) TokensPerSecond() float64 {
	d := s.Total - s.FirstToken
	if d <= 0 {
		d = s.Total
	}
	if d <= 0 {
		return 0
	}
	return float64(s.OutputTokens+s.ThoughtTokens) / d.Seconds()
}

// Measure returns seq, and fills s while it is ranged over. What s held before
// is overwritten when the range starts. A nil s measures nothing.
//
//	var s stream.Stats
//	for text, err := range stream.Text(stream.Measure(seq, &s)) { … }
//	log.Printf("%v to the first token, %.1f tokens/s", s.FirstToken, s.TokensPerSecond())
func Measure(seq Seq, s *Stats) Seq {
	var o once
	return func(yield func(*genai.GenerateContentResponse, error) bool) {
		if o.again() {
			yield(nil, ErrUsed)
			return
		}
		if s == nil {
			s = new(Stats)
		}
		*s = Stats{}
		start := time.Now()
		waiting := start
		var end ending
		for r, err := range seq {
			now := time.Now()
			s.Total = now.Sub(start)
			if err != nil {
				s.Err = err
				yield(nil, err)
				return
			}
			if r == nil {
				continue
			}
			if s.Responses > 0 {
				s.LongestGap = max(s.LongestGap, now.Sub(waiting))
			}
			end.saw(r)
			s.saw(r)
			s.Finish = end.finish
			if !yield(r, nil) {
				return
			}
			waiting = time.Now()
		}
		s.Total = time.Since(start)
		if s.Err = end.truncated(); s.Err != nil {
			yield(nil, s.Err)
		}
	}
}

func (s *Stats) saw(r *genai.GenerateContentResponse) {
	s.Responses++
	if !s.begun && hasContent(r) {
		s.begun = true
		s.FirstToken = s.Total
	}
	if r.ModelVersion != "" {
		s.Model = r.ModelVersion
	}
	// A usage without counts, as some servers send with every chunk, says nothing.
	if u := r.UsageMetadata; u != nil {
		s.PromptTokens = latest(s.PromptTokens, u.PromptTokenCount)
		s.OutputTokens = latest(s.OutputTokens, u.CandidatesTokenCount)
		s.ThoughtTokens = latest(s.ThoughtTokens, u.ThoughtsTokenCount)
	}
}

func latest(old int, reported int32) int {
	if reported > 0 {
		return int(reported)
	}
	return old
}

// hasContent reports whether r has anything that a model generated: some
// servers open with a response that has only a role.
func hasContent(r *genai.GenerateContentResponse) bool {
	for _, c := range r.Candidates {
		if c == nil || c.Content == nil {
			continue
		}
		for _, p := range c.Content.Parts {
			if p != nil && (p.Text != "" || !plain(p)) {
				return true
			}
		}
	}
	return false
}
