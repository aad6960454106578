// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package frame cuts a streamed answer into JSON documents.
//
// It goes by content, not by content type: the prebuilt Gemma container calls
// newline-delimited JSON "text/event-stream". Server-sent events,
// newline-delimited JSON, a JSON array spread over lines and a single JSON
// document are told apart line by line.
//
// A document is handed out as soon as its bytes are there: the reader never
// waits for more when a whole line is buffered.
package frame

import (
	"bytes"
	"errors"
	"io"
)

// MaxLine bounds one line and one document, in bytes. It is the size of the
// largest answer that Cloud Run lets through without streaming.
const MaxLine = 32 << 20

// firstBuffer is enough for every chunk of one token; a longer line grows it.
const firstBuffer = 4 << 10

// ErrTooLong is returned for a line longer than [MaxLine].
var ErrTooLong = errors.New("a line longer than 32 MiB")

// Kind says what a frame is.
type Kind uint8

const (
	JSON    Kind = iota // one JSON document, as far as its first and last byte tell
	Done                // the end marker of OpenAI's streams: [DONE]
	Failure             // the data of a server-sent event named "error"
	Garbage             // anything else: HTML, a line of text, an unfinished document
)

// Reader cuts one answer. It is for one goroutine.
type Reader struct {
	src        io.Reader
	buf        []byte
	start, end int // buf[start:end] is unread
	scanned    int // buf[start:scanned] holds no newline
	eof        error

	event   bool   // the current event is named "error"
	array   bool   // inside a JSON array spread over lines
	pending []byte // a document that goes on over several lines
	sse     bool   // pending is the data of an event
	braces  braces // of pending
}

// New returns a Reader of src.
func New(src io.Reader) *Reader { return &Reader{src: src} }

// Next returns the next frame. Its bytes are valid until the next call. The
// error is io.EOF at a clean end, ErrTooLong, or the source's own.
func (r *Reader) Next() ([]byte, Kind, error) {
	for {
		line, err := r.line()
		if err != nil {
			if err == io.EOF && len(r.pending) > 0 {
				rest := r.pending
				r.pending = nil
				return rest, Garbage, nil
			}
			return nil, Garbage, err
		}
		if len(line) > 0 && line[len(line)-1] == '\r' {
			line = line[:len(line)-1]
		}
		if len(line) > 5 && string(line[:5]) == "data:" {
			line = line[5:]
			if line[0] == ' ' {
				line = line[1:]
			}
			if frame, kind, ok := r.data(line); ok {
				return frame, kind, nil
			}
			continue
		}
		if frame, kind, ok := r.plain(line); ok {
			return frame, kind, nil
		}
	}
}

// data takes the data of a server-sent event. Servers put one document on one
// line; a document spread over several data lines is joined.
func (r *Reader) data(line []byte) ([]byte, Kind, bool) {
	line = bytes.TrimRight(line, " \t")
	switch {
	case len(r.pending) > 0:
		return r.join(line)
	case len(line) == 0:
		return nil, Garbage, false
	case string(line) == "[DONE]":
		return line, Done, true
	case line[0] == '{' && line[len(line)-1] == '}' && r.blankNext():
		return line, r.jsonKind(), true
	}
	if line = bytes.TrimLeft(line, " \t"); line[0] == '{' {
		r.sse = true
		return r.begin(line)
	}
	if r.event {
		return line, Failure, true
	}
	return line, Garbage, true
}

// plain takes a line that is no event data.
func (r *Reader) plain(line []byte) ([]byte, Kind, bool) {
	line = bytes.TrimSpace(line)
	if len(r.pending) > 0 {
		if len(line) == 0 && r.sse { // the event is over, whatever it was
			doc := r.pending
			kind := r.jsonKind()
			r.pending, r.event = nil, false
			return doc, kind, true
		}
		return r.join(line)
	}
	if r.array || len(line) > 0 && line[0] == '[' {
		r.array = true
		if line = bytes.TrimLeft(line, "[, "); len(line) > 0 && line[0] != '{' {
			line = bytes.TrimRight(line, "]")
		}
	}
	switch {
	case len(line) == 0:
		r.event = false
	case line[0] == '{':
		if line[len(line)-1] == '}' && !r.array {
			return line, JSON, true
		}
		r.sse = false
		return r.begin(line)
	case line[0] == ':', hasField(line, "id"), hasField(line, "retry"), hasField(line, "data"):
	case hasField(line, "event"):
		r.event = string(bytes.TrimSpace(line[len("event:"):])) == "error"
	default:
		return line, Garbage, true
	}
	return nil, Garbage, false
}

// begin takes the first line of a document that may go on.
func (r *Reader) begin(line []byte) ([]byte, Kind, bool) {
	r.braces = braces{}
	if end := r.braces.feed(line); end >= 0 && r.over(line[end:]) {
		return line[:end], r.jsonKind(), true
	}
	r.pending = append([]byte(nil), line...)
	return nil, Garbage, false
}

// join adds a line to the document in progress.
func (r *Reader) join(line []byte) ([]byte, Kind, bool) {
	if len(r.pending)+len(line) > MaxLine {
		r.eof = ErrTooLong
		r.start, r.end, r.scanned, r.pending = 0, 0, 0, nil
		return nil, Garbage, false
	}
	r.pending = append(r.pending, '\n')
	at := len(r.pending)
	r.pending = append(r.pending, line...)
	end := r.braces.feed(line)
	if end < 0 {
		return nil, Garbage, false
	}
	doc := r.pending
	r.pending = nil
	if !r.over(line[end:]) {
		return doc, Garbage, true
	}
	return doc[:at+end], r.jsonKind(), true
}

// over reports whether rest may follow a document on its last line: white
// space, or an array's punctuation.
func (r *Reader) over(rest []byte) bool {
	cut := " \t"
	if r.array {
		cut = " \t],"
	}
	return len(bytes.TrimLeft(rest, cut)) == 0
}

func (r *Reader) jsonKind() Kind {
	if r.event {
		return Failure
	}
	return JSON
}

func hasField(line []byte, name string) bool {
	return len(line) > len(name) && string(line[:len(name)]) == name && line[len(name)] == ':'
}

// blankNext reports whether the buffer goes on with a blank line: the event is
// over.
func (r *Reader) blankNext() bool {
	rest := r.buf[r.start:r.end]
	return len(rest) > 0 && rest[0] == '\n' || len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n'
}

// braces counts the open braces and brackets of a document, outside of strings.
// It does not check the JSON in between.
type braces struct {
	depth  int
	quoted bool
}

// feed reads on, and returns the index behind the byte that closed the
// document, or -1.
func (b *braces) feed(p []byte) int {
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case b.quoted && c == '\\':
			i++
		case c == '"':
			b.quoted = !b.quoted
		case b.quoted:
		case c == '{' || c == '[':
			b.depth++
		case c == '}' || c == ']':
			if b.depth--; b.depth <= 0 {
				return i + 1
			}
		}
	}
	return -1
}

// line returns the next line without its newline; at a clean end of the body
// an unfinished last line counts as one.
func (r *Reader) line() ([]byte, error) {
	for {
		if i := bytes.IndexByte(r.buf[r.scanned:r.end], '\n'); i >= 0 {
			line := r.buf[r.start : r.scanned+i]
			r.start = r.scanned + i + 1
			r.scanned = r.start
			return line, nil
		}
		r.scanned = r.end
		if r.eof != nil {
			if r.eof == io.EOF && r.start < r.end {
				line := r.buf[r.start:r.end]
				r.start = r.end
				return line, nil
			}
			return nil, r.eof
		}
		r.fill()
	}
}

// fill reads once.
func (r *Reader) fill() {
	if r.start == r.end {
		r.start, r.end, r.scanned = 0, 0, 0
	}
	if r.end == len(r.buf) {
		switch {
		case r.start > 0:
			copy(r.buf, r.buf[r.start:r.end])
			r.end -= r.start
			r.scanned -= r.start
			r.start = 0
		case len(r.buf) > MaxLine:
			r.eof = ErrTooLong
			return
		default:
			grown := make([]byte, max(firstBuffer, 2*len(r.buf)))
			copy(grown, r.buf[:r.end])
			r.buf = grown
		}
	}
	for range 100 { // as bufio: a reader that returns nothing for ever is broken
		n, err := r.src.Read(r.buf[r.end:])
		r.end += n
		if err != nil {
			r.eof = err
		}
		if n > 0 || err != nil {
			return
		}
	}
	r.eof = io.ErrNoProgress
}

// drainAtMost is what may follow an end marker: blank lines, [DONE], the end
// of the chunked encoding.
const drainAtMost = 4 << 10

// Drain reads on to the end of a body whose end marker was seen, so that the
// connection can be used again. It gives up after a few KiB.
func (r *Reader) Drain() {
	for n := r.end - r.start; r.eof == nil && n < drainAtMost; n += r.end {
		r.start, r.end, r.scanned = 0, 0, 0
		r.fill()
	}
}
