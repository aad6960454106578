// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"io"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/frame"
	"github.com/gemma-go/sdk/internal/wire/lower"
	"github.com/gemma-go/sdk/internal/wire/reply"
)

// decoder reads the responses of one answer.
//
// The end marker is the finish reason of every candidate. The response that has
// the last one is held back until the body ends cleanly: usage may follow it, and
// a body that breaks after it counts as interrupted.
type decoder struct {
	frames *frame.Reader
	req    *wire.Request
	want   int
	names  names
	models reply.Models
	begun  bool
	ended  bool
	err    error

	finishes int
	held     *genai.GenerateContentResponse
}

func newDecoder(src io.Reader, r *wire.Request, plan *lower.Plan) *decoder {
	return &decoder{frames: frame.New(src), req: r, want: plan.Candidates()}
}

func (d *decoder) Next() (*genai.GenerateContentResponse, error) {
	for d.err == nil {
		if d.ended {
			d.err = io.EOF
			break
		}
		data, kind, err := d.frames.Next()
		switch {
		case err == io.EOF && d.held != nil && d.finishes >= d.want:
			d.ended, d.begun = true, true
			resp := d.held
			d.held = nil
			return resp, nil
		case err != nil:
			d.err = reply.Broken(err, d.begun)
		case kind == frame.JSON:
			resp, err := d.response(data)
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

// response takes one frame and returns what can be handed out now.
func (d *decoder) response(data []byte) (*genai.GenerateContentResponse, error) {
	resp, foreign, failed, err := d.names.parse(data)
	switch {
	case err != nil:
		return nil, reply.Foreign(data, d.begun)
	case failed:
		return nil, reply.InStream(data, d.begun)
	case foreign != "":
		return nil, reply.WrongProtocol(foreign, d.begun)
	}
	if err := d.models.Check(d.req, resp.ModelVersion); err != nil {
		return nil, err
	}
	blocked := resp.PromptFeedback != nil && resp.PromptFeedback.BlockReason != ""
	if len(resp.Candidates) == 0 && !blocked {
		if resp.UsageMetadata == nil && resp.PromptFeedback == nil && resp.ModelVersion == "" && resp.ResponseID == "" {
			return nil, reply.Foreign(data, d.begun)
		}
		if d.held != nil && resp.UsageMetadata != nil {
			d.held.UsageMetadata = resp.UsageMetadata
		}
		return nil, nil
	}
	finishes, says := 0, false
	for _, c := range resp.Candidates {
		if c == nil {
			return nil, reply.Foreign(data, d.begun)
		}
		if c.FinishReason != "" && c.FinishReason != genai.FinishReasonUnspecified {
			finishes++
		}
		says = says || c.Content != nil && len(c.Content.Parts) > 0
	}
	if blocked { // the one answer there will be
		finishes = d.want
	}
	if finishes == 0 && !says && resp.UsageMetadata == nil {
		return nil, nil
	}
	previous := d.held
	d.held = nil
	if finishes == 0 && previous == nil {
		return resp, nil
	}
	d.finishes += finishes
	d.held = resp
	return previous, nil
}
