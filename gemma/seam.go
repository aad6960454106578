// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/genai"
)

// split parts an answer's beginning before the white space at its end. The
// template that comes with Gemma's weights trims every message, so vLLM has the
// model go on from before that white space, and the model writes it again.
func split(prefix string) (solid, space string) {
	solid = strings.TrimRightFunc(prefix, unicode.IsSpace)
	if solid == "" {
		return prefix, ""
	}
	return solid, prefix[len(solid):]
}

// mend takes away what r repeats of the white space that the caller has
// already, and returns what of that may still come.
func mend(r *genai.GenerateContentResponse, space string) (left string) {
	if len(r.Candidates) == 0 || r.Candidates[0].Content == nil {
		return space
	}
	for _, part := range r.Candidates[0].Content.Parts {
		if part.Text == "" || part.Thought {
			continue
		}
		n := 0
		for n < len(space) && n < len(part.Text) && part.Text[n] == space[n] {
			n++
		}
		for n > 0 && n < len(part.Text) && !utf8.RuneStart(part.Text[n]) { // half of another character
			n--
		}
		part.Text, space = part.Text[n:], space[n:]
		if part.Text != "" || n == 0 {
			return ""
		}
	}
	return space
}
