// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package frame

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

type got struct {
	text string
	kind Kind
}

func all(r *Reader) (out []got, err error) {
	for {
		b, k, err := r.Next()
		if err != nil {
			return out, err
		}
		out = append(out, got{string(b), k})
	}
}

func TestFrames(t *testing.T) {
	big := `{"a":"` + strings.Repeat("x", 100<<10) + `"}`
	for name, tt := range map[string]struct {
		in   string
		want []got
	}{
		"newline-delimited":        {"{\"a\":1}\n{\"a\":2}\n", []got{{`{"a":1}`, JSON}, {`{"a":2}`, JSON}}},
		"without a last newline":   {"{\"a\":1}\n{\"a\":2}", []got{{`{"a":1}`, JSON}, {`{"a":2}`, JSON}}},
		"events":                   {"data: {\"a\":1}\n\ndata:{\"a\":2}\n\ndata: [DONE]\n\n", []got{{`{"a":1}`, JSON}, {`{"a":2}`, JSON}, {"[DONE]", Done}}},
		"carriage returns":         {"data: {\"a\":1}\r\n\r\ndata: [DONE]\r\n\r\n", []got{{`{"a":1}`, JSON}, {"[DONE]", Done}}},
		"comments and fields":      {": ping\n\nid: 7\nretry: 10\nevent: message\ndata: {\"a\":1}\n\n", []got{{`{"a":1}`, JSON}}},
		"an error event":           {"event: error\ndata: {\"a\":1}\n\ndata: {\"a\":2}\n\n", []got{{`{"a":1}`, Failure}, {`{"a":2}`, JSON}}},
		"an event on many lines":   {"data: {\"a\":\ndata: {\"b\":\ndata: 1}}\n\n", []got{{"{\"a\":\n{\"b\":\n1}}", JSON}}},
		"braces at line ends":      {"data: {\"a\":{}\ndata: }\n\n", []got{{"{\"a\":{}\n}", JSON}}},
		"an array":                 {"[{\"a\":1}\n,\n{\"a\":2}]\n", []got{{`{"a":1}`, JSON}, {`{"a":2}`, JSON}}},
		"an indented array":        {"[{\n  \"a\": [1,\n 2]\n}\n,\n{\n  \"a\": 2\n}]", []got{{"{\n\"a\": [1,\n2]\n}", JSON}, {"{\n\"a\": 2\n}", JSON}}},
		"indented":                 {"{\n  \"a\": \"}\"\n}\n", []got{{"{\n\"a\": \"}\"\n}", JSON}}},
		"a page":                   {"<html>\n", []got{{"<html>", Garbage}}},
		"text in an event":         {"data: Internal Server Error\n\n", []got{{"Internal Server Error", Garbage}}},
		"an unfinished document":   {"{\"a\":", []got{{"{\"a\":", Garbage}}},
		"nothing":                  {"\n\n", nil},
		"a line of 100 KiB":        {big + "\n{}\n", []got{{big, JSON}, {"{}", JSON}}},
		"an event of 100 KiB":      {"data: " + big + "\n\ndata: {}\n\n", []got{{big, JSON}, {"{}", JSON}}},
		"an escaped quote":         {"data: {\"a\":\"\\\\\\\"}\"\ndata: }\n\n", []got{{"{\"a\":\"\\\\\\\"}\"\n}", JSON}}},
		"data with trailing space": {"data: {\"a\":1} \n\n", []got{{`{"a":1}`, JSON}}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, src := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in)), iotest.DataErrReader(iotest.HalfReader(strings.NewReader(tt.in)))} {
				out, err := all(New(src))
				if err != io.EOF || len(out) != len(tt.want) {
					t.Fatalf("%.200q, %v", out, err)
				}
				for i := range out {
					if out[i] != tt.want[i] {
						t.Errorf("frame %d: %.200q, want %.200q", i, out[i], tt.want[i])
					}
				}
			}
		})
	}
}

// flushes hands out one piece for each Read, and fails the test if it is asked
// for more than the frames so far need.
type flushes struct {
	pieces []string
	read   int
}

func (f *flushes) Read(p []byte) (int, error) {
	if f.read == len(f.pieces) {
		return 0, io.EOF
	}
	n := copy(p, f.pieces[f.read])
	f.read++
	return n, nil
}

// TestNoDelay: a frame is handed out with the read that brought its last byte.
func TestNoDelay(t *testing.T) {
	for _, sep := range []string{"%\n", "data: %\n\n", "data: %\r\n\r\n", "data: %\n"} {
		var pieces []string
		for range 5 {
			pieces = append(pieces, strings.Replace(sep, "%", `{"a":1}`, 1))
		}
		src := &flushes{pieces: pieces}
		r := New(src)
		for i := range pieces {
			if b, _, err := r.Next(); err != nil || string(b) != `{"a":1}` {
				t.Fatal(string(b), err)
			}
			if src.read != i+1 {
				t.Errorf("%q: frame %d needed %d reads", sep, i, src.read)
			}
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestTooLong(t *testing.T) {
	if _, _, err := New(io.MultiReader(strings.NewReader("{"), endless{})).Next(); !errors.Is(err, ErrTooLong) {
		t.Errorf("%v", err)
	}
}

func TestNoProgress(t *testing.T) {
	if _, _, err := New(readerFunc(func([]byte) (int, error) { return 0, nil })).Next(); err != io.ErrNoProgress {
		t.Errorf("%v", err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// FuzzFrame: how the bytes are cut into reads makes no difference, and what
// newline-delimited JSON and server-sent events carry comes out as it went in.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("data: {\"a\":1}\n\n[{}\n,{}]\nevent: error\ndata: {\"a\":\ndata: 1}\n\n"), []byte(`{"a":"}\n{"}`))
	f.Fuzz(func(t *testing.T, stream, doc []byte) {
		whole, err1 := all(New(bytes.NewReader(stream)))
		pieces, err2 := all(New(iotest.OneByteReader(bytes.NewReader(stream))))
		if err1 != err2 || len(whole) != len(pieces) {
			t.Fatalf("%q, %v\n%q, %v", whole, err1, pieces, err2)
		}
		for i := range whole {
			if whole[i] != pieces[i] {
				t.Fatalf("%q\n%q", whole, pieces)
			}
		}
		var compact bytes.Buffer
		if json.Compact(&compact, doc) != nil || compact.Bytes()[0] != '{' {
			return
		}
		for _, stream := range []string{compact.String() + "\n", "data: " + compact.String() + "\n\n", "data: " + compact.String()} {
			out, err := all(New(strings.NewReader(stream + "\n{}\n")))
			if err != io.EOF || len(out) != 2 || out[0].text != compact.String() || out[0].kind != JSON {
				t.Fatalf("%q: %q, %v", stream, out, err)
			}
		}
	})
}
