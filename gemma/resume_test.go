// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma_test

import (
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
	"github.com/gemma-go/sdk/stream"
)

// resumable are the servers that can go on with an open turn of the model.
var resumable = []struct {
	name     string
	kind     gemmatest.Kind
	protocol gemma.Protocol
}{
	{"Ollama", gemmatest.Ollama, gemma.ProtocolOllama},
	{"vLLM", gemmatest.VLLM, gemma.ProtocolOpenAI},
}

// cutAt answers as the model would, but the first call's stream is cut before
// chunk n.
func cutAt(n int, how gemmatest.Fault) func(gemmatest.Call) gemmatest.Reply {
	first := true
	return func(c gemmatest.Call) gemmatest.Reply {
		r := gemmatest.DefaultReply(c)
		if first {
			first = false
			r.Fault, r.At = how, n
		}
		return r
	}
}

// TestResumeAtEveryChunk cuts the answer at each chunk in turn, in each way that
// a connection has, and wants the unbroken answer: no character lost, none
// doubled, and the counts of the whole.
func TestResumeAtEveryChunk(t *testing.T) {
	for _, s := range resumable {
		t.Run(s.name, func(t *testing.T) {
			var want *genai.GenerateContentResponse
			bubble(t, gemmatest.Config{Kind: s.kind}, func(t *testing.T, srv *gemmatest.Server) {
				var err error
				if want, err = dial(t, srv, speaking(s.protocol)).Generate(t.Context(), hi, nil); err != nil {
					t.Fatal(err)
				}
			})
			n := int(want.UsageMetadata.CandidatesTokenCount)
			for _, how := range []gemmatest.Fault{gemmatest.ClosedEarly, gemmatest.EndEarly, gemmatest.Reset} {
				for at := range n + 1 {
					bubble(t, gemmatest.Config{Kind: s.kind, Reply: cutAt(at, how)}, func(t *testing.T, srv *gemmatest.Server) {
						var w watch
						client := dial(t, srv, speaking(s.protocol), w.config, func(c *gemma.Config) { c.Resume = 1 })
						got, err := client.Generate(t.Context(), hi, nil)
						if err != nil {
							t.Fatalf("%v at %d: %v", how, at, err)
						}
						if got.Text() != want.Text() || got.Candidates[0].FinishReason != want.Candidates[0].FinishReason {
							t.Errorf("%v at %d: %q, want %q", how, at, got.Text(), want.Text())
						}
						if g, w := got.UsageMetadata, want.UsageMetadata; g.CandidatesTokenCount != w.CandidatesTokenCount || g.TotalTokenCount != w.TotalTokenCount {
							t.Errorf("%v at %d: usage %+v, want %+v", how, at, g, w)
						}
						if told := len(w.of(gemma.EventResume)); told > 1 || told == 0 && at > 0 && how != gemmatest.Reset {
							t.Errorf("%v at %d: %d events", how, at, told)
						}
					})
				}
			}
		})
	}
}

// TestResumeKeepsTheLimit: maxOutputTokens counts over the parts.
func TestResumeKeepsTheLimit(t *testing.T) {
	for _, s := range resumable {
		for at := 1; at <= 7; at++ {
			bubble(t, gemmatest.Config{Kind: s.kind, Reply: cutAt(at, gemmatest.ClosedEarly)}, func(t *testing.T, srv *gemmatest.Server) {
				client := dial(t, srv, speaking(s.protocol), func(c *gemma.Config) { c.Resume = 1 })
				var stats stream.Stats
				got, err := text(stream.Measure(client.Stream(t.Context(), hi, &genai.GenerateContentConfig{MaxOutputTokens: 7}), &stats))
				if err != nil || len(strings.Fields(got)) != 7 || stats.Finish != genai.FinishReasonMaxTokens || stats.OutputTokens != 7 {
					t.Errorf("%s at %d: %q, %+v, %v", s.name, at, got, stats, err)
				}
			})
		}
	}
}

// TestResumeIsBounded: never more often than asked, and never unasked.
func TestResumeIsBounded(t *testing.T) {
	always := func(c gemmatest.Call) gemmatest.Reply {
		r := gemmatest.DefaultReply(c)
		r.Fault, r.At = gemmatest.ClosedEarly, 2
		return r
	}
	for times := range 4 {
		bubble(t, gemmatest.Config{Kind: gemmatest.Ollama, Reply: always}, func(t *testing.T, srv *gemmatest.Server) {
			client := dial(t, srv, func(c *gemma.Config) { c.Resume = times })
			got, err := text(client.Stream(t.Context(), hi, nil))
			e := fails(t, err, gemma.KindInterrupted)
			if n := srv.Stats().Generations; n != times+1 || e.Partial.Text() != got || len(strings.Fields(got)) != 2*(times+1) {
				t.Errorf("Resume %d: %d generations, %q", times, n, got)
			}
		})
	}
}

// TestNoResumeWhereAPrefixMeansNothing: constrained output and tool calls can't
// be continued.
func TestNoResumeWhereAPrefixMeansNothing(t *testing.T) {
	cut := words(10)
	cut.Fault, cut.At = gemmatest.ClosedEarly, 3
	for name, config := range map[string]*genai.GenerateContentConfig{
		"json":  {ResponseMIMEType: "application/json"},
		"tools": {Tools: []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{Name: "f", Description: "d"}}}}},
	} {
		bubble(t, gemmatest.Config{Kind: gemmatest.VLLM, Reply: gemmatest.Script(cut, cut)}, func(t *testing.T, srv *gemmatest.Server) {
			client := dial(t, srv, func(c *gemma.Config) { c.Resume = 5 })
			_, err := text(client.Stream(t.Context(), hi, config))
			fails(t, err, gemma.KindInterrupted)
			if n := srv.Stats().Generations; n != 1 {
				t.Errorf("%s: %d generations", name, n)
			}
		})
	}
}
