// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"reflect"
	"testing"
)

var lines = []string{
	`{"model":"gemma3:1b","created_at":"2026-11-23T09:18:29.804937785Z","message":{"role":"assistant","content":"Can"},"done":false}`,
	`{"model":"gemma3:1b","created_at":"2026-11-23T09:18:29.809636944Z","message":{"role":"assistant","content":""},"done_reason":"length","done":true,"total_duration":16281238,"load_duration":1967387,"prompt_eval_count":22,"prompt_eval_duration":8593213,"eval_count":6,"eval_duration":5158875}`,
	`{"model":"gemma3:1b","created_at":"x","message":{"role":"assistant","content":"a\u003cb\n\"\ud83d\ude00\ud83d é"},"done":true,"done_reason":"stop"}`,
	`{"model":"m","message":{"role":"assistant","content":"","thinking":"hm"},"done":false}`,
	`{"model":"m","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"f","arguments":{"a":1}}}]},"done":false}`,
	`{"error":"broken"}`, `{"Model":"m","done":true}`, `{"model":"m","model":"n","done":true}`, `{"done":true,"eval_count":1e3}`, `{"done":true} x`,
	`{"model":"m","message":{"content":"a"},"message":{"role":"b"},"done":false}`, `{"done":1}`, `{}`, `[]`, `{"message":{}}`, "{\"message\":{\"content\":\"\xff\"}}",
	`{"done" : true , "model" : "m" }`, `{"prompt_eval_count":007,"done":true}`, `{"message":{"content":"a"},"logprobs":[{"token":"a","logprob":-0.5}]}`,
}

// FuzzOllamaChunk: what the fast path accepts, encoding/json accepts, and reads
// the same.
func FuzzOllamaChunk(f *testing.F) {
	for _, l := range lines {
		f.Add([]byte(l))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		var fast, slow line
		if !fast.fast(frame) {
			return
		}
		if err := slow.slow(frame); err != nil {
			t.Fatalf("fast takes %q, encoding/json: %v", frame, err)
		}
		if len(fast.model) == 0 {
			fast.model = []byte{}
		}
		if !reflect.DeepEqual(fast, slow) {
			t.Fatalf("%q\nfast %+v\nslow %+v", frame, fast, slow)
		}
	})
}

// TestFast: the lines that come once per token take the fast path.
func TestFast(t *testing.T) {
	for i, want := range []bool{true, true, true, true, false, false} {
		if got := new(line).fast([]byte(lines[i])); got != want {
			t.Errorf("%v for %s", got, lines[i])
		}
	}
}
