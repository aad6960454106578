// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package partialjson reads a JSON document that arrives in pieces of any size.
//
// A [Parser] looks at every byte once, wherever the pieces are cut, and reports
// what is certain: a number when its delimiter is there, a string at its
// closing quote, an array when it opens and when it closes. The grammar is that of RFC 8259,
// without exception; beyond it, a name may not come twice in an object
// (encoding/json would let the later one win, after the earlier was shown).
// The document may stand in a Markdown fence, as models like to write it:
//
//	```json
//	{"name": "Ada"}
//	```
//
// Nothing but white space may stand before or after the document or its fence.
package partialjson

import "fmt"

// Kind says what an [Event] reports.
type Kind uint8

const (
	Null Kind = iota
	False
	True
	Number
	String
	BeginObject
	EndObject
	BeginArray
	EndArray
	Key // a name in an object
)

// Event is one thing that became certain. Start and End are offsets in the
// text written, fence included. An End event spans its whole object or array.
type Event struct {
	Kind       Kind
	Start, End int
	Name       string // the unquoted name, of a Key
}

// Limits of a Parser whose fields are 0.
const (
	DefaultMaxDepth = 1000     // a tenth of what encoding/json decodes
	DefaultMaxBytes = 16 << 20 // far more than the longest context of any Gemma holds
)

// Error says where the text is not what it should be. It holds at most one
// character of the text.
type Error struct {
	Offset int // of the byte at fault; the text's length if it ended too early
	Msg    string
	Early  bool // the text is right as far as it goes, and ended too early
	Bound  bool // the text goes beyond a limit of the Parser
}

func (e *Error) Error() string { return fmt.Sprintf("offset %d: %s", e.Offset, e.Msg) }

// Parser is a resumable parser of one document. The zero value is ready. Use it
// in a loop of Write, then Next until it has nothing more; at the end Close, then
// Next again.
type Parser struct {
	MaxDepth int // containers inside each other; 0 = DefaultMaxDepth
	MaxBytes int // bytes kept at a time; 0 = DefaultMaxBytes

	buf    []byte // the text from offset base on
	base   int
	kept   int // the text before this offset was discarded, if perhaps not yet moved out
	pos    int // offset of the next byte to look at
	closed bool
	err    error

	state state
	tok   int // start of the open token
	stack []level
	names []string // of all the open objects

	literal string // the rest of the literal that is being matched
	kind    Kind   // of the literal
	isKey   bool   // the open string is a name
	hex     int    // hex digits to come in \uXXXX
	fence   byte   // '`' or '~' if the document is fenced
	ticks   int    // length of the opening fence
	closing int    // length of the closing fence so far
	info    int    // length of the fence's info word

	start, end int // of the document; end is 0 until it is whole
}

// level is one open object or array.
type level struct {
	start  int
	object bool
	names  int                 // where its names begin in Parser.names
	set    map[string]struct{} // its names, once they are too many to look through
}

// Write adds the next piece of the text.
func (p *Parser) Write(piece string) { p.buf = append(p.buf, piece...) }

// Close says that the text is complete. What is only certain at the end, such
// as a number outside any array or object, is reported by Next after it.
func (p *Parser) Close() { p.closed = true }

// Offset returns how much of the text was looked at.
func (p *Parser) Offset() int { return p.pos }

// Bytes returns the text between two offsets, of which nothing may have been
// discarded. It is valid until the next Write or Discard.
func (p *Parser) Bytes(start, end int) []byte { return p.buf[start-p.base : end-p.base] }

// Discard forgets the text before offset, which must not be beyond Offset. Of an
// open token nothing is forgotten.
func (p *Parser) Discard(offset int) {
	switch p.state {
	case inString, inEscape, inHex, inNumber, inZero, inMinus, inDot, inFrac, inExp, inExpSign, inExpDigits, inLiteral:
		offset = min(offset, p.tok)
	}
	p.kept = max(p.kept, offset)
	if n := p.kept - p.base; n > 0 {
		// Move only what is smaller than what it frees, so that a byte costs at most one move.
		if n == len(p.buf) {
			p.buf, p.base = p.buf[:0], p.kept
		} else if n > len(p.buf)/2 {
			p.buf = p.buf[:copy(p.buf, p.buf[n:])]
			p.base = p.kept
		}
	}
}

// Depth returns how many containers are open.
func (p *Parser) Depth() int { return len(p.stack) }

// Document returns where the document stands in the text, and whether it is whole.
func (p *Parser) Document() (start, end int, whole bool) { return p.start, p.end, p.end > 0 }

// OpenString returns the start of the string value (not name) that is being
// read, at its opening quote. Its text so far is Bytes(start, Offset()); see [Unquote].
func (p *Parser) OpenString() (start int, ok bool) {
	switch p.state {
	case inString, inEscape, inHex:
		return p.tok, !p.isKey
	}
	return 0, false
}
