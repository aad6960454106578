// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"fmt"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
)

// RenderCall returns the model turn's text for calls that the model made
// earlier: in the form in which [Shim.Instruction] asks for them, so that its
// own history teaches the model nothing else. Calls of functions that are no
// longer declared are rendered like any others. The error is a *fault.Error
// for arguments that are not JSON.
func (s *Shim) RenderCall(calls []*genai.FunctionCall) (string, error) {
	if len(calls) == 0 {
		return "", nil
	}
	twice := repeated(calls, func(c *genai.FunctionCall) string { return c.Name })
	lines := make([]string, len(calls))
	for i, c := range calls {
		args := c.Args
		if args == nil {
			args = map[string]any{}
		}
		line := struct {
			ID         string         `json:"id,omitempty"`
			Name       string         `json:"name"`
			Parameters map[string]any `json:"parameters"`
		}{Name: c.Name, Parameters: args}
		if twice {
			line.ID = c.ID
		}
		text, err := marshal(line)
		if err != nil {
			return "", &fault.Error{Kind: fault.Invalid, Field: "functionCall.args", Message: "the arguments of " + c.Name + " are not JSON", Err: err}
		}
		lines[i] = string(text)
	}
	if len(lines) == 1 {
		return lines[0], nil
	}
	return "[" + strings.Join(lines, ",\n") + "]", nil
}

// RenderResponse returns the user turn's text for the results of calls, one a
// line. Ids are written only where two results are of one function: elsewhere
// they would only teach the model to make up its own. The error is a
// *fault.Error for what text can't hold.
func (s *Shim) RenderResponse(responses []*genai.FunctionResponse) (string, error) {
	twice := repeated(responses, func(r *genai.FunctionResponse) string { return r.Name })
	var b strings.Builder
	for i, r := range responses {
		field := fmt.Sprintf("functionResponse[%d]", i)
		switch {
		case len(r.Parts) > 0:
			return "", fault.Refuse(field+".parts", "a result that the model reads as text can't hold other media")
		case r.WillContinue != nil && *r.WillContinue:
			return "", fault.Refuse(field+".willContinue", "only the live API takes results in parts")
		case r.Scheduling != "":
			return "", fault.Refuse(field+".scheduling", "only the live API schedules results")
		}
		result := any(r.Response)
		if r.Response == nil {
			result = map[string]any{}
		}
		line := struct {
			ID     string `json:"id,omitempty"`
			Name   string `json:"name"`
			Result any    `json:"result"`
		}{Name: r.Name, Result: result}
		if twice {
			line.ID = r.ID
		}
		text, err := marshal(line)
		if err != nil {
			return "", &fault.Error{Kind: fault.Invalid, Field: field + ".response", Message: "the result of " + r.Name + " is not JSON", Err: err}
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.Write(text)
	}
	return b.String(), nil
}

// repeated reports whether two of the list have the same name.
func repeated[T any](list []T, name func(T) string) bool {
	seen := make(map[string]bool, len(list))
	for _, v := range list {
		if seen[name(v)] {
			return true
		}
		seen[name(v)] = true
	}
	return false
}
