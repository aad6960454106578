// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package ollama speaks Ollama's native API: /api/chat and what lists, counts
// and embeds beside it.
package ollama

import (
	"context"
	"encoding/json"
	"io"
	"net/http"

	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/lower"
	"github.com/gemma-go/sdk/internal/wire/reply"
	"github.com/gemma-go/sdk/internal/wire/send"
)

// Codec speaks Ollama's native API. The zero Codec is ready.
type Codec struct{}

// Protocol returns [wire.Ollama].
func (Codec) Protocol() wire.Protocol { return wire.Ollama }

// Fault reads an error.
func (Codec) Fault(resp *http.Response) error { return reply.Fault(resp) }

// chatRequest is the body of /api/chat. There is no keep_alive on purpose: it
// would outlive the request, and replace the server's own (measured on Ollama
// v0.6.5).
type chatRequest struct {
	Model       string          `json:"model"`
	Messages    []message       `json:"messages"`
	Stream      bool            `json:"stream"`
	Format      json.RawMessage `json:"format,omitempty"`
	Tools       json.RawMessage `json:"tools,omitempty"`
	Think       *bool           `json:"think,omitempty"`
	Logprobs    bool            `json:"logprobs,omitempty"`
	TopLogprobs int             `json:"top_logprobs,omitempty"`
	// Truncate false makes a prompt longer than the context an error. Versions
	// before 0.12 don't know it and cut the prompt; the decoder tells.
	Truncate bool `json:"truncate"`
	// Shift false ends an answer that fills the context, with done_reason "length".
	// Else Ollama forgets the beginning of the prompt and goes on.
	Shift   bool    `json:"shift"`
	Options options `json:"options"`
}

type options struct {
	NumCtx      int      `json:"num_ctx,omitempty"`
	NumPredict  int32    `json:"num_predict,omitempty"`
	Temperature *float32 `json:"temperature,omitempty"`
	TopP        *float32 `json:"top_p,omitempty"`
	TopK        *int     `json:"top_k,omitempty"`
	Seed        *int32   `json:"seed,omitempty"`
	Stop        []string `json:"stop,omitempty"` // an array even for one
}

type message struct {
	Role       string     `json:"role"`
	Content    string     `json:"content"`
	Thinking   string     `json:"thinking,omitempty"`
	Images     [][]byte   `json:"images,omitempty"`
	ToolCalls  []toolCall `json:"tool_calls,omitempty"`
	ToolName   string     `json:"tool_name,omitempty"`
	ToolCallID string     `json:"tool_call_id,omitempty"`
}

type toolCall struct {
	ID       string `json:"id,omitempty"`
	Function struct {
		Index     int            `json:"index"`
		Name      string         `json:"name"`
		Arguments map[string]any `json:"arguments"`
	} `json:"function"`
}

// Encode returns the request of one generation.
func (Codec) Encode(ctx context.Context, r *wire.Request) (*wire.Exchange, error) {
	plan, err := lower.New(r, wire.ColOllama)
	if err != nil {
		return nil, err
	}
	c := plan.Config
	body := chatRequest{
		Model:    r.Model,
		Messages: messages(plan),
		Stream:   true,
		Tools:    plan.Tools.Native,
		Think:    plan.Think,
		Options: options{
			NumCtx:      r.ContextWindow,
			NumPredict:  plan.MaxTokens(),
			Temperature: c.Temperature,
			TopP:        c.TopP,
			Seed:        c.Seed,
			Stop:        c.StopSequences,
		},
	}
	if c.TopK != nil {
		body.Options.TopK = new(int(*c.TopK))
	}
	body.TopLogprobs, body.Logprobs = plan.Logprobs()
	switch plan.Format {
	case lower.JSON:
		body.Format = json.RawMessage(`"json"`)
	case lower.Schema:
		body.Format = plan.Schema
	}
	req, err := send.JSON(ctx, http.MethodPost, send.URL(r.Base, "/api/chat"), &body, send.Bearer(r.APIKey))
	if err != nil {
		return nil, err
	}
	return plan.Exchange(req, func(header http.Header, src io.Reader) wire.Decoder {
		return newDecoder(src, r, plan)
	}), nil
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
	m := message{Role: "user", Content: t.Text()}
	if t.Model {
		m.Role = "assistant"
	}
	results := 0
	for i := range t.Pieces {
		piece := &t.Pieces[i]
		switch piece.Kind {
		case lower.Thought:
			m.Thinking += piece.Text
		case lower.Image:
			m.Images = append(m.Images, piece.Data)
		case lower.Call:
			call := toolCall{ID: piece.ID}
			call.Function.Index = len(m.ToolCalls)
			call.Function.Name = piece.Call.Name
			call.Function.Arguments = piece.Call.Args
			if call.Function.Arguments == nil {
				call.Function.Arguments = map[string]any{}
			}
			m.ToolCalls = append(m.ToolCalls, call)
		case lower.Result:
			results++
			out = append(out, message{Role: "tool", Content: lower.ResultText(piece.Result), ToolName: piece.Result.Name, ToolCallID: piece.ID})
		}
	}
	if results > 0 && m.Content == "" && len(m.Images) == 0 {
		return out
	}
	return append(out, m)
}
