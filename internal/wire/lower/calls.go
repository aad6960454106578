// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package lower

import (
	"crypto/rand"
	"errors"
	"io"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/toolcall"
	"github.com/gemma-go/sdk/internal/wire"
)

func (t *Tools) wrap(d wire.Decoder) wire.Decoder {
	switch {
	case t.scan:
		return &scanning{Decoder: d, scan: t.shim.NewScanner(t.constrained)}
	case t.must:
		return &calling{Decoder: d}
	}
	return d
}

// scanning reads calls from the text of an answer. Text that is no call goes
// on as it comes.
type scanning struct {
	wire.Decoder
	scan *toolcall.Scanner
	err  error
}

func (d *scanning) Next() (*genai.GenerateContentResponse, error) {
	for d.err == nil {
		resp, err := d.Decoder.Next()
		if err != nil {
			d.err = err
			break
		}
		if len(resp.Candidates) == 0 {
			return resp, nil
		}
		c := resp.Candidates[0]
		if c.Content == nil {
			c.Content = &genai.Content{Role: genai.RoleModel}
		}
		var parts []*genai.Part
		for _, part := range c.Content.Parts {
			if part.Thought || part.Text == "" {
				parts = append(parts, part)
				continue
			}
			parts = appendEvents(parts, d.scan.Write(part.Text))
		}
		if c.FinishReason != "" {
			events, err := d.scan.Close(c.FinishReason != genai.FinishReasonStop)
			parts = appendEvents(parts, events)
			if err != nil {
				d.err = noCall(err)
				break
			}
		}
		c.Content.Parts = parts
		if len(parts) > 0 || c.FinishReason != "" {
			return resp, nil
		}
	}
	return nil, d.err
}

func appendEvents(parts []*genai.Part, events []toolcall.Event) []*genai.Part {
	for _, e := range events {
		if e.Call != nil {
			// The scanner numbers the calls of one answer. An agent's history
			// holds many answers, and matches results to calls by id.
			e.Call.ID = "call_" + rand.Text()
			parts = append(parts, &genai.Part{FunctionCall: e.Call})
			continue
		}
		if e.Text == "" {
			continue
		}
		if n := len(parts); n > 0 && parts[n-1].FunctionCall == nil && !parts[n-1].Thought {
			parts[n-1].Text += e.Text
		} else {
			parts = append(parts, &genai.Part{Text: e.Text})
		}
	}
	return parts
}

// noCall makes a fault of a call that could not be read. The error of package
// toolcall stays in the chain: it knows how to ask for a better one.
func noCall(err error) error {
	if f, ok := err.(*fault.Error); ok {
		return f
	}
	return &fault.Error{Kind: fault.Server, Message: "the model tried to call a function and failed", Err: err, Retry: true}
}

// calling makes sure that a server which was told that there has to be a call
// answered with one.
type calling struct {
	wire.Decoder
	called bool
	err    error
}

func (d *calling) Next() (*genai.GenerateContentResponse, error) {
	if d.err != nil {
		return nil, d.err
	}
	resp, err := d.Decoder.Next()
	if err == io.EOF && !d.called {
		err = &fault.Error{Kind: fault.Server, Field: "config.toolConfig.functionCallingConfig.mode",
			Message: "the server was told that the model must call a function, and answered without a call"}
	}
	if err != nil {
		d.err = err
		return nil, err
	}
	for _, c := range resp.Candidates {
		d.called = d.called || c.FinishReason == genai.FinishReasonMaxTokens
		if c.Content != nil {
			for _, part := range c.Content.Parts {
				d.called = d.called || part.FunctionCall != nil
			}
		}
	}
	return resp, nil
}

// holdCalls has an answer that must be a call checked before it is handed out:
// there is no decoding under a schema here.
func (p *Plan) holdCalls(shim *toolcall.Shim) {
	p.Hold = &Hold{
		Check: func(r *genai.GenerateContentResponse) error {
			text, calls, err := toolcall.Parse(shim, wholeText(r))
			if err != nil {
				return noCall(err)
			}
			var parts []*genai.Part
			if text != "" {
				parts = append(parts, &genai.Part{Text: text})
			}
			for _, call := range calls {
				parts = append(parts, &genai.Part{FunctionCall: call})
			}
			if len(r.Candidates) > 0 {
				r.Candidates[0].Content = &genai.Content{Role: genai.RoleModel, Parts: parts}
			}
			return nil
		},
		Repair: func(bad *genai.GenerateContentResponse, why error) *wire.Request {
			ask := "Answer with a function call."
			if e, ok := errors.AsType[*toolcall.Error](why); ok {
				ask = e.Repair()
			}
			return p.again(wholeText(bad), ask)
		},
	}
}
