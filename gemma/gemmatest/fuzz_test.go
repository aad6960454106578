// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzInstance: whatever the schema, the instance is JSON.
func FuzzInstance(f *testing.F) {
	for _, s := range []string{`{}`, `{"type":"object","properties":{"a":{"type":"array","items":{"$ref":"#"}}}}`,
		`{"allOf":[{"properties":7},{"required":"x"}]}`, `{"type":["null"]}`, `{"$ref":"#/a/b"}`, `{"enum":[]}`, `[]`, `x`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, schema []byte) {
		if len(schema) > 300 {
			return
		}
		if out := Instance(schema); !json.Valid([]byte(out)) {
			t.Errorf("%q gives %q", schema, out)
		}
	})
}

// FuzzConvertRequest: whatever is posted to the Gemini route, what goes on is
// JSON or nothing.
func FuzzConvertRequest(f *testing.F) {
	for _, s := range []string{geminiHi, `{}`, `{"contents":[{"parts":null}]}`, `{"generation_config":{"temperature":1e40}}`, `{"contents":{"parts":{}}}`, `[]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if out, err := convertRequest(body, "gemma-3-4b-it", true); err == nil && !json.Valid(out) {
			t.Errorf("%q gives %q", body, out)
		}
	})
}

// FuzzRedact: no signature and no opaque secret comes through.
func FuzzRedact(f *testing.F) {
	f.Add("Bearer " + Mint(MintOptions{Audience: "a"}))
	f.Add("Bearer ya29.secret-secret")
	f.Add("Basic c2VjcmV0LXNlY3JldA==")
	f.Add("secret-secret-secret")
	f.Fuzz(func(t *testing.T, v string) {
		out := redactValue(v)
		_, token, ok := strings.Cut(v, " ")
		if !ok {
			token = v
		}
		secret := token[strings.LastIndexByte(token, '.')+1:]
		if len(secret) > 12 && strings.Contains(out, secret) {
			t.Errorf("%q shows %q", v, out)
		}
	})
}
