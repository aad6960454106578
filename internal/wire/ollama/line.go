// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"encoding/json"
	"errors"

	"github.com/gemma-go/sdk/internal/wire/jsonscan"
	"github.com/gemma-go/sdk/internal/wire/reply"
)

// line is one line of an answer.
type line struct {
	model        []byte // points into the frame
	content      string
	thinking     string
	done         bool
	reason       string
	prompt, eval int32
	counted      bool // prompt or eval was there
	calls        []toolCall
	logprobs     []reply.Logprob
	err          bool   // an error object
	foreign      string // another protocol's shape
	recognisable bool   // has message or done
}

// parse reads a frame: fast if it is one of the shapes that every version of
// Ollama sends once per token, else by encoding/json.
func (l *line) parse(frame []byte) error {
	if l.fast(frame) {
		return nil
	}
	*l = line{}
	return l.slow(frame)
}

// Keys seen once, so that a repeated one goes the slow way.
const (
	kModel = 1 << iota
	kMessage
	kDone
	kReason
	kPrompt
	kEval
	kRole
	kContent
	kThinking
)

func (l *line) fast(frame []byte) bool {
	s := jsonscan.New(frame)
	if !s.Byte('{') {
		return false
	}
	seen := 0
	for more, ok := true, true; more; {
		key, kok := s.Key()
		if !kok {
			return false
		}
		var bit int
		switch string(key) {
		case "model":
			raw, sok := s.Str()
			if !sok || raw.Escaped {
				return false
			}
			bit, l.model = kModel, raw.B
		case "message":
			bit = kMessage
			if !l.fastMessage(&s) {
				return false
			}
		case "done":
			bit = kDone
			if l.done, ok = s.Bool(); !ok {
				return false
			}
		case "done_reason":
			raw, sok := s.Str()
			if !sok {
				return false
			}
			bit, l.reason = kReason, raw.String()
		case "prompt_eval_count":
			bit = kPrompt
			if l.prompt, ok = s.Int(); !ok {
				return false
			}
		case "eval_count":
			bit = kEval
			if l.eval, ok = s.Int(); !ok {
				return false
			}
		case "created_at", "total_duration", "load_duration", "prompt_eval_duration", "eval_duration":
			if !s.Scalar() {
				return false
			}
		default:
			return false
		}
		if seen&bit != 0 {
			return false
		}
		seen |= bit
		if more, ok = s.More('}'); !ok {
			return false
		}
	}
	l.recognisable = seen&(kMessage|kDone) != 0
	l.counted = seen&(kPrompt|kEval) != 0
	return s.End()
}

func (l *line) fastMessage(s *jsonscan.Scanner) bool {
	if !s.Byte('{') {
		return false
	}
	seen := 0
	for more, ok := true, true; more; {
		key, kok := s.Key()
		if !kok {
			return false
		}
		raw, sok := s.Str()
		if !sok {
			return false
		}
		var bit int
		switch string(key) {
		case "role":
			bit = kRole
		case "content":
			bit, l.content = kContent, raw.String()
		case "thinking":
			bit, l.thinking = kThinking, raw.String()
		default:
			return false
		}
		if seen&bit != 0 {
			return false
		}
		seen |= bit
		if more, ok = s.More('}'); !ok {
			return false
		}
	}
	return true
}

// document is a line, as encoding/json reads it.
type document struct {
	Model   string
	Message *struct {
		Role      string
		Content   string
		Thinking  string
		ToolCalls []toolCall `json:"tool_calls"`
	}
	Done            *bool
	DoneReason      string          `json:"done_reason"`
	PromptEvalCount *int32          `json:"prompt_eval_count"`
	EvalCount       *int32          `json:"eval_count"`
	Logprobs        []reply.Logprob `json:"logprobs"`
	Error           json.RawMessage
	Choices         json.RawMessage
	Candidates      json.RawMessage
}

var errNotALine = errors.New("no line of an answer")

func (l *line) slow(frame []byte) error {
	var d document
	if err := json.Unmarshal(frame, &d); err != nil {
		return errNotALine
	}
	l.model = []byte(d.Model)
	if m := d.Message; m != nil {
		l.content, l.thinking, l.calls = m.Content, m.Thinking, m.ToolCalls
	}
	if d.Done != nil {
		l.done = *d.Done
	}
	l.reason = d.DoneReason
	if d.PromptEvalCount != nil {
		l.prompt = *d.PromptEvalCount
	}
	if d.EvalCount != nil {
		l.eval = *d.EvalCount
	}
	l.counted = d.PromptEvalCount != nil || d.EvalCount != nil
	l.logprobs = d.Logprobs
	l.recognisable = d.Message != nil || d.Done != nil
	switch {
	case len(d.Error) > 0 && string(d.Error) != "null":
		l.err = true
	case len(d.Choices) > 0:
		l.foreign = "the OpenAI API"
	case len(d.Candidates) > 0:
		l.foreign = "the Gemini API"
	}
	return nil
}
