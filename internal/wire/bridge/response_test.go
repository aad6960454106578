// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/genai"
)

// TestPlainKnowsEveryField fails when genai grows a field that appendPlain
// neither writes nor gives to encoding/json: it would be lost.
func TestPlainKnowsEveryField(t *testing.T) {
	for _, s := range []struct {
		v     any
		known int
	}{
		{genai.GenerateContentResponse{}, 8}, {genai.Candidate{}, 12}, {genai.Content{}, 2}, {genai.Part{}, 17},
		{genai.GenerateContentResponseUsageMetadata{}, 11},
	} {
		if n := reflect.TypeOf(s.v).NumField(); n != s.known {
			t.Errorf("%T has %d fields, %d are known: teach appendPlain", s.v, n, s.known)
		}
	}
	// Each field alone must make a difference in what is written, or be the
	// SDK's own (its HTTP response is not on the wire).
	for _, v := range []any{genai.Candidate{}, genai.Part{}, genai.GenerateContentResponseUsageMetadata{}, genai.GenerateContentResponse{}} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			if typ.Field(i).Name == "SDKHTTPResponse" {
				continue
			}
			one := reflect.New(typ)
			fill(one.Elem().Field(i))
			r := wrap(one.Interface())
			got, want := appendResponse(nil, r), viaJSON(t, r)
			if d := cmp.Diff(want, decode(t, got)); d != "" {
				t.Errorf("%s.%s (-encoding/json +ours):\n%s", typ.Name(), typ.Field(i).Name, d)
			}
			if cmp.Equal(want, viaJSON(t, wrap(reflect.New(typ).Interface()))) && typ.Field(i).Name != "Text" {
				t.Errorf("%s.%s was not filled", typ.Name(), typ.Field(i).Name)
			}
		}
	}
}

// fill sets v to something that is not zero.
func fill(v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Unix(1, 0).UTC()
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		if e := v.Index(0); e.Kind() == reflect.Pointer {
			e.Set(reflect.New(e.Type().Elem()))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("k"), reflect.ValueOf("v"))
	case reflect.String:
		v.SetString("x<&>\"\\\n\x01é\xff")
	case reflect.Int32:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Bool:
		v.SetBool(true)
	}
}

func wrap(v any) *genai.GenerateContentResponse {
	switch x := v.(type) {
	case *genai.Part:
		return wrap(&genai.Candidate{Content: &genai.Content{Parts: []*genai.Part{x}, Role: "model"}})
	case *genai.Candidate:
		return &genai.GenerateContentResponse{Candidates: []*genai.Candidate{x}}
	case *genai.GenerateContentResponseUsageMetadata:
		return &genai.GenerateContentResponse{UsageMetadata: x}
	}
	return v.(*genai.GenerateContentResponse)
}

func viaJSON(t *testing.T, r *genai.GenerateContentResponse) *genai.GenerateContentResponse {
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, b)
}

func decode(t *testing.T, b []byte) *genai.GenerateContentResponse {
	r := new(genai.GenerateContentResponse)
	if err := json.Unmarshal(b, r); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return r
}

func FuzzAppendString(f *testing.F) {
	f.Add("plain")
	f.Add("\x00\"\\\n\u2028\xff\xed\xa0\x80 é 😀")
	f.Fuzz(func(t *testing.T, s string) {
		want, _ := json.Marshal(s)
		var a, b string
		if err := json.Unmarshal(appendString(nil, s), &a); err != nil {
			t.Fatal(err)
		}
		_ = json.Unmarshal(want, &b)
		if a != b {
			t.Errorf("%q, encoding/json %q", a, b)
		}
	})
}
