// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package codecs_test

import (
	"bytes"
	"io"
	"testing"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/codecs"
)

// FuzzDecode: whatever bytes come, a decoder keeps its contract: it ends, with
// io.EOF only after a finish reason, and then says the same for ever.
func FuzzDecode(f *testing.F) {
	for p, s := range map[wire.Protocol]string{wire.Ollama: ollamaHead + ollamaEnd, wire.OpenAI: openAIHead + openAIFinish + openAIUsage + openAIDone, wire.Gemini: geminiHead + geminiEnd} {
		f.Add(uint8(p-wire.Gemini), []byte(s))
	}
	f.Fuzz(func(t *testing.T, p uint8, body []byte) {
		protocol := wire.Protocol(p%3) + wire.Gemini
		x, err := codecs.New(protocol).Encode(t.Context(), request(protocol))
		if err != nil {
			t.Fatal(err)
		}
		d := x.Open(nil, bytes.NewReader(body))
		_, last, n, err := drain(d)
		if n > len(body) {
			t.Fatalf("%d responses of %d bytes", n, len(body))
		}
		if err == nil {
			if last == nil || len(last.Candidates) > 0 && last.Candidates[0].FinishReason == "" {
				t.Fatalf("ended without a finish reason: %+v", last)
			}
			err = io.EOF
		} else if fault.Of(err) == nil {
			t.Fatalf("%v is no fault", err)
		}
		if _, again := d.Next(); again != err {
			t.Fatalf("%v, then %v", err, again)
		}
	})
}

// TestAllocations: what a chunk costs is the response and its text.
func TestAllocations(t *testing.T) {
	for _, p := range []wire.Protocol{wire.Ollama, wire.OpenAI, wire.Gemini} {
		answer := recorded(p)
		x, err := codecs.New(p).Encode(t.Context(), request(p))
		if err != nil {
			t.Fatal(err)
		}
		n := testing.AllocsPerRun(3, func() {
			if _, _, _, err := drainCount(x.Open(nil, bytes.NewReader(answer))); err != nil {
				t.Fatal(err)
			}
		})
		if per := n / benchChunks; per > 2.1 {
			t.Errorf("%v: %.2f allocations for each chunk", p, per)
		}
	}
}

func drainCount(d wire.Decoder) (text string, last *genai.GenerateContentResponse, n int, err error) {
	for {
		resp, e := d.Next()
		if e == io.EOF {
			return "", last, n, nil
		}
		if e != nil {
			return "", last, n, e
		}
		n, last = n+1, resp
	}
}
