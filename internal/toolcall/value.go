// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a value; encoding/json's own bound is 10,000,
// but no function takes such arguments.
const maxDepth = 100

// reader reads values as models write them: JSON and Python literals, in one
// grammar that holds both. What is JSON reads as encoding/json reads it
// (numbers are kept as written); beyond that it knows single and triple quotes,
// names without quotes as keys, True, False and None, tuples, trailing commas,
// comments, and the string marks of Gemma's own call formats.
//
// A reader looks at each byte a bounded number of times.
type reader struct {
	s      string
	i      int
	depth  int
	lax    bool // brackets still open at the end are closed
	bare   bool // a string may stand without quotes, as in Gemma's call format
	closed bool // lax was made use of
}

// gemmaQuotes delimit strings in the call formats of FunctionGemma and Gemma 4.
var gemmaQuotes = [...]string{"<escape>", `<|"|>`}

// space passes white space and comments: # and // to the line's end.
func (r *reader) space() {
	for r.i < len(r.s) {
		switch b := r.s[r.i]; {
		case blank(b):
			r.i++
		case b == '#', b == '/' && strings.HasPrefix(r.s[r.i:], "//"):
			n := strings.IndexByte(r.s[r.i:], '\n')
			if n < 0 {
				n = len(r.s) - r.i
			}
			r.i += n
		default:
			return
		}
	}
}

func blank(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

func (r *reader) peek() byte {
	if r.i < len(r.s) {
		return r.s[r.i]
	}
	return 0
}

// eat skips white space and then b, if it comes next.
func (r *reader) eat(b byte) bool {
	r.space()
	if r.peek() == b && r.i < len(r.s) {
		r.i++
		return true
	}
	return false
}

// end reports whether nothing but white space is left.
func (r *reader) end() bool {
	r.space()
	return r.i >= len(r.s)
}

// shut reports whether a bracket ends here: by b, or by the end of the text if
// that is good enough.
func (r *reader) shut(b byte) bool {
	if r.eat(b) {
		return true
	}
	if r.lax && r.end() {
		r.closed = true
		return true
	}
	return false
}

// value reads one value: nil, bool, json.Number, string, []any or map[string]any.
func (r *reader) value() (any, bool) {
	r.space()
	if r.depth >= maxDepth {
		return nil, false
	}
	r.depth++
	defer func() { r.depth-- }()
	for _, q := range gemmaQuotes {
		if strings.HasPrefix(r.s[r.i:], q) {
			return r.until(q)
		}
	}
	switch b := r.peek(); {
	case b == '{':
		return r.object()
	case b == '[':
		r.i++
		return r.list(']')
	case b == '(' && !r.bare:
		r.i++
		return r.list(')')
	case b == '"' || b == '\'':
		return r.str(false)
	case r.bare:
		return r.word()
	case b == '-' || b == '+' || b == '.' || digit(b):
		return r.number()
	case letter(b):
		return r.literal()
	}
	return nil, false
}

func (r *reader) object() (any, bool) {
	r.i++ // {
	m := map[string]any{}
	for !r.shut('}') {
		key, ok := r.key()
		if !ok || !r.eat(':') {
			return nil, false
		}
		v, ok := r.value()
		if !ok {
			return nil, false
		}
		m[key] = v
		if !r.eat(',') && !r.ends('}') {
			return nil, false
		}
	}
	return m, true
}

func (r *reader) list(shut byte) (any, bool) {
	l := []any{}
	for !r.shut(shut) {
		v, ok := r.value()
		if !ok {
			return nil, false
		}
		l = append(l, v)
		if !r.eat(',') && !r.ends(shut) {
			return nil, false
		}
	}
	return l, true
}

// ends reports whether shut would succeed, without reading on.
func (r *reader) ends(b byte) bool {
	r.space()
	return r.i < len(r.s) && r.s[r.i] == b || r.lax && r.i >= len(r.s)
}

func (r *reader) key() (string, bool) {
	r.space()
	for _, q := range gemmaQuotes {
		if strings.HasPrefix(r.s[r.i:], q) {
			v, ok := r.until(q)
			s, _ := v.(string)
			return s, ok
		}
	}
	if b := r.peek(); b == '"' || b == '\'' {
		v, ok := r.str(false)
		s, _ := v.(string)
		return s, ok
	}
	return r.ident()
}

// ident reads a name of letters, digits, underscores and, inside, dashes.
func (r *reader) ident() (string, bool) {
	r.space()
	start := r.i
	for r.i < len(r.s) && (letter(r.s[r.i]) || r.i > start && (digit(r.s[r.i]) || r.s[r.i] == '-')) {
		r.i++
	}
	return r.s[start:r.i], r.i > start
}

// until reads a string between two marks, in which nothing is escaped.
func (r *reader) until(mark string) (any, bool) {
	rest := r.s[r.i+len(mark):]
	n := strings.Index(rest, mark)
	if n < 0 {
		return nil, false
	}
	r.i += n + 2*len(mark)
	return valid(rest[:n]), true
}

// word reads what stands without quotes up to the next delimiter: a number, a
// literal, or a string.
func (r *reader) word() (any, bool) {
	start := r.i
	for r.i < len(r.s) && strings.IndexByte(",]}", r.s[r.i]) < 0 {
		r.i++
	}
	w := strings.TrimSpace(r.s[start:r.i])
	if w == "" || strings.ContainsAny(w, "{[\n") {
		return nil, false
	}
	in := &reader{s: w}
	if v, ok := in.value(); ok && in.i == len(w) {
		return v, true
	}
	return valid(w), true
}

func (r *reader) literal() (any, bool) {
	word := r.s[r.i:]
	n := 0
	for n < len(word) && n < 8 && (letter(word[n]) || digit(word[n])) {
		n++
	}
	// r"…" and u"…" are strings; f"…{x}" is a program.
	if n <= 2 && n < len(word) && (word[n] == '"' || word[n] == '\'') {
		prefix := strings.ToLower(word[:n])
		start := r.i
		r.i += n
		v, ok := r.str(strings.Contains(prefix, "r"))
		switch {
		case !ok || strings.Trim(prefix, "ruf") != "":
			return nil, false
		case strings.Contains(prefix, "f") && strings.ContainsAny(r.s[start:r.i], "{}"):
			return nil, false
		}
		return v, true
	}
	r.i += n
	switch word[:n] {
	case "true", "True":
		return true, true
	case "false", "False":
		return false, true
	case "null", "None":
		return nil, true
	}
	return nil, false
}

func (r *reader) number() (any, bool) {
	start := r.i
	for r.i < len(r.s) && (digit(r.s[r.i]) || strings.IndexByte("+-.eE_", r.s[r.i]) >= 0) {
		r.i++
	}
	n := strings.ReplaceAll(strings.TrimPrefix(r.s[start:r.i], "+"), "_", "")
	whole := strings.TrimPrefix(n, "-")
	if len(whole) > 1 && whole[0] == '0' && digit(whole[1]) {
		return nil, false // 007 is no number, and may be a code of which the zeros count
	}
	f, err := strconv.ParseFloat(n, 64)
	if err != nil || math.IsInf(f, 0) || !digit(whole[len(whole)-1]) && whole[len(whole)-1] != '.' {
		return nil, false
	}
	return json.Number(n), true
}

// str reads a quoted string with the escapes of JSON and Python. A backslash
// before anything else stays, as in Python.
func (r *reader) str(raw bool) (any, bool) {
	q := r.s[r.i : r.i+1]
	if triple := strings.Repeat(q, 3); strings.HasPrefix(r.s[r.i:], triple) {
		q = triple
	}
	r.i += len(q)
	var b []byte
	for {
		n := strings.IndexAny(r.s[r.i:], q[:1]+`\`)
		if n < 0 {
			return nil, false
		}
		b = append(b, r.s[r.i:r.i+n]...)
		r.i += n
		switch {
		case r.s[r.i] == '\\':
			if r.i+1 >= len(r.s) {
				return nil, false
			}
			if raw {
				b = append(b, r.s[r.i:r.i+2]...)
				r.i += 2
			} else {
				b = r.escape(b)
			}
		case strings.HasPrefix(r.s[r.i:], q):
			r.i += len(q)
			return valid(string(b)), true
		default: // a lone quote inside triple ones
			b = append(b, r.s[r.i])
			r.i++
		}
	}
}

const simple = `""''\\//b` + "\b" + `f` + "\f" + `n` + "\n" + `r` + "\r" + `t` + "\t" + `a` + "\a" + `v` + "\v" + `0` + "\x00"

func (r *reader) escape(b []byte) []byte {
	c := r.s[r.i+1]
	for k := 0; k < len(simple); k += 2 {
		if simple[k] == c {
			r.i += 2
			return append(b, simple[k+1])
		}
	}
	width := 0
	switch c {
	case '\n':
		r.i += 2
		return b
	case 'x':
		width = 2
	case 'u':
		width = 4
	case 'U':
		width = 8
	}
	code, ok := hex(r.s, r.i+2, width)
	if !ok {
		r.i += 2
		return append(b, '\\', c)
	}
	r.i += 2 + width
	if c == 'u' && utf16.IsSurrogate(code) {
		if low, ok := hex(r.s, r.i+2, 4); ok && strings.HasPrefix(r.s[r.i:], `\u`) {
			if pair := utf16.DecodeRune(code, low); pair != utf8.RuneError {
				r.i += 6
				return utf8.AppendRune(b, pair)
			}
		}
		code = utf8.RuneError
	}
	return utf8.AppendRune(b, code)
}

func hex(s string, at, width int) (rune, bool) {
	if width == 0 || at+width > len(s) {
		return 0, false
	}
	n, err := strconv.ParseUint(s[at:at+width], 16, 32)
	if err != nil || n > utf8.MaxRune {
		return 0, false
	}
	return rune(n), true
}

// valid replaces each byte that is not UTF-8, as encoding/json does.
func valid(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// plain turns the numbers of a value into what encoding/json decodes them to.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		f, _ := v.Float64() // it was read as one
		return f
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[k] = plain(v[k])
		}
		return out
	}
	return v
}
