// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"iter"

	"github.com/gemma-go/sdk/internal/partialjson"
)

// Elements decodes the answer's text as one JSON array and returns each of its
// elements once, as soon as its last byte is in: for a number that is the
// byte after it. The array may stand in a Markdown code fence; otherwise the rules and
// errors are those of [JSON].
//
// Only the element that is being written is kept in memory, so that the array may be of any length.
//
// An error can still come after any number of elements, and the elements
// before it are valid all the same: to have all or nothing, use JSON with a slice.
func Elements[T any](seq Seq) iter.Seq2[T, error] { return ElementsWith[T](seq, JSONOptions{}) }

// ElementsWith is [Elements] with options. GrowingText has no meaning here.
func ElementsWith[T any](seq Seq, o JSONOptions) iter.Seq2[T, error] {
	var used once
	return func(yield func(T, error) bool) {
		var zero T
		if used.again() {
			yield(zero, ErrUsed)
			return
		}
		var end ending
		p := &partialjson.Parser{MaxBytes: o.MaxBytes, MaxDepth: o.MaxDepth}
		begun, n := false, 0
		// read yields the elements that are complete; false after the caller's break or an error.
		read := func() bool {
			for {
				ev, ok, err := p.Next()
				if err != nil {
					yield(zero, wrong(err, end.finish))
					return false
				}
				if !ok {
					return true
				}
				switch {
				case !begun:
					if ev.Kind != partialjson.BeginArray {
						yield(zero, &JSONError{Offset: ev.Start, Message: "expected an array"})
						return false
					}
					begun = true
				case p.Depth() == 1: // a scalar, or the end of something larger
					v, err := decode[T](p.Bytes(ev.Start, ev.End), ev.Start, o)
					if err != nil {
						err.(*JSONError).Path = index(n)
						yield(zero, err)
						return false
					}
					n++
					if !yield(v, nil) {
						return false
					}
				}
				if p.Depth() <= 1 {
					p.Discard(p.Offset())
				}
			}
		}
		for r, err := range seq {
			if err != nil {
				yield(zero, err)
				return
			}
			end.saw(r)
			for _, part := range parts(r) {
				if part == nil || part.Text == "" || part.Thought {
					continue
				}
				p.Write(part.Text)
				if !read() {
					return
				}
			}
		}
		if err := end.err(); err != nil {
			yield(zero, err)
			return
		}
		p.Close()
		read()
	}
}
