// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"reflect"
	"testing"
	"time"
)

// TestBareKnowsEveryField: each field of genai's structs is either one that the
// short way of Collect carries, or takes the answer the long way. A field that
// a later genai adds must be one of the two, or it would be lost.
func TestBareKnowsEveryField(t *testing.T) {
	every(t, bare, "Candidates", "ModelVersion", "ResponseID")
	every(t, bareCandidate, "Content", "FinishReason", "Index")
	every(t, plain, "Text", "Thought")
}

func every[S any](t *testing.T, short func(*S) bool, carried ...string) {
	t.Helper()
	typ := reflect.TypeFor[S]()
	for i := range typ.NumField() {
		name := typ.Field(i).Name
		v := new(S)
		something(reflect.ValueOf(v).Elem().Field(i))
		want := false
		for _, c := range carried {
			want = want || c == name
		}
		if short(v) != want {
			t.Errorf("%s.%s alone: the short way %v, want %v", typ.Name(), name, short(v), want)
		}
	}
}

// something makes v not zero.
func something(v reflect.Value) {
	if _, ok := v.Interface().(time.Time); ok {
		v.Set(reflect.ValueOf(time.Unix(1, 0)))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1)
	default:
		v.SetInt(1)
	}
}
