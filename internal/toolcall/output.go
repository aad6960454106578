// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

func (sc *Scanner) emitHold() {
	sc.emit(string(sc.hold))
	sc.hold = sc.hold[:0]
}

func (sc *Scanner) emit1(b byte) { sc.emit(string([]byte{b})) }

// emit puts text on its way out. White space waits for what follows.
func (sc *Scanner) emit(text string) {
	if text == "" {
		return
	}
	sc.remember(text)
	body := strings.TrimRight(text, " \t\r\n")
	if body == "" {
		sc.space = append(sc.space, text...)
		return
	}
	if sc.after {
		// White space between a call and text is the call's, but for what
		// keeps two texts apart.
		sc.after = false
		sc.space = sc.space[:0]
		lead := strings.TrimLeft(body, " \t\r\n")
		body, text = lead, text[len(body)-len(lead):]
		if sc.texted {
			sc.out = append(sc.out, sc.gap...)
		}
	}
	sc.out = append(append(sc.out, sc.space...), body...)
	sc.space = append(sc.space[:0], text[len(body):]...)
	sc.texted = true
}

// lineMemory is how much of a line is remembered: enough for a sentence.
const lineMemory = 400

// remember keeps the last line for what it may say of a call that follows.
func (sc *Scanner) remember(text string) {
	for text != "" {
		line, rest, ended := strings.Cut(text, "\n")
		if len(line) > lineMemory {
			line = line[len(line)-lineMemory:]
		}
		sc.line = append(sc.line, line...)
		if ended || len(sc.line) > 4*lineMemory {
			sc.line = append(sc.line[:0], sc.line[max(0, len(sc.line)-lineMemory):]...)
		}
		if ended {
			if trimmed := bytes.TrimSpace(sc.line); len(trimmed) > 0 {
				sc.intro = string(trimmed)
			}
			sc.line = sc.line[:0]
		}
		text = rest
	}
}

// flush makes an event of the text that is out, but for a character of which
// some bytes are still to come, unless it is the last chance.
func (sc *Scanner) flush(all bool) {
	n := len(sc.out)
	if !all {
		for back := 1; back <= utf8.UTFMax && back <= n; back++ {
			if utf8.RuneStart(sc.out[n-back]) {
				if !utf8.FullRune(sc.out[n-back:]) {
					n -= back
				}
				break
			}
		}
	}
	if n == 0 {
		return
	}
	sc.events = append(sc.events, Event{Text: string(sc.out[:n])})
	sc.out = append(sc.out[:0], sc.out[n:]...)
}
