// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package lower turns a request in the Gen AI SDK's types into what the server
// at hand can do: turns of plain pieces, a format, a switch for thoughts. It is
// the one place that decides between carrying, emulating and refusing where
// that depends on a value or on the model; the codecs only spell the result.
package lower

import (
	"encoding/json"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/schema"
	"github.com/gemma-go/sdk/internal/wire"
)

// Kind is what a piece of a turn is.
type Kind uint8

const (
	Text Kind = iota
	Thought
	Image    // Data and MIME
	ImageURL // Text is the URL
	Audio    // Data and MIME: audio/wav or audio/mpeg
	Call
	Result
)

// Piece is a part that the server takes.
type Piece struct {
	Kind   Kind
	Text   string
	Data   []byte
	MIME   string
	Call   *genai.FunctionCall
	Result *genai.FunctionResponse
	ID     string // of a Call or a Result: never empty, the same for both of a pair
}

// Turn is one side's part of the conversation.
type Turn struct {
	Model  bool
	Pieces []Piece
}

// Text returns the turn's text pieces as one.
func (t *Turn) Text() string {
	var b strings.Builder
	for i := range t.Pieces {
		if t.Pieces[i].Kind == Text {
			b.WriteString(t.Pieces[i].Text)
		}
	}
	return b.String()
}

// Format is what the answer has to look like.
type Format uint8

const (
	Free   Format = iota
	JSON          // any JSON value
	Schema        // JSON that satisfies Plan.Schema
)

// Plan is a request as the server gets it. It shares memory with the request
// and is never written to after New.
type Plan struct {
	System string // for a system role; "" when there is none, or when it was folded
	Turns  []Turn // never two model turns in a row
	Open   bool   // the last turn is the model's: the answer goes on from it

	Format Format
	Schema json.RawMessage // of Format Schema
	Enum   bool            // the answer is one of the schema's strings and is handed out without quotes

	Think    *bool // the switch, if the request set it
	Thoughts bool  // thoughts are handed out

	Tools Tools

	Config   *genai.GenerateContentConfig // never nil
	Emulated []wire.Emulation
	Hold     *Hold // nil = hand out as it comes

	req         *wire.Request
	col         wire.Column
	check       *schema.Validator // of the answer; nil = none, or any JSON
	constrained bool              // the format is that of calls
}

var noConfig genai.GenerateContentConfig

// New lowers r for a column, or returns the fault that names what can't be done.
func New(r *wire.Request, col wire.Column) (*Plan, error) {
	if err := wire.Refuse(r, col); err != nil {
		return nil, err
	}
	p := &Plan{Config: r.Config, req: r, col: col}
	if p.Config == nil {
		p.Config = &noConfig
	}
	if col == wire.ColGemini {
		return p, p.native()
	}
	for _, step := range []func() error{p.sampling, p.thinking, p.turns, p.tools, p.format, p.system, p.prefix} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// native is all that is looked at for a server of the whole Gemini API.
func (p *Plan) native() error {
	switch {
	case len(p.req.Contents) == 0:
		return fault.Bad("contents", "there is nothing to answer")
	case p.req.Prefix != "":
		return cantContinue()
	}
	return p.sampling()
}

func cantContinue() error {
	return fault.New(fault.Unsupported, "this answer can't be continued from its beginning")
}

// Resumable reports whether a broken answer may be continued from its own
// beginning: only text that nothing shapes.
func (p *Plan) Resumable() bool {
	return p.continues() && p.Format == Free && p.Hold == nil && !p.Tools.any() && p.Config.CandidateCount <= 1 &&
		!p.Config.ResponseLogprobs && (p.Think == nil || !*p.Think)
}

// continues reports whether the server is known to go on with an open model
// turn: Ollama and llama.cpp do so of themselves (also behind the prebuilt
// container's Gemini route), vLLM on request.
func (p *Plan) continues() bool {
	switch p.col {
	case wire.ColGemini:
		return false
	case wire.ColOpenAI:
		return p.req.Server.Software == wire.LlamaCpp
	}
	return true
}

func (p *Plan) emulate(feature, how string) {
	p.Emulated = append(p.Emulated, wire.Emulation{Feature: feature, How: how})
}

// system places the system instruction: in a role of its own where the
// protocol and the model have one, else before the first user turn's text.
func (p *Plan) system() error {
	text, err := instruction(p.Config.SystemInstruction)
	if err != nil {
		return err
	}
	extra := p.Tools.Prompt
	if text == "" && extra == "" {
		return nil
	}
	all := text
	if text != "" && extra != "" {
		all += "\n\n"
	}
	all += extra
	if p.hasSystemRole() {
		p.System = all
		return nil
	}
	if text != "" {
		p.emulate("config.systemInstruction", "folded into the first user turn")
	}
	p.before(all)
	return nil
}

// hasSystemRole: Gemma 3 has none. vLLM uses the template that came with the
// weights, which folds the instruction in itself; Ollama's template for Gemma 3
// makes it a user turn of its own, which the model was not trained on.
func (p *Plan) hasSystemRole() bool {
	switch p.col {
	case wire.ColPrebuilt:
		return false
	case wire.ColVLLM:
		return true
	}
	return p.req.Info.ID == "" || p.req.Info.System
}

// before puts text before the first user turn.
func (p *Plan) before(text string) {
	piece := Piece{Kind: Text, Text: text + "\n\n"}
	if len(p.Turns) == 0 || p.Turns[0].Model {
		p.Turns = append([]Turn{{Pieces: []Piece{{Kind: Text, Text: text}}}}, p.Turns...)
		return
	}
	first := p.Turns[0]
	first.Pieces = append([]Piece{piece}, first.Pieces...)
	p.Turns = append([]Turn{first}, p.Turns[1:]...)
}

// prefix opens the model's turn.
func (p *Plan) prefix() error {
	if prefix := p.req.Prefix; prefix != "" {
		if !p.Resumable() {
			return cantContinue()
		}
		piece := Piece{Kind: Text, Text: prefix}
		if last := len(p.Turns) - 1; last >= 0 && p.Turns[last].Model {
			p.Turns[last].Pieces = append(p.Turns[last].Pieces, piece)
		} else {
			p.Turns = append(p.Turns, Turn{Model: true, Pieces: []Piece{piece}})
		}
	}
	p.Open = p.Turns[len(p.Turns)-1].Model
	return nil
}

func instruction(c *genai.Content) (string, error) {
	if c == nil {
		return "", nil
	}
	var b strings.Builder
	for _, part := range c.Parts {
		if part == nil {
			continue
		}
		if part.InlineData != nil || part.FileData != nil || part.FunctionCall != nil || part.FunctionResponse != nil || part.Thought {
			return "", fault.Refuse("config.systemInstruction.parts", "a system instruction is text: put media into the first turn")
		}
		if b.Len() > 0 && part.Text != "" {
			b.WriteByte('\n')
		}
		b.WriteString(part.Text)
	}
	return b.String(), nil
}
