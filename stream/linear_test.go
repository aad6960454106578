// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/genai"
)

// FuzzPartial cuts any text at every place and byte by byte, and holds what
// JSON makes of it against encoding/json: the last value is the same, the snapshots are parts
// of it, and a text is refused exactly when encoding/json refuses it (or it has
// a name twice, or a fence).
func FuzzPartial(f *testing.F) {
	f.Add(soup)
	for _, doc := range zooDocs {
		f.Add(doc)
	}
	for _, s := range []string{`{"name":"x","minutes":1`, `{"minutes":-0.5e+7}`, `{"extra":[1,2,{"a":tru`, "```json\n{\"tags\":[\"a\"]}\n```", `{"steps":[{"heat":{}}]}`, `{"name":"a","NAME":"b"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 64 {
			text = text[:64]
		}
		fuzzPartial[recipe](t, text)
		fuzzPartial[any](t, text)
	})
}

func fuzzPartial[T any](t *testing.T, text string) {
	want, wantErr := Decode[T](text, JSONOptions{})
	var std T
	stdErr := json.Unmarshal([]byte(text), &std)
	if wantErr == nil && !strings.ContainsAny(text, "`~") && (stdErr != nil || !reflect.DeepEqual(want, std)) {
		t.Fatalf("%q: Decode %v; encoding/json %v, %v", text, want, std, stdErr)
	}
	// Names in another case may name one field twice; then a snapshot cannot know the end.
	monotone := !strings.Contains(fmt.Sprintf("%T", want), "recipe") || !foldsTwice(text)
	for i := range len(text) {
		compare(t, text, say(text[:i], text[i:]), want, wantErr, monotone)
	}
	compare(t, text, say(split(text, 1)...), want, wantErr, monotone)
}

func compare[T any](t *testing.T, text string, rs []*genai.GenerateContentResponse, want T, wantErr error, monotone bool) {
	for _, growing := range []bool{false, true} {
		got, err := values(t, JSONWith[T](of(rs...), JSONOptions{GrowingText: growing}))
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("%q: error %v, want %v", text, err, wantErr)
		}
		if err != nil {
			continue
		}
		if len(got) == 0 || !reflect.DeepEqual(got[len(got)-1], want) {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
		for _, v := range got {
			if err := partOf(reflect.ValueOf(&v), reflect.ValueOf(&want), growing); err != nil && monotone {
				t.Fatalf("%q: snapshot %+v: %v", text, v, err)
			}
		}
	}
}

// foldsTwice reports whether an object in text may have names that differ in case only.
func foldsTwice(text string) bool {
	lower := strings.ToLower(text)
	for _, name := range []string{"name", "minutes", "rating", "vegan", "steps", "tags", "notes", "extra", "text", "heat", "degrees"} {
		if strings.Count(lower, name) > 1 {
			return true
		}
	}
	return strings.ContainsAny(text, "\\ſK")
}

// document returns valid JSON of about n bytes with all the shapes that could
// cost more than their length: many elements, long strings, deep nesting, many names.
func document(shape string, n int) string {
	var b strings.Builder
	switch shape {
	case "objects":
		b.WriteString(`{"steps":[`)
		for b.Len() < n {
			b.WriteString(`{"text":"boil","heat":{"degrees":100}},`)
		}
		b.WriteString(`{}],"name":"x"}`)
	case "numbers":
		b.WriteString(`{"extra":[`)
		for b.Len() < n {
			b.WriteString("1,")
		}
		b.WriteString(`0]}`)
	case "names":
		b.WriteString(`{"notes":{`)
		for i := 0; b.Len() < n; i++ {
			b.WriteString(strconv.Quote("n"+strconv.Itoa(i)) + `:"v",`)
		}
		b.WriteString(`"z":""}}`)
	case "text":
		b.WriteString(`{"name":"` + strings.Repeat(`word \u00e9 `, n/12) + `"}`)
	case "nested":
		b.WriteString(`{"extra":[`)
		for b.Len() < n {
			b.WriteString(strings.Repeat("[", 500) + strings.Repeat("]", 500) + ",")
		}
		b.WriteString(`0]}`)
	}
	return b.String()
}

var shapes = []string{"objects", "numbers", "names", "text", "nested"}

// The work on a document in pieces of one byte is in proportion to its length.
// It is counted, not timed: bytes looked at by the parser (each once, by its
// position) and values copied for snapshots.
func TestJSONIsLinear(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape, func(t *testing.T) {
			var before float64
			for n := 64 << 10; n <= 256<<10; n *= 2 {
				doc := document(shape, n)
				b := newBuilder(reflect.TypeFor[recipe](), JSONOptions{GrowingText: true})
				snapshots, dearest := 0, 0
				for i := range len(doc) {
					b.p.Write(doc[i : i+1])
					if err := b.read(); err != nil {
						t.Fatal(err)
					}
					if b.p.Offset() < i { // the parser goes forward only, and keeps up
						t.Fatalf("at %d after %d bytes", b.p.Offset(), i)
					}
					was := b.copied
					if b.news() {
						b.snapshot()
						snapshots++
					}
					dearest = max(dearest, b.copied-was)
				}
				t.Logf("%8d bytes: %5d snapshots, %.1f copies for each byte", len(doc), snapshots, float64(b.copied)/float64(len(doc)))
				if most := advance + perByte*len(doc) + dearest; b.copied > most {
					t.Errorf("%d copies, more than %d", b.copied, most)
				}
				if before > 0 && float64(b.copied) > 2.2*before {
					t.Errorf("twice the length costs %.2f times the copies", float64(b.copied)/before)
				}
				before = float64(b.copied)
				if snapshots < 500 && shape == "objects" {
					t.Errorf("only %d snapshots", snapshots)
				}
			}
		})
	}
}

// The final value of 1 MiB in pieces of one byte is that of encoding/json.
func TestJSONOneMebibyteByteByByte(t *testing.T) {
	doc := document("objects", 1<<20)
	var want recipe
	if err := json.Unmarshal([]byte(doc), &want); err != nil {
		t.Fatal(err)
	}
	var got recipe
	for v, err := range JSON[recipe](bytewise(doc)) {
		if err != nil {
			t.Fatal(err)
		}
		got = v
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("differs from encoding/json")
	}
}

// bytewise says text in pieces of one byte without holding all the responses.
func bytewise(text string) Seq {
	return func(yield func(*genai.GenerateContentResponse, error) bool) {
		part := &genai.Part{}
		r := respond(part)
		for i := range len(text) {
			part.Text = text[i : i+1]
			if !yield(r, nil) {
				return
			}
		}
		yield(finish(genai.FinishReasonStop), nil)
	}
}

// Read down a shape: twice the size, twice the time.
func BenchmarkJSON(b *testing.B) {
	for _, shape := range shapes {
		for n := 128 << 10; n <= 1<<20; n *= 2 {
			doc := document(shape, n)
			b.Run(fmt.Sprintf("%s/size=%dKiB", shape, n>>10), func(b *testing.B) {
				b.SetBytes(int64(len(doc)))
				b.ReportAllocs()
				for b.Loop() {
					for _, err := range JSON[recipe](bytewise(doc)) {
						if err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

// What a typical answer costs a token: 4 bytes of a document of 4 KiB.
func BenchmarkJSONToken(b *testing.B) {
	doc := document("objects", 4<<10)
	rs := say(split(doc, 4)...)
	for b.Loop() {
		for _, err := range JSON[recipe](of(rs...)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rs)), "ns/token")
}

func BenchmarkElements(b *testing.B) {
	for n := 128 << 10; n <= 1<<20; n *= 2 {
		doc := strings.TrimSuffix(strings.TrimPrefix(document("objects", n), `{"steps":`), `,"name":"x"}`)
		b.Run(fmt.Sprintf("size=%dKiB", n>>10), func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				for _, err := range Elements[step](bytewise(doc)) {
					if err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
