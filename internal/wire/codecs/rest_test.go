// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package codecs_test

import (
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/codecs"
)

// server answers requests by method and path, and keeps their bodies.
type server struct {
	answers map[string]string // "POST /x" → body; a leading "404 " is a status
	got     []string
	open    int // bodies not yet closed
}

type counted struct {
	io.Reader
	s *server
}

func (c *counted) Close() error { c.s.open--; return nil }

func (s *server) do(r *http.Request) (*http.Response, error) {
	b := ""
	if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		b = string(raw)
	}
	s.got = append(s.got, r.Method+" "+r.URL.RequestURI()+" "+b)
	answer, ok := s.answers[r.Method+" "+r.URL.Path]
	status := 200
	if !ok {
		answer, status = `{"error":"404 page not found"}`, 404
	}
	s.open++
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: &counted{strings.NewReader(answer), s}}, nil
}

func rest(t *testing.T, col wire.Column, answers map[string]string) (wire.Codec, *wire.Request, *server) {
	t.Helper()
	r := request(servers[col].p)
	r.Server.Software = servers[col].s
	s := &server{answers: answers}
	t.Cleanup(func() {
		if s.open != 0 {
			t.Errorf("%d bodies are open", s.open)
		}
	})
	return codecs.New(servers[col].p), r, s
}

func TestModels(t *testing.T) {
	for col, tt := range map[wire.Column]struct {
		answers map[string]string
		want    string
	}{
		wire.ColOllama: {map[string]string{
			"GET /api/tags":  `{"models":[{"name":"gemma3:1b","model":"gemma3:1b","digest":"cb29","details":{"parameter_size":"1.12M","quantization_level":"F16"}},{"name":"mine:latest"}]}`,
			"POST /api/show": `{"model_info":{"gemma3.context_length":32768},"capabilities":["completion","vision"]}`,
		}, "gemma3:1b gemma-3-1b-it 32768, mine:latest  32768"},
		wire.ColVLLM: {map[string]string{
			"GET /v1/models": `{"object":"list","data":[{"id":"google/gemma-4-31B-it","owned_by":"vllm","max_model_len":32767}]}`,
		}, "google/gemma-4-31B-it gemma-4-31b-it 32767"},
		wire.ColGemini: {map[string]string{
			"GET /v1beta/models": `{"models":[{"name":"models/gemma-3-1b-it","displayName":"G","inputTokenLimit":32768,"supportedGenerationMethods":["generateContent"]}]}`,
		}, "models/gemma-3-1b-it G 32768"},
	} {
		t.Run(col.String(), func(t *testing.T) {
			c, r, s := rest(t, col, tt.answers)
			list, err := c.Models(t.Context(), r, s.do)
			var got []string
			for _, m := range list {
				got = append(got, fmt.Sprintf("%s %s %d", m.Name, m.DisplayName, m.InputTokenLimit))
				if len(m.SupportedActions) == 0 {
					t.Errorf("%s does nothing", m.Name)
				}
			}
			if err != nil || strings.Join(got, ", ") != tt.want {
				t.Errorf("%q, %v", got, err)
			}
			c, r, s = rest(t, col, nil)
			if _, err := c.Models(t.Context(), r, s.do); fault.Of(err) == nil || fault.Of(err).Kind != fault.NotFound {
				t.Errorf("404: %v", err)
			}
		})
	}
}

func TestCountTokens(t *testing.T) {
	for col, tt := range map[wire.Column]struct{ path, answer, sent string }{
		wire.ColOllama:       {"POST /api/chat", strings.ReplaceAll(say(wire.Ollama, "length", "a"), "MODEL", "gemma3:1b"), `"num_predict":1`},
		wire.ColOllamaOpenAI: {"POST /v1/chat/completions", openAIHead + openAIFinish + strings.Replace(openAIUsage, ":22", ":9", 1) + openAIDone, `"max_tokens":1`},
		wire.ColVLLM:         {"POST /tokenize", `{"count":9,"max_model_len":4096,"tokens":[1]}`, `"messages":[{"role":"user","content":"Why?"}]`},
		wire.ColGemini:       {"POST /v1beta/models/gemma-3-1b-it:countTokens", `{"totalTokens":9}`, `"model":"models/gemma-3-1b-it"`},
	} {
		t.Run(col.String(), func(t *testing.T) {
			c, r, s := rest(t, col, map[string]string{tt.path: tt.answer})
			got, err := c.CountTokens(t.Context(), r, s.do)
			if err != nil || got.TotalTokens != 9 || !strings.Contains(s.got[0], tt.sent) {
				t.Errorf("%+v, %v, %s", got, err, s.got)
			}
		})
	}
}

func TestEmbed(t *testing.T) {
	for col, tt := range map[wire.Column]struct{ path, answer, sent string }{
		wire.ColOllama: {"POST /api/embed", `{"model":"m","embeddings":[[1,0],[0,1]]}`, `"input":["a","b"],"truncate":false,"dimensions":2`},
		wire.ColVLLM:   {"POST /v1/embeddings", `{"data":[{"index":1,"embedding":[0,1]},{"index":0,"embedding":[1,0]}]}`, `"input":["a","b"],"encoding_format":"float","dimensions":2`},
		wire.ColGemini: {"POST /v1beta/models/m:batchEmbedContents", `{"embeddings":[{"values":[1,0]},{"values":[0,1]}]}`, `"outputDimensionality":2`},
	} {
		t.Run(col.String(), func(t *testing.T) {
			c, r, s := rest(t, col, map[string]string{tt.path: tt.answer})
			e := &wire.EmbedRequest{Base: r.Base, Model: "m", Server: r.Server, Contents: append(genai.Text("a"), genai.Text("b")...),
				Config: &genai.EmbedContentConfig{OutputDimensionality: new(int32(2))}}
			got, err := c.Embed(t.Context(), e, s.do)
			if err != nil || !strings.Contains(s.got[0], tt.sent) || len(got.Embeddings) != 2 || !reflect.DeepEqual(got.Embeddings[1].Values, []float32{0, 1}) {
				t.Fatalf("%+v, %v, %s", got, err, s.got)
			}
			if col == wire.ColGemini {
				return
			}
			e.Config.OutputDimensionality = new(int32(3))
			if _, err := c.Embed(t.Context(), e, s.do); fault.Of(err) == nil || fault.Of(err).Field != "config.outputDimensionality" {
				t.Errorf("a length that the server ignores: %v", err)
			}
			for field, config := range map[string]*genai.EmbedContentConfig{"config.taskType": {TaskType: "RETRIEVAL_QUERY"}, "config.title": {Title: "t"}, "config.mimeType": {MIMEType: "image/png"}} {
				e.Config = config
				if _, err := c.Embed(t.Context(), e, s.do); fault.Of(err) == nil || fault.Of(err).Kind != fault.Unsupported || fault.Of(err).Field != field {
					t.Errorf("%s: %v", field, err)
				}
			}
		})
	}
}

// TestOnlyGenerates: what the prebuilt container's Gemini route answers with 404
// is refused without asking it.
func TestOnlyGenerates(t *testing.T) {
	c, r, s := rest(t, wire.ColPrebuilt, nil)
	_, err1 := c.Models(t.Context(), r, s.do)
	_, err2 := c.CountTokens(t.Context(), r, s.do)
	_, err3 := c.Embed(t.Context(), &wire.EmbedRequest{Base: r.Base, Model: r.Model, Contents: r.Contents, Server: r.Server}, s.do)
	for _, err := range []error{err1, err2, err3} {
		if f := fault.Of(err); f == nil || f.Kind != fault.Unsupported || !strings.Contains(f.Hint, "ProtocolOllama") {
			t.Errorf("%v", err)
		}
	}
	if len(s.got) != 0 {
		t.Errorf("it was asked: %q", s.got)
	}
}
