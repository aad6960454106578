// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package partialjson

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

type state uint8

const (
	lead       state = iota // before the document or its fence
	inFence                 // in the opening fence
	inInfo                  // in the word after it
	value                   // a value must come
	valueOrEnd              // a value or ] must come
	keyOrEnd                // a name or } must come
	key                     // a name must come
	colon                   // : must come
	commaOrEnd              // , or the end of the container must come
	tail                    // after the document
	inClose                 // in the closing fence
	rest                    // after the closing fence

	inString
	inEscape
	inHex
	inLiteral

	inMinus // numbers: after -
	inZero  // after a leading 0
	inNumber
	inDot
	inFrac
	inExp
	inExpSign
	inExpDigits
)

// maxInfo bounds the word after a fence ("json").
const maxInfo = 32

// Next returns the next event, or false when there is none before the next
// Write. An error is final.
func (p *Parser) Next() (Event, bool, error) {
	if p.err != nil {
		return Event{}, false, p.err
	}
	for i := p.pos - p.base; i < len(p.buf); i = p.pos - p.base {
		if p.state == inString {
			// Most of a document is inside strings.
			for i < len(p.buf) && p.buf[i] >= ' ' && p.buf[i] != '"' && p.buf[i] != '\\' {
				i++
			}
			p.pos = p.base + i
			if i == len(p.buf) {
				break
			}
		}
		ev, ok, err := p.step(p.buf[i])
		if err != nil {
			p.err = err
			return Event{}, false, err
		}
		if ok {
			return ev, true, nil
		}
	}
	if limit := orDefault(p.MaxBytes, DefaultMaxBytes); p.base+len(p.buf)-p.kept > limit {
		p.err = &Error{Offset: p.pos, Msg: fmt.Sprintf("the text is longer than the limit of %d bytes", limit), Bound: true}
		return Event{}, false, p.err
	}
	if p.closed {
		return p.last()
	}
	return Event{}, false, nil
}

func orDefault(n, standard int) int {
	if n <= 0 {
		return standard
	}
	return n
}

// step looks at one byte. It is consumed unless a state hands it on to the
// next, which happens at most twice for a byte.
func (p *Parser) step(c byte) (ev Event, ok bool, err error) {
	if space(c) {
		switch p.state {
		case value, valueOrEnd, keyOrEnd, key, colon, commaOrEnd, tail, rest, lead:
			p.pos++
			return
		}
	}
	switch p.state {
	case lead:
		switch c {
		case '`', '~':
			p.fence, p.state = c, inFence
		default:
			p.state = value
		}
	case inFence:
		if c == p.fence {
			p.ticks++
			p.pos++
			break
		}
		if p.ticks < 3 {
			return ev, false, p.unexpected(c, "a JSON value")
		}
		p.state = inInfo
	case inInfo:
		if !word(c) {
			p.state = value
			break
		}
		if p.info++; p.info > maxInfo {
			return ev, false, p.unexpected(c, "a new line after the fence")
		}
		p.pos++
	case value, valueOrEnd:
		return p.begin(c)
	case keyOrEnd, key:
		switch {
		case c == '"':
			p.open(inString)
			p.isKey = true
		case c == '}' && p.state == keyOrEnd:
			return p.pop(EndObject)
		default:
			return ev, false, p.unexpected(c, "a name in quotes")
		}
	case colon:
		if c != ':' {
			return ev, false, p.unexpected(c, "':'")
		}
		p.pos++
		p.state = value
	case commaOrEnd:
		return p.next(c)
	case inString, inEscape, inHex:
		return p.inString(c)
	case inLiteral:
		if c != p.literal[0] {
			return ev, false, p.unexpected(c, "true, false or null")
		}
		p.pos++
		if p.literal = p.literal[1:]; p.literal == "" {
			return p.scalar(p.kind)
		}
	case tail:
		if p.fence == 0 || c != p.fence {
			return ev, false, p.unexpected(c, "nothing after the JSON document")
		}
		p.state = inClose
	case inClose:
		if c == p.fence {
			p.closing++
			p.pos++
			break
		}
		if p.closing < p.ticks {
			return ev, false, p.unexpected(c, "the closing fence")
		}
		p.state = rest
	case rest:
		return ev, false, p.unexpected(c, "nothing after the closing fence")
	default:
		return p.number(c)
	}
	return
}

func space(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
func digit(c byte) bool { return c-'0' < 10 }
func word(c byte) bool {
	return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '-' || c == '+' || c == '.'
}

func (p *Parser) open(s state) {
	p.tok = p.pos
	p.pos++
	p.state = s
	p.isKey = false
}

// begin starts a value with its first byte.
func (p *Parser) begin(c byte) (ev Event, ok bool, err error) {
	if len(p.stack) == 0 {
		p.start = p.pos
	}
	switch c {
	case '{', '[':
		if limit := orDefault(p.MaxDepth, DefaultMaxDepth); len(p.stack) >= limit {
			return ev, false, &Error{Offset: p.pos, Msg: fmt.Sprintf("nested deeper than the limit of %d", limit), Bound: true}
		}
		p.stack = append(p.stack, level{start: p.pos, object: c == '{', names: len(p.names)})
		ev = Event{Kind: BeginObject, Start: p.pos, End: p.pos + 1}
		p.state = keyOrEnd
		if c == '[' {
			ev.Kind, p.state = BeginArray, valueOrEnd
		}
		p.pos++
		return ev, true, nil
	case ']':
		if p.state == valueOrEnd {
			return p.pop(EndArray)
		}
	case '"':
		p.open(inString)
		return
	case '-':
		p.open(inMinus)
		return
	case '0':
		p.open(inZero)
		return
	case 't':
		p.literal, p.kind = "rue", True
		p.open(inLiteral)
		return
	case 'f':
		p.literal, p.kind = "alse", False
		p.open(inLiteral)
		return
	case 'n':
		p.literal, p.kind = "ull", Null
		p.open(inLiteral)
		return
	}
	if digit(c) {
		p.open(inNumber)
		return
	}
	want := "a JSON value"
	if p.state == valueOrEnd {
		want = "a JSON value or ']'"
	}
	return ev, false, p.unexpected(c, want)
}

// next goes on after a value in a container.
func (p *Parser) next(c byte) (ev Event, ok bool, err error) {
	object := p.stack[len(p.stack)-1].object
	switch {
	case c == ',' && object:
		p.pos++
		p.state = key
		return
	case c == ',':
		p.pos++
		p.state = value
		return
	case c == '}' && object:
		return p.pop(EndObject)
	case c == ']' && !object:
		return p.pop(EndArray)
	case object:
		return ev, false, p.unexpected(c, "',' or '}'")
	}
	return ev, false, p.unexpected(c, "',' or ']'")
}

func (p *Parser) pop(k Kind) (Event, bool, error) {
	p.pos++
	top := p.stack[len(p.stack)-1]
	p.stack = p.stack[:len(p.stack)-1]
	clear(p.names[top.names:])
	p.names = p.names[:top.names]
	p.after(p.pos)
	return Event{Kind: k, Start: top.start, End: p.pos}, true, nil
}

// after chooses the state after a value that ended at offset end.
func (p *Parser) after(end int) {
	p.state = commaOrEnd
	if len(p.stack) == 0 {
		p.end = end
		p.state = tail
	}
}

// scalar reports the open token, which ends before p.pos.
func (p *Parser) scalar(k Kind) (Event, bool, error) {
	p.after(p.pos)
	return Event{Kind: k, Start: p.tok, End: p.pos}, true, nil
}

func (p *Parser) inString(c byte) (ev Event, ok bool, err error) {
	switch p.state {
	case inEscape:
		if strings.IndexByte(`"\/bfnrtu`, c) < 0 {
			return ev, false, p.unexpected(c, "an escape that JSON knows")
		}
		p.state = inString
		if c == 'u' {
			p.state, p.hex = inHex, 4
		}
		p.pos++
		return
	case inHex:
		if !digit(c) && (c|0x20 < 'a' || c|0x20 > 'f') {
			return ev, false, p.unexpected(c, "four hex digits after \\u")
		}
		if p.hex--; p.hex == 0 {
			p.state = inString
		}
		p.pos++
		return
	}
	switch {
	case c == '\\':
		p.state = inEscape
	case c < ' ':
		return ev, false, p.unexpected(c, "an escape for a control character in a string")
	case c == '"':
		p.pos++
		if !p.isKey {
			return p.scalar(String)
		}
		p.state = colon
		ev = Event{Kind: Key, Start: p.tok, End: p.pos}
		ev.Name = string(Unquote(nil, p.Bytes(p.tok, p.pos)))
		return ev, true, p.claim(ev.Name)
	}
	p.pos++
	return
}

// claim adds a name to the innermost object, which must not have it.
func (p *Parser) claim(name string) error {
	top := &p.stack[len(p.stack)-1]
	have := p.names[top.names:]
	twice := false
	if top.set != nil {
		_, twice = top.set[name]
		top.set[name] = struct{}{}
	} else {
		for _, n := range have {
			twice = twice || n == name
		}
		if p.names = append(p.names, name); len(have) == 16 {
			top.set = make(map[string]struct{}, 64)
			for _, n := range p.names[top.names:] {
				top.set[n] = struct{}{}
			}
		}
	}
	if twice {
		return &Error{Offset: p.tok, Msg: "the object has this name twice"}
	}
	return nil
}

// number goes on in a number. Its end is the delimiter, which is not consumed
// and must be one that fits here: 12x is not the number 12.
func (p *Parser) number(c byte) (ev Event, ok bool, err error) {
	then, want := inNumber, "a digit"
	switch {
	case p.state == inMinus && c == '0':
		then = inZero
	case (p.state == inMinus || p.state == inNumber) && digit(c):
		then = inNumber
	case (p.state == inZero || p.state == inNumber) && c == '.':
		then = inDot
	case (p.state == inDot || p.state == inFrac) && digit(c):
		then = inFrac
	case (p.state == inZero || p.state == inNumber || p.state == inFrac) && c|0x20 == 'e':
		then = inExp
	case p.state == inExp && (c == '+' || c == '-'):
		then = inExpSign
	case (p.state == inExp || p.state == inExpSign || p.state == inExpDigits) && digit(c):
		then = inExpDigits
	case p.numberWhole():
		if p.delimits(c) {
			return p.scalar(Number)
		}
		want = "the end of the number"
		fallthrough
	default:
		return ev, false, p.unexpected(c, want)
	}
	p.state = then
	p.pos++
	return
}

func (p *Parser) numberWhole() bool {
	switch p.state {
	case inZero, inNumber, inFrac, inExpDigits:
		return true
	}
	return false
}

func (p *Parser) delimits(c byte) bool {
	if space(c) {
		return true
	}
	if len(p.stack) == 0 {
		return p.fence != 0 && c == p.fence
	}
	if p.stack[len(p.stack)-1].object {
		return c == ',' || c == '}'
	}
	return c == ',' || c == ']'
}

// last is Next at the end of the text.
func (p *Parser) last() (Event, bool, error) {
	switch {
	case p.numberWhole() && len(p.stack) == 0:
		return p.scalar(Number)
	case p.state == tail, p.state == rest, p.state == inClose && p.closing >= p.ticks:
		// A closing fence may be missing: as a stop sequence it is not part of the answer.
		return Event{}, false, nil
	}
	msg := "the JSON document ends too early"
	if p.state == lead {
		msg = "there is no JSON document"
	}
	p.err = &Error{Offset: p.pos, Msg: msg, Early: true}
	return Event{}, false, p.err
}

func (p *Parser) unexpected(c byte, want string) error {
	found := fmt.Sprintf("%q", rune(c))
	if c >= utf8.RuneSelf {
		found = "a character that is not ASCII"
	}
	return &Error{Offset: p.pos, Msg: fmt.Sprintf("expected %s, found %s", want, found)}
}
