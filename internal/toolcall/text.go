// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// textHead begins an answer in text that was decoded under the schema.
const textHead = `{"text":"`

// constrained takes a byte of an answer that was decoded under the schema.
func (sc *Scanner) constrained(b byte) {
	switch sc.state {
	case leading:
		sc.hold = append(sc.hold, b)
		if blank(b) && sc.decoder.outside() {
			return
		}
		if b == textHead[sc.decoder.head] {
			if sc.decoder.head++; sc.decoder.head == len(textHead) {
				sc.hold = sc.hold[:0]
				sc.state = decoding
			}
			return
		}
		held := string(sc.hold)
		sc.hold = sc.hold[:0]
		sc.state = lineStart
		for i := range len(held) {
			sc.step(held[i])
		}
	case decoding:
		text, done := sc.decoder.feed(b)
		sc.emit(text)
		if done {
			sc.state = trailing
		}
	case trailing:
		if !blank(b) && b != '}' {
			sc.state = plainText
			sc.plain(b)
		}
	}
}

// textDecoder decodes a JSON string as it arrives.
type textDecoder struct {
	head int    // bytes of textHead that were seen
	esc  []byte // an escape that is not complete
}

// outside reports whether white space may stand here, between the tokens of the head.
func (d *textDecoder) outside() bool { return d.head <= 1 || d.head >= 7 }

// feed returns what is certain after b, and whether b ended the string.
func (d *textDecoder) feed(b byte) (text string, done bool) {
	if len(d.esc) == 0 {
		switch b {
		case '"':
			return "", true
		case '\\':
			d.esc = append(d.esc, b)
			return "", false
		}
		return string([]byte{b}), false
	}
	d.esc = append(d.esc, b)
	if n := len(d.esc); n == 2 && b != 'u' {
		d.esc = d.esc[:0]
		if i := strings.IndexByte(`"\/bfnrt`, b); i >= 0 {
			return "\"\\/\b\f\n\r\t"[i : i+1], false
		}
		return `\` + string([]byte{b}), false
	} else if n < 6 {
		return "", false
	}
	code, ok := hex(string(d.esc), 2, 4)
	if !ok {
		return d.rest(), false
	}
	if !utf16.IsSurrogate(code) {
		d.esc = d.esc[:0]
		return string(code), false
	}
	// The other half is on its way, unless something else is.
	switch n := len(d.esc); {
	case n == 6:
		return "", false
	case n == 7 && b == '\\', n == 8 && b == 'u', n > 8 && n < 12:
		return "", false
	case n == 12:
		low, _ := hex(string(d.esc), 8, 4)
		d.esc = d.esc[:0]
		return string(utf16.DecodeRune(code, low)), false
	case n == 8: // another escape follows
		d.esc = d.esc[:1]
		again, _ := d.feed(b)
		return string(utf8.RuneError) + again, false
	}
	d.esc = d.esc[:0]
	again, done := d.feed(b)
	return string(utf8.RuneError) + again, done
}

// rest returns an escape that was never completed, as it was written.
func (d *textDecoder) rest() string {
	s := string(d.esc)
	d.esc = d.esc[:0]
	return s
}
