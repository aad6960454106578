// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genai"
)

// arrivals says after which byte of text each element was yielded.
func arrivals[T any](t *testing.T, text string) (got []string) {
	t.Helper()
	at := 0
	seq := Elements[T](func(yield func(*genai.GenerateContentResponse, error) bool) {
		for i := range len(text) {
			at = i
			if !yield(respond(&genai.Part{Text: text[i : i+1]}), nil) {
				return
			}
		}
		at = len(text)
		yield(finish(genai.FinishReasonStop), nil)
	})
	all, err := values(t, func(yield func(T, error) bool) {
		for v, err := range seq {
			if err == nil {
				got = append(got, fmt.Sprint(at, ":", v))
			}
			if !yield(v, err) {
				return
			}
		}
	})
	if err != nil {
		t.Errorf("after %v: %v", all, err)
	}
	return got
}

func TestElementsComeWithTheirLastByte(t *testing.T) {
	for _, tc := range []struct{ got, want []string }{
		{arrivals[map[string]int](t, `[{"a":1}, {"b":2} ]`), []string{"7:map[a:1]", "16:map[b:2]"}},
		{arrivals[[]any](t, "```json\n[[],[[1]]]\n```"), []string{"10:[]", "16:[[1]]"}},
		{arrivals[string](t, `["a","b\"]"]`), []string{"3:a", `10:b"]`}},
		{arrivals[int](t, `[1,23 ,4]`), []string{"2:1", "5:23", "8:4"}}, // at the delimiter
		{arrivals[any](t, `[true,null,{}]`), []string{"4:true", "9:<nil>", "12:map[]"}},
		{arrivals[any](t, ` [ ] `), nil},
	} {
		if !slices.Equal(tc.got, tc.want) {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

func TestElementsErrors(t *testing.T) {
	odd := errors.New("odd")
	noOdd := func(raw []byte) error {
		if raw[len(raw)-1]%2 == 1 {
			return odd
		}
		return nil
	}
	cut := say(`[1,2`)
	cut[1] = finish(genai.FinishReasonMaxTokens)
	for name, tc := range map[string]struct {
		rs     []*genai.GenerateContentResponse
		o      JSONOptions
		before int // elements before the error
		offset int
		path   string
		cause  error
	}{
		"object":           {rs: say(`{"items":[1]}`), offset: 0},
		"string":           {rs: say(`"[1]"`), offset: 0},
		"number":           {rs: say(`1`), offset: 0},
		"fenced object":    {rs: say("```\n{}"), offset: 4},
		"prose":            {rs: say("Here: [1]"), offset: 0},
		"after":            {rs: say(`[1,2] ok`), before: 2, offset: 6},
		"two arrays":       {rs: say(`[1][2]`), before: 1, offset: 3},
		"half number":      {rs: say(`[1,2x]`), before: 1, offset: 4},
		"cut off":          {rs: cut, before: 1, offset: 4, cause: io.ErrUnexpectedEOF},
		"wrong type":       {rs: say(`[1,"2"]`), before: 1, offset: 6, path: "[1]"},
		"not valid":        {rs: say(`[2,4,5]`), o: JSONOptions{Validate: noOdd}, before: 2, offset: 5, path: "[2]", cause: odd},
		"element too long": {rs: say(`[1,`, strings.Repeat("2", 50)), o: JSONOptions{MaxBytes: 40}, before: 1, offset: 53},
		"too deep":         {rs: say(`[1,[[`), o: JSONOptions{MaxDepth: 2}, before: 1, offset: 4},
		"nothing":          {rs: say(), offset: 0, cause: io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := values(t, ElementsWith[int](of(tc.rs...), tc.o))
			e, ok := errors.AsType[*JSONError](err)
			if !ok || e.Offset != tc.offset || e.Path != tc.path || len(got) != tc.before {
				t.Fatalf("%v, then %v (%+v)", got, err, e)
			}
			if tc.cause != nil && !errors.Is(err, tc.cause) {
				t.Errorf("%v does not hold %v", err, tc.cause)
			}
		})
	}
}

// An array without end needs no more memory than its largest element.
func TestElementsOfALongArray(t *testing.T) {
	const n = 200_000
	one := respond(&genai.Part{Text: `{"text":"boil"},`})
	count := 0
	// 3 MiB of text under a limit of 100 bytes.
	for _, err := range ElementsWith[step](func(yield func(*genai.GenerateContentResponse, error) bool) {
		ok := yield(respond(&genai.Part{Text: "["}), nil)
		for i := 0; i < n && ok; i++ {
			ok = yield(one, nil)
		}
		_ = ok && yield(respond(&genai.Part{Text: "{}]"}), nil) && yield(finish(genai.FinishReasonStop), nil)
	}, JSONOptions{MaxBytes: 100}) {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if count != n+1 {
		t.Errorf("%d elements", count)
	}
}

// Elements in one large response are found, too, under a limit for each.
func TestElementsInOneResponse(t *testing.T) {
	text := "[" + strings.Repeat(`{"text":"boil"},`, 1000) + "{}]"
	got, err := values(t, ElementsWith[step](pieces(text, len(text)), JSONOptions{MaxBytes: 100}))
	if err != nil || len(got) != 1001 {
		t.Errorf("%d elements, %v", len(got), err)
	}
}

// FuzzElements holds Elements against encoding/json, on any text cut in pieces
// of any size.
func FuzzElements(f *testing.F) {
	for _, s := range []string{`[1,2,3]`, `[]`, `[{"a":[1]},[2],"x\ud83d\ude00",null,1.5e3]`, "```json\n[1]\n```", `{"a":1}`, `[1,`, `[1]x`, `[[[]]]`, `["a""b"]`, ` [ 1 , 2 ] `, `[01]`, `[1 2]`} {
		f.Add(s, uint8(1))
		f.Add(s, uint8(3))
	}
	f.Fuzz(func(t *testing.T, text string, n uint8) {
		text = strings.ToValidUTF8(text, "?")
		got, err := values(t, Elements[any](pieces(text, int(n)+1)))
		want, wantErr := Decode[[]any](text, JSONOptions{})
		if want == nil && wantErr == nil {
			wantErr = errors.New("null is no array")
		}
		if (err != nil) != (wantErr != nil) {
			t.Fatalf("%q: error %v, want %v", text, err, wantErr)
		}
		if err == nil && (len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want)) {
			t.Fatalf("%q: %v, want %v", text, got, want)
		}
		var std []any
		if json.Unmarshal([]byte(text), &std) == nil && wantErr == nil && !reflect.DeepEqual(std, want) {
			t.Fatalf("%q: %v, encoding/json %v", text, want, std)
		}
	})
}
