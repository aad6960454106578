// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/frame"
	"github.com/gemma-go/sdk/internal/wire/lower"
	"github.com/gemma-go/sdk/internal/wire/reply"
)

// decoder reads the lines of one answer.
type decoder struct {
	frames   *frame.Reader
	req      *wire.Request
	thoughts bool // hand thoughts out
	logprobs bool // asked for
	name     reply.Name
	models   reply.Models
	begun    bool // a response was handed out
	ended    bool // the end marker was seen
	err      error
}

func newDecoder(src io.Reader, r *wire.Request, plan *lower.Plan) *decoder {
	_, logprobs := plan.Logprobs()
	return &decoder{frames: frame.New(src), req: r, thoughts: plan.Thoughts, logprobs: logprobs}
}

func (d *decoder) Next() (*genai.GenerateContentResponse, error) {
	for d.err == nil {
		if d.ended {
			d.frames.Drain()
			d.err = io.EOF
			break
		}
		data, kind, err := d.frames.Next()
		switch {
		case err != nil:
			d.err = reply.Broken(err, d.begun)
		case kind == frame.JSON:
			resp, err := d.line(data)
			if err != nil {
				d.err = err
			} else if resp != nil {
				d.begun = true
				return resp, nil
			}
		case kind == frame.Failure:
			d.err = reply.InStream(data, d.begun)
		case kind == frame.Done:
			d.err = reply.WrongProtocol("the OpenAI API", d.begun)
		default:
			d.err = reply.Foreign(data, d.begun)
		}
	}
	return nil, d.err
}

// line makes a response of one line, or nil of one that says nothing.
func (d *decoder) line(data []byte) (*genai.GenerateContentResponse, error) {
	var l line
	if err := l.parse(data); err != nil {
		return nil, reply.Foreign(data, d.begun)
	}
	switch {
	case l.err:
		return nil, reply.InStream(data, d.begun)
	case l.foreign != "":
		return nil, reply.WrongProtocol(l.foreign, d.begun)
	case !l.recognisable:
		return nil, reply.Foreign(data, d.begun)
	}
	model := d.name.Of(l.model)
	if err := d.models.Check(d.req, model); err != nil {
		return nil, err
	}
	if d.logprobs && l.content != "" && len(l.logprobs) == 0 {
		return nil, reply.NoLogprobs()
	}
	if !d.thoughts {
		l.thinking = ""
	}
	if l.content == "" && l.thinking == "" && len(l.calls) == 0 && !l.done {
		return nil, nil
	}
	var resp *genai.GenerateContentResponse
	if l.thinking != "" {
		resp = reply.Text(l.thinking, true, model)
		if l.content != "" {
			reply.AddPart(resp, &genai.Part{Text: l.content})
		}
	} else {
		resp = reply.Text(l.content, false, model)
	}
	for i := range l.calls {
		c := &l.calls[i]
		reply.AddPart(resp, &genai.Part{FunctionCall: &genai.FunctionCall{ID: c.ID, Name: c.Function.Name, Args: c.Function.Arguments}})
	}
	resp.Candidates[0].LogprobsResult = reply.Logprobs(l.logprobs)
	if !l.done {
		return resp, nil
	}
	if err := d.cut(&l); err != nil {
		return nil, err
	}
	d.ended = true
	resp.Candidates[0].FinishReason = reply.Finish(l.reason)
	if resp.Candidates[0].FinishReason == genai.FinishReasonOther {
		resp.Candidates[0].FinishMessage = fault.Clip(l.reason) // "load": there was nothing to answer
	}
	if l.counted {
		resp.UsageMetadata = reply.Usage(l.prompt, l.eval, 0, 0)
	}
	return resp, nil
}

// oldWindow is the context that Ollama gives a model when nobody says how
// much, as measured on v0.6.5. Later versions know truncate:false.
const oldWindow = 2048

// cut tells a prompt that an older Ollama cut silently: it then counts exactly
// as many tokens as the context holds.
func (d *decoder) cut(l *line) error {
	window := int32(d.req.ContextWindow)
	if window == 0 && !refusesLongPrompts(d.req.Server.Version) {
		window = oldWindow
		if l.prompt > window {
			return nil // a larger one was set on the server
		}
	}
	if window == 0 || l.prompt < window {
		return nil
	}
	f := fault.Bad("contents", "the prompt is at least as long as the context window of %d tokens, and was cut by the server", window)
	f.Hint = fmt.Sprintf("send a shorter prompt, or set Config.ContextWindow to more than %d", window)
	return f
}

// refusesLongPrompts reports whether a version of Ollama knows truncate:false
// in a chat: from 0.12.4 on. Builds that don't tell say 0.0.0.
func refusesLongPrompts(version string) bool {
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(parts) < 2 {
		return false
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	return err1 == nil && err2 == nil && (major > 0 || minor > 12)
}
