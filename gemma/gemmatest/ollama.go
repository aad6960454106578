// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
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
		Logprobs  bool
		Top       int `json:"top_logprobs"`
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
	p := &native{newer: o.newer(), chat: true}
	if o.newer() {
		p.logs = logprobs{req.Logprobs, req.Top}
		c.Logprobs, c.TopLogprobs = req.Logprobs, req.Top
	}
	o.run(w, r, &ollamaRun{call: c, options: req.Options, keepAlive: req.KeepAlive,
		keepPrompt: req.Truncate != nil && !*req.Truncate && o.newer(),
		empty:      len(req.Messages) == 0, proto: p})
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
