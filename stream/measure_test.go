// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genai"
)

// paced yields the responses, each after its wait.
func paced(waits []time.Duration, rs []*genai.GenerateContentResponse) Seq {
	return func(yield func(*genai.GenerateContentResponse, error) bool) {
		for i, r := range rs {
			time.Sleep(waits[i])
			if !yield(r, nil) {
				return
			}
		}
	}
}

func TestMeasure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		role := respond()
		rs := append([]*genai.GenerateContentResponse{role}, say("a", "b")...)
		rs[3].ModelVersion = "gemma3:1b"
		var s Stats
		seq := Measure(paced([]time.Duration{time.Second, 2 * time.Second, 4 * time.Second, time.Second}, rs), &s)
		time.Sleep(time.Minute) // nothing runs before the range
		for range Text(seq) {
			time.Sleep(10 * time.Second) // a slow reader is not a slow model
		}
		if s.FirstToken != 3*time.Second {
			t.Errorf("FirstToken %v, want 3s: a response without content is no token", s.FirstToken)
		}
		if s.LongestGap != 4*time.Second {
			t.Errorf("LongestGap %v, want 4s", s.LongestGap)
		}
		if s.Total != 28*time.Second || s.Responses != 4 {
			t.Errorf("Total %v, %d responses", s.Total, s.Responses)
		}
		if s.PromptTokens != 5 || s.OutputTokens != 7 || s.Model != "gemma3:1b" || s.Finish != genai.FinishReasonStop || s.Err != nil {
			t.Errorf("%+v", s)
		}
		if got := s.TokensPerSecond(); got != 7.0/25 {
			t.Errorf("%v tokens/s, want 7 in 25 s", got)
		}
	})
}

func TestMeasureInstant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Stats
		zero := make([]time.Duration, 3)
		zero[1] = time.Second
		for range Measure(paced(zero, say("a", "b")), &s) {
		}
		if s.FirstToken != 0 {
			t.Errorf("FirstToken %v: the first one came at once", s.FirstToken)
		}
		s = Stats{OutputTokens: 10, Total: 2 * time.Second, FirstToken: 2 * time.Second}
		if got := s.TokensPerSecond(); got != 5 {
			t.Errorf("everything at once: %v tokens/s, want 5", got)
		}
		if got := new(Stats).TokensPerSecond(); got != 0 {
			t.Errorf("nothing: %v tokens/s", got)
		}
	})
}

func TestMeasureErrors(t *testing.T) {
	cause := errors.New("reset")
	s := Stats{Responses: 99, Model: "old"}
	for range Measure((&source{responses: say("a")[:1], err: cause}).seq(), &s) {
	}
	if s.Err != cause || s.Responses != 1 || s.Model != "" {
		t.Errorf("%+v", s)
	}
	for range Measure(of(say("a")[:1]...), &s) {
	}
	if !errors.Is(s.Err, ErrTruncated) {
		t.Errorf("Err %v, want ErrTruncated", s.Err)
	}
}
