// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"google.golang.org/genai"
)

// TestVLLMRoutes holds the emulation against vLLM's documentation.
func TestVLLMRoutes(t *testing.T) {
	s := NewServer(Config{InMemory: true, Kind: VLLM, Model: "gemma-4-e4b-it", Context: 100})
	defer s.Close()
	hello := `"messages":[{"role":"user","content":"hi"}]`
	for _, c := range []struct {
		name, path, body string
		status           int
		has              string
	}{
		{"health", "/health", "", 200, ""},
		{"version", "/version", "", 200, `{"version":"0.11.0"}`},
		{"models", "/v1/models", "", 200, `"id":"google/gemma-4-E4B-it","object":"model"`},
		{"models' context", "/v1/models", "", 200, `"owned_by":"vllm","root":"google/gemma-4-E4B-it","parent":null,"max_model_len":100`},
		{"tokenize", "/tokenize", `{` + hello + `}`, 200, `{"count":6,"max_model_len":100,`},
		{"chat", "/v1/chat/completions", `{` + hello + `}`, 200, `"usage":{"prompt_tokens":6,"total_tokens":`},
		{"unknown model", "/v1/chat/completions", `{"model":"nope",` + hello + `}`, 404,
			`{"error":{"message":"The model ` + "`nope`" + ` does not exist.","type":"NotFoundError","param":null,"code":404}}`},
		{"bad JSON", "/v1/chat/completions", `{`, 400, `"type":"BadRequestError"`},
		{"too long", "/v1/chat/completions", `{"max_tokens":95,` + hello + `}`, 400,
			"This model's maximum context length is 100 tokens. However, you requested 101 tokens (6 in the messages, 95 in the completion)."},
		{"limit", "/v1/chat/completions", `{"max_completion_tokens":3,` + hello + `}`, 200, `"finish_reason":"length"`},
		{"json", "/v1/chat/completions", `{"response_format":{"type":"json_schema","json_schema":{"schema":{"type":"object","properties":{"a":{"type":"integer"}}}}},` + hello + `}`, 200, `"content":"{\"a\": 1}"`},
		{"no embeddings", "/v1/embeddings", `{"input":"x"}`, 400, "does not support Embeddings"},
		{"nothing there", "/api/version", "", 404, `{"detail":"Not Found"}`},
	} {
		status, body, err := get(s, c.path, c.body)
		if err != nil || status != c.status || !strings.Contains(body, c.has) {
			t.Errorf("%s: %d %v %s", c.name, status, err, body)
		}
	}
	_, one, _ := get(s, "/tokenize", `{`+hello+`}`)
	var counted struct{ Count int }
	if err := json.Unmarshal([]byte(one), &counted); err != nil || counted.Count != 6 {
		t.Errorf("%s %v", one, err)
	}
}

// TestVLLMStream: role first, thoughts beside the text, a tool call's name
// before the pieces of its arguments, usage, [DONE].
func TestVLLMStream(t *testing.T) {
	reply := Reply{Thoughts: []string{"hm"}, Chunks: []string{"well"}, Calls: []ToolCall{{ID: "c1", Name: "f", Args: json.RawMessage(`{"city":"Ulm"}`)}}}
	for version, thought := range map[string]string{"": "reasoning_content", "0.13.0": "reasoning"} {
		s := NewServer(Config{InMemory: true, Kind: VLLM, Version: version, Reply: func(Call) Reply { return reply }})
		_, body, err := get(s, "/v1/chat/completions", `{"stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}`)
		s.Close()
		want := []string{
			`"delta":{"role":"assistant","content":""}`,
			`"delta":{"` + thought + `":"hm"}`,
			`"delta":{"content":"well"}`,
			`"delta":{"tool_calls":[{"id":"c1","type":"function","index":0,"function":{"name":"f"}}]}`,
			`"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"city\""}}]}`,
			`"delta":{"tool_calls":[{"index":0,"function":{"arguments":":\"Ulm\"}"}}]}`,
			`"finish_reason":"tool_calls"`,
			`"choices":[],"usage":{"prompt_tokens":6,"total_tokens":16,"completion_tokens":10}`,
			`data: [DONE]`,
		}
		events := strings.Split(strings.TrimSpace(body), "\n\n")
		if err != nil || len(events) != len(want) {
			t.Fatalf("%v %d events:\n%s", err, len(events), body)
		}
		for i, w := range want {
			if !strings.Contains(events[i], w) {
				t.Errorf("event %d: %s\nwant %s", i, events[i], w)
			}
		}
	}
}

// TestCandidatesAndLogprobs where servers have them.
func TestCandidatesAndLogprobs(t *testing.T) {
	reply := func(Call) Reply { return Reply{Chunks: []string{"a", " b"}} }
	v := NewServer(Config{InMemory: true, Kind: VLLM, Reply: reply})
	defer v.Close()
	ask := `{"n":2,"logprobs":true,"top_logprobs":2,"messages":[{"role":"user","content":"hi"}]`
	_, body, _ := get(v, "/v1/chat/completions", ask+`}`)
	for _, has := range []string{`{"index":1,"message":{"role":"assistant","content":"A B"},"logprobs":{"content":[{"token":"A","logprob":-`,
		`"bytes":[97],"top_logprobs":[{"token":"a",`, `{"token":" other1",`, `"completion_tokens":4`} {
		if !strings.Contains(body, has) {
			t.Errorf("no %s in %s", has, body)
		}
	}
	_, body, _ = get(v, "/v1/chat/completions", ask+`,"stream":true}`)
	if strings.Count(body, `"finish_reason":"stop"`) != 2 || !strings.Contains(body, `{"index":1,"delta":{"content":" B"},"logprobs":{"content":[{"token":" B"`) {
		t.Error(body)
	}
	for version, want := range map[string]bool{"0.6.5": false, "0.24.0": true} {
		o := NewServer(Config{InMemory: true, Kind: Ollama, Version: version, Reply: reply})
		_, native, _ := get(o, "/api/chat", strings.TrimSuffix(chat4b, "}")+`,"logprobs":true}`)
		_, openai, _ := get(o, "/v1/chat/completions", strings.TrimSuffix(chat4b, "}")+`,"stream":true,"logprobs":true}`)
		if strings.Contains(native, `"done":false,"logprobs":[{"token":"a","logprob":-`) != want ||
			strings.Contains(openai, `"finish_reason":null,"logprobs":{"content":[{"token":"a"`) != want {
			t.Errorf("%s: want %v\n%s\n%s", version, want, native, openai)
		}
		o.Close()
	}
}

// TestToolChoice: what must be called is called.
func TestToolChoice(t *testing.T) {
	s := NewServer(Config{InMemory: true, Kind: VLLM})
	defer s.Close()
	for choice, want := range map[string]string{`"required"`: `"name":"f"`, `{"type":"function","function":{"name":"g"}}`: `"name":"g"`,
		`"auto"`: `"finish_reason":"stop"`, `"none"`: `"finish_reason":"stop"`} {
		_, body, _ := get(s, "/v1/chat/completions", `{"tool_choice":`+choice+`,"tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"g"}}],`+
			`"messages":[{"role":"user","content":"hi"}]}`)
		if !strings.Contains(body, want) {
			t.Errorf("%s: %s", choice, body)
		}
	}
}

// TestOllamaToolsAndThinking on a version and a model that have them.
func TestOllamaToolsAndThinking(t *testing.T) {
	var seen Call
	s := NewServer(Config{InMemory: true, Kind: Ollama, Model: "gemma-4-e4b-it", Version: "0.24.0", Reply: func(c Call) Reply {
		seen = c
		r := CallTools(c)
		if c.Think {
			r.Thoughts = []string{"hm"}
		}
		return r
	}})
	defer s.Close()
	tools := `"tools":[{"type":"function","function":{"name":"weather","description":"d","parameters":{"type":"object","properties":{"city":{"type":"string"}}}}}]`
	_, body, err := get(s, "/api/chat", `{"model":"gemma4:e4b","think":true,"messages":[{"role":"user","content":"hi"}],`+tools+`}`)
	if err != nil || !strings.Contains(body, `"content":"","thinking":"hm"`) ||
		!strings.Contains(body, `"tool_calls":[{"id":"call_`) || !strings.Contains(body, `"function":{"index":0,"name":"weather","arguments":{"city": "some city"}}}]`) ||
		!strings.Contains(body, `"done":true,"done_reason":"stop"`) {
		t.Errorf("%v %s", err, body)
	}
	if len(seen.Tools) != 1 || seen.Tools[0].Description != "d" {
		t.Errorf("%+v", seen.Tools)
	}
	_, body, _ = get(s, "/api/chat", `{"model":"gemma4:e4b","messages":[{"role":"user","content":"hi"},`+
		`{"role":"assistant","content":"","tool_calls":[{"function":{"name":"weather","arguments":{}}}]},{"role":"tool","tool_name":"weather","content":"sunny"}],`+tools+`}`)
	if textOf(body) != "The tools say: sunny." {
		t.Errorf("%s", body)
	}
	if _, body, _ := get(s, "/api/show", `{"model":"gemma4:e4b"}`); !strings.Contains(body, `"capabilities":["completion","vision","tools","thinking"]`) {
		t.Errorf("%s", body)
	}
	_, body, _ = get(s, "/v1/chat/completions", `{"model":"gemma4:e4b","messages":[{"role":"user","content":"hi"}],`+tools+`}`)
	if !strings.Contains(body, `"type":"function","function":{"name":"weather","arguments":"{\"city\": \"some city\"}"}}]},"finish_reason":"tool_calls"`) {
		t.Errorf("%s", body)
	}
}

func TestEmbeddings(t *testing.T) {
	s := NewServer(Config{InMemory: true, Kind: Ollama, Model: "embeddinggemma-300m"})
	defer s.Close()
	var out struct{ Embeddings [][]float32 }
	_, body, _ := get(s, "/api/embed", `{"model":"embeddinggemma:300m","input":["a","b","a"]}`)
	if err := json.Unmarshal([]byte(body), &out); err != nil || len(out.Embeddings) != 3 || len(out.Embeddings[0]) != 768 ||
		out.Embeddings[0][0] != out.Embeddings[2][0] || out.Embeddings[0][0] == out.Embeddings[1][0] {
		t.Errorf("%v %.200s", err, body)
	}
	if _, body, _ := get(s, "/v1/embeddings", `{"model":"embeddinggemma:300m","input":"a"}`); !strings.HasPrefix(body, `{"object":"list","data":[{"object":"embedding","embedding":[`) {
		t.Errorf("%.200s", body)
	}
}

// TestPlainGenAI runs the Gen AI SDK, alone, against the emulated servers: the
// whole Gemini API works, the prebuilt container's streams don't (it yields one
// error after the end, as measured).
func TestPlainGenAI(t *testing.T) {
	client := func(s *Server) *genai.Client {
		c, err := genai.NewClient(t.Context(), &genai.ClientConfig{Backend: genai.BackendGeminiAPI, APIKey: "unused",
			HTTPClient: &http.Client{Transport: s.Transport()}, HTTPOptions: genai.HTTPOptions{BaseURL: s.URL}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	const model = "gemma-3-4b-it"
	stream := func(c *genai.Client) (text string, last *genai.GenerateContentResponse, err error) {
		for r, e := range c.Models.GenerateContentStream(t.Context(), model, genai.Text(sky), nil) {
			if e != nil {
				return text, last, e
			}
			text, last = text+r.Text(), r
		}
		return text, last, nil
	}

	full := NewServer(Config{InMemory: true, Local: true, Kind: GeminiServer})
	defer full.Close()
	c := client(full)
	text, last, err := stream(c)
	if err != nil || text != skyAnswer || last.Candidates[0].FinishReason != genai.FinishReasonStop || last.UsageMetadata.CandidatesTokenCount == 0 {
		t.Errorf("%v %q", err, text)
	}
	r, err := c.Models.GenerateContent(t.Context(), model, genai.Text(sky), &genai.GenerateContentConfig{MaxOutputTokens: 2, Seed: new(int32(1)),
		SystemInstruction: genai.NewContentFromText("Be brief", genai.RoleUser)})
	if err != nil || len(strings.Fields(r.Text())) != 2 || r.Candidates[0].FinishReason != genai.FinishReasonMaxTokens {
		t.Errorf("%v %v", err, r)
	}
	r, err = c.Models.GenerateContent(t.Context(), model, genai.Text(sky), &genai.GenerateContentConfig{ResponseMIMEType: "application/json",
		ResponseSchema: &genai.Schema{Type: genai.TypeObject, Properties: map[string]*genai.Schema{"a": {Type: genai.TypeInteger}}}})
	if err != nil || r.Text() != `{"a": 1}` {
		t.Errorf("%v %v", err, r)
	}
	n, err := c.Models.CountTokens(t.Context(), model, genai.Text(sky), nil)
	if err != nil || n.TotalTokens != int32(promptTokens([]Message{{Text: sky}})) {
		t.Errorf("%v %v", err, n)
	}
	if _, err := c.Models.GenerateContent(t.Context(), "nope", genai.Text(sky), nil); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("%v", err)
	}
	page, err := c.Models.List(t.Context(), nil)
	if err != nil || len(page.Items) != 1 || page.Items[0].Name != "models/"+model {
		t.Errorf("%v %v", err, page)
	}

	broken := NewServer(Config{InMemory: true, Local: true})
	defer broken.Close()
	text, _, err = stream(client(broken))
	if text != "" || err == nil || !strings.Contains(err.Error(), "invalid stream chunk") {
		t.Errorf("the prebuilt container's stream: %q %v", text, err)
	}
	_, err = client(broken).Models.GenerateContent(t.Context(), "nope", genai.Text(sky), nil)
	if err == nil || !strings.Contains(err.Error(), "Error 0, ") { // code:null loses the status
		t.Errorf("%v", err)
	}
}

// TestNewFrontEnd puts the front end before a handler of somebody else, and a
// proxy to a server that listens elsewhere.
func TestNewFrontEnd(t *testing.T) {
	real := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("real " + r.URL.Path)) }))
	defer real.Close()
	proxy, err := Proxy(real.URL)
	if err != nil {
		t.Fatal(err)
	}
	h := NewFrontEnd(FrontEndConfig{Audiences: []string{"https://a.example"}}, proxy)
	front := httptest.NewServer(h)
	defer front.Close()
	for token, want := range map[string]int{"": 403, Mint(MintOptions{Audience: "https://a.example"}): 200, Mint(MintOptions{Audience: front.URL}): 200} {
		req, err := http.NewRequest("GET", front.URL+"/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		resp, err := front.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%d, want %d", resp.StatusCode, want)
		}
	}
	if st := h.(*FrontEnd).Stats(); st.Requests != 3 || st.ByPhase[Ready] != 2 {
		t.Errorf("%+v", st)
	}
	real.Close()
	req, _ := http.NewRequest("GET", front.URL+"/x", nil)
	req.Header.Set("Authorization", "Bearer "+Mint(MintOptions{Audience: front.URL}))
	resp, err := front.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 503 {
		t.Errorf("a container that is gone: %d", resp.StatusCode)
	}
	if _, err := Proxy("nonsense"); err == nil {
		t.Error("no error for a target without scheme")
	}
}
