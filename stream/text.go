// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"iter"

	"google.golang.org/genai"
)

// Text returns the text of the answer, piece by piece, as it arrives. A piece
// is never empty; where the pieces are cut means nothing. Thoughts and
// everything that is not text are left out. A refused prompt is [ErrBlocked].
//
// An answer that hit the token limit is a finished answer: look at
// [Stats.Finish] or use [Collect] to tell.
func Text(seq Seq) iter.Seq2[string, error] { return texts(seq, false) }

// Thoughts returns the text of the model's thoughts, piece by piece, and leaves
// the answer out. To show both, range over the responses themselves.
func Thoughts(seq Seq) iter.Seq2[string, error] { return texts(seq, true) }

func texts(seq Seq, thoughts bool) iter.Seq2[string, error] {
	var o once
	return func(yield func(string, error) bool) {
		if o.again() {
			yield("", ErrUsed)
			return
		}
		var end ending
		for r, err := range seq {
			if err != nil {
				yield("", err)
				return
			}
			end.saw(r)
			for _, p := range parts(r) {
				if p == nil || p.Text == "" || p.Thought != thoughts {
					continue
				}
				if !yield(p.Text, nil) {
					return
				}
			}
		}
		if err := end.err(); err != nil {
			yield("", err)
		}
	}
}

// FunctionCalls returns the calls that the model asks for, each as soon as it
// is there. Text beside them is left out; an answer without a call is an empty sequence.
//
// Calls whose arguments are streamed in fragments (PartialArgs, which
// only Vertex AI sends, and only when asked) are yielded as they come.
func FunctionCalls(seq Seq) iter.Seq2[*genai.FunctionCall, error] {
	var o once
	return func(yield func(*genai.FunctionCall, error) bool) {
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
			end.saw(r)
			for _, p := range parts(r) {
				if p != nil && p.FunctionCall != nil && !yield(p.FunctionCall, nil) {
					return
				}
			}
		}
		if err := end.err(); err != nil {
			yield(nil, err)
		}
	}
}
