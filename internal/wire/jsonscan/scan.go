// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package jsonscan reads the few JSON shapes that model servers stream,
// without reflection and without allocation.
//
// It is a cursor, not a parser: the caller knows the shape it expects and asks
// for one thing after the other. Whatever is unusual (an escape in a key, a
// number that is not a plain integer, invalid UTF-8) makes a method report
// false; the caller then gives the whole document to encoding/json. What a
// Scanner does accept, encoding/json accepts too, and reads the same way.
package jsonscan

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Scanner is a position in one JSON document. It is a value: copy it to come
// back to a place.
type Scanner struct {
	b []byte
	i int
}

// New returns a Scanner at the beginning of b, which it never writes to.
func New(b []byte) Scanner { return Scanner{b: b} }

// Pos returns how many bytes were read.
func (s *Scanner) Pos() int { return s.i }

// Seek moves to where an earlier Pos of the same bytes was.
func (s *Scanner) Seek(pos int) { s.i = pos }

func (s *Scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\r', '\n':
			s.i++
		default:
			return
		}
	}
}

// Byte consumes c, and white space before it.
func (s *Scanner) Byte(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c { // the servers send no white space
		s.i++
		return true
	}
	s.space()
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// Peek returns the next byte after white space, or 0 at the end.
func (s *Scanner) Peek() byte {
	s.space()
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// End reports whether nothing but white space is left.
func (s *Scanner) End() bool {
	s.space()
	return s.i == len(s.b)
}

// Key consumes an object key and its colon. A key with an escape, an upper
// case letter or a byte outside of ASCII is refused: encoding/json folds case,
// so such a key might mean another one.
func (s *Scanner) Key() ([]byte, bool) {
	if !s.Byte('"') {
		return nil, false
	}
	start := s.i
	for s.i < len(s.b) {
		c := s.b[s.i]
		if c == '"' {
			key := s.b[start:s.i]
			s.i++
			return key, s.Byte(':')
		}
		if (c < 'a' || c > 'z') && c != '_' && (c < '0' || c > '9') {
			return nil, false
		}
		s.i++
	}
	return nil, false
}

// CamelKey is Key for documents in camel case: upper case letters are let
// through. The caller has to refuse every key it does not know.
func (s *Scanner) CamelKey() ([]byte, bool) {
	if !s.Byte('"') {
		return nil, false
	}
	start := s.i
	for s.i < len(s.b) {
		c := s.b[s.i]
		if c == '"' {
			key := s.b[start:s.i]
			s.i++
			return key, s.Byte(':')
		}
		if c|0x20 < 'a' || c|0x20 > 'z' {
			return nil, false
		}
		s.i++
	}
	return nil, false
}

// Raw is a JSON string without its quotes, still escaped if Escaped says so.
// It points into the document.
type Raw struct {
	B       []byte
	Escaped bool
}

// Str consumes a string of valid UTF-8.
func (s *Scanner) Str() (r Raw, ok bool) {
	if !s.Byte('"') {
		return r, false
	}
	start, wide := s.i, false
	b := s.b
	for i := start; i < len(b); i++ {
		c := b[i]
		if plain[c] {
			continue
		}
		switch {
		case c == '"':
			r.B = b[start:i]
			s.i = i + 1
			return r, !wide || utf8.Valid(r.B)
		case c >= utf8.RuneSelf:
			wide = true
		case c == '\\':
			r.Escaped = true
			n := escape(b[i+1:])
			if n == 0 {
				return r, false
			}
			i += n
		default: // a control character
			return r, false
		}
	}
	return r, false
}

// plain are the bytes that stand for themselves in a string: ASCII but for
// control characters, the quote and the backslash.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// escape returns the length of the escape sequence after a backslash, or 0.
func escape(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch b[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		if _, ok := hex4(b[1:]); ok {
			return 5
		}
	}
	return 0
}

// String returns the text, in memory of its own.
func (r Raw) String() string {
	if !r.Escaped {
		return string(r.B)
	}
	out := make([]byte, 0, len(r.B))
	return string(r.Append(out))
}

// Is reports whether the text is exactly s, which holds nothing that JSON has
// to escape.
func (r Raw) Is(s string) bool { return !r.Escaped && string(r.B) == s }

// Append appends the text to dst. A lone surrogate becomes U+FFFD, as in
// encoding/json.
func (r Raw) Append(dst []byte) []byte {
	b := r.B
	for i := 0; i < len(b); i++ {
		c := b[i]
		if c != '\\' {
			dst = append(dst, c)
			continue
		}
		i++
		switch b[i] {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			u, _ := hex4(b[i+1:])
			i += 4
			if utf16.IsSurrogate(u) {
				pair := rune(utf8.RuneError)
				if i+2 < len(b) && b[i+1] == '\\' && b[i+2] == 'u' {
					low, _ := hex4(b[i+3:])
					pair = utf16.DecodeRune(u, low)
				}
				if pair != utf8.RuneError {
					i += 6
				}
				u = pair
			}
			dst = utf8.AppendRune(dst, u)
		default:
			dst = append(dst, b[i])
		}
	}
	return dst
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// Int consumes an integer of at most nine digits: every count of tokens.
func (s *Scanner) Int() (n int32, ok bool) {
	s.space()
	neg := s.i < len(s.b) && s.b[s.i] == '-'
	if neg {
		s.i++
	}
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		if s.i-start == 9 {
			return 0, false
		}
		n = n*10 + int32(s.b[s.i]-'0')
		s.i++
	}
	digits := s.i - start
	if digits == 0 || digits > 1 && s.b[start] == '0' || !s.endOfNumber() {
		return 0, false
	}
	if neg {
		n = -n
	}
	return n, true
}

// endOfNumber reports whether no fraction and no exponent follows.
func (s *Scanner) endOfNumber() bool {
	return s.i >= len(s.b) || s.b[s.i] != '.' && s.b[s.i]|0x20 != 'e'
}

// Null consumes null if it is next.
func (s *Scanner) Null() bool { s.space(); return s.word("null") }

// Bool consumes true or false.
func (s *Scanner) Bool() (v, ok bool) {
	s.space()
	if s.word("true") {
		return true, true
	}
	return false, s.word("false")
}

func (s *Scanner) word(w string) bool {
	if len(s.b)-s.i < len(w) || string(s.b[s.i:s.i+len(w)]) != w {
		return false
	}
	s.i += len(w)
	return true
}

// Scalar consumes a string, an integer of any length, true, false or null.
func (s *Scanner) Scalar() bool {
	switch c := s.Peek(); c {
	case '"':
		_, ok := s.Str()
		return ok
	case 't', 'f':
		_, ok := s.Bool()
		return ok
	case 'n':
		return s.Null()
	default:
		if c == '-' {
			s.i++
		}
		start := s.i
		for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
			s.i++
		}
		return s.i > start && (s.i == start+1 || s.b[start] != '0') && s.endOfNumber()
	}
}

// More is for loops over objects and arrays: it consumes a comma and reports
// true, or consumes end and reports false; ok is false for anything else.
func (s *Scanner) More(end byte) (more, ok bool) {
	if s.Byte(',') {
		return true, true
	}
	return false, s.Byte(end)
}
