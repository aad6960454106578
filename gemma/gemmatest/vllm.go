// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gemma-go/sdk/internal/models"
)

// vllm emulates vLLM's OpenAI-compatible server, from its documentation, and,
// as far as it is the same API, llama.cpp's.
type vllm struct {
	cfg *Config
	*engine
}

func (v *vllm) llama() bool { return v.cfg.Kind == LlamaCpp }

// ids are the served models, as Hugging Face spells them.
func (v *vllm) ids() []string { return v.cfg.names(func(m models.Model) string { return m.HF }) }

func (v *vllm) serves(model string) bool {
	if slices.Contains(v.ids(), model) {
		return true
	}
	return model == "" || v.llama() // which takes any name: it has one model
}

func (v *vllm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if v.loadingPage(w) {
		return
	}
	if v.cfg.APIKey != "" && strings.HasPrefix(r.URL.Path, "/v1") && r.Header.Get("Authorization") != "Bearer "+v.cfg.APIKey {
		writeJSON(w, http.StatusUnauthorized, "application/json", []byte(`{"error":"Unauthorized"}`))
		return
	}
	switch r.Method + " " + r.URL.Path {
	case "GET /health":
		if v.llama() {
			writeJSON(w, http.StatusOK, "application/json; charset=utf-8", []byte(`{"status":"ok"}`))
			return
		}
		w.WriteHeader(http.StatusOK)
	case "GET /version":
		if v.llama() {
			v.notFound(w)
			return
		}
		writeJSON(w, http.StatusOK, "application/json", []byte(`{"version":`+quote(v.version())+`}`))
	case "GET /v1/models":
		v.models(w)
	case "POST /tokenize":
		v.tokenize(w, r)
	case "POST /v1/chat/completions":
		v.chat(w, r)
	case "POST /v1/embeddings":
		v.embed(w, r)
	default:
		v.notFound(w)
	}
}

// loadingPage answers for llama.cpp's server while the model loads. It begins
// to load by itself, when the container starts.
func (v *vllm) loadingPage(w http.ResponseWriter) bool {
	if !v.llama() || v.cfg.LoadTime <= 0 {
		return false
	}
	v.mu.Lock()
	loading := time.Since(v.born) < v.cfg.LoadTime
	v.mu.Unlock()
	if loading {
		writeJSON(w, http.StatusServiceUnavailable, "application/json; charset=utf-8",
			[]byte(`{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}`))
	}
	return loading
}

func (v *vllm) version() string {
	if v.cfg.Version != "" {
		return v.cfg.Version
	}
	return "0.11.0"
}

// proto is the dialect of the server's version.
func (v *vllm) proto() *openAI {
	if v.llama() {
		return &openAI{llama: true}
	}
	_, rest, _ := strings.Cut(v.version(), ".")
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	return &openAI{flat: err == nil && n < 10, reason: err == nil && n >= 12}
}

func (v *vllm) notFound(w http.ResponseWriter) {
	if v.llama() {
		writeJSON(w, http.StatusNotFound, "application/json; charset=utf-8",
			[]byte(`{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}`))
		return
	}
	writeJSON(w, http.StatusNotFound, "application/json", []byte(`{"detail":"Not Found"}`))
}

func (v *vllm) models(w http.ResponseWriter) {
	owner, meta := "vllm", fmt.Sprintf(`"root":%s,"parent":null,"max_model_len":%d`, quote(v.ids()[0]), v.cfg.context())
	if v.llama() {
		owner, meta = "llamacpp", fmt.Sprintf(`"meta":{"n_ctx_train":%d}`, v.cfg.context())
	}
	var list []string
	for _, id := range v.ids() {
		list = append(list, fmt.Sprintf(`{"id":%s,"object":"model","created":%d,"owned_by":%s,%s}`, quote(id), modified.Unix(), quote(owner), meta))
	}
	writeJSON(w, http.StatusOK, "application/json", []byte(`{"object":"list","data":[`+strings.Join(list, ",")+`]}`))
}

func vllmErrorType(status int) string {
	switch status {
	case http.StatusBadRequest:
		return "BadRequestError"
	case http.StatusNotFound:
		return "NotFoundError"
	case http.StatusServiceUnavailable:
		return "ServiceUnavailableError"
	}
	return "InternalServerError"
}

// read decodes a chat request and finds its model.
func (v *vllm) read(w http.ResponseWriter, r *http.Request) (*chatRequest, *Call, bool) {
	p := v.proto()
	var req chatRequest
	body, err := bind(r, &req)
	if err != nil {
		p.refuse(w, http.StatusBadRequest, err.Error())
		return nil, nil, false
	}
	if req.Model == "" {
		req.Model = v.ids()[0]
	}
	if !v.serves(req.Model) {
		p.refuse(w, http.StatusNotFound, fmt.Sprintf("The model `%s` does not exist.", req.Model))
		return nil, nil, false
	}
	c, err := req.call(r, body)
	if err != nil {
		p.refuse(w, http.StatusBadRequest, err.Error())
		return nil, nil, false
	}
	if n := len(c.Messages); n > 0 && c.Messages[n-1].Role == "assistant" && !req.ContinueFinal {
		// The turn is closed, and a new one of the model opened.
		c.Messages = append(c.Messages, Message{Role: "user"})
	}
	return &req, c, true
}

func (v *vllm) chat(w http.ResponseWriter, r *http.Request) {
	req, c, ok := v.read(w, r)
	if !ok {
		return
	}
	p := v.proto()
	p.id, p.model = fmt.Sprintf("chatcmpl-%016x", crcOf(string(c.Body))), req.Model
	refuse := func(format string, args ...any) {
		p.refuse(w, http.StatusBadRequest, fmt.Sprintf(format, args...))
	}
	images, audio := 0, 0
	for _, m := range c.Messages {
		images += m.Images
		audio += m.Audio
	}
	choice := toolChoice(req.ToolChoice)
	switch {
	case req.ContinueFinal && (req.AddGenerationPrompt == nil || *req.AddGenerationPrompt):
		refuse("Cannot set both `continue_final_message` and `add_generation_prompt` to True.")
		return
	case images > 0 && !v.cfg.vision(), audio > 0 && !v.cfg.abilities().Audio:
		refuse("%s is not a multimodal model", req.Model)
		return
	case len(c.Tools) > 0 && !v.cfg.tools() && (choice == "" || choice == "auto"):
		refuse("\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set")
		return
	}
	c.TopK, c.ToolChoice = req.TopK, choice
	p.logs = req.logprobs()
	c.Logprobs, c.TopLogprobs = p.logs.on, p.logs.top
	if req.N != nil {
		p.n, c.Candidates = *req.N, *req.N
	}
	if req.MaxCompletionTokens != nil {
		c.MaxTokens = *req.MaxCompletionTokens
	}
	if think, ok := req.TemplateKwargs["enable_thinking"].(bool); ok && v.cfg.abilities().Thinking {
		c.Think = think
	}
	c.Context, c.Prompt = v.cfg.context(), promptTokens(c.Messages)
	if c.Prompt+c.MaxTokens > c.Context {
		refuse("This model's maximum context length is %d tokens. However, you requested %d tokens (%d in the messages, %d in the completion). "+
			"Please reduce the length of the messages or completion.", c.Context, c.Prompt+c.MaxTokens, c.Prompt, c.MaxTokens)
		return
	}
	p.usage = req.StreamOptions != nil && req.StreamOptions.IncludeUsage
	if !v.enter(r.Context()) {
		p.refuse(w, http.StatusServiceUnavailable, "The server is overloaded.")
		return
	}
	defer v.leave()
	reply := v.reply(c)
	switch {
	case reply.Status != 0:
		p.refuse(w, reply.Status, reply.Error)
	case c.Stream:
		play(w, r, reply, p)
	default:
		playUnary(w, r, reply, p)
	}
}

// toolChoice is the word or the function's name.
func toolChoice(raw json.RawMessage) string {
	if s := jsonString(raw); s != "" {
		return s
	}
	var named struct{ Function struct{ Name string } }
	if json.Unmarshal(raw, &named) != nil {
		return ""
	}
	return named.Function.Name
}

// tokenize counts as the emulated model does, so that the count can be
// compared with a generation's usage.
func (v *vllm) tokenize(w http.ResponseWriter, r *http.Request) {
	var req struct {
		chatRequest
		Prompt string
	}
	_, err := bind(r, &req)
	if err == nil && req.Model != "" && !v.serves(req.Model) {
		v.proto().refuse(w, http.StatusNotFound, fmt.Sprintf("The model `%s` does not exist.", req.Model))
		return
	}
	var c *Call
	if err == nil {
		c, err = req.call(r, nil)
	}
	if err != nil {
		v.proto().refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	n := len(strings.Fields(req.Prompt))
	if len(c.Messages) > 0 {
		n = promptTokens(c.Messages)
	}
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprint(1000 + i)
	}
	list := "[" + strings.Join(ids, ",") + "]"
	if v.llama() {
		writeJSON(w, http.StatusOK, "application/json; charset=utf-8", []byte(`{"tokens":`+list+`}`))
		return
	}
	writeJSON(w, http.StatusOK, "application/json", fmt.Appendf(nil, `{"count":%d,"max_model_len":%d,"tokens":%s,"token_strs":null}`, n, v.cfg.context(), list))
}

func (v *vllm) embed(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model string
		Input any
	}
	p := v.proto()
	_, err := bind(r, &req)
	switch {
	case err != nil:
		p.refuse(w, http.StatusBadRequest, err.Error())
	case !v.serves(req.Model):
		p.refuse(w, http.StatusNotFound, fmt.Sprintf("The model `%s` does not exist.", req.Model))
	case v.cfg.Embeddings == 0:
		p.refuse(w, http.StatusBadRequest, "The model does not support Embeddings API")
	default:
		var out [][]float32
		for _, s := range inputs(req.Input) {
			out = append(out, vector(s, v.cfg.Embeddings))
		}
		writeJSON(w, http.StatusOK, "application/json", embeddingList(req.Model, out, inputTokens(req.Input)))
	}
}
