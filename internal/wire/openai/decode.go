// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"io"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/frame"
	"github.com/gemma-go/sdk/internal/wire/lower"
	"github.com/gemma-go/sdk/internal/wire/reply"
)

// decoder reads the events of one answer.
//
// The end marker is the finish reason of every choice. The response that has
// the last one is held back until the usage, [DONE] or a clean end of the body
// comes, so that it can carry the usage; if the body breaks before one of these,
// the answer counts as interrupted.
type decoder struct {
	frames   *frame.Reader
	req      *wire.Request
	thoughts bool
	logprobs bool
	want     int // choices
	model    reply.Name
	id       reply.Name
	head     head
	models   reply.Models
	begun    bool
	ended    bool
	err      error

	calls    map[int32]*calls // by choice
	finishes int
	usage    *genai.GenerateContentResponseUsageMetadata
	held     *genai.GenerateContentResponse
	queue    []*genai.GenerateContentResponse // of an event with several choices
}

func newDecoder(src io.Reader, r *wire.Request, plan *lower.Plan) *decoder {
	_, logprobs := plan.Logprobs()
	return &decoder{frames: frame.New(src), req: r, thoughts: plan.Thoughts, logprobs: logprobs, want: plan.Candidates()}
}

func (d *decoder) Next() (*genai.GenerateContentResponse, error) {
	for d.err == nil {
		if len(d.queue) > 0 {
			resp := d.queue[0]
			d.queue = d.queue[1:]
			return resp, nil
		}
		if d.ended {
			if d.held != nil {
				if d.err = d.cut(); d.err != nil {
					break
				}
				return d.release(), nil
			}
			d.frames.Drain()
			d.err = io.EOF
			break
		}
		data, kind, err := d.frames.Next()
		switch {
		case err == io.EOF && d.complete(), err == nil && kind == frame.Done && d.complete():
			d.ended = true
		case err == nil && kind == frame.Done:
			d.err = reply.Broken(io.EOF, d.begun)
		case err != nil:
			d.err = reply.Broken(err, d.begun)
		case kind == frame.JSON:
			resp, err := d.chunk(data)
			if err != nil {
				d.err = err
			} else if resp != nil {
				d.begun = true
				return resp, nil
			}
		case kind == frame.Failure:
			d.err = reply.InStream(data, d.begun)
		default:
			d.err = reply.Foreign(data, d.begun)
		}
	}
	return nil, d.err
}

func (d *decoder) complete() bool { return d.held != nil && d.finishes >= d.want }

func (d *decoder) release() *genai.GenerateContentResponse {
	resp := d.held
	d.held = nil
	resp.UsageMetadata = d.usage
	d.begun = true
	return resp
}

// chunk takes one event. It returns the response that can be handed out now,
// if there is one, and queues further ones.
func (d *decoder) chunk(data []byte) (*genai.GenerateContentResponse, error) {
	var c chunk
	if err := c.parse(data, &d.head); err != nil {
		return nil, reply.Foreign(data, d.begun)
	}
	switch {
	case c.err:
		return nil, reply.InStream(data, d.begun)
	case c.foreign != "":
		return nil, reply.WrongProtocol(c.foreign, d.begun)
	case !c.known:
		return nil, reply.Foreign(data, d.begun)
	}
	model := d.model.Of(c.model)
	if err := d.models.Check(d.req, model); err != nil {
		return nil, err
	}
	if u := c.usage; u != nil {
		d.usage = counts(u)
	}
	if c.n == 0 {
		// The usage is the last that a choice's answer waits for.
		if c.usage != nil && d.complete() {
			d.ended = true
		}
		return nil, nil
	}
	resp, err := d.choice(&c.first, c.id, model)
	if err != nil || c.n == 1 {
		return resp, err
	}
	if resp != nil {
		d.queue = append(d.queue, resp)
	}
	for i := range c.rest {
		resp, err := d.choice(&c.rest[i], c.id, model)
		if err != nil {
			return nil, err
		}
		if resp != nil {
			d.queue = append(d.queue, resp)
		}
	}
	return nil, nil
}

func (d *decoder) choice(c *choice, id []byte, model string) (*genai.GenerateContentResponse, error) {
	if d.logprobs && c.content != "" && len(c.logprobs) == 0 {
		return nil, reply.NoLogprobs()
	}
	if !d.thoughts {
		c.reasoning = ""
	}
	for _, f := range c.calls {
		if d.calls == nil {
			d.calls = map[int32]*calls{}
		}
		if d.calls[c.index] == nil {
			d.calls[c.index] = new(calls)
		}
		d.calls[c.index].add(f)
	}
	if c.content == "" && c.reasoning == "" && c.finish == "" {
		return nil, nil
	}
	var resp *genai.GenerateContentResponse
	if c.reasoning != "" {
		resp = reply.Text(c.reasoning, true, model)
		if c.content != "" {
			reply.AddPart(resp, &genai.Part{Text: c.content})
		}
	} else {
		resp = reply.Text(c.content, false, model)
	}
	resp.ResponseID = d.id.Of(id)
	candidate := resp.Candidates[0]
	candidate.Index = c.index
	candidate.LogprobsResult = reply.Logprobs(c.logprobs)
	previous := d.held
	d.held = nil
	if c.finish == "" {
		if previous != nil { // another choice has finished before
			d.queue = append(d.queue, resp)
			return previous, nil
		}
		return resp, nil
	}
	candidate.FinishReason = reply.Finish(c.finish)
	if candidate.FinishReason == genai.FinishReasonOther {
		candidate.FinishMessage = fault.Clip(c.finish)
	}
	if open := d.calls[c.index]; open != nil {
		parts, whole := open.finish()
		for _, p := range parts {
			reply.AddPart(resp, p)
		}
		if !whole {
			candidate.FinishMessage = "a function call was not whole"
			if candidate.FinishReason == genai.FinishReasonStop {
				candidate.FinishReason = genai.FinishReasonMalformedFunctionCall
			}
		}
	}
	d.finishes++
	d.held = resp
	return previous, nil
}

// cut tells a prompt that Ollama cut silently to its own default context: it then
// counts exactly as many tokens as that holds (measured on v0.6.5: 2048; on
// v0.24.0: 4096). This route can set no context, and cannot forbid the cut. A
// prompt that has just that length by itself is taken for a cut one.
func (d *decoder) cut() error {
	if d.req.Server.Software != wire.OllamaServer || d.usage == nil {
		return nil
	}
	switch n := d.usage.PromptTokenCount; n {
	case 2048, 4096:
		f := fault.Bad("contents", "the prompt fills the context window of %d tokens to the last one, so it was cut by the server", n)
		f.Hint = "send a shorter prompt, or use ProtocolOllama with Config.ContextWindow, which this route cannot carry"
		return f
	}
	return nil
}

func counts(u *usage) *genai.GenerateContentResponseUsageMetadata {
	var thoughts, cached int32
	if u.Answer != nil {
		thoughts = min(u.Answer.Reasoning, u.Completion)
	}
	if u.Input != nil {
		cached = u.Input.Cached
	}
	return reply.Usage(u.Prompt, u.Completion-thoughts, thoughts, cached)
}
