// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"strings"

	"github.com/gemma-go/sdk/internal/fault"
)

// Error reports what the model attempted to call and can't be called. It holds
// names of declared functions, paths of arguments and what their schemas ask
// for; the model's own text is in Attempts only, and in no message.
type Error struct {
	Attempts []Attempt
}

// Attempt is one failed call.
type Attempt struct {
	Name    string // the function; "" if mode ANY got no call at all
	Path    string // the argument at fault, "stops[].city"; "" for the call as a whole
	Problem string // in words that hold no value
	Raw     string // what the model wrote, which was not handed out as text
}

func (a Attempt) String() string {
	if a.Name == "" {
		return a.Problem
	}
	s := "the call of " + a.Name + ": "
	if a.Path != "" {
		s += a.Path + " "
	}
	return s + a.Problem
}

func (e *Error) Error() string { return e.list("; ") }

func (e *Error) list(sep string) string {
	lines := make([]string, len(e.Attempts))
	for i, a := range e.Attempts {
		lines[i] = a.String()
	}
	return strings.Join(lines, sep)
}

// Unwrap returns the fault that this error is if nothing repairs it: of kind
// Server, and worth another try, since a model may answer otherwise.
func (e *Error) Unwrap() error {
	return &fault.Error{
		Kind:    fault.Server,
		Message: "the model's function call is not valid",
		Hint:    "try again, simplify the function's parameters, or use a model with tools of its own",
		Retry:   true,
	}
}

// Raw returns the failed calls as the model wrote them: the model turn that
// goes before [Error.Repair].
func (e *Error) Raw() string {
	var parts []string
	for _, a := range e.Attempts {
		if a.Raw != "" {
			parts = append(parts, a.Raw)
		}
	}
	return strings.Join(parts, "\n")
}

// Repair returns the user turn that asks the model to try once more.
func (e *Error) Repair() string {
	return "Your function call can't be carried out:\n- " + e.list("\n- ") +
		"\nAnswer with the corrected call only, in the form described."
}
