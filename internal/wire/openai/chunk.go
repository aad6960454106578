// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/gemma-go/sdk/internal/wire/jsonscan"
	"github.com/gemma-go/sdk/internal/wire/reply"
)

// chunk is one event of an answer.
type chunk struct {
	id, model []byte // point into the frame
	first     choice // choices[0]
	rest      []choice
	n         int // choices
	usage     *usage
	err       bool
	foreign   string
	known     bool // has choices or usage
}

type choice struct {
	index     int32
	content   string
	reasoning string
	finish    string
	calls     []fragment
	logprobs  []reply.Logprob
}

type usage struct {
	Prompt     int32 `json:"prompt_tokens"`
	Completion int32 `json:"completion_tokens"`
	Answer     *struct {
		Reasoning int32 `json:"reasoning_tokens"`
	} `json:"completion_tokens_details"`
	Input *struct {
		Cached int32 `json:"cached_tokens"`
	} `json:"prompt_tokens_details"`
}

// fragment is a piece of a tool call.
type fragment struct {
	Index    int
	ID       string
	Function struct {
		Name      string
		Arguments string
	}
}

// head is the beginning of the last event up to its choices. Each event of an
// answer begins with the same 150 bytes; what they say is read once.
type head struct {
	raw, id, model []byte
	seen           int
}

// keep copies the head, since the frame it is in will be overwritten.
func (h *head) keep(raw []byte, c *chunk, seen int) {
	h.raw = append(h.raw[:0], raw...)
	h.id = append(h.id[:0], c.id...)
	h.model = append(h.model[:0], c.model...)
	h.seen = seen
}

func (c *chunk) parse(frame []byte, h *head) error {
	if c.fast(frame, h) {
		return nil
	}
	*c = chunk{}
	return c.slow(frame)
}

var choicesKey = []byte("choices")

const (
	kID = 1 << iota
	kModel
	kChoices
	kUsage
	kIndex
	kDelta
	kFinish
	kContent
	kReasoning
)

// fast reads the shapes that vLLM, Ollama and llama.cpp send once per token:
// one choice with a text, or none. A key that slow knows and fast does not, or a
// value that is not plain, goes the slow way.
func (c *chunk) fast(frame []byte, h *head) bool {
	s := jsonscan.New(frame)
	seen := 0
	known := len(h.raw) > 0 && bytes.HasPrefix(frame, h.raw)
	if known {
		s.Seek(len(h.raw))
		c.id, c.model, seen = h.id, h.model, h.seen
	} else if !s.Byte('{') {
		return false
	}
	for more, ok := true, true; more; {
		key, kok := choicesKey, true
		if !known {
			key, kok = s.Key()
		}
		if !kok {
			return false
		}
		var bit int
		switch string(key) {
		case "id", "model":
			raw, sok := s.Str()
			if !sok || raw.Escaped {
				return false
			}
			if key[0] == 'i' {
				bit, c.id = kID, raw.B
			} else {
				bit, c.model = kModel, raw.B
			}
		case "choices":
			bit = kChoices
			if !known {
				h.keep(frame[:s.Pos()], c, seen)
			}
			known = false
			if !c.fastChoices(&s) {
				return false
			}
		case "usage":
			bit = kUsage
			if !s.Null() {
				return false
			}
		case "error", "candidates", "message", "done":
			return false
		case "object":
			raw, sok := s.Str()
			if !sok || raw.Is("error") {
				return false
			}
		default:
			if !s.Scalar() {
				return false
			}
		}
		if seen&bit != 0 {
			return false
		}
		seen |= bit
		if more, ok = s.More('}'); !ok {
			return false
		}
	}
	c.known = true
	return seen&kChoices != 0 && s.End()
}

func (c *chunk) fastChoices(s *jsonscan.Scanner) bool {
	if !s.Byte('[') {
		return false
	}
	if s.Byte(']') {
		return true
	}
	if !s.Byte('{') {
		return false
	}
	c.n = 1
	seen := 0
	for more, ok := true, true; more; {
		key, kok := s.Key()
		if !kok {
			return false
		}
		var bit int
		switch string(key) {
		case "index":
			bit = kIndex
			if c.first.index, ok = s.Int(); !ok {
				return false
			}
		case "delta":
			bit = kDelta
			if !c.fastDelta(s) {
				return false
			}
		case "finish_reason":
			bit = kFinish
			if !s.Null() {
				raw, sok := s.Str()
				if !sok {
					return false
				}
				c.first.finish = raw.String()
			}
		case "message":
			return false
		case "logprobs":
			if !s.Null() {
				return false
			}
		default:
			if !s.Scalar() {
				return false
			}
		}
		if seen&bit != 0 {
			return false
		}
		seen |= bit
		if more, ok = s.More('}'); !ok {
			return false
		}
	}
	return seen&kDelta != 0 && s.Byte(']')
}

func (c *chunk) fastDelta(s *jsonscan.Scanner) bool {
	if !s.Byte('{') {
		return false
	}
	if s.Byte('}') {
		return true
	}
	seen := 0
	for more, ok := true, true; more; {
		key, kok := s.Key()
		if !kok {
			return false
		}
		var bit int
		switch string(key) {
		case "content", "reasoning_content", "reasoning":
			into := &c.first.content
			if bit = kContent; key[0] == 'r' {
				bit, into = kReasoning, &c.first.reasoning
			}
			if !s.Null() {
				raw, sok := s.Str()
				if !sok {
					return false
				}
				*into = raw.String()
			}
		case "tool_calls":
			if !s.Null() {
				return false
			}
		case "role":
			if !s.Null() {
				if _, sok := s.Str(); !sok {
					return false
				}
			}
		default:
			if !s.Scalar() {
				return false
			}
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

// document is a chunk, as encoding/json reads it.
type document struct {
	ID         string
	Object     json.RawMessage
	Model      string
	Choices    *[]jsonChoice
	Usage      *usage
	Error      json.RawMessage
	Candidates json.RawMessage
	Message    json.RawMessage
	Done       json.RawMessage
}

type jsonChoice struct {
	Index        int32
	Delta        *jsonDelta
	Message      *jsonDelta // of an answer that is not streamed
	FinishReason *string    `json:"finish_reason"`
	Logprobs     *struct {
		Content []reply.Logprob
	}
}

type jsonDelta struct {
	Role             *string
	Content          *string
	ReasoningContent *string    `json:"reasoning_content"`
	Reasoning        *string    `json:"reasoning"`
	ToolCalls        []fragment `json:"tool_calls"`
}

var errNotAChunk = errors.New("no chunk of an answer")

func (c *chunk) slow(frame []byte) error {
	var d document
	if err := json.Unmarshal(frame, &d); err != nil {
		return errNotAChunk
	}
	c.id, c.model = []byte(d.ID), []byte(d.Model)
	c.usage = d.Usage
	c.known = d.Choices != nil || d.Usage != nil
	switch {
	case len(d.Error) > 0 && string(d.Error) != "null", string(d.Object) == `"error"`:
		c.err = true
	case len(d.Candidates) > 0:
		c.foreign = "the Gemini API"
	case len(d.Message) > 0 || len(d.Done) > 0:
		c.foreign = "Ollama's API"
	}
	if d.Choices == nil {
		return nil
	}
	for i := range *d.Choices {
		read := (*d.Choices)[i].read()
		if c.n++; c.n == 1 {
			c.first = read
		} else {
			c.rest = append(c.rest, read)
		}
	}
	return nil
}

func (j *jsonChoice) read() choice {
	c := choice{index: j.Index}
	d := j.Delta
	if d == nil {
		d = j.Message
	}
	if d != nil {
		c.content = text(d.Content)
		if c.reasoning = text(d.Reasoning); d.ReasoningContent != nil {
			c.reasoning = *d.ReasoningContent
		}
		c.calls = d.ToolCalls
	}
	c.finish = text(j.FinishReason)
	if j.Logprobs != nil {
		c.logprobs = j.Logprobs.Content
	}
	return c
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
