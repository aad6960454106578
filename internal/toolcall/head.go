// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

// head judges the beginning of what may be a call, a byte at a time, so that
// text which is none is held back no longer than it takes to see that.
type head struct {
	shim     *Shim
	block    bool // inside a code block or between marks: comments and blank lines may come first
	marked   bool // between marks: "call:f{" too
	explicit bool
	state    headState
	word     []byte
	quote    byte
	assigned bool
}

type headState uint8

const (
	atValue   headState = iota // before the value
	inComment                  // # … in Python
	inWord                     // a name, of a function or a variable
	afterWord                  // white space after a name
	atKey                      // after {
	inKey                      // the first key
	judged                     // nothing more to see
)

// verdict is what is known of a beginning.
type verdict uint8

const (
	open    verdict = iota // it may be a call
	likely                 // it begins as a call does; the whole has to be read
	never                  // it is text
	foreign                // it is JSON, but no call
)

// longest is how long a name may be: a function's, its module's and a margin.
const longest = 160

func (h *head) feed(b byte) verdict {
	switch h.state {
	case inComment:
		if b == '\n' {
			h.state = atValue
		}
		return open
	case atValue:
		switch {
		case blank(b):
			return open
		case b == '#' && h.block:
			h.state = inComment
		case b == '{':
			h.state = atKey
		case b == '[': // a list of calls
		case letter(b):
			h.state, h.word = inWord, append(h.word[:0], b)
		default:
			return never
		}
		return open
	case inWord:
		if nameByte(b) || b == '\\' {
			h.word = append(h.word, b)
			if len(h.word) > longest {
				return never
			}
			return open
		}
		return h.endWord(b)
	case afterWord:
		if b == ' ' || b == '\t' {
			return open
		}
		return h.endWord(b)
	case atKey:
		switch {
		case blank(b):
			return open
		case b == '"' || b == '\'':
			h.quote = b
		case letter(b):
			h.quote = 0
		default:
			return never
		}
		h.state, h.word = inKey, h.word[:0]
		if h.quote == 0 {
			h.word = append(h.word, b)
		}
		return open
	case inKey:
		ends := b == h.quote
		if h.quote == 0 {
			ends = b == ':' || blank(b)
			if !ends && !letter(b) && !digit(b) {
				return never
			}
		}
		switch {
		case ends && h.shim.opens(string(h.word), h.explicit):
			return likely
		case ends, len(h.word) > longest:
			return foreign
		}
		h.word = append(h.word, b)
		return open
	}
	return never
}

// endWord judges a name by what follows it.
func (h *head) endWord(b byte) verdict {
	name := string(h.word)
	switch {
	case b == '(' && h.state == inWord:
		if h.marked && len(name) > 5 && name[:5] == "call:" {
			name = name[5:]
		}
		if h.shim.lookup(name) != nil {
			return likely
		}
		if name == "print" {
			h.state = atValue
			return open
		}
	case b == '{' && h.marked && len(name) > 5 && name[:5] == "call:":
		if h.shim.lookup(name[5:]) != nil {
			return likely
		}
	case (b == ' ' || b == '\t') && name == "await":
		h.state = atValue
		return open
	case b == ' ' || b == '\t':
		h.state = afterWord
		return open
	case b == '=' && !h.assigned:
		h.assigned, h.state = true, atValue
		return open
	}
	return never
}
