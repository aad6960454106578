// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma_test

import (
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

type person struct {
	Name string `json:"name"`
	Age  int8   `json:"age"`
}

// TestTypedErrorsQuoteNothing: an answer that is no T is told by the place,
// whichever station finds it out; none of the answer is in the text.
func TestTypedErrorsQuoteNothing(t *testing.T) {
	const secret = "Rumpelstilzchen"
	anything := &genai.GenerateContentConfig{ResponseJsonSchema: map[string]any{"type": "object"}}
	for _, tt := range []struct {
		answer string
		config *genai.GenerateContentConfig
		says   string
	}{
		{`{"name":"a","age":"` + secret + `"}`, nil, "age"},
		{`{"name":"a","age":"` + secret + `"}`, anything, "age"},
		{`{"name":"a","age":31415}`, anything, "age"},
		{`{"name":"a","age":1,"` + secret + `":1}`, nil, "does not have"},
		{`{"name":"a","age":1,"` + secret + `":1}`, anything, "does not know"},
		{`{"name":"` + secret, nil, "end"},
		{secret, anything, ""},
	} {
		reply := gemmatest.Reply{Chunks: []string{tt.answer}}
		bubble(t, gemmatest.Config{Reply: always(reply)}, func(t *testing.T, srv *gemmatest.Server) {
			client := dial(t, srv)
			check := func(err error) *gemma.Error {
				t.Helper()
				e := fails(t, err, gemma.KindServer)
				if s := err.Error(); strings.Contains(s, secret) || strings.Contains(s, "31415") || !strings.Contains(s, tt.says) {
					t.Errorf("%s: %v", tt.answer, err)
				}
				return e
			}
			_, err := gemma.GenerateAs[person](t.Context(), client, hi, tt.config)
			if e := check(err); e.Partial.Text() != tt.answer {
				t.Errorf("partial %q", e.Partial.Text())
			}
			err = nil
			for _, err = range gemma.StreamAs[person](t.Context(), client, hi, tt.config) {
			}
			check(err)
		})
	}
}

// TestTypedSecondRange: also here a sequence is one request, and every error an *Error.
func TestTypedSecondRange(t *testing.T) {
	bubble(t, gemmatest.Config{Reply: always(gemmatest.Reply{Chunks: []string{`{"name":"a",`, `"age":3}`}})}, func(t *testing.T, srv *gemmatest.Server) {
		seq := gemma.StreamAs[person](t.Context(), dial(t, srv), hi, nil)
		var last person
		for v, err := range seq {
			if err != nil {
				t.Fatal(err)
			}
			last = v
		}
		if (last != person{"a", 3}) {
			t.Errorf("%+v", last)
		}
		for _, err := range seq {
			fails(t, err, gemma.KindInvalid)
		}
	})
}
