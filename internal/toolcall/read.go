// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"regexp"
	"strings"
)

// read reads the calls that a candidate consists of. It returns nothing for
// text, and the function alone for an attempt to call it that can't be read.
// lax says that brackets missing at the end may be added.
func (s *Shim) read(content string, explicit, lax bool) ([]call, *function) {
	content = strings.TrimSpace(content)
	if content == "" {
		return nil, nil
	}
	if content[0] == '{' || content[0] == '[' {
		r := &reader{s: content, lax: lax}
		if calls, ok := s.sequence(r, explicit); ok {
			return calls, nil
		}
	}
	if content[0] != '{' {
		r := &reader{s: content, lax: lax}
		if calls, ok := s.program(r); ok {
			return calls, nil
		}
	}
	return nil, s.attempted(content, explicit)
}

// sequence reads JSON values one after another. It reports true, without
// calls, for values that are none.
func (s *Shim) sequence(r *reader, explicit bool) ([]call, bool) {
	var all []call
	for {
		v, ok := r.value()
		if !ok {
			return nil, false
		}
		calls, ok := s.calls(v, explicit)
		if !ok {
			return nil, true
		}
		all = append(all, calls...)
		for !r.end() && strings.IndexByte("}]),;", r.peek()) >= 0 {
			r.i++ // one bracket too many is a common slip
		}
		if r.end() {
			return all, true
		}
		if r.peek() != '{' && r.peek() != '[' {
			return nil, false
		}
	}
}

// The beginnings of calls that can't be read further.
var (
	jsonCall   = regexp.MustCompile(`^[\[\s]*\{\s*(?:["']?type["']?\s*:\s*["']function["']\s*,\s*)?["']?(?:name|function|function_call|tool|tool_name|function_name|tool_call)["']?\s*:\s*(?:\{\s*["']?name["']?\s*:\s*)?["']([^"']{1,160})["']`)
	pythonCall = regexp.MustCompile(`^(?:\w{1,80}\s*=\s*)?(?:print\s*\(\s*)?([\w.:-]{1,160})\(`)
)

// attempted returns the function that a text which is no call began to call.
func (s *Shim) attempted(content string, explicit bool) *function {
	content = content[:min(len(content), 512)]
	if m := jsonCall.FindStringSubmatch(content); m != nil {
		return s.lookup(m[1])
	}
	if m := pythonCall.FindStringSubmatch(content); m != nil && explicit {
		return s.lookup(m[1])
	}
	return nil
}
