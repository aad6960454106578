// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/partialjson"
)

// JSONOptions says how [JSONWith], [ElementsWith] and [Decode] read an answer. The
// zero value is what [JSON] and [Elements] use.
type JSONOptions struct {
	// Validate, if set, is called with the bytes of the whole document, or of each
	// element for Elements, before the value is yielded. Its error ends
	// the sequence as the cause of a *JSONError. It must not keep or change the bytes.
	Validate func(document []byte) error

	// GrowingText shows strings while they are being written. Without it a string
	// appears when its closing quote is in. Only values of type string, *string and any grow:
	// a value of a named string type, which is how Go spells an enumeration, and a name in a map never do,
	// because half of one is a wrong one. What is shown is always a prefix of the
	// whole string, never half a character.
	GrowingText bool

	// KnownFields makes a name that the type has no field for an error at the end,
	// like DisallowUnknownFields of encoding/json. Without it such members are left out.
	KnownFields bool

	MaxBytes int // of the document, or of one element for Elements; 0 = 16 MiB
	MaxDepth int // arrays and objects inside each other; 0 = 1000
}

// JSON decodes the answer's text as one JSON document into a T while it is
// being written, and returns ever more complete snapshots of it. The last value is the
// whole document: exactly what json.Unmarshal makes of it.
//
// A snapshot holds only what is certain: no half number, no half string (but
// see [JSONOptions.GrowingText]), no half literal; a member that has not begun is zero.
// A snapshot is yielded at most once for a response, when it has something new;
// the last value always. Each is a deep copy, the caller's own. (Values that decode themselves
// by UnmarshalJSON or UnmarshalText appear when they are complete, and snapshots share them.)
//
// The document may stand in a Markdown code fence. Other text before or after it is an
// error, and so is a name that comes twice in one object. An answer that goes
// wrong ends the sequence, and with it the request, at the byte that
// cannot be right, with a [*JSONError].
//
// The work is linear in the length of the answer, however it is cut. So that the
// copying is linear too, snapshots of large documents come less often: up to some
// 8 KiB whenever there is something new, at 64 KiB about every 600 bytes.
func JSON[T any](seq Seq) iter.Seq2[T, error] { return JSONWith[T](seq, JSONOptions{}) }

// JSONWith is [JSON] with options.
func JSONWith[T any](seq Seq, o JSONOptions) iter.Seq2[T, error] {
	var used once
	return func(yield func(T, error) bool) {
		var zero T
		if used.again() {
			yield(zero, ErrUsed)
			return
		}
		var end ending
		b := newBuilder(reflect.TypeFor[T](), o)
		for r, err := range seq {
			if err != nil {
				yield(zero, err)
				return
			}
			end.saw(r)
			for _, p := range parts(r) {
				if p == nil || p.Text == "" || p.Thought {
					continue
				}
				b.p.Write(p.Text)
				if err := b.read(); err != nil {
					yield(zero, wrong(err, ""))
					return
				}
			}
			if b.news() && !yield(*b.snapshot().(*T), nil) {
				return
			}
		}
		if err := end.err(); err != nil {
			yield(zero, err)
			return
		}
		b.p.Close()
		v, err := last[T](b, o)
		if err != nil {
			yield(zero, wrong(err, end.finish))
			return
		}
		yield(v, nil)
	}
}

// Decode decodes a complete text by the rules of [JSON]: for an answer that was
// collected before. Its errors are of type [*JSONError].
func Decode[T any](text string, o JSONOptions) (T, error) {
	b := newBuilder(reflect.TypeFor[T](), o)
	b.blind = true
	b.p.Write(text)
	b.p.Close()
	v, err := last[T](b, o)
	if err != nil {
		var zero T
		return zero, wrong(err, "")
	}
	return v, nil
}

// last reads what is left of a closed text and decodes the whole document.
func last[T any](b *builder, o JSONOptions) (v T, err error) {
	if err := b.read(); err != nil {
		return v, err
	}
	start, end, _ := b.p.Document()
	return decode[T](b.p.Bytes(start, end), start, o)
}

// decode decodes one complete and valid value that stands at the offset.
func decode[T any](raw []byte, offset int, o JSONOptions) (v T, err error) {
	if o.KnownFields {
		d := json.NewDecoder(bytes.NewReader(raw))
		d.DisallowUnknownFields()
		err = d.Decode(&v)
	} else {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil {
		// encoding/json counts from the start of the value, to the end of the fault.
		if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			offset += int(e.Offset)
		}
		return v, &JSONError{Offset: offset, Message: "the value does not fit the type", Err: err}
	}
	if o.Validate != nil {
		if err := o.Validate(raw); err != nil {
			return v, &JSONError{Offset: offset, Message: "the value is not valid", Err: err}
		}
	}
	return v, nil
}

// JSONError says that an answer is not the JSON it should be. Models err at
// random, so the same request may well succeed when it is sent again; a
// ResponseJsonSchema in the request makes it certain on servers that constrain decoding.
// The error's text holds nothing of the answer's text but single characters and short causes.
type JSONError struct {
	Offset  int                // byte of the answer's text at fault, from 0
	Path    string             // the value at fault, such as .items[3].price; "" for the document
	Message string             // what was expected there
	Finish  genai.FinishReason // how the answer finished, if it ended too early
	Err     error              // the cause: of encoding/json, of Validate, io.ErrUnexpectedEOF for an early end; may be nil
}

// Error returns the offset, the path, what was expected, the cause and, for an
// early end, how the answer finished.
func (e *JSONError) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "stream: JSON at offset %d", e.Offset)
	if e.Path != "" {
		s.WriteString(" (" + e.Path + ")")
	}
	s.WriteString(": " + e.Message)
	if e.Err != nil && e.Err != io.ErrUnexpectedEOF {
		s.WriteString(": " + clip(e.Err.Error()))
	}
	switch e.Finish {
	case "":
	case genai.FinishReasonMaxTokens:
		s.WriteString(" at the token limit; raise MaxOutputTokens")
	default:
		fmt.Fprintf(&s, " (finish reason %s)", e.Finish)
	}
	return s.String()
}

// clip bounds a cause, which may quote the answer.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// Unwrap returns the cause, nil if there is none.
func (e *JSONError) Unwrap() error { return e.Err }

// wrong makes the package's error of the parser's.
func wrong(err error, finish genai.FinishReason) error {
	e, ok := errors.AsType[*partialjson.Error](err)
	if !ok {
		return err
	}
	out := &JSONError{Offset: e.Offset, Message: e.Msg}
	if e.Early {
		out.Finish, out.Err = finish, io.ErrUnexpectedEOF
	}
	return out
}
