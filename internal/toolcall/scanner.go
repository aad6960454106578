// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"strings"

	"google.golang.org/genai"
)

// Event is a piece of an answer: text that passes through, or one call.
type Event struct {
	Text string              // "" if Call is set
	Call *genai.FunctionCall // nil for text
}

// Scanner separates the calls in one answer from its text while the answer
// arrives. What it finds does not depend on how the answer is cut: it goes by
// single bytes, and looks at each a bounded number of times. Text is handed
// out as soon as it can't be the beginning of a call; white space waits for
// what follows it. A Scanner is for one goroutine.
type Scanner struct {
	shim  *Shim
	state state
	hold  []byte // not handed out yet: the beginning of what may be a call

	// Text on its way out.
	out    []byte // text to hand out with the next event
	space  []byte // white space behind it, which a call would swallow
	gap    []byte // the white space before the last call, if text follows it after all
	texted bool   // text was handed out
	after  bool   // a call was the last thing found
	events []Event

	// The line, for what can be seen only in its light.
	line   []byte // the last bytes of the text on this line
	intro  string // the last line that was not blank
	quotes bool   // an example was passed over: what follows is one, too

	inline bool // inside `code`
	tick   bool // the last byte was a backtick
	fence  fence
	head   head
	lex    lexer
	mark   mark
	atBOL  bool // the mark stands at the beginning of a line
	json   bool // the candidate is JSON, not Python
	note   bool // behind a candidate: in a comment
	next   bool // behind a candidate: after a semicolon

	decoder  textDecoder
	calls    int
	attempts []Attempt
	closed   bool
	cut      bool // the answer was cut short
}

type state uint8

const (
	lineStart state = iota // at the beginning of a line; hold has its indentation
	plainText              // in a line that flows
	opening                // in what may open a code block; held
	block                  // in a code block that may be calls; held
	otherCode              // in any other code block; flows
	judging                // in the head of a bare candidate; held
	body                   // in a bare candidate; held
	tail                   // behind it, on its last line; held
	answer                 // in JSON that is no call; flows
	marking                // in what may be a mark; held
	marked                 // behind a mark; held
	leading                // constrained: before it is known whether this is text
	decoding               // constrained: inside {"text": "…
	trailing               // constrained: behind the text
	passing                // nothing is looked for
)

// NewScanner returns the scanner of one answer. constrained says that the
// answer was decoded under [Shim.Schema]; if the server did not keep to it, the
// answer is read like any other.
func (s *Shim) NewScanner(constrained bool) *Scanner {
	sc := &Scanner{shim: s}
	switch {
	case !s.Active():
		sc.state = passing
	case constrained:
		sc.state = leading
	}
	return sc
}

// Parse reads a whole answer that ended by itself: the text without the calls,
// and the calls. The text is the answer, byte for byte, if there is no call and
// no error.
func Parse(s *Shim, answer string) (rest string, calls []*genai.FunctionCall, err error) {
	sc := s.NewScanner(false)
	events := sc.Write(answer)
	last, err := sc.Close(false)
	var b strings.Builder
	for _, e := range append(events, last...) {
		b.WriteString(e.Text)
		if e.Call != nil {
			calls = append(calls, e.Call)
		}
	}
	return b.String(), calls, err
}

// Write takes the next piece of the answer and returns what is certain now.
func (sc *Scanner) Write(text string) []Event {
	if sc.closed {
		return nil
	}
	for i := 0; i < len(text); i++ {
		if n := sc.stride(text[i:]); n > 0 {
			sc.emit(text[i : i+n])
			i += n - 1
			continue
		}
		sc.step(text[i])
	}
	sc.flush(false)
	events := sc.events
	sc.events = nil
	return events
}

// stride returns how much of a text flows without any byte of it mattering.
func (sc *Scanner) stride(text string) int {
	n := 0
	switch sc.state {
	case plainText:
		n = strings.IndexAny(text, "\n`<")
		sc.tick = sc.tick && n == 0
	case passing:
		n = -1
	}
	if n < 0 {
		return len(text)
	}
	return n
}

// Close ends the answer. cut says that the answer was cut short (by a token
// limit, or a broken stream): then nothing that is incomplete is taken for a
// call or for an attempt at one. The error is an [*Error], once, if the model
// tried to call a function and failed, or had to and didn't try; the calls that
// did succeed are in the events all the same.
func (sc *Scanner) Close(cut bool) ([]Event, error) {
	if sc.closed {
		return nil, nil
	}
	sc.closed, sc.cut = true, cut
	switch sc.state {
	case block:
		content := sc.fence.content(sc.hold)
		if !sc.found(content, sc.fence.explicit(), false, !cut) {
			sc.release()
		}
	case opening:
		if !sc.fence.line || !sc.found(sc.fence.span(), sc.fence.explicit(), false, !cut) {
			sc.release()
		}
	case body, tail:
		if !sc.found(string(sc.hold), false, sc.texted, !cut) {
			sc.release()
		}
	case marked:
		if !sc.foundMarked(string(sc.hold[len(sc.mark.open):]), !cut) {
			sc.release()
		}
	case decoding:
		sc.emit(sc.decoder.rest())
	case trailing:
	default:
		sc.release()
	}
	if sc.calls == 0 && len(sc.attempts) == 0 && sc.shim.Active() && sc.shim.must() && !cut {
		sc.attempts = append(sc.attempts, Attempt{Problem: "the answer has to be a function call, and is none"})
	}
	if !sc.after {
		sc.out = append(sc.out, sc.space...)
	}
	sc.flush(true)
	events := sc.events
	sc.events = nil
	if len(sc.attempts) > 0 {
		return events, &Error{Attempts: sc.attempts}
	}
	return events, nil
}

// step takes one byte.
func (sc *Scanner) step(b byte) {
	switch sc.state {
	case lineStart:
		sc.startLine(b)
	case plainText:
		sc.plain(b)
	case opening:
		sc.open(b)
	case block:
		sc.inBlock(b)
	case otherCode:
		sc.emit1(b)
		if sc.fence.feed(b) {
			sc.state = lineStart
		}
	case judging, body, tail, answer:
		sc.candidate(b)
	case marking, marked:
		sc.inMark(b)
	case leading, decoding, trailing:
		sc.constrained(b)
	default:
		sc.emit1(b)
	}
}

func (sc *Scanner) startLine(b byte) {
	indent := len(sc.hold)
	switch {
	case b == ' ' || b == '\t':
		sc.hold = append(sc.hold, b)
	case b == '`' || b == '~':
		sc.hold = append(sc.hold, b)
		sc.fence = fence{char: b, open: 1, indent: indent}
		sc.state = opening
	case b == '<':
		sc.emitHold()
		sc.hold = append(sc.hold, b)
		sc.state, sc.atBOL = marking, true
	case indent <= 3 && (b == '{' || b == '[' || letter(b)):
		sc.emitHold()
		sc.state = judging
		sc.head = head{shim: sc.shim}
		sc.lex = lexer{}
		sc.json = b == '{' || b == '['
		sc.candidate(b)
	default:
		sc.emitHold()
		sc.state = plainText
		sc.plain(b)
	}
}

func (sc *Scanner) plain(b byte) {
	switch {
	case b == '\n':
		sc.emit1(b)
		sc.newLine()
		return
	case b == '`' && !sc.tick:
		sc.inline = !sc.inline
	case b == '<' && !sc.inline:
		sc.hold = append(sc.hold, b)
		sc.state, sc.atBOL, sc.tick = marking, sc.after, false
		return
	}
	sc.tick = b == '`'
	sc.emit1(b)
}

func (sc *Scanner) newLine() {
	sc.state, sc.inline, sc.tick = lineStart, false, false
}

// release hands out what was held as text.
func (sc *Scanner) release() {
	last := byte(0)
	if n := len(sc.hold); n > 0 {
		last = sc.hold[n-1]
	}
	sc.emitHold()
	if last == '\n' {
		sc.newLine()
	} else {
		sc.state, sc.inline, sc.tick = plainText, false, false
	}
}

// reject releases what was held, and reads b, which showed that it is text, anew.
func (sc *Scanner) reject(b byte) {
	sc.release()
	sc.step(b)
}
