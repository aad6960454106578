// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type base struct {
	ID   int    `json:"id"`
	Name string // hidden by a shallower one
	Both string
}

type Other struct {
	Both string
	Deep struct{ X []int }
}

type hidden struct{ Seen []string }

type zoo struct {
	base
	*Other
	hidden
	Name    string
	Tagged  string `json:"name2,omitempty"`
	Ignored []int  `json:"-"`
	//lint:ignore SA5008 encoding/json names this field "-", and so must we
	Dash     int `json:"-,"`
	Number   int `json:",string"`
	List     []zoo
	Next     *zoo
	PP       **[]*int
	Array    [2][]int
	Bytes    []byte
	Raw      json.RawMessage
	Num      json.Number
	Time     time.Time
	Big      *big.Int
	Bigs     []*big.Int
	ByInt    map[int]string
	ByName   map[named][]base
	MapMap   map[string]map[string][]int
	MapPtr   map[string]*base
	Any      any
	Anys     []any
	AnyMap   map[string]any
	Nothing  struct{}
	private  []int
	Iface    interface{ M() }
	Float    float32
	U8       uint8
	Kelvin   string
	MapArray map[string][2]int
	ByUpper  map[upper][]upper
	//lint:ignore SA5008 encoding/json ignores the option here, and so must we
	Strings []int   `json:",string"` // the option means nothing here
	PNumber *int    `json:",string"`
	PText   *string `json:",string"`
}

type named string

type upper string

func (u *upper) UnmarshalText(b []byte) error {
	*u = upper(strings.ToUpper(string(b)))
	return nil
}

var zooDocs = []string{
	`{}`, `null`, ` {"id":7,"Name":"outer","Both":"none","seen":["a","b"],"Deep":{"X":[1,2]}} `,
	`{"name2":"t","Ignored":[1],"-":5,"Number":"12","NAME":"case","kelvin":"\u212a","private":[1]}`,
	`{"List":[{"List":[{"id":1},{}]},{"Next":{"Next":{"id":3,"List":[]}}}]}`,
	`{"PP":[1,null,3],"Array":[[1],[2,3],[4]],"Bytes":"aGk="}`,
	`{"PP":null,"Array":[[1]],"Bytes":null,"Next":null,"List":null,"Any":null,"MapMap":null}`,
	`{"Raw":{"a":[1, 2]},"Num":1.50,"Time":"2026-01-02T03:04:05Z","Big":123456789012345678901234567890,"Bigs":[1,2,null]}`,
	`{"ByInt":{"1":"a","2":"b"},"ByName":{"x":[{"id":1},{"id":2}],"y":[]},"MapMap":{"a":{"b":[1,2],"c":[]},"d":{}}}`,
	`{"MapPtr":{"a":{"id":1},"b":null},"MapArray":{"a":[1],"b":[1,2,3]}}`,
	`{"Any":{"a":[1,{"b":[[]]}],"c":"x"},"Anys":[1,"x",null,[],{},[[2]],{"a":{}}],"AnyMap":{"a":[true,{"b":null}]}}`,
	`{"Any":[1,2,[3]],"Nothing":{"x":[1]},"Float":1.5,"U8":255,"unknown":{"deep":[{"id":1}]}}`,
	`{"ByUpper":{"a":["b"]},"Strings":[1,2],"PNumber":"12","PText":"\"x\""}`, `{"PNumber":null,"PText":null}`,
	`{"Any":"x\ud83d","Anys":["\u0000"],"Name":"\ud83d\ude00"}`,
	"{\"Any\":\"\xff\",\"MapMap\":{\"\xfe\":{}}}",
}

// What is built piece by piece is what encoding/json makes of the whole, at
// the last byte already, for every kind of type.
func TestBuilderAgreesWithEncodingJSON(t *testing.T) {
	_ = zoo{}.private // there to be left alone
	for _, doc := range zooDocs {
		sameAsJSON[zoo](t, doc)
		sameAsJSON[*zoo](t, doc)
		sameAsJSON[any](t, doc)
		sameAsJSON[map[string]any](t, doc)
		sameAsJSON[map[string]json.RawMessage](t, doc)
		sameAsJSON[[]zoo](t, "["+doc+","+doc+"]")
		sameAsJSON[[]any](t, "["+doc+","+doc+"]")
		sameAsJSON[[1]any](t, "["+doc+","+doc+"]")
		sameAsJSON[map[named]*zoo](t, `{"a":`+doc+`,"b":`+doc+`}`)
	}
	sameAsJSON[string](t, `"x"`)
	sameAsJSON[named](t, `"x"`)
	sameAsJSON[int](t, `12`)
	sameAsJSON[*bool](t, `true`)
	sameAsJSON[time.Time](t, `"2026-01-02T03:04:05Z"`)
}

func sameAsJSON[T any](t *testing.T, doc string) {
	t.Helper()
	var want T
	wantErr := json.Unmarshal([]byte(doc), &want)
	b := newBuilder(reflect.TypeFor[T](), JSONOptions{})
	var err error
	for i := range len(doc) {
		b.p.Write(doc[i : i+1])
		if err = b.read(); err != nil {
			break
		}
		b.snapshot() // must not disturb what is built
	}
	if err == nil {
		b.p.Close()
		err = b.read()
	}
	if (err != nil) != (wantErr != nil) {
		t.Errorf("%T from %s: error %v, want %v", want, doc, err, wantErr)
		return
	}
	if err != nil {
		return
	}
	got := *b.snapshot().(*T)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%T from %s: %s", want, doc, cmp.Diff(want, got, cmp.Exporter(func(reflect.Type) bool { return true })))
	}
}

func TestBuilderRefusesWhatEncodingJSONRefuses(t *testing.T) {
	for _, doc := range []string{
		`{"Number":12}`, `{"Number":"x"}`, `{"id":"x"}`, `{"List":{}}`, `{"Next":[]}`, `{"Time":"now"}`, `{"Time":{}}`,
		`{"U8":256}`, `{"Bytes":"!"}`, `{"ByInt":{"x":"a"}}`, `{"Iface":{}}`, `{"Iface":"x"}`, `{"Name":{}}`, `{"Nothing":[]}`, `[]`, `"x"`, `{"Num":"x"}`,
		`{"MapArray":{"a":{}}}`, `{"Float":1e99}`, `{"PNumber":[]}`, `{"PNumber":{"a":"1"}}`, `{"PText":"x"}`, `{"Strings":"1"}`,
	} {
		sameAsJSON[zoo](t, doc)
	}
}

// No two snapshots share memory that one of them could be changed through.
func TestSnapshotsShareNothing(t *testing.T) {
	for _, doc := range zooDocs {
		b := newBuilder(reflect.TypeFor[zoo](), JSONOptions{})
		seen := map[uintptr]int{}
		var kept []any // so that no address is used again
		for i := range len(doc) {
			b.p.Write(doc[i : i+1])
			if err := b.read(); err != nil {
				t.Fatal(err)
			}
			kept = append(kept, b.snapshot())
			reach(reflect.ValueOf(kept[i]), b.kinds, func(p uintptr) {
				if j, ok := seen[p]; ok && j != i {
					t.Fatalf("%s: snapshots %d and %d share memory", doc, j, i)
				}
				seen[p] = i
			})
		}
	}
}

// reach calls f with the address of every part of v, but those of types that decode themselves.
func reach(v reflect.Value, ks kinds, f func(uintptr)) {
	if ks.of(v.Type()).custom {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !ks.of(v.Type().Elem()).custom {
			if v.Type().Elem().Size() > 0 {
				f(v.Pointer())
			}
			reach(v.Elem(), ks, f)
		}
	case reflect.Interface:
		if !v.IsNil() {
			reach(v.Elem(), ks, f)
		}
	case reflect.Map:
		if !v.IsNil() {
			f(v.Pointer())
		}
		for it := v.MapRange(); it.Next(); {
			reach(it.Value(), ks, f)
		}
	case reflect.Slice:
		if v.Cap() > 0 && v.Type().Elem().Size() > 0 {
			f(v.Pointer())
		}
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			reach(v.Index(i), ks, f)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			reach(field, ks, f)
		}
	}
}
