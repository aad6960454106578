// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// ollama emulates Ollama's server, as recorded from v0.6.5 and, where
// Config.Version says so, v0.24.0.
type ollama struct {
	cfg *Config
	*engine
}

func (o *ollama) newer() bool { return o.cfg.newer() }

func (o *ollama) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := r.Method + " " + r.URL.Path
	switch route {
	case "GET /", "HEAD /":
		writeJSON(w, http.StatusOK, "text/plain; charset=utf-8", []byte("Ollama is running"))
	case "POST /api/chat":
		o.chat(w, r)
	case "POST /api/generate":
		o.generate(w, r)
	case "POST /api/embed":
		o.embed(w, r)
	case "POST /api/show":
		o.show(w, r)
	case "GET /api/tags", "HEAD /api/tags":
		o.tags(w)
	case "GET /api/ps":
		o.ps(w)
	case "GET /api/version", "HEAD /api/version":
		o.json(w, http.StatusOK, map[string]string{"version": o.cfg.version()})
	case "POST /v1/chat/completions":
		o.openAIChat(w, r)
	case "POST /v1/embeddings":
		o.openAIEmbed(w, r)
	case "GET /v1/models":
		o.openAIModels(w)
	default:
		switch r.URL.Path {
		case "/api/chat", "/api/generate", "/api/show", "/api/embed", "/v1/chat/completions":
			if o.newer() {
				w.Header().Set("Allow", "POST")
				writeJSON(w, http.StatusMethodNotAllowed, "text/plain", []byte("405 method not allowed"))
				return
			}
		}
		if name, ok := strings.CutPrefix(route, "GET /v1/models/"); ok {
			o.openAIModel(w, name)
			return
		}
		writeJSON(w, http.StatusNotFound, "text/plain", []byte("404 page not found"))
	}
}

func (o *ollama) json(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"error":"marshal"}`)
	}
	writeJSON(w, status, "application/json; charset=utf-8", b)
}

func (o *ollama) error(w http.ResponseWriter, status int, message string) {
	o.json(w, status, map[string]string{"error": message})
}

// bind decodes a body as the real server does, with its error texts.
func bind(r *http.Request, into any) (body []byte, err error) {
	body, err = io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	err = json.NewDecoder(bytes.NewReader(body)).Decode(into)
	switch {
	case err == nil:
		return body, nil
	case errors.Is(err, io.EOF):
		return body, errors.New("missing request body")
	}
	return body, errors.New(strings.ReplaceAll(err.Error(), "gemmatest.", "api."))
}

type ollamaMessage struct {
	Role       string `json:"role"`
	Content    string
	Images     []string
	ToolCalls  []ollamaToolCall `json:"tool_calls"`
	ToolName   string           `json:"tool_name"`
	ToolCallID string           `json:"tool_call_id"`
}

type ollamaToolCall struct {
	ID       string `json:"id"`
	Function struct {
		Name      string
		Arguments json.RawMessage
	}
}

type ollamaTool struct {
	Type     string
	Function struct {
		Name, Description string
		Parameters        json.RawMessage
	}
}

func (o *ollama) chat(w http.ResponseWriter, r *http.Request) {
	// The type's name and its fields' order show in error texts.
	type Message ollamaMessage
	type ChatRequest struct {
		Model     string
		Messages  []Message `json:"messages"`
		Stream    *bool
		Format    json.RawMessage
		KeepAlive json.RawMessage `json:"keep_alive"`
		Tools     []ollamaTool
		Options   map[string]any
		Think     json.RawMessage
		Truncate  *bool
	}
	var req ChatRequest
	body, err := bind(r, &req)
	if err != nil {
		o.error(w, http.StatusBadRequest, err.Error())
		return
	}
	c := &Call{Route: r.URL.Path, Model: req.Model, Stream: req.Stream == nil || *req.Stream,
		Format: format(req.Format), Header: redact(r.Header), Body: body}
	for _, m := range req.Messages {
		msg := turn(m.Role, m.Content, m.Images, m.ToolCalls, m.ToolName, m.ToolCallID)
		c.Messages = append(c.Messages, msg)
		for _, image := range m.Images {
			if i := badBase64(image); i >= 0 {
				o.error(w, http.StatusBadRequest, fmt.Sprintf("illegal base64 data at input byte %d", i))
				return
			}
		}
	}
	for _, t := range req.Tools {
		c.Tools = append(c.Tools, Tool{Name: t.Function.Name, Description: t.Function.Description, Parameters: t.Function.Parameters})
	}
	c.Think = len(req.Think) > 0 && string(req.Think) != "false" && string(req.Think) != "null"
	o.run(w, r, &ollamaRun{call: c, options: req.Options, keepAlive: req.KeepAlive,
		keepPrompt: req.Truncate != nil && !*req.Truncate && o.newer(),
		empty:      len(req.Messages) == 0, proto: &native{newer: o.newer(), chat: true}})
}

// turn builds a turn from its wire parts.
func turn(role, text string, images []string, calls []ollamaToolCall, name, id string) Message {
	m := Message{Role: role, Text: text, Images: len(images), Name: name, CallID: id}
	for _, tc := range calls {
		m.Calls = append(m.Calls, ToolCall{ID: tc.ID, Name: tc.Function.Name, Args: tc.Function.Arguments})
	}
	return m
}

func (o *ollama) generate(w http.ResponseWriter, r *http.Request) {
	type GenerateRequest struct {
		Model     string
		Prompt    string
		Suffix    string
		System    string
		Template  string
		Raw       bool
		Stream    *bool
		Format    json.RawMessage
		KeepAlive json.RawMessage `json:"keep_alive"`
		Images    []string
		Options   map[string]any
		Think     json.RawMessage
	}
	var req GenerateRequest
	body, err := bind(r, &req)
	if err != nil {
		o.error(w, http.StatusBadRequest, err.Error())
		return
	}
	c := &Call{Route: r.URL.Path, Model: req.Model, Stream: req.Stream == nil || *req.Stream,
		Format: format(req.Format), Header: redact(r.Header), Body: body}
	if req.System != "" {
		c.Messages = append(c.Messages, Message{Role: "system", Text: req.System})
	}
	c.Messages = append(c.Messages, Message{Role: "user", Text: req.Prompt, Images: len(req.Images)})
	o.run(w, r, &ollamaRun{call: c, options: req.Options, keepAlive: req.KeepAlive, empty: req.Prompt == "",
		generate: true, proto: &native{newer: o.newer()}})
}

// ollamaRun is one call on its way through the server.
type ollamaRun struct {
	call       *Call
	options    map[string]any
	keepAlive  json.RawMessage
	keepPrompt bool // truncate:false
	empty      bool // nothing to generate: load or unload only
	generate   bool // came by /api/generate, whose error texts differ
	proto      ollamaProtocol
}

// ollamaProtocol is a route's way to say things.
type ollamaProtocol interface {
	protocol
	unaryProtocol
	refuse(w http.ResponseWriter, status int, message string)
	begin(model string, prompt int, started time.Time, loaded time.Time)
	bare(reason string) []byte // the answer to an empty call
}

func (o *ollama) run(w http.ResponseWriter, r *http.Request, run *ollamaRun) {
	c, p := run.call, run.proto
	started := time.Now()
	name, known := o.cfg.resolve(c.Model)
	unloads := string(run.keepAlive) == "0" || string(run.keepAlive) == `"0"` || string(run.keepAlive) == `"0s"`
	switch {
	case c.Model == "":
		p.refuse(w, http.StatusBadRequest, "model is required")
		return
	case !known && (run.generate || o.newer()):
		p.refuse(w, http.StatusNotFound, fmt.Sprintf("model '%s' not found", c.Model))
		return
	case !known:
		p.refuse(w, http.StatusNotFound, fmt.Sprintf("model %q not found, try pulling it first", c.Model))
		return
	case run.empty && unloads:
		o.unload(name)
		p.begin(c.Model, 0, started, started)
		writeJSON(w, http.StatusOK, "application/json; charset=utf-8", p.bare("unload"))
		return
	case len(c.Tools) > 0 && !o.cfg.tools():
		p.refuse(w, http.StatusBadRequest, "registry.ollama.ai/library/"+name+" does not support tools")
		return
	case c.Think && o.newer() && !modelInfo(name).Thinking:
		p.refuse(w, http.StatusBadRequest, fmt.Sprintf("%q does not support thinking", c.Model))
		return
	}
	if !o.newer() {
		c.Think = false // unknown to v0.6.5, and ignored
	}
	if err := c.options(run.options); err != nil {
		p.refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	if c.Context == 0 {
		c.Context = o.cfg.context()
	}
	if !o.enter(r.Context()) {
		p.refuse(w, http.StatusServiceUnavailable, "server busy, please try again.  maximum pending requests exceeded")
		return
	}
	defer o.leave()
	if !o.load(r.Context(), name, c.Context) {
		panic(http.ErrAbortHandler)
	}
	loaded := time.Now()
	if unloads {
		defer o.unload(name)
	}
	if run.empty {
		p.begin(c.Model, 0, started, loaded)
		writeJSON(w, http.StatusOK, "application/json; charset=utf-8", p.bare("load"))
		return
	}
	full := append([]Message(nil), c.Messages...)
	c.fit()
	if c.Cut > 0 && run.keepPrompt {
		c.Messages = full
		p.refuse(w, http.StatusBadRequest, "the input length exceeds the context length")
		return
	}
	p.begin(c.Model, c.Prompt, started, loaded)
	if message := o.impossible(c); message != "" {
		if c.Stream && strings.Contains(message, "image") && !o.newer() && c.Route != "/v1/chat/completions" {
			(&player{w: w, ctx: r.Context(), p: p}).send(p.fail(message)) // 200, and the error in the stream
			return
		}
		p.refuse(w, http.StatusInternalServerError, message)
		return
	}
	reply := o.reply(c)
	if reply.Status != 0 {
		p.refuse(w, reply.Status, reply.Error)
		return
	}
	if c.Stream {
		play(w, r, reply, p)
	} else {
		playUnary(w, r, reply, p)
	}
}

// impossible is the model runner's refusal, in v0.6.5's words with their line
// feed at the end.
func (o *ollama) impossible(c *Call) string {
	end := "\n"
	if o.newer() {
		end = ""
	}
	images, input := 0, false
	for _, m := range c.Messages {
		images += m.Images
		switch m.Role {
		case "user", "assistant", "system", "tool":
			input = true
		}
	}
	switch {
	case images > 0 && !o.cfg.vision():
		return "Failed to create new sequence: failed to process inputs: this model is missing data required for image input" + end
	case !input && !o.newer():
		return "Failed to create new sequence: no input provided" + end
	case len(c.Format) > 0 && c.Format[0] != '{' && string(c.Format) != `"json"`:
		return fmt.Sprintf("invalid format: %q; expected \"json\" or a valid JSON Schema object", c.Format)
	case len(c.Format) > 0 && badSchema(c.Format):
		return "invalid JSON schema in format"
	}
	return ""
}

// badSchema reports a type that no schema has.
func badSchema(schema json.RawMessage) bool {
	var m struct{ Type any }
	if json.Unmarshal(schema, &m) != nil {
		return true
	}
	switch t := m.Type.(type) {
	case nil, []any:
		return false
	case string:
		return !strings.Contains(" object array string number integer boolean null ", " "+t+" ")
	}
	return true
}

// format treats null and "" as no format.
func format(raw json.RawMessage) json.RawMessage {
	if s := string(raw); s == "null" || s == `""` {
		return nil
	}
	return raw
}

func badBase64(s string) int {
	_, err := base64.StdEncoding.DecodeString(s)
	if e, ok := errors.AsType[base64.CorruptInputError](err); ok {
		return int(e)
	}
	return -1
}

// options reads Ollama's options; a wrong type is the server's 500. Unknown
// ones are ignored.
func (c *Call) options(opts map[string]any) error {
	for key, v := range opts {
		if v == nil {
			continue
		}
		switch key {
		case "num_predict", "top_k", "seed", "num_ctx":
			f, ok := v.(float64)
			if !ok {
				return fmt.Errorf("option %q must be of type integer", key)
			}
			switch key {
			case "num_predict":
				c.MaxTokens = max(0, int(f)) // 0 and -1 are no limit
			case "top_k":
				c.TopK = &f
			case "seed":
				c.Seed = new(int(f))
			case "num_ctx":
				c.Context = int(f)
			}
		case "temperature", "top_p", "min_p", "typical_p", "repeat_penalty", "presence_penalty", "frequency_penalty":
			f, ok := v.(float64)
			if !ok {
				return fmt.Errorf("option %q must be of type float32", key)
			}
			switch key {
			case "temperature":
				c.Temperature = &f
			case "top_p":
				c.TopP = &f
			}
		case "stop":
			list, ok := v.([]any)
			if !ok {
				return fmt.Errorf("option %q must be of type array", key)
			}
			for _, s := range list {
				str, ok := s.(string)
				if !ok {
					return fmt.Errorf("option %q must be of an array of strings", key)
				}
				c.Stop = append(c.Stop, str)
			}
		}
	}
	return nil
}
