// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"bytes"
	"strings"
)

// mark is a pair of marks around a call. Tokens of a model's own vocabulary
// mean a call wherever they stand; tags that models learnt from others are
// text unless they begin a line.
type mark struct {
	open, close string
	token       bool
}

var marks = [...]mark{
	{"<start_function_call>", "<end_function_call>", true}, // FunctionGemma
	{"<|tool_call>", "<tool_call|>", true},                 // Gemma 4
	{"<tool_call>", "</tool_call>", false},
	{"<function_call>", "</function_call>", false},
	{"<tool_code>", "</tool_code>", false},
	{"<tool>", "</tool>", false},
}

// inMark takes a byte of what may be a mark, or of what follows one.
func (sc *Scanner) inMark(b byte) {
	if sc.state == marking {
		sc.hold = append(sc.hold, b)
		part := false
		for _, m := range marks {
			if string(sc.hold) == m.open && (m.token || sc.atBOL) {
				sc.state, sc.mark, sc.json = marked, m, true
				sc.head = head{shim: sc.shim, block: true, marked: true, explicit: true}
				return
			}
			part = part || strings.HasPrefix(m.open, string(sc.hold))
		}
		if !part {
			sc.hold = sc.hold[:len(sc.hold)-1]
			sc.reject(b)
		}
		return
	}
	if sc.head.state != judged {
		switch sc.head.feed(b) {
		case likely:
			sc.head.state = judged
		case never, foreign:
			sc.reject(b)
			return
		}
		sc.hold = append(sc.hold, b)
		return
	}
	sc.hold = append(sc.hold, b)
	if b != '>' {
		return
	}
	start := len(sc.mark.open)
	switch {
	case bytes.HasSuffix(sc.hold, []byte(sc.mark.close)):
		if !sc.foundMarked(string(sc.hold[start:len(sc.hold)-len(sc.mark.close)]), true) {
			sc.emitHold()
		}
		sc.state, sc.inline, sc.tick = plainText, false, false
	case bytes.HasSuffix(sc.hold, []byte(sc.mark.open)): // the end mark was left out
		if !sc.foundMarked(string(sc.hold[start:len(sc.hold)-start]), true) {
			sc.hold = sc.hold[:len(sc.hold)-start]
			sc.emitHold()
		}
		sc.hold = append(sc.hold[:0], sc.mark.open...)
		sc.head = head{shim: sc.shim, block: true, marked: true, explicit: true}
	}
}

// foundMarked is found for what stands between marks.
func (sc *Scanner) foundMarked(content string, whole bool) bool {
	calls, attempted := sc.shim.readMarked(content, whole)
	if sc.mark.token {
		return sc.accept(calls, attempted, content, false)
	}
	return sc.take(calls, attempted, content, false)
}

// readMarked reads call:f{x:1}, call:f(x=1), or whatever else may be a call.
func (s *Shim) readMarked(content string, lax bool) ([]call, *function) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(content), "call:")
	if !ok {
		return s.read(content, true, lax)
	}
	r := &reader{s: rest, lax: lax, bare: true}
	name, _ := r.dotted()
	fn := s.lookup(name)
	if fn == nil {
		return nil, nil
	}
	r.space()
	switch r.peek() {
	case '{':
		v, ok := r.object()
		args, isObject := v.(map[string]any)
		if ok && isObject && r.end() {
			return []call{{fn: fn, args: args}}, nil
		}
	case '(':
		r.i++
		r.bare = false
		if c, ok := r.arguments(fn); ok && r.end() {
			return []call{c}, nil
		}
	}
	return nil, fn
}
