// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package partialjson

import (
	"unicode/utf16"
	"unicode/utf8"
)

// Unquote appends the text of a JSON string to dst. raw begins with the
// opening quote and is valid as far as it goes: it may end at the closing quote or
// anywhere before, as [Parser.OpenString] gives it. Then what is not yet certain is
// left out: half an escape, half a UTF-8 sequence, the first half of
// a surrogate pair. As in encoding/json, what is not valid UTF-8 or UTF-16 becomes U+FFFD.
func Unquote(dst, raw []byte) []byte {
	raw = raw[1:]
	for len(raw) > 0 {
		c := raw[0]
		switch {
		case c == '"':
			return dst
		case c == '\\':
			n, r := unescape(raw)
			if n == 0 {
				return dst
			}
			dst = utf8.AppendRune(dst, r)
			raw = raw[n:]
		case c < utf8.RuneSelf:
			n := 1
			for n < len(raw) && raw[n] < utf8.RuneSelf && raw[n] != '"' && raw[n] != '\\' {
				n++
			}
			dst = append(dst, raw[:n]...)
			raw = raw[n:]
		default:
			if !utf8.FullRune(raw) {
				return dst
			}
			r, n := utf8.DecodeRune(raw)
			dst = utf8.AppendRune(dst, r)
			raw = raw[n:]
		}
	}
	return dst
}

// unescape reads the escape at the start of raw and returns its length and its
// rune; length 0 if it is not all there.
func unescape(raw []byte) (int, rune) {
	if len(raw) < 2 {
		return 0, 0
	}
	switch raw[1] {
	case 'b':
		return 2, '\b'
	case 'f':
		return 2, '\f'
	case 'n':
		return 2, '\n'
	case 'r':
		return 2, '\r'
	case 't':
		return 2, '\t'
	case 'u':
	default:
		return 2, rune(raw[1])
	}
	first, ok := unit(raw)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(first) {
		return 6, first
	}
	if first >= 0xDC00 { // a second half without a first
		return 6, utf8.RuneError
	}
	second, ok := unit(raw[6:])
	if !ok {
		if couldBeUnit(raw[6:]) {
			return 0, 0
		}
		return 6, utf8.RuneError
	}
	if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
		return 12, r
	}
	return 6, utf8.RuneError
}

// unit reads one \uXXXX.
func unit(raw []byte) (rune, bool) {
	if len(raw) < 6 || raw[0] != '\\' || raw[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range raw[2:6] {
		r <<= 4
		if digit(c) {
			r += rune(c - '0')
		} else {
			r += rune(c|0x20-'a') + 10
		}
	}
	return r, true
}

// couldBeUnit reports whether raw, which is too short for one, may become \uXXXX.
func couldBeUnit(raw []byte) bool {
	switch len(raw) {
	case 0:
		return true
	case 1:
		return raw[0] == '\\'
	}
	return len(raw) < 6 && raw[0] == '\\' && raw[1] == 'u'
}
