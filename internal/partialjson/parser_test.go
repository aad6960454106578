// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package partialjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// read parses text in the given pieces and builds what the events say.
func read(p *Parser, pieces ...string) (any, error) {
	var b build
	for _, piece := range pieces {
		p.Write(piece)
		if err := b.all(p); err != nil {
			return nil, err
		}
	}
	p.Close()
	if err := b.all(p); err != nil {
		return nil, err
	}
	return b.root, nil
}

// build makes of events what encoding/json makes of the text.
type build struct {
	root  any
	stack []any
	names []string
}

func (b *build) all(p *Parser) error {
	for {
		ev, ok, err := p.Next()
		if err != nil || !ok {
			return err
		}
		switch ev.Kind {
		case Key:
			b.names[len(b.names)-1] = ev.Name
		case BeginObject:
			b.stack = append(b.stack, map[string]any{})
			b.names = append(b.names, "")
		case BeginArray:
			b.stack = append(b.stack, []any{})
			b.names = append(b.names, "")
		case EndObject, EndArray:
			v := b.stack[len(b.stack)-1]
			b.stack, b.names = b.stack[:len(b.stack)-1], b.names[:len(b.names)-1]
			b.put(v)
		case String:
			b.put(string(Unquote(nil, p.Bytes(ev.Start, ev.End))))
		case Null:
			b.put(nil)
		case True, False:
			b.put(ev.Kind == True)
		case Number:
			f, err := strconv.ParseFloat(string(p.Bytes(ev.Start, ev.End)), 64)
			if err != nil && !errors.Is(err, strconv.ErrRange) {
				return err
			}
			b.put(f)
		}
	}
}

func (b *build) put(v any) {
	if len(b.stack) == 0 {
		b.root = v
		return
	}
	i := len(b.stack) - 1
	switch c := b.stack[i].(type) {
	case map[string]any:
		c[b.names[i]] = v
	case []any:
		b.stack[i] = append(c, v)
	}
}

func bytewise(s string) []string {
	var out []string
	for i := range len(s) {
		out = append(out, s[i:i+1])
	}
	return out
}

func TestSuite(t *testing.T) {
	file, err := os.ReadFile("testdata/suite.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(file)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		name, quoted, _ := strings.Cut(line, "\t")
		text, err := strconv.Unquote(quoted)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		seen++
		t.Run(name, func(t *testing.T) {
			want, wantErr := read(new(Parser), text)
			if (wantErr != nil) != strings.HasPrefix(name, "n_") {
				t.Fatalf("read(%q) = %v, %v", text, want, wantErr)
			}
			if wantErr == nil && text[0] != ' ' && !strings.Contains(name, "fence_") {
				var std any
				if err := json.Unmarshal([]byte(text), &std); err == nil && !reflect.DeepEqual(std, want) {
					t.Errorf("read %#v, encoding/json %#v", want, std)
				}
			}
			for i := range len(text) + 1 {
				got, err := read(new(Parser), text[:i], text[i:])
				if !reflect.DeepEqual(err, wantErr) || !reflect.DeepEqual(got, want) {
					t.Fatalf("split at %d: %#v, %v; whole: %#v, %v", i, got, err, want, wantErr)
				}
			}
		})
	}
	if seen < 150 {
		t.Errorf("only %d cases were read", seen)
	}
}

// An error must come with the first byte that cannot be right, not later: a
// model that goes wrong should be stopped.
func TestErrorComesAtOnce(t *testing.T) {
	for text, offset := range map[string]int{
		`{"a":1,"a":2}`: 7, `[1,]`: 3, `Here`: 0, `[tru,`: 4, `[12x`: 3, `[01`: 2, `{} x`: 3, "[\"a\n": 3, "``{": 2, `["\x`: 3,
	} {
		_, err := read(new(Parser), bytewise(text+`"]}`)...)
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Offset != offset || e.Early || e.Bound {
			t.Errorf("%q: %v, want an error at offset %d", text, err, offset)
		}
	}
	_, err := read(new(Parser), `{"a":`)
	if e, ok := errors.AsType[*Error](err); !ok || !e.Early || e.Offset != 5 {
		t.Errorf("cut short: %v", err)
	}
}

// What is reported at each byte, and no earlier.
func TestEventsWhenCertain(t *testing.T) {
	p := new(Parser)
	var got []string
	text := `{"ab":-1.5,"s":["x\n",true] }`
	for i := range len(text) {
		p.Write(text[i : i+1])
		for {
			ev, ok, err := p.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			got = append(got, strconv.Itoa(i)+":"+string(p.Bytes(ev.Start, ev.End)))
		}
	}
	want := []string{`0:{`, `4:"ab"`, `10:-1.5`, `13:"s"`, `15:[`, `20:"x\n"`, `25:true`, `26:["x\n",true]`, `28:` + text}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestBounds(t *testing.T) {
	deep := strings.Repeat("[", DefaultMaxDepth) + strings.Repeat("]", DefaultMaxDepth)
	if _, err := read(new(Parser), deep); err != nil {
		t.Errorf("at the depth limit: %v", err)
	}
	for name, tc := range map[string]struct {
		p    *Parser
		text string
	}{
		"depth":        {new(Parser), "[" + deep + "]"},
		"chosen depth": {&Parser{MaxDepth: 2}, "[[[]]]"},
		"bytes":        {&Parser{MaxBytes: 10}, `"0123456789"`},
		"white space":  {&Parser{MaxBytes: 10}, `[]` + strings.Repeat("\n", 10)},
		"a number":     {&Parser{MaxBytes: 10}, `01234567890`[1:] + "1"},
	} {
		_, err := read(tc.p, bytewise(tc.text)...)
		if e, ok := errors.AsType[*Error](err); !ok || !e.Bound {
			t.Errorf("%s: %v, want a limit", name, err)
		}
	}
	if _, err := read(&Parser{MaxBytes: 12}, `"0123456789"`); err != nil {
		t.Errorf("exactly the limit: %v", err)
	}
}

// Discarding what was used keeps the memory at the size of what is open.
func TestDiscard(t *testing.T) {
	p := &Parser{MaxBytes: 64}
	p.Write("[")
	n, moved := 0, 0
	for range 10_000 {
		p.Write(`{"n":1},`)
		for {
			ev, ok, err := p.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !ok {
				break
			}
			if ev.Kind == EndObject {
				if got := string(p.Bytes(ev.Start, ev.End)); got != `{"n":1}` {
					t.Fatalf("element %d: %s", n, got)
				}
				n++
				p.Discard(ev.End)
			}
		}
		moved = max(moved, cap(p.buf))
	}
	if n != 10_000 || moved > 256 {
		t.Errorf("%d elements, buffer of %d bytes", n, moved)
	}
	// Little is not worth moving much for.
	q := new(Parser)
	q.Write(`[1,` + strings.Repeat(" ", 100))
	if _, _, err := q.Next(); err != nil {
		t.Fatal(err)
	}
	if q.Discard(q.Offset()); q.base != 0 || q.kept != 1 {
		t.Errorf("moved to %d for %d bytes", q.base, q.kept)
	}
	// An open token survives.
	p.Write(`"ope`)
	if _, _, err := p.Next(); err != nil {
		t.Fatal(err)
	}
	p.Discard(p.Offset())
	p.Write(`n"]`)
	ev, _, err := p.Next()
	if err != nil || string(p.Bytes(ev.Start, ev.End)) != `"open"` {
		t.Errorf("open token: %v", err)
	}
}

func TestErrorsDoNotQuoteTheText(t *testing.T) {
	for _, text := range []string{"secret secret secret", `{"secret":1,"secret":2}`, `["secret" "secret"]`, "```secretsecretsecretsecretsecretsecret\n", `"secret`} {
		_, err := read(new(Parser), text)
		if err == nil || strings.Contains(err.Error(), "secret") || len(err.Error()) > 120 {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestManyNames(t *testing.T) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i := range 1000 {
		b.WriteString(strconv.Quote("k"+strconv.Itoa(i)) + ":{\"k1\":0},")
	}
	if _, err := read(new(Parser), b.String()+`"z":1}`); err != nil {
		t.Error(err)
	}
	// Looking through a thousand names for each name would be quadratic.
	p := new(Parser)
	if _, err := read(p, b.String()); err == nil || p.stack[0].set == nil {
		t.Errorf("the names are not in a set (%v)", err)
	}
	for _, again := range []string{"k0", "k15", "k16", "k17", "k999"} {
		if _, err := read(new(Parser), b.String()+`"`+again+`":1}`); err == nil {
			t.Errorf("the second %s was not seen", again)
		}
	}
}

// The half-read string that OpenString and Unquote show is always a prefix of
// the whole one, and never half a character.
func TestOpenStringIsAPrefix(t *testing.T) {
	for _, text := range []string{`"plain"`, `"h\u00e9llo €😀"`, `"a\ud83d\ude00b\ud83dx\ude00"`, `"\\\"\/\b\f\n\r\t\u0041"`, "\"\xff\xe2\x82 \xf0\x9f\"", `"\ud83d\u0041\ud83d\\u"`} {
		var whole string
		if err := json.Unmarshal([]byte(text), &whole); err != nil {
			t.Fatal(err)
		}
		checkPrefixes(t, text, whole)
	}
}

func checkPrefixes(t *testing.T, text, whole string) {
	t.Helper()
	p := new(Parser)
	longest := ""
	for i := range len(text) {
		p.Write(text[i : i+1])
		if _, _, err := p.Next(); err != nil {
			t.Fatal(err)
		}
		start, ok := p.OpenString()
		if !ok {
			continue
		}
		got := string(Unquote(nil, p.Bytes(start, p.Offset())))
		if !strings.HasPrefix(whole, got) || len(got) < len(longest) {
			t.Fatalf("%q cut after %d bytes shows %q", text, i+1, got)
		}
		longest = got
	}
	if got := string(Unquote(nil, []byte(text))); got != whole {
		t.Fatalf("Unquote(%q) = %q, want %q", text, got, whole)
	}
}
