// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package openai speaks the OpenAI-compatible API of vLLM, Ollama, llama.cpp's
// server and others: /v1/chat/completions and what lists, counts and embeds
// beside it.
//
// Ollama's OpenAI route replaces the model's own sampling defaults by
// temperature 1.0 and top_p 1.0 where the request does not set them (measured on
// v0.6.5 and v0.24.0); its native API keeps them.
package openai

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/lower"
	"github.com/gemma-go/sdk/internal/wire/reply"
	"github.com/gemma-go/sdk/internal/wire/send"
)

// Codec speaks the OpenAI-compatible API. The zero Codec is ready.
type Codec struct{}

// Protocol returns [wire.OpenAI].
func (Codec) Protocol() wire.Protocol { return wire.OpenAI }

// Fault reads an error.
func (Codec) Fault(resp *http.Response) error { return reply.Fault(resp) }

type chatRequest struct {
	Model         string          `json:"model"`
	Messages      []message       `json:"messages"`
	Stream        bool            `json:"stream"`
	StreamOptions streamOptions   `json:"stream_options"`
	MaxTokens     int32           `json:"max_tokens,omitempty"` // Ollama ignores max_completion_tokens
	Temperature   *float32        `json:"temperature,omitempty"`
	TopP          *float32        `json:"top_p,omitempty"`
	TopK          *int            `json:"top_k,omitempty"` // vLLM's
	N             int             `json:"n,omitempty"`
	Stop          []string        `json:"stop,omitempty"`
	Seed          *int32          `json:"seed,omitempty"`
	Presence      *float32        `json:"presence_penalty,omitempty"`
	Frequency     *float32        `json:"frequency_penalty,omitempty"`
	Logprobs      bool            `json:"logprobs,omitempty"`
	TopLogprobs   int             `json:"top_logprobs,omitempty"`
	Format        *responseFormat `json:"response_format,omitempty"`
	Tools         json.RawMessage `json:"tools,omitempty"`
	ToolChoice    any             `json:"tool_choice,omitempty"`

	// vLLM's.
	Template        map[string]any `json:"chat_template_kwargs,omitempty"`
	ContinueFinal   bool           `json:"continue_final_message,omitempty"`
	GenerationStart *bool          `json:"add_generation_prompt,omitempty"`
}

type streamOptions struct {
	IncludeUsage bool `json:"include_usage"`
}

type responseFormat struct {
	Type   string      `json:"type"`
	Schema *jsonSchema `json:"json_schema,omitempty"`
}

type jsonSchema struct {
	Name   string          `json:"name"`
	Schema json.RawMessage `json:"schema"`
	Strict bool            `json:"strict"`
}

type message struct {
	Role       string     `json:"role"`
	Content    any        `json:"content"` // a string, or []contentPart
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
	Name       string     `json:"name,omitempty"`
}

type contentPart struct {
	Type  string      `json:"type"`
	Text  string      `json:"text,omitempty"`
	Image *imageURL   `json:"image_url,omitempty"`
	Audio *inputAudio `json:"input_audio,omitempty"`
}

type imageURL struct {
	URL string `json:"url"`
}

type inputAudio struct {
	Data   []byte `json:"data"`
	Format string `json:"format"`
}

type toolCall struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Function function `json:"function"`
}

type function struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"` // JSON in a string
}

// Encode returns the request of one generation.
func (Codec) Encode(ctx context.Context, r *wire.Request) (*wire.Exchange, error) {
	col := wire.ColumnOf(wire.OpenAI, r.Server.Software)
	plan, err := lower.New(r, col)
	if err != nil {
		return nil, err
	}
	c := plan.Config
	body := chatRequest{
		Model:         r.Model,
		Messages:      messages(plan),
		Stream:        true,
		StreamOptions: streamOptions{IncludeUsage: true},
		MaxTokens:     plan.MaxTokens(),
		Temperature:   c.Temperature,
		TopP:          c.TopP,
		Stop:          c.StopSequences,
		Seed:          c.Seed,
		Presence:      nonZero(c.PresencePenalty),
		Frequency:     nonZero(c.FrequencyPenalty),
		Tools:         plan.Tools.Native,
		ToolChoice:    plan.Tools.Choice,
	}
	if c.TopK != nil {
		body.TopK = new(int(*c.TopK))
	}
	if n := plan.Candidates(); n > 1 {
		body.N = n
	}
	body.TopLogprobs, body.Logprobs = plan.Logprobs()
	switch plan.Format {
	case lower.JSON:
		body.Format = &responseFormat{Type: "json_object"}
	case lower.Schema:
		body.Format = &responseFormat{Type: "json_schema", Schema: &jsonSchema{Name: "answer", Schema: plan.Schema, Strict: true}}
	}
	if plan.Think != nil {
		body.Template = map[string]any{"enable_thinking": *plan.Think}
	}
	if plan.Open && col == wire.ColVLLM {
		body.ContinueFinal, body.GenerationStart = true, new(false)
	}
	req, err := send.JSON(ctx, http.MethodPost, endpoint(r.Base, "/chat/completions"), &body, send.Bearer(r.APIKey))
	if err != nil {
		return nil, err
	}
	return plan.Exchange(req, func(header http.Header, src io.Reader) wire.Decoder {
		return newDecoder(src, r, plan)
	}), nil
}

// endpoint adds a path below /v1, which OpenAI's clients put into the base URL.
func endpoint(base *url.URL, path string) *url.URL {
	if strings.HasSuffix(strings.TrimRight(base.Path, "/"), "/v1") {
		return send.URL(base, path)
	}
	return send.URL(base, "/v1"+path)
}

func nonZero(p *float32) *float32 {
	if p == nil || *p == 0 {
		return nil
	}
	return p
}

func messages(plan *lower.Plan) []message {
	out := make([]message, 0, len(plan.Turns)+1)
	if plan.System != "" {
		out = append(out, message{Role: "system", Content: plan.System})
	}
	for i := range plan.Turns {
		out = appendTurn(out, &plan.Turns[i])
	}
	return out
}

// appendTurn spells one turn: results are messages of their own, before what
// else the turn says.
func appendTurn(out []message, t *lower.Turn) []message {
	m := message{Role: "user"}
	if t.Model {
		m.Role = "assistant"
	}
	var parts []contentPart
	media, results := false, 0
	for i := range t.Pieces {
		piece := &t.Pieces[i]
		switch piece.Kind {
		case lower.Text:
			if n := len(parts); n > 0 && parts[n-1].Type == "text" {
				parts[n-1].Text += piece.Text
			} else {
				parts = append(parts, contentPart{Type: "text", Text: piece.Text})
			}
		case lower.Image:
			media = true
			url := "data:" + piece.MIME + ";base64," + base64.StdEncoding.EncodeToString(piece.Data)
			parts = append(parts, contentPart{Type: "image_url", Image: &imageURL{url}})
		case lower.ImageURL:
			media = true
			parts = append(parts, contentPart{Type: "image_url", Image: &imageURL{piece.Text}})
		case lower.Audio:
			media = true
			format := strings.TrimPrefix(piece.MIME, "audio/")
			if format == "mpeg" {
				format = "mp3"
			}
			parts = append(parts, contentPart{Type: "input_audio", Audio: &inputAudio{piece.Data, format}})
		case lower.Call:
			args, err := json.Marshal(piece.Call.Args)
			if err != nil || piece.Call.Args == nil {
				args = []byte("{}")
			}
			m.ToolCalls = append(m.ToolCalls, toolCall{ID: piece.ID, Type: "function",
				Function: function{Name: piece.Call.Name, Arguments: string(args)}})
		case lower.Result:
			results++
			out = append(out, message{Role: "tool", Content: lower.ResultText(piece.Result), ToolCallID: piece.ID})
		}
	}
	switch {
	case media:
		m.Content = parts
	case len(parts) > 0:
		m.Content = parts[0].Text
	case results > 0 && len(m.ToolCalls) == 0:
		return out
	default:
		m.Content = ""
	}
	return append(out, m)
}
