// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package codecs_test

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/models"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/codecs"
)

// say returns an answer in a protocol's shape that streams the given pieces.
func say(p wire.Protocol, finish string, pieces ...string) string {
	var b strings.Builder
	for _, s := range pieces {
		switch p {
		case wire.Ollama:
			fmt.Fprintf(&b, "{\"model\":\"%s\",\"message\":{\"role\":\"assistant\",\"content\":%q},\"done\":false}\n", "MODEL", s)
		case wire.OpenAI:
			fmt.Fprintf(&b, "data: {\"id\":\"x\",\"model\":\"MODEL\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%q},\"finish_reason\":null}]}\n\n", s)
		case wire.Gemini:
			fmt.Fprintf(&b, "{\"candidates\":[{\"index\":0,\"content\":{\"parts\":[{\"text\":%q}],\"role\":\"model\"}}],\"usageMetadata\":{}}\n", s)
		}
	}
	switch p {
	case wire.Ollama:
		fmt.Fprintf(&b, "{\"model\":\"MODEL\",\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true,\"done_reason\":%q,\"prompt_eval_count\":9,\"eval_count\":3}\n", finish)
	case wire.OpenAI:
		fmt.Fprintf(&b, "data: {\"id\":\"x\",\"model\":\"MODEL\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":%q}]}\n\ndata: [DONE]\n\n", finish)
	case wire.Gemini:
		fmt.Fprintf(&b, "{\"candidates\":[{\"index\":0,\"content\":{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"},\"finishReason\":%q}],\"usageMetadata\":{}}\n", map[string]string{"stop": "STOP", "length": "MAX_TOKENS"}[finish])
	}
	return b.String()
}

func ask(t *testing.T, col wire.Column, model string, set func(*wire.Request)) (*wire.Request, *wire.Exchange) {
	t.Helper()
	m, _ := models.Lookup(model)
	r := request(servers[col].p)
	r.Model, r.Info, r.Server.Software, r.Config = model, m, servers[col].s, &genai.GenerateContentConfig{}
	set(r)
	x, err := codecs.New(servers[col].p).Encode(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return r, x
}

func answer(x *wire.Exchange, model, body string) (pieces []*genai.Part, last *genai.GenerateContentResponse, err error) {
	d := x.Open(nil, strings.NewReader(strings.ReplaceAll(body, "MODEL", model)))
	for {
		resp, err := d.Next()
		if err == io.EOF {
			return pieces, last, nil
		}
		if err != nil {
			return pieces, last, err
		}
		last = resp
		pieces = append(pieces, resp.Candidates[0].Content.Parts...)
	}
}

func text(parts []*genai.Part) (s string) {
	for _, p := range parts {
		s += p.Text
	}
	return s
}

// TestStructured: every answer under a schema is checked at its end, whoever
// constrained it; enum values lose their quotes.
func TestStructured(t *testing.T) {
	schema := config(func(c *kind) { c.ResponseMIMEType, c.ResponseJsonSchema = "application/json", object })
	enum := config(func(c *kind) { c.ResponseMIMEType, c.ResponseSchema = "text/x.enum", colour })
	for _, col := range []wire.Column{wire.ColOllama, wire.ColOllamaOpenAI, wire.ColVLLM, wire.ColOpenAI} {
		t.Run(col.String(), func(t *testing.T) {
			p := servers[col].p
			_, x := ask(t, col, "gemma-3-4b-it", schema)
			if x.Resumable || x.Hold {
				t.Errorf("Resumable %v, Hold %v", x.Resumable, x.Hold)
			}
			if parts, _, err := answer(x, "gemma-3-4b-it", say(p, "stop", `{"city":`, `"Bonn"}`)); err != nil || text(parts) != `{"city":"Bonn"}` || len(parts) != 2 {
				t.Errorf("%q in %d pieces, %v", text(parts), len(parts), err)
			}
			_, _, err := answer(x, "gemma-3-4b-it", say(p, "stop", `{"town":`, `"Bonn"}`))
			if f := fault.Of(err); f == nil || f.Kind != fault.Server || strings.Contains(err.Error(), "Bonn") {
				t.Errorf("a misfit: %v", err)
			}
			if _, last, err := answer(x, "gemma-3-4b-it", say(p, "length", `{"city":`)); err != nil || last.Candidates[0].FinishReason != genai.FinishReasonMaxTokens {
				t.Errorf("a cut answer: %v", err)
			}
			_, x = ask(t, col, "gemma-3-4b-it", enum)
			if parts, last, err := answer(x, "gemma-3-4b-it", say(p, "stop", `"re`, `d"`)); err != nil || text(parts) != "red" || last.Candidates[0].FinishReason != genai.FinishReasonStop {
				t.Errorf("enum: %q, %v", text(parts), err)
			}
		})
	}
}

// TestHeld: the prebuilt container's Gemini route knows no format: the answer is
// held, checked, and asked for once more.
func TestHeld(t *testing.T) {
	r, x := ask(t, wire.ColPrebuilt, "gemma-3-4b-it", config(func(c *kind) { c.ResponseMIMEType, c.ResponseJsonSchema = "application/json", object }))
	if !x.Hold || x.Check == nil || x.Repair == nil {
		t.Fatalf("%+v", x)
	}
	if b := fmt.Sprint(body(t, x)); !strings.Contains(b, "JSON Schema") || !strings.Contains(b, "city") {
		t.Errorf("the prompt does not ask: %s", b)
	}
	resp := func(s string) *genai.GenerateContentResponse {
		return &genai.GenerateContentResponse{Candidates: []*genai.Candidate{{Content: genai.NewContentFromText(s, "model")}}}
	}
	good := resp("```json\n{\"city\": \"Bonn\"}\n```")
	if err := x.Check(good); err != nil || good.Text() != `{"city": "Bonn"}` {
		t.Errorf("%q, %v", good.Text(), err)
	}
	bad := resp(`{"town":"Bonn"}`)
	why := x.Check(bad)
	if why == nil {
		t.Fatal("a misfit passed")
	}
	again := x.Repair(bad, why)
	if n := len(again.Contents); n != len(r.Contents)+2 || again.Contents[n-2].Role != "model" || !strings.Contains(again.Contents[n-1].Parts[0].Text, "city") || len(r.Contents) != 1 {
		t.Errorf("%+v", again.Contents)
	}
	if _, err := codecs.New(wire.Gemini).Encode(t.Context(), again); err != nil {
		t.Error(err)
	}
	_, x = ask(t, wire.ColPrebuilt, "gemma-3-4b-it", config(func(c *kind) { c.ResponseMIMEType, c.ResponseSchema = "text/x.enum", colour }))
	if one := resp("Red.\n"); x.Check(one) == nil {
		t.Error("an enum value in other letters passed")
	}
	if one := resp(" red\n"); x.Check(one) != nil || one.Text() != "red" {
		t.Errorf("enum: %q", one.Text())
	}
}

// TestCalls: the same calls come out, whether the server has tool calls or the
// text has to be read.
func TestCalls(t *testing.T) {
	want := &genai.FunctionCall{Name: "weather", Args: map[string]any{"city": "Bonn"}}
	set := declare(genai.FunctionDeclaration{ParametersJsonSchema: object})
	native := map[wire.Column]string{
		wire.ColOllama: `{"model":"MODEL","message":{"role":"assistant","content":"","tool_calls":[{"function":{"name":"weather","arguments":{"city":"Bonn"}}}]},"done":false}
{"model":"MODEL","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}
`,
		wire.ColVLLM: `data: {"id":"x","model":"MODEL","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

data: {"id":"x","model":"MODEL","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_9","type":"function","function":{"name":"weather","arguments":""}}]},"finish_reason":null}]}

data: {"id":"x","model":"MODEL","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\":"}}]},"finish_reason":null}]}

data: {"id":"x","model":"MODEL","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"\"Bonn\"}"}}]},"finish_reason":null}]}

data: {"id":"x","model":"MODEL","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: [DONE]

`,
	}
	check := func(t *testing.T, parts []*genai.Part, last *genai.GenerateContentResponse, err error) {
		t.Helper()
		var calls []*genai.FunctionCall
		for _, p := range parts {
			if p.FunctionCall != nil {
				c := *p.FunctionCall
				c.ID = ""
				calls = append(calls, &c)
			}
		}
		if err != nil || !reflect.DeepEqual(calls, []*genai.FunctionCall{want}) || last.Candidates[0].FinishReason != genai.FinishReasonStop {
			t.Fatalf("%+v, %v", calls, err)
		}
	}
	for col, body := range native {
		t.Run("native, "+col.String(), func(t *testing.T) {
			_, x := ask(t, col, "gemma-4-e4b-it", set)
			parts, last, err := answer(x, "gemma-4-e4b-it", body)
			check(t, parts, last, err)
			if x.Resumable {
				t.Error("resumable")
			}
		})
	}
	for _, col := range []wire.Column{wire.ColPrebuilt, wire.ColOllama, wire.ColOllamaOpenAI, wire.ColVLLM} {
		t.Run("by prompt, "+col.String(), func(t *testing.T) {
			_, x := ask(t, col, "gemma-3-4b-it", set)
			p := servers[col].p
			parts, last, err := answer(x, "gemma-3-4b-it", say(p, "stop", `{"name": "weather",`, ` "parameters": {"city": "Bonn"}}`))
			check(t, parts, last, err)
			parts, _, err = answer(x, "gemma-3-4b-it", say(p, "stop", "The sky", " is blue."))
			if err != nil || text(parts) != "The sky is blue." || len(parts) < 2 {
				t.Errorf("prose: %q in %d parts, %v", text(parts), len(parts), err)
			}
		})
		t.Run("there has to be one, "+col.String(), func(t *testing.T) {
			_, x := ask(t, col, "gemma-3-4b-it", func(r *wire.Request) {
				set(r)
				r.Config.ToolConfig = &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: "ANY"}}
			})
			p := servers[col].p
			parts, last, err := answer(x, "gemma-3-4b-it", say(p, "stop", `{"name": "weather", `, `"parameters": {"city": "Bonn"}}`))
			if x.Hold {
				resp := last
				resp.Candidates[0].Content.Parts = []*genai.Part{{Text: text(parts)}}
				err = x.Check(resp)
				parts = resp.Candidates[0].Content.Parts
			}
			check(t, parts, last, err)
			_, last, err = answer(x, "gemma-3-4b-it", say(p, "stop", "No."))
			if x.Hold {
				last.Candidates[0].Content.Parts = []*genai.Part{{Text: "No."}}
				err = x.Check(last)
				if r := x.Repair(last, err); len(r.Contents) != 3 {
					t.Errorf("%+v", r.Contents)
				}
			}
			if f := fault.Of(err); f == nil || f.Kind != fault.Server || !f.Retry {
				t.Errorf("no call: %v", err)
			}
		})
	}
	t.Run("the server says no", func(t *testing.T) {
		_, x := ask(t, wire.ColVLLM, "gemma-4-e4b-it", func(r *wire.Request) { set(r); r.Server.NoTools = true })
		if b := body(t, x); b["tools"] != nil || len(x.Emulated) == 0 {
			t.Errorf("%v", b)
		}
	})
	t.Run("told to and did not, vLLM", func(t *testing.T) {
		_, x := ask(t, wire.ColVLLM, "gemma-4-e4b-it", func(r *wire.Request) {
			set(r)
			r.Config.ToolConfig = &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: "ANY"}}
		})
		if _, _, err := answer(x, "gemma-4-e4b-it", say(wire.OpenAI, "stop", "No.")); fault.Of(err) == nil {
			t.Errorf("%v", err)
		}
	})
}

// TestThoughts: they are parts of their own, and only for who asked.
func TestThoughts(t *testing.T) {
	bodies := map[wire.Column]string{
		wire.ColOllama: strings.Replace(say(wire.Ollama, "stop", "hm", "yes"), `"content":"hm"`, `"content":"","thinking":"hm"`, 1),
		wire.ColVLLM:   strings.Replace(say(wire.OpenAI, "stop", "hm", "yes"), `"content":"hm"`, `"reasoning_content":"hm"`, 1),
	}
	for col, body := range bodies {
		for _, include := range []bool{true, false} {
			_, x := ask(t, col, "gemma-4-e4b-it", config(func(c *kind) { c.ThinkingConfig = &genai.ThinkingConfig{IncludeThoughts: include} }))
			parts, _, err := answer(x, "gemma-4-e4b-it", body)
			if err != nil {
				t.Fatal(err)
			}
			want := []*genai.Part{{Text: "hm", Thought: true}, {Text: "yes"}}
			if !include {
				want = want[1:]
			}
			if !reflect.DeepEqual(parts, want) {
				t.Errorf("%v, %v: %+v", col, include, parts)
			}
		}
	}
}

func TestLogprobs(t *testing.T) {
	set := config(func(c *kind) { c.ResponseLogprobs, c.Logprobs = true, new(int32(1)) })
	tokens := `[{"token":"yes","logprob":-0.5,"top_logprobs":[{"token":"no","logprob":-1.5}]}]`
	for col, body := range map[wire.Column]string{
		wire.ColOllama: strings.Replace(say(wire.Ollama, "stop", "yes"), `"done":false`, `"done":false,"logprobs":`+tokens, 1),
		wire.ColVLLM:   strings.Replace(say(wire.OpenAI, "stop", "yes"), `"finish_reason":null`, `"finish_reason":null,"logprobs":{"content":`+tokens+`}`, 1),
	} {
		_, x := ask(t, col, "gemma-4-e4b-it", set)
		d := x.Open(nil, strings.NewReader(strings.ReplaceAll(body, "MODEL", "gemma-4-e4b-it")))
		resp, err := d.Next()
		if err != nil {
			t.Fatal(err)
		}
		l := resp.Candidates[0].LogprobsResult
		if l == nil || l.ChosenCandidates[0].Token != "yes" || l.ChosenCandidates[0].LogProbability != -0.5 || l.TopCandidates[0].Candidates[0].Token != "no" {
			t.Errorf("%v: %+v", col, l)
		}
		_, _, err = answer(x, "gemma-4-e4b-it", say(servers[col].p, "stop", "yes"))
		if f := fault.Of(err); f == nil || f.Field != "config.responseLogprobs" {
			t.Errorf("%v, ignored: %v", col, err)
		}
	}
}

// TestCandidates: two answers in one stream, each with its end.
func TestCandidates(t *testing.T) {
	_, x := ask(t, wire.ColVLLM, "gemma-4-e4b-it", config(func(c *kind) { c.CandidateCount = 2 }))
	chunk := func(i int, text, finish string) string {
		return fmt.Sprintf("data: {\"id\":\"x\",\"model\":\"gemma-4-e4b-it\",\"choices\":[{\"index\":%d,\"delta\":{\"content\":%q},\"finish_reason\":%s}]}\n\n", i, text, finish)
	}
	usage := "data: {\"id\":\"x\",\"model\":\"gemma-4-e4b-it\",\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":4}}\n\ndata: [DONE]\n\n"
	whole := chunk(0, "a", "null") + chunk(1, "b", "null") + chunk(0, "", `"stop"`) + chunk(1, "c", "null") + chunk(1, "", `"length"`) + usage
	d := x.Open(nil, strings.NewReader(whole))
	texts, reasons := map[int32]string{}, map[int32]genai.FinishReason{}
	var last *genai.GenerateContentResponse
	for {
		resp, err := d.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		last = resp
		c := resp.Candidates[0]
		texts[c.Index] += resp.Text()
		if c.FinishReason != "" {
			reasons[c.Index] = c.FinishReason
		}
	}
	if texts[0] != "a" || texts[1] != "bc" || reasons[0] != genai.FinishReasonStop || reasons[1] != genai.FinishReasonMaxTokens || last.UsageMetadata == nil {
		t.Errorf("%v %v %+v", texts, reasons, last)
	}
	d = x.Open(nil, strings.NewReader(chunk(0, "a", `"stop"`)+"data: [DONE]\n\n"))
	if _, _, _, err := drain(d); fault.Of(err) == nil {
		t.Errorf("one answer of two: %v", err)
	}
}
