// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"reflect"
	"testing"
)

var responses = []string{
	`{"candidates":[{"index":0,"content":{"parts":[{"text":"Morning"}],"role":"model"}}],"usageMetadata":{},"modelVersion":"gemma-3-1b-it"}`,
	`{"candidates":[{"index":0,"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{},"modelVersion":"gemma-3-1b-it"}`,
	`{"candidates":[{"content":{"parts":[{"text":"a\u003c\n","thought":true}],"role":"model"}}],"usageMetadata":{"promptTokenCount":18,"candidatesTokenCount":2,"totalTokenCount":20,"thoughtsTokenCount":1},"modelVersion":"m","responseId":"r"}`,
	`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}}}],"role":"model"},"finishReason":"STOP"}]}`,
	`{"error":{"code":400,"message":"no"}}`, `{"choices":[]}`, `{"message":{"content":"a"},"done":false}`, `{"promptFeedback":{"blockReason":"SAFETY"}}`, `{}`,
	`{"candidates":[{"content":{"parts":[{"text":"a"},{"text":"b"}],"role":"model"}}]}`, `{"Candidates":[{"content":{"parts":[{"text":"a"}],"role":"model"}}]}`,
	`{"candidates":[{"content":{"parts":[{"text":"a"}],"role":"user"}}]}`, `{"candidates":[{"content":{"role":"model","parts":[{"text":"a"}]},"index":1}],"usageMetadata":{"totalTokenCount":0}}`,
}

// FuzzGeminiChunk: what the fast path accepts, encoding/json accepts, and reads
// the same.
func FuzzGeminiChunk(f *testing.F) {
	for _, r := range responses {
		f.Add([]byte(r))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		var fast fields
		if !fast.fast(frame) {
			return
		}
		got := fast.response(new(names))
		want, err := slow(frame)
		if err != nil {
			t.Fatalf("fast takes %q, encoding/json: %v", frame, err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q\nfast %+v %+v\nslow %+v %+v", frame, got, got.Candidates[0], want, want.Candidates[0])
		}
	})
}

// TestFast: the responses that come once per token take the fast path.
func TestFast(t *testing.T) {
	for i, want := range []bool{true, true, true, false, false} {
		if got := new(fields).fast([]byte(responses[i])); got != want {
			t.Errorf("%v for %s", got, responses[i])
		}
	}
}
