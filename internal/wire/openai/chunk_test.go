// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"reflect"
	"testing"
)

var chunks = []string{
	`{"id":"chatcmpl-38","object":"chat.completion.chunk","created":1795425509,"model":"gemma3:1b","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"Word"},"finish_reason":null}]}`,
	`{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"a\n\u00e9"},"logprobs":null,"finish_reason":"stop","stop_reason":106,"token_ids":null}],"usage":null}`,
	`{"id":"c","model":"m","choices":[{"index":1,"delta":{"role":"assistant","reasoning_content":"hm","content":null},"finish_reason":null}]}`,
	`{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"","tool_calls":null},"finish_reason":"length"}]}`,
	`{"id":"c","model":"m","choices":[],"usage":{"prompt_tokens":22,"completion_tokens":6,"total_tokens":28}}`,
	`{"id":"c","model":"m","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x","function":{"name":"f","arguments":"{"}}]}}]}`,
	`{"error":{"message":"no"}}`, `{"object":"error","message":"no"}`, `{"choices":[{"index":0,"delta":{}},{"index":1,"delta":{}}]}`, `{"choices":[]}`,
	`{"choices":[{"delta":{"reasoning":"a","reasoning_content":"b"}}]}`, `{"choices":null}`, `{"Choices":[]}`, `{"choices":[{"delta":{"content":1}}]}`,
	`{"choices":[{"finish_reason":"stop"}]}`, `{"choices":[{"index":0,"delta":{"content":"x"}}],"created":1.5}`,
}

// FuzzOpenAIChunk: what the fast path accepts, encoding/json accepts, and reads
// the same.
func FuzzOpenAIChunk(f *testing.F) {
	for _, c := range chunks {
		f.Add([]byte(c))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		var fast, slow, again chunk
		h := new(head)
		if !fast.fast(frame, h) {
			// What the head holds does not make a bad frame good.
			if again.fast(frame, h) {
				t.Fatalf("%q is taken the second time", frame)
			}
			return
		}
		if !again.fast(frame, h) {
			t.Fatalf("%q is not taken the second time", frame)
		}
		for _, c := range []*chunk{&fast, &again} {
			if len(c.id) == 0 {
				c.id = []byte{}
			}
			if len(c.model) == 0 {
				c.model = []byte{}
			}
		}
		if !reflect.DeepEqual(fast, again) {
			t.Fatalf("%q\nfirst %+v\nagain %+v", frame, fast, again)
		}
		if err := slow.slow(frame); err != nil {
			t.Fatalf("fast takes %q, encoding/json: %v", frame, err)
		}
		if !reflect.DeepEqual(fast, slow) {
			t.Fatalf("%q\nfast %+v\nslow %+v", frame, fast, slow)
		}
	})
}

// TestFast: the chunks that come once per token take the fast path.
func TestFast(t *testing.T) {
	for i, want := range []bool{true, true, true, true, false, false, false, false} {
		if got := new(chunk).fast([]byte(chunks[i]), new(head)); got != want {
			t.Errorf("%v for %s", got, chunks[i])
		}
	}
}
