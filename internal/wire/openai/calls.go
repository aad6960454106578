// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"encoding/json"

	"google.golang.org/genai"
)

// calls puts the fragments of one choice's tool calls together.
type calls struct{ open []fragment }

// add takes a fragment. A fragment belongs to the call with its index, unless
// it brings another id, or a name after whole arguments: some servers give every
// call the index 0.
func (c *calls) add(f fragment) {
	for i := len(c.open) - 1; i >= 0; i-- {
		o := &c.open[i]
		if o.Index != f.Index {
			continue
		}
		if f.ID != "" && o.ID != "" && f.ID != o.ID ||
			f.Function.Name != "" && o.Function.Name != "" && json.Valid([]byte(o.Function.Arguments)) {
			break
		}
		if o.ID == "" {
			o.ID = f.ID
		}
		if o.Function.Name == "" {
			o.Function.Name = f.Function.Name
		}
		o.Function.Arguments += f.Function.Arguments
		return
	}
	c.open = append(c.open, f)
}

// finish returns the calls as parts; ok is false if one has no name or its
// arguments are no JSON object.
func (c *calls) finish() (parts []*genai.Part, ok bool) {
	ok = true
	for _, f := range c.open {
		args := map[string]any{}
		if f.Function.Arguments != "" && json.Unmarshal([]byte(f.Function.Arguments), &args) != nil || f.Function.Name == "" {
			ok = false
			continue
		}
		parts = append(parts, &genai.Part{FunctionCall: &genai.FunctionCall{ID: f.ID, Name: f.Function.Name, Args: args}})
	}
	c.open = nil
	return parts, ok
}
