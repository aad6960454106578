// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genai"
)

type recipe struct {
	Name    string            `json:"name"`
	Minutes int               `json:"minutes"`
	Rating  *float64          `json:"rating"`
	Vegan   bool              `json:"vegan"`
	Steps   []step            `json:"steps"`
	Tags    []string          `json:"tags"`
	Notes   map[string]string `json:"notes"`
	Extra   any               `json:"extra"`
}

type step struct {
	Text string `json:"text"`
	Heat *heat  `json:"heat"`
}

type heat struct {
	Degrees int `json:"degrees"`
}

const soup = `{"name":"Soup \"\ud83c\udf72\"","minutes":25,"rating":4.5,"vegan":true,` +
	`"steps":[{"text":"cut","heat":null},{"text":"boil","heat":{"degrees":100}}],"unknown":[{"a":[1]},2],` +
	`"tags":["hot","cheap"],"notes":{"salt":"little"},"extra":{"a":[1,{"b":[]}],"c":"x"}}`

// pieces returns a sequence that says text in pieces of n bytes.
func pieces(text string, n int) Seq { return of(say(split(text, n)...)...) }

// values ranges to the end.
func values[T any](t testing.TB, seq func(func(T, error) bool)) (all []T, err error) {
	t.Helper()
	for v, e := range seq {
		if e != nil {
			return all, e
		}
		all = append(all, v)
	}
	return all, nil
}

func TestJSONShowsWhatIsCertain(t *testing.T) {
	text := `{"name":"Soup","minutes":25,"steps":[{"text":"cut"},{"text":"boil","heat":{"degrees":100}}],"tags":[],"vegan":true}`
	got, err := values(t, JSON[recipe](pieces(text, 1)))
	if err != nil {
		t.Fatal(err)
	}
	hot := &heat{100}
	r := func(change func(r *recipe)) recipe {
		r := recipe{Name: "Soup", Minutes: 25, Steps: []step{{Text: "cut"}, {Text: "boil", Heat: hot}}, Tags: []string{}}
		change(&r)
		return r
	}
	want := []recipe{
		{Name: "Soup"},
		{Name: "Soup", Minutes: 25}, // at the comma, not at the 2
		{Name: "Soup", Minutes: 25, Steps: []step{}},
		{Name: "Soup", Minutes: 25, Steps: []step{{Text: "cut"}}},
		{Name: "Soup", Minutes: 25, Steps: []step{{Text: "cut"}, {Text: "boil"}}},
		{Name: "Soup", Minutes: 25, Steps: []step{{Text: "cut"}, {Text: "boil", Heat: hot}}},
		r(func(*recipe) {}),
		r(func(r *recipe) { r.Vegan = true }),
		r(func(r *recipe) { r.Vegan = true }), // the end: now known to be whole
	}
	// The empty list of steps is not shown: it is not known to be empty.
	want = append(want[:2], want[3:]...)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// However the text is cut, the last value is that of encoding/json, and every
// snapshot before is a part of it.
func TestJSONAtEverySplit(t *testing.T) {
	var want recipe
	if err := json.Unmarshal([]byte(soup), &want); err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(soup); i++ {
		checkSnapshots(t, want, say(soup[:i], soup[i:]))
	}
	for n := 1; n < 40; n++ {
		checkSnapshots(t, want, say(split(soup, n)...))
		checkSnapshots(t, want, say(split("```json\n"+soup+"\n```\n", n)...))
	}
}

func checkSnapshots[T any](t *testing.T, want T, rs []*genai.GenerateContentResponse) {
	t.Helper()
	for _, growing := range []bool{false, true} {
		var before *T
		got, err := values(t, JSONWith[T](of(rs...), JSONOptions{GrowingText: growing}))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range got {
			if err := partOf(reflect.ValueOf(&v), reflect.ValueOf(&want), growing); err != nil {
				t.Fatalf("snapshot %+v is no part of %+v: %v", v, want, err)
			}
			if before != nil {
				if err := partOf(reflect.ValueOf(before), reflect.ValueOf(&v), growing); err != nil {
					t.Fatalf("snapshot %+v takes back some of %+v: %v", v, *before, err)
				}
			}
			before = &v
		}
		if before == nil || !reflect.DeepEqual(*before, want) {
			t.Fatalf("the last of %d values differs: %s", len(got), cmp.Diff(want, before))
		}
	}
}

// partOf reports how v is not a less complete whole: a scalar that is neither
// absent nor equal, a list that is no prefix, a name too many.
func partOf(v, whole reflect.Value, growing bool) error {
	if v.IsZero() {
		return nil
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if whole.IsNil() || v.Elem().Kind() != whole.Elem().Kind() {
			return fmt.Errorf("%v, want %v", v, whole)
		}
		return partOf(v.Elem(), whole.Elem(), growing)
	case reflect.Struct:
		for i := range v.NumField() {
			if err := partOf(v.Field(i), whole.Field(i), growing); err != nil {
				return fmt.Errorf("%s: %w", v.Type().Field(i).Name, err)
			}
		}
		return nil
	case reflect.Slice, reflect.Array:
		if v.Len() > whole.Len() {
			return fmt.Errorf("%d elements of %d", v.Len(), whole.Len())
		}
		for i := range v.Len() {
			if err := partOf(v.Index(i), whole.Index(i), growing); err != nil {
				return fmt.Errorf("%d: %w", i, err)
			}
		}
		return nil
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if w := whole.MapIndex(it.Key()); !w.IsValid() {
				return fmt.Errorf("name %v is not there", it.Key())
			} else if err := partOf(it.Value(), w, growing); err != nil {
				return fmt.Errorf("%v: %w", it.Key(), err)
			}
		}
		return nil
	case reflect.String:
		if growing && strings.HasPrefix(whole.String(), v.String()) {
			return nil
		}
	}
	if !reflect.DeepEqual(v.Interface(), whole.Interface()) {
		return fmt.Errorf("%v, want %v", v, whole)
	}
	return nil
}

// Snapshots share nothing: whatever is done to one, the next are right.
func TestJSONSnapshotsAreTheCallers(t *testing.T) {
	var want recipe
	if err := json.Unmarshal([]byte(soup), &want); err != nil {
		t.Fatal(err)
	}
	var kept []recipe
	var copies []string
	for v, err := range JSONWith[recipe](pieces(soup, 3), JSONOptions{GrowingText: true}) {
		if err != nil {
			t.Fatal(err)
		}
		if err := partOf(reflect.ValueOf(&v), reflect.ValueOf(&want), true); err != nil {
			t.Fatalf("after earlier snapshots were overwritten: %v", err)
		}
		s, _ := json.Marshal(v)
		kept, copies = append(kept, v), append(copies, string(s))
		if len(kept)%2 == 0 {
			scribble(reflect.ValueOf(&v).Elem())
			kept, copies = kept[:len(kept)-1], copies[:len(copies)-1]
		}
	}
	for i, v := range kept {
		if s, _ := json.Marshal(v); string(s) != copies[i] {
			t.Errorf("snapshot %d was %s, and is now %s", i, copies[i], s)
		}
	}
}

// scribble overwrites all that can be reached from v.
func scribble(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			scribble(v.Elem())
		}
	case reflect.Interface:
		switch x := v.Interface().(type) {
		case map[string]any:
			for k, e := range x {
				scribble(reflect.ValueOf(&e).Elem())
				x[k] = "scribble"
			}
		case []any:
			for i := range x {
				scribble(reflect.ValueOf(&x[i]).Elem())
				x[i] = "scribble"
			}
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			scribble(field)
		}
	case reflect.Slice:
		for i := range v.Len() {
			scribble(v.Index(i))
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			v.SetMapIndex(k, reflect.ValueOf("scribble"))
		}
	case reflect.String:
		v.SetString("scribble")
	case reflect.Int:
		v.SetInt(-1)
	case reflect.Float64:
		v.SetFloat(-1)
	case reflect.Bool:
		v.SetBool(!v.Bool())
	}
}

func TestGrowingText(t *testing.T) {
	type mood string
	type letter struct {
		Mood mood           `json:"mood"`
		Text string         `json:"text"`
		More []any          `json:"more"`
		Map  map[string]any `json:"map"`
		P    *string        `json:"p"`
	}
	text := `{"mood":"glad","text":"h\u00e9\ud83d\ude00y","more":["ab"],"map":{"name":"cd"},"p":"ef"}`
	got, err := values(t, JSONWith[letter](pieces(text, 1), JSONOptions{GrowingText: true}))
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	for _, l := range got {
		s, _ := json.Marshal(l)
		seen = append(seen, string(s))
	}
	const rest = `,"more":null,"map":null,"p":null}`
	want := []string{
		`{"mood":"glad","text":""` + rest, // an enumeration is not half shown
		`{"mood":"glad","text":"h"` + rest,
		`{"mood":"glad","text":"hé"` + rest, // not at any of \u00e
		`{"mood":"glad","text":"hé😀"` + rest,
		`{"mood":"glad","text":"hé😀y"` + rest,
	}
	if len(seen) < len(want) || !reflect.DeepEqual(seen[:5], want) {
		t.Errorf("%s", cmp.Diff(want, seen))
	}
	all := strings.Join(seen, "\n")
	for _, s := range []string{`"more":["a"]`, `"map":{"name":"c"}`, `"p":"e"}`} {
		if !strings.Contains(all, s) {
			t.Errorf("%s was never shown", s)
		}
	}
	for _, s := range []string{`"mood":"g"`, `"na":`} {
		if strings.Contains(all, s) {
			t.Errorf("%s was shown", s)
		}
	}
}

func TestJSONErrors(t *testing.T) {
	fail := errors.New("not to my taste")
	cut := say(`{"name":"Soup","minutes":2`)
	cut[1] = finish(genai.FinishReasonMaxTokens)
	for name, tc := range map[string]struct {
		rs    []*genai.GenerateContentResponse
		o     JSONOptions
		want  JSONError
		text  string
		cause error
	}{
		"garbage after": {rs: say(`{"name":"Soup"}`, ` Enjoy!`), want: JSONError{Offset: 16}, text: "nothing after"},
		"prose before":  {rs: say(`Here you are: {}`), want: JSONError{Offset: 0}, text: "expected a JSON value"},
		"cut off": {rs: cut, want: JSONError{Offset: 26, Finish: genai.FinishReasonMaxTokens},
			text: "raise MaxOutputTokens", cause: io.ErrUnexpectedEOF},
		"stopped":      {rs: say(`{"name":`), want: JSONError{Offset: 8, Finish: genai.FinishReasonStop}, text: "STOP", cause: io.ErrUnexpectedEOF},
		"nothing":      {rs: say(), want: JSONError{Finish: genai.FinishReasonStop}, text: "no JSON", cause: io.ErrUnexpectedEOF},
		"wrong type":   {rs: say(`{"steps":[{},{"heat":{"degrees":"hot"}}]}`), want: JSONError{Offset: 32, Path: ".steps[1].heat.degrees"}, text: "string"},
		"list for one": {rs: say(`{"name":["x"]}`), want: JSONError{Offset: 8, Path: ".name"}, text: "array"},
		"in a map":     {rs: say(`{"notes":{"secret":1}}`), want: JSONError{Offset: 19, Path: ".notes[…]"}, text: "number"},
		"overflow":     {rs: say(`{"minutes":1e3}`), want: JSONError{Offset: 11, Path: ".minutes"}, text: "number"},
		"not valid": {rs: say(`{"name":"Soup"}`), o: JSONOptions{Validate: func(raw []byte) error {
			if string(raw) != `{"name":"Soup"}` {
				t.Errorf("Validate got %q", raw)
			}
			return fail
		}}, text: "not to my taste", cause: fail},
		"fenced not valid": {rs: say("```json\n{}\n```"), o: JSONOptions{Validate: func([]byte) error { return fail }}, want: JSONError{Offset: 8}, cause: fail},
		"unknown field":    {rs: say(`{"nme":1}`), o: JSONOptions{KnownFields: true}, text: "unknown field"},
		"too long":         {rs: say(`{"name":"`, strings.Repeat("x", 100)), o: JSONOptions{MaxBytes: 50}, want: JSONError{Offset: 109}, text: "limit of 50 bytes"},
		"too deep":         {rs: say(`{"extra":[[[]]]}`), o: JSONOptions{MaxDepth: 3}, want: JSONError{Offset: 11, Path: ""}, text: "limit of 3"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := values(t, JSONWith[recipe](of(tc.rs...), tc.o))
			e, ok := errors.AsType[*JSONError](err)
			if !ok {
				t.Fatalf("error %v", err)
			}
			if e.Offset != tc.want.Offset || e.Path != tc.want.Path || e.Finish != tc.want.Finish {
				t.Errorf("offset %d, path %q, finish %q; want %+v", e.Offset, e.Path, e.Finish, tc.want)
			}
			if !strings.Contains(err.Error(), tc.text) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%q does not say %q", err, tc.text)
			}
			if tc.cause != nil && !errors.Is(err, tc.cause) {
				t.Errorf("%v does not hold %v", err, tc.cause)
			}
			if tc.cause == io.ErrUnexpectedEOF {
				return // Decode knows no finish reason
			}
			whole, _ := Collect(of(tc.rs...))
			_, again := Decode[recipe](whole.Text(), tc.o)
			if e, ok := errors.AsType[*JSONError](again); !ok || strings.HasPrefix(name, "garbage") && e.Offset != tc.want.Offset {
				t.Errorf("Decode: %v", again)
			}
		})
	}
}

// An answer that cannot become right any more is not paid for to its end.
func TestJSONStopsAtOnce(t *testing.T) {
	for _, text := range []string{`{"minutes":"long"`, `{"name" "Soup"`, `Sure! {`} {
		src := &source{responses: say(text, `,"tags":[]}`, " ", " ")}
		if _, err := values(t, JSON[recipe](src.seq())); err == nil || src.asked != 1 || src.released != 1 {
			t.Errorf("%s: %v after %d responses", text, err, src.asked)
		}
	}
}

func TestJSONTruncatedComesFirst(t *testing.T) {
	got, err := values(t, JSON[recipe](of(say(`{"name":"Soup","minutes":2`)[0])))
	if !errors.Is(err, ErrTruncated) || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
	// Even a whole document: what was to follow it is not known.
	if _, err := values(t, JSON[recipe](of(say(`{}`)[0]))); !errors.Is(err, ErrTruncated) {
		t.Errorf("%v", err)
	}
}

func TestErrorTextIsBounded(t *testing.T) {
	long := strings.Repeat("9", 10_000)
	_, err := values(t, JSON[recipe](pieces(`{"minutes":`+long+`}`, 1000)))
	if err == nil || len(err.Error()) > 400 {
		t.Errorf("%d bytes: %.500v", len(fmt.Sprint(err)), err)
	}
}

func TestDecode(t *testing.T) {
	got, err := Decode[[]int]("```json\n[1, 2]\n```", JSONOptions{})
	if err != nil || !reflect.DeepEqual(got, []int{1, 2}) {
		t.Errorf("%v, %v", got, err)
	}
}
