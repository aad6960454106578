// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// chatRequest is the OpenAI API's, with the further fields of vLLM. What a
// server ignores, its handler does not read.
type chatRequest struct {
	Model         string
	Messages      []chatMessage
	Stream        bool
	StreamOptions *struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	MaxTokens           *int `json:"max_tokens"`
	MaxCompletionTokens *int `json:"max_completion_tokens"`
	Temperature         *float64
	TopP                *float64 `json:"top_p"`
	TopK                *float64 `json:"top_k"`
	Seed                *int
	Stop                any
	N                   *int
	PresencePenalty     *float64 `json:"presence_penalty"`
	FrequencyPenalty    *float64 `json:"frequency_penalty"`
	Logprobs            *bool
	TopLogprobs         int `json:"top_logprobs"`
	ResponseFormat      *struct {
		Type       string
		JSONSchema *struct {
			Schema json.RawMessage
		} `json:"json_schema"`
	} `json:"response_format"`
	Tools               []ollamaTool
	ToolChoice          json.RawMessage `json:"tool_choice"`
	ReasoningEffort     string          `json:"reasoning_effort"`
	AddGenerationPrompt *bool           `json:"add_generation_prompt"`
	ContinueFinal       bool            `json:"continue_final_message"`
	TemplateKwargs      map[string]any  `json:"chat_template_kwargs"`
}

type chatMessage struct {
	Role      string
	Content   json.RawMessage
	ToolCalls []struct {
		ID       string
		Function struct{ Name, Arguments string }
	} `json:"tool_calls"`
	ToolCallID string `json:"tool_call_id"`
	Name       string
}

var (
	errImageURL   = errors.New("invalid image input")
	errImageBytes = errors.New("illegal base64 data at input byte 0")
)

// read is the message as the model sees it.
func (m *chatMessage) read() (Message, error) {
	out := Message{Role: m.Role, CallID: m.ToolCallID, Name: m.Name}
	for _, tc := range m.ToolCalls {
		out.Calls = append(out.Calls, ToolCall{ID: tc.ID, Name: tc.Function.Name, Args: json.RawMessage(tc.Function.Arguments)})
	}
	if len(m.Content) == 0 || string(m.Content) == "null" {
		return out, nil
	}
	if m.Content[0] == '"' {
		return out, json.Unmarshal(m.Content, &out.Text)
	}
	var parts []struct {
		Type     string
		Text     string
		ImageURL *struct{ URL string } `json:"image_url"`
	}
	if err := json.Unmarshal(m.Content, &parts); err != nil {
		return out, fmt.Errorf("invalid message content type: %T", m.Content)
	}
	for _, p := range parts {
		switch p.Type {
		case "text":
			out.Text += p.Text
		case "image_url":
			if p.ImageURL == nil {
				return out, errImageURL
			}
			head, data, ok := strings.Cut(p.ImageURL.URL, ";base64,")
			if !ok || !strings.HasPrefix(head, "data:image/") {
				return out, errImageURL
			}
			if badBase64(data) >= 0 {
				return out, errImageBytes
			}
			out.Images++
		case "input_audio", "audio_url":
			out.Audio++
		default:
			return out, fmt.Errorf("unknown part type %q", p.Type)
		}
	}
	return out, nil
}

// call is the request as far as every server understands it.
func (req *chatRequest) call(r *http.Request, body []byte) (*Call, error) {
	c := &Call{Route: r.URL.Path, Model: req.Model, Stream: req.Stream, Header: redact(r.Header), Body: body,
		Temperature: req.Temperature, TopP: req.TopP, Seed: req.Seed, Presence: req.PresencePenalty, Frequency: req.FrequencyPenalty}
	for i := range req.Messages {
		m, err := req.Messages[i].read()
		if err != nil {
			return nil, err
		}
		if m.Role == "tool" && m.Name == "" {
			m.Name = toolName(c.Messages, m.CallID)
		}
		c.Messages = append(c.Messages, m)
	}
	for _, t := range req.Tools {
		c.Tools = append(c.Tools, Tool{Name: t.Function.Name, Description: t.Function.Description, Parameters: t.Function.Parameters})
	}
	if req.MaxTokens != nil {
		c.MaxTokens = *req.MaxTokens
	}
	switch s := req.Stop.(type) {
	case string:
		c.Stop = []string{s}
	case []any:
		for _, v := range s {
			c.Stop = append(c.Stop, fmt.Sprint(v))
		}
	}
	if f := req.ResponseFormat; f != nil {
		switch {
		case f.Type == "json_object":
			c.Format = json.RawMessage(`"json"`)
		case f.Type == "json_schema" && f.JSONSchema != nil:
			c.Format = f.JSONSchema.Schema
		}
	}
	return c, nil
}

func (req *chatRequest) logprobs() logprobs {
	return logprobs{req.Logprobs != nil && *req.Logprobs, req.TopLogprobs}
}

// toolName finds the name of the function that a result belongs to.
func toolName(messages []Message, id string) string {
	for _, m := range messages {
		for _, tc := range m.Calls {
			if tc.ID == id {
				return tc.Name
			}
		}
	}
	return ""
}

// openAIChat is Ollama's /v1/chat/completions: a layer over /api/chat, which
// reads only the fields that v0.6.5 knows and puts the OpenAI API's defaults
// in the place of the model's own.
func (o *ollama) openAIChat(w http.ResponseWriter, r *http.Request) {
	var req chatRequest
	body, err := bind(r, &req)
	p := &openAI{ollama: true, newer: o.newer(), id: fmt.Sprintf("chatcmpl-%d", crcOf(string(body))%1000), model: req.Model}
	invalid := func(message string) {
		p.refuseType(w, http.StatusBadRequest, "application/json; charset=utf-8", message, "invalid_request_error", "")
	}
	if err != nil {
		invalid(err.Error())
		return
	}
	if len(req.Messages) == 0 {
		invalid("[] is too short - 'messages'")
		return
	}
	c, err := req.call(r, body)
	if err != nil {
		message := err.Error()
		if errors.Is(err, errImageURL) && o.newer() {
			message = "image URLs are not currently supported, please use base64 encoded data instead"
		}
		invalid(message)
		return
	}
	if req.ReasoningEffort != "" && o.newer() {
		if !modelInfo(req.Model).Thinking {
			p.refuse(w, http.StatusBadRequest, fmt.Sprintf("%q does not support thinking", req.Model))
			return
		}
		c.Think = req.ReasoningEffort != "none"
	}
	if c.Temperature == nil {
		c.Temperature = new(1.0)
	}
	if c.TopP == nil {
		c.TopP = new(1.0)
	}
	if o.newer() {
		p.logs = req.logprobs()
		c.Logprobs, c.TopLogprobs = p.logs.on, p.logs.top
	}
	p.usage = req.StreamOptions != nil && req.StreamOptions.IncludeUsage
	o.run(w, r, &ollamaRun{call: c, proto: p})
}

func (o *ollama) openAIModels(w http.ResponseWriter) {
	var list []string
	for _, name := range o.cfg.ollamaNames() {
		list = append(list, o.openAIModelJSON(name))
	}
	writeJSON(w, http.StatusOK, "application/json", []byte(`{"object":"list","data":[`+strings.Join(list, ",")+"]}\n"))
}

func (o *ollama) openAIModelJSON(name string) string {
	return fmt.Sprintf(`{"id":%s,"object":"model","created":%d,"owned_by":"library"}`, quote(name), modified.Unix())
}

func (o *ollama) openAIModel(w http.ResponseWriter, name string) {
	if served, ok := o.cfg.resolve(name); ok {
		writeJSON(w, http.StatusOK, "application/json", []byte(o.openAIModelJSON(served)+"\n"))
		return
	}
	(&openAI{ollama: true, newer: o.newer()}).refuse(w, http.StatusNotFound, fmt.Sprintf("model '%s' not found", name))
}

func (o *ollama) openAIEmbed(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Model string
		Input any
	}
	_, err := bind(r, &req)
	p := &openAI{ollama: true, newer: o.newer()}
	if err != nil {
		p.refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	vectors, status, message := o.vectors(req.Model, req.Input)
	if status != http.StatusOK {
		p.refuse(w, status, message)
		return
	}
	writeJSON(w, http.StatusOK, "application/json", embeddingList(req.Model, vectors, inputTokens(req.Input)))
}

// embeddingList is the OpenAI API's answer to /v1/embeddings.
func embeddingList(model string, vectors [][]float32, tokens int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"object":"list","data":[`)
	for i, v := range vectors {
		if i > 0 {
			b.WriteByte(',')
		}
		one, err := json.Marshal(v)
		if err != nil {
			one = []byte("[]")
		}
		fmt.Fprintf(&b, `{"object":"embedding","embedding":%s,"index":%d}`, one, i)
	}
	fmt.Fprintf(&b, `],"model":%s,"usage":{"prompt_tokens":%d,"total_tokens":%d}}`+"\n", quote(model), tokens, tokens)
	return b.Bytes()
}
