// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import "strings"

// fence is an open code block (CommonMark 0.31, section 4.5, but for the
// indentation, which models take from the list that the block stands in).
type fence struct {
	char   byte
	open   int // characters in the opening fence
	indent int
	info   []byte // what follows them
	line   bool   // the block may be all on this line

	run   int  // the fence characters at the beginning of this line
	ends  int  // and at its end
	state byte // 0 before the run, 1 in it, 2 behind it, 3 not a closing fence
}

// Tags of code blocks that may hold calls. Those that hold nothing else are true.
var callTags = map[string]bool{
	"": false, "json": false, "jsonc": false, "json5": false, "python": false, "py": false, "python3": false,
	"tool_code": true, "tool_call": true, "tool_calls": true, "tool-code": true, "tool-call": true, "toolcall": true, "tool": true,
	"function_call": true, "function_calls": true, "function-call": true, "functioncall": true, "function": true,
}

func (f *fence) tag() string {
	info, _, _ := strings.Cut(string(f.info), "`")
	words := strings.Fields(strings.ToLower(info))
	if len(words) == 0 {
		return ""
	}
	return words[0]
}

func (f *fence) mayCall() bool {
	_, ok := callTags[f.tag()]
	return ok
}

func (f *fence) explicit() bool { return callTags[f.tag()] }

// feed takes a byte of the block, and reports whether it ends the line of the
// closing fence.
func (f *fence) feed(b byte) bool {
	if b == '\n' {
		closes := f.run >= f.open && f.state != 3
		f.run, f.ends, f.state = 0, 0, 0
		return closes
	}
	space := b == ' ' || b == '\t' || b == '\r'
	switch {
	case b == f.char:
		f.ends++
	case !space:
		f.ends = 0
	}
	switch {
	case f.state <= 1 && b == f.char:
		f.state = 1
		f.run++
	case f.state == 0 && space:
	case f.state == 1 && space:
		f.state = 2
	case f.state == 2 && space:
	default:
		f.state = 3
	}
	return false
}

// span returns what stands between the tag and the closing fence of a block on
// one line, or nothing if there is no such fence at the line's end.
func (f *fence) span() string {
	text := strings.TrimSpace(string(f.info))
	bare := strings.TrimRight(text, "`")
	if len(text)-len(bare) != f.open {
		return ""
	}
	return strings.TrimSpace(bare[len(f.tag()):])
}

// content returns what stands between the fences; the closing one may be
// missing, or stand on the last line of the content.
func (f *fence) content(held []byte) string {
	_, text, _ := strings.Cut(string(held), "\n")
	text = strings.TrimRight(text, " \t\r\n")
	bare := strings.TrimRight(text, string([]byte{f.char}))
	if len(text)-len(bare) >= f.open {
		text = bare
	}
	return text
}

// open takes a byte of a line that may open a code block.
func (sc *Scanner) open(b byte) {
	f := &sc.fence
	switch {
	case b == f.char && len(f.info) == 0:
		f.open++
		sc.hold = append(sc.hold, b)
	case f.line && b != '\n', b == '`' && f.char == '`' && f.open >= 3 && f.tag() != "" && f.mayCall():
		f.line = true // ```json {…} ```
		f.info = append(f.info, b)
		sc.hold = append(sc.hold, b)
	case f.line:
		sc.json = true
		if !sc.found(f.span(), f.explicit(), false, true) {
			sc.emitHold()
		}
		sc.emit1(b)
		sc.newLine()
	case f.open < 3, b == '`' && f.char == '`': // `code` at the beginning of a line
		f.info = nil
		code := f.char == '`'
		held := len(sc.hold) - f.indent
		sc.emitHold()
		sc.state, sc.inline, sc.tick = plainText, code, held == f.open
		sc.step(b)
	case b != '\n':
		f.info = append(f.info, b)
		sc.hold = append(sc.hold, b)
	default:
		sc.hold = append(sc.hold, b)
		if f.mayCall() {
			sc.state = block
			sc.head = head{shim: sc.shim, block: true, explicit: f.explicit()}
			sc.lex = lexer{}
			sc.json = true
			return
		}
		sc.emitHold()
		sc.state = otherCode
	}
}

// inBlock takes a byte of a code block that may be calls.
func (sc *Scanner) inBlock(b byte) {
	f := &sc.fence
	// A fence on the content's own last line closes the block too, but not one
	// inside the content.
	glued := b == '\n' && f.state == 3 && f.ends >= f.open && sc.lex.depth <= 0 && sc.lex.quote == 0
	closes := f.feed(b) || glued
	sc.hold = append(sc.hold, b)
	if closes && (sc.lex.quote == 0 || !sc.lex.three) {
		if !sc.found(f.content(sc.hold), f.explicit(), false, true) {
			sc.emitHold()
		}
		sc.newLine()
		return
	}
	sc.lex.feed(b)
	if sc.head.state == judged {
		return
	}
	switch sc.head.feed(b) {
	case likely:
		sc.head.state = judged
	case never, foreign:
		sc.emitHold()
		sc.state = otherCode
	}
}
