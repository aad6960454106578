// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

// lexer follows brackets and strings, a byte at a time, to tell where a value
// that began ends. It knows the strings of JSON and Python.
type lexer struct {
	depth int
	quote byte // the open string's; 0 outside strings
	three bool // the open string is in triple quotes
	run   int  // quotes seen in a row: at a string's beginning, or inside triple quotes
	start bool // the open string may turn out to be empty or in triple quotes
	esc   bool
	blank bool // the line so far is blank
	void  bool // the last byte ended a blank line outside strings
	note  bool // in a comment
	slash bool // the last byte was the first slash of one, perhaps
}

func (l *lexer) feed(b byte) {
	l.void = false
	if l.start {
		// One quote was seen. A second makes an empty string, a third triple quotes.
		switch {
		case b == l.quote && l.run == 1:
			l.run = 2
			return
		case b == l.quote:
			l.three, l.start, l.run = true, false, 0
			return
		case l.run == 2: // it was the empty string
			l.quote, l.start, l.run = 0, false, 0
		default:
			l.start, l.run = false, 0
		}
	}
	if l.quote != 0 {
		switch {
		case l.esc:
			l.esc = false
		case b == '\\':
			l.esc, l.run = true, 0
		case b != l.quote:
			l.run = 0
		case !l.three:
			l.quote = 0
		default:
			if l.run++; l.run == 3 {
				l.quote, l.three, l.run = 0, false, 0
			}
		}
		l.blank = false
		return
	}
	if l.note && b != '\n' {
		return
	}
	l.note = b == '#' || b == '/' && l.slash
	l.slash = b == '/'
	switch b {
	case '"', '\'':
		l.quote, l.start, l.run = b, true, 1
	case '{', '[', '(':
		l.depth++
	case '}', ']', ')':
		l.depth--
	case '\n':
		l.void = l.blank
		l.blank = true
		return
	case ' ', '\t', '\r':
		return
	}
	l.blank = false
}
