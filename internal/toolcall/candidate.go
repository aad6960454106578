// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/genai"
)

// candidate takes a byte of a bare candidate.
func (sc *Scanner) candidate(b byte) {
	switch sc.state {
	case judging:
		switch sc.head.feed(b) {
		case open:
			sc.lex.feed(b)
			sc.hold = append(sc.hold, b)
			if sc.lex.void {
				sc.release()
			}
		case likely:
			sc.lex.feed(b)
			sc.hold = append(sc.hold, b)
			sc.state = body
		case foreign:
			sc.lex.feed(b)
			sc.hold = append(sc.hold, b)
			sc.emitHold()
			sc.state = answer
		default:
			sc.reject(b)
		}
	case body:
		sc.lex.feed(b)
		sc.hold = append(sc.hold, b)
		switch {
		case sc.lex.void: // a paragraph's end is an end, if only brackets are missing
			if !sc.found(string(sc.hold), false, sc.texted, true) {
				sc.release()
				return
			}
			sc.newLine()
		case sc.lex.depth <= 0 && sc.lex.quote == 0:
			sc.state, sc.note, sc.next = tail, false, false
		}
	case tail:
		switch {
		case b == '\n':
			if !sc.found(string(sc.hold), false, sc.texted, false) {
				sc.hold = append(sc.hold, b)
				sc.release()
				return
			}
			sc.emit1(b)
			sc.newLine()
		case sc.json && b == '{':
			sc.lex = lexer{}
			sc.lex.feed(b)
			sc.hold = append(sc.hold, b)
			sc.state = body
		case sc.note || strings.IndexByte(" \t\r}]),;", b) >= 0:
			sc.hold = append(sc.hold, b)
			sc.next = b == ';' || sc.next && b == ' '
		case !sc.json && b == '#':
			sc.hold = append(sc.hold, b)
			sc.note = true
		case !sc.json && sc.next && letter(b): // f(); g()
			sc.head = head{shim: sc.shim}
			sc.lex = lexer{}
			sc.state = judging
			sc.candidate(b)
		default:
			sc.reject(b)
		}
	case answer:
		sc.lex.feed(b)
		sc.emit1(b)
		switch {
		case sc.lex.void:
			sc.newLine()
		case sc.lex.depth <= 0 && sc.lex.quote == 0:
			sc.state, sc.inline, sc.tick = plainText, false, false
		}
	}
}

// found reads the calls in a candidate, and hands them out in its place. It
// reports false if the candidate is text. meek says that a failed attempt in
// Python is text, too; whole, that the candidate is the end of the answer.
func (sc *Scanner) found(content string, explicit, meek, whole bool) bool {
	calls, what := sc.shim.read(content, explicit, whole)
	return sc.take(calls, what, content, meek)
}

func (sc *Scanner) take(calls []call, attempted *function, content string, meek bool) bool {
	if calls == nil && attempted == nil || sc.example() || slices.ContainsFunc(calls, call.template) {
		return false
	}
	return sc.accept(calls, attempted, content, meek)
}

// accept hands out calls and keeps failed attempts, in place of what is held.
func (sc *Scanner) accept(calls []call, attempted *function, content string, meek bool) bool {
	if calls == nil && attempted == nil {
		return false
	}
	meek = meek && !sc.json
	if calls == nil {
		if meek || sc.cut {
			return false
		}
		sc.attempts = append(sc.attempts, Attempt{Name: attempted.name, Problem: "it can't be read", Raw: strings.TrimSpace(content)})
		sc.drop()
		return true
	}
	var good []*genai.FunctionCall
	var bad []Attempt
	for _, c := range calls {
		args, failed := c.bind()
		if failed != nil {
			bad = append(bad, *failed)
			continue
		}
		good = append(good, &genai.FunctionCall{Name: c.fn.name, Args: args})
	}
	if len(bad) > 0 {
		if meek {
			return false
		}
		bad[0].Raw = strings.TrimSpace(content)
		sc.attempts = append(sc.attempts, bad...)
	}
	sc.drop()
	for _, c := range good {
		c.ID = fmt.Sprintf("call_%d", sc.calls)
		sc.calls++
		sc.events = append(sc.events, Event{Call: c})
	}
	return true
}

// example reports whether the line before a candidate says that it is one.
// Once one was shown, others follow ("or:"), until a call is announced.
func (sc *Scanner) example() bool {
	switch {
	case shows(sc.intro):
		sc.quotes = true
	case sc.quotes && acts(sc.intro):
		sc.quotes = false
	}
	return sc.quotes
}

// drop forgets what was held, which was a call, and the white space before it.
func (sc *Scanner) drop() {
	sc.hold = sc.hold[:0]
	if !sc.after {
		sc.gap = append(sc.gap[:0], sc.space...)
	}
	sc.space = sc.space[:0]
	sc.after = true
	sc.flush(true)
}
