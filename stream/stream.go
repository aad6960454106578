// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"errors"
	"fmt"
	"iter"
	"sync/atomic"

	"google.golang.org/genai"
)

// Seq is a sequence of responses: the pieces of one answer in the order in
// which they arrive, or an error. It is the type that gemma.Client.Stream and
// the Gen AI SDK's GenerateContentStream return.
type Seq = iter.Seq2[*genai.GenerateContentResponse, error]

var (
	// ErrTruncated says that the answer ended without a finish reason: the server
	// or something on the way stopped in mid-answer without saying so. What
	// arrived until then is real. The same request may well succeed when it is sent again.
	//
	// A gemma.Client reports the same thing by itself, as KindInterrupted; this
	// error is for the sequences of others.
	ErrTruncated = errors.New("stream: the answer ended without a finish reason, so its end may be missing; send the request again")

	// ErrBlocked says that the server refused the prompt and sent no answer. The
	// error's text has the reason. Sending the same prompt again does not help.
	ErrBlocked = errors.New("stream: the prompt was blocked")

	// ErrUsed says that a sequence was ranged over for a second time. Nothing was
	// sent. Keep what the first range yielded, or use [Collect].
	ErrUsed = errors.New("stream: the sequence was already used; make a new one for every range")
)

// once makes a sequence single use.
type once struct{ used atomic.Bool }

// again reports whether the sequence was started before, and starts it.
func (o *once) again() bool { return o.used.Swap(true) }

// ending watches the responses go by and knows at the end whether the answer
// finished. The zero value is ready.
type ending struct {
	begun, done uint64             // one bit for each candidate index; 63 and above share the last
	finish      genai.FinishReason // of candidate 0
	blocked     genai.BlockedReason
}

func (e *ending) saw(r *genai.GenerateContentResponse) {
	if r == nil {
		return
	}
	for _, c := range r.Candidates {
		if c == nil {
			continue
		}
		bit := uint64(1) << min(uint32(c.Index), 63)
		e.begun |= bit
		if finished(c.FinishReason) {
			e.done |= bit
			if c.Index == 0 {
				e.finish = c.FinishReason
			}
		}
	}
	if f := r.PromptFeedback; f != nil && f.BlockReason != "" && f.BlockReason != genai.BlockedReasonUnspecified {
		e.blocked = f.BlockReason
	}
}

// finished reports whether f says why an answer ended. The "unspecified" value
// is how protobuf spells an absent one.
func finished(f genai.FinishReason) bool {
	return f != "" && f != genai.FinishReasonUnspecified
}

// truncated returns ErrTruncated unless every candidate that began also
// finished, or the prompt was refused.
func (e *ending) truncated() error {
	switch {
	case e.begun == 0 && e.blocked != "":
		return nil
	case e.begun == 0 || e.begun != e.done:
		return ErrTruncated
	}
	return nil
}

// err is truncated for the functions whose values cannot show a refusal: for
// them it is an error too.
func (e *ending) err() error {
	if e.begun == 0 && e.blocked != "" {
		return fmt.Errorf("%w: %s", ErrBlocked, e.blocked)
	}
	return e.truncated()
}

// parts returns the parts of candidate 0, which in a stream of several
// candidates need not be the first of the response.
func parts(r *genai.GenerateContentResponse) []*genai.Part {
	if r == nil {
		return nil
	}
	for _, c := range r.Candidates {
		if c != nil && c.Index == 0 {
			if c.Content == nil {
				return nil
			}
			return c.Content.Parts
		}
	}
	return nil
}

// Checked returns seq with its end checked: the same responses, and
// [ErrTruncated] after the last one if the answer did not finish. Every function of
// this package checks the same thing; Checked is for loops over the responses themselves.
func Checked(seq Seq) Seq { return Measure(seq, nil) }

// Candidate returns the part of seq that belongs to the candidate with the
// given index, as candidate 0, for the functions that follow one candidate:
//
//	stream.Text(stream.Candidate(seq, 1))
//
// Responses without that candidate are left out, except for their usage and
// prompt feedback. Only one function can follow one request; to have
// all candidates, use [Collect]. If the candidate never comes, the sequence
// ends with [ErrTruncated].
func Candidate(seq Seq, index int) Seq {
	var o once
	return func(yield func(*genai.GenerateContentResponse, error) bool) {
		if o.again() {
			yield(nil, ErrUsed)
			return
		}
		var end ending
		for r, err := range seq {
			if err != nil {
				yield(nil, err)
				return
			}
			if r == nil {
				continue
			}
			only := *r // shallow: the caller of seq may still look at its response
			only.Candidates = nil
			for _, c := range r.Candidates {
				if c != nil && int(c.Index) == index {
					first := *c
					first.Index = 0
					only.Candidates = append(only.Candidates, &first)
				}
			}
			end.saw(&only)
			if len(only.Candidates) == 0 && only.UsageMetadata == nil && only.PromptFeedback == nil {
				continue
			}
			if !yield(&only, nil) {
				return
			}
		}
		if err := end.truncated(); err != nil {
			yield(nil, err)
		}
	}
}
