// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package codecs_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/codecs"
)

const benchChunks = 1000

var words = []string{" the", " sky", " is", " \\\"blue\\\"", ",", " because", " short", "er", " waves", " scatter\\n", " größer"}

// recorded is an answer of benchChunks chunks, in the shape of the recordings.
func recorded(p wire.Protocol) []byte {
	var b bytes.Buffer
	for i := range benchChunks {
		word := words[i%len(words)]
		switch p {
		case wire.Ollama:
			fmt.Fprintf(&b, `{"model":"gemma3:1b","created_at":"2026-11-23T09:18:29.806985612Z","message":{"role":"assistant","content":"%s"},"done":false}`+"\n", word)
		case wire.OpenAI:
			fmt.Fprintf(&b, `data: {"id":"chatcmpl-38","object":"chat.completion.chunk","created":1795425509,"model":"gemma3:1b","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"%s"},"finish_reason":null}]}`+"\n\n", word)
		case wire.Gemini:
			fmt.Fprintf(&b, `{"candidates":[{"index":0,"content":{"parts":[{"text":"%s"}],"role":"model"}}],"usageMetadata":{},"modelVersion":"gemma-3-1b-it"}`+"\n", word)
		}
	}
	switch p {
	case wire.Ollama:
		b.WriteString(ollamaEnd)
	case wire.OpenAI:
		b.WriteString(openAIFinish + openAIUsage + openAIDone)
	case wire.Gemini:
		b.WriteString(geminiEnd)
	}
	return b.Bytes()
}

func benchmarkDecode(b *testing.B, p wire.Protocol) {
	answer := recorded(p)
	x, err := codecs.New(p).Encode(b.Context(), request(p))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		d := x.Open(nil, bytes.NewReader(answer))
		n := 0
		for {
			resp, err := d.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
			n += len(resp.Candidates)
		}
		if n != benchChunks+1 {
			b.Fatalf("%d responses", n)
		}
	}
	perChunk(b)
}

func perChunk(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchChunks, "ns/chunk")
}

func BenchmarkDecodeOllama(b *testing.B) { benchmarkDecode(b, wire.Ollama) }
func BenchmarkDecodeOpenAI(b *testing.B) { benchmarkDecode(b, wire.OpenAI) }
func BenchmarkDecodeGemini(b *testing.B) { benchmarkDecode(b, wire.Gemini) }

// BenchmarkBaseline is the plain way, for comparison: bufio.Scanner, typed
// encoding/json, genai's types.
func BenchmarkBaseline(b *testing.B) {
	for _, p := range []wire.Protocol{wire.Ollama, wire.OpenAI, wire.Gemini} {
		b.Run(p.String(), func(b *testing.B) {
			answer := recorded(p)
			b.ReportAllocs()
			for b.Loop() {
				lines := bufio.NewScanner(bytes.NewReader(answer))
				for lines.Scan() {
					line := bytes.TrimPrefix(lines.Bytes(), []byte("data: "))
					if len(line) == 0 || line[0] != '{' {
						continue
					}
					var resp *genai.GenerateContentResponse
					switch p {
					case wire.Ollama:
						var l struct{ Message struct{ Content string } }
						if err := json.Unmarshal(line, &l); err != nil {
							b.Fatal(err)
						}
						resp = &genai.GenerateContentResponse{Candidates: []*genai.Candidate{{Content: genai.NewContentFromText(l.Message.Content, genai.RoleModel)}}}
					case wire.OpenAI:
						var c struct {
							Choices []struct{ Delta struct{ Content string } }
						}
						if err := json.Unmarshal(line, &c); err != nil {
							b.Fatal(err)
						}
						for _, c := range c.Choices {
							resp = &genai.GenerateContentResponse{Candidates: []*genai.Candidate{{Content: genai.NewContentFromText(c.Delta.Content, genai.RoleModel)}}}
						}
					default:
						resp = new(genai.GenerateContentResponse)
						if err := json.Unmarshal(line, resp); err != nil {
							b.Fatal(err)
						}
					}
					_ = resp
				}
			}
			perChunk(b)
		})
	}
}
