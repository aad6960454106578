// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package lower

import (
	"encoding/json"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/schema"
	"github.com/gemma-go/sdk/internal/toolcall"
	"github.com/gemma-go/sdk/internal/wire"
)

// Tools is what the model may call: natively, or by a prompt.
type Tools struct {
	Native json.RawMessage // the declarations, as Ollama and OpenAI spell them; nil = none
	Choice any             // OpenAI's tool_choice; nil = the server's default
	Prompt string          // what goes before the conversation: declarations, or a format

	must        bool // native, and there has to be a call
	shim        *toolcall.Shim
	constrained bool // the answer is decoded under the shim's schema
	scan        bool // calls are read from the text while it streams
}

func (t *Tools) any() bool { return t.Native != nil || t.shim != nil && t.shim.Active() }

// tools decides how the model gets its functions: natively where the model and
// the server have tool calls, else by a prompt.
func (p *Plan) tools() error {
	if p.col == wire.ColGemini {
		return nil
	}
	shim, err := toolcall.New(p.Config.Tools, p.Config.ToolConfig)
	if err != nil {
		return err
	}
	native := p.takesTools()
	mode := p.mode()
	if shim.Active() {
		p.reportTold()
		if len(p.allowed()) > 0 {
			p.emulate("config.toolConfig.functionCallingConfig.allowedFunctionNames", "only those are declared")
		}
		// Ollama has no tool choice, on either of its APIs; and no server here
		// validates arguments while it lets the model choose.
		if mode == genai.FunctionCallingConfigModeValidated ||
			mode == genai.FunctionCallingConfigModeAny && (p.col == wire.ColOllama || p.col == wire.ColOllamaOpenAI) {
			if native {
				p.emulate("config.toolConfig.functionCallingConfig.mode", "declared in the prompt, and decoded under a schema of the calls")
			}
			native = false
		}
	}
	if native {
		if shim.Active() {
			return p.declare(mode)
		}
		return nil
	}
	p.Tools.shim = shim
	if err := p.render(shim); err != nil {
		return err
	}
	if !shim.Active() {
		return nil
	}
	if p.Config.CandidateCount > 1 {
		return fault.Refuse("config.candidateCount", "can't be combined with tools for a model that has no tool calls of its own")
	}
	how := "declared in the prompt; calls are read from the text"
	p.Tools.scan = true
	p.Tools.constrained = mode == genai.FunctionCallingConfigModeAny || mode == genai.FunctionCallingConfigModeValidated
	if p.col == wire.ColPrebuilt && p.Tools.constrained {
		p.Tools.constrained = false
		if mode == genai.FunctionCallingConfigModeAny {
			p.Tools.scan = false
			p.holdCalls(shim)
		}
	}
	if p.Tools.constrained {
		how = "declared in the prompt, and decoded under a schema of the calls"
		raw, err := shim.Schema()
		if err != nil {
			return err
		}
		p.Format, p.Schema, p.constrained = Schema, raw, true
	}
	p.emulate("config.tools", how)
	p.Tools.Prompt = shim.Instruction(p.Tools.constrained)
	return nil
}

// takesTools reports whether the server will take declarations for this model.
// Of a custom model it is believed, until the server says no.
func (p *Plan) takesTools() bool {
	s := &p.req.Server
	switch {
	case p.col == wire.ColPrebuilt || s.NoTools:
		return false
	case s.Known:
		return s.Tools
	case p.req.Info.ID != "":
		return p.req.Info.Tools
	}
	return true
}

func (p *Plan) mode() genai.FunctionCallingConfigMode {
	if t := p.Config.ToolConfig; t != nil && t.FunctionCallingConfig != nil {
		return t.FunctionCallingConfig.Mode
	}
	return ""
}

func (p *Plan) allowed() []string {
	if t := p.Config.ToolConfig; t != nil && t.FunctionCallingConfig != nil {
		return t.FunctionCallingConfig.AllowedFunctionNames
	}
	return nil
}

type nativeTool struct {
	Type     string         `json:"type"`
	Function nativeFunction `json:"function"`
}

type nativeFunction struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
}

// declare spells the declarations that the model may use.
func (p *Plan) declare(mode genai.FunctionCallingConfigMode) error {
	allowed := map[string]bool{}
	for _, name := range p.allowed() {
		allowed[name] = true
	}
	var out []nativeTool
	for _, t := range p.Config.Tools {
		if t == nil {
			continue
		}
		for _, d := range t.FunctionDeclarations {
			if len(allowed) > 0 && !allowed[d.Name] {
				continue
			}
			f := nativeFunction{Name: d.Name, Description: d.Description}
			var err error
			if f.Parameters, err = parameters(d); err != nil {
				return err
			}
			if (p.col == wire.ColOllama || p.col == wire.ColOllamaOpenAI) && !keeps(f.Parameters) {
				f.Description = line(f.Description, "Takes JSON of this schema: "+string(f.Parameters))
				p.emulateOnce("config.tools.functionDeclarations.parameters", "what Ollama drops of a schema is told to the model in the function's description")
			}
			result, err := result(d)
			if err != nil {
				return err
			}
			if result != nil {
				f.Description = line(f.Description, "Returns JSON of this schema: "+string(result))
			}
			out = append(out, nativeTool{"function", f})
		}
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return &fault.Error{Kind: fault.Invalid, Field: "config.tools", Message: "is no JSON", Err: err}
	}
	p.Tools.Native = raw
	if mode == genai.FunctionCallingConfigModeAny {
		p.Tools.Choice, p.Tools.must = "required", true
	}
	return nil
}

func line(text, more string) string {
	if text == "" {
		return more
	}
	return text + "\n" + more
}

// keeps reports whether Ollama shows the model all of a function's parameters.
// It decodes them into a type of its own: of a property it keeps the type, the
// description, the enum and, as they are, the items; newer versions also keep
// nested properties, but not which of them are required (sources of v0.6.5 and
// v0.17.4).
func keeps(raw json.RawMessage) bool {
	var doc map[string]json.RawMessage
	if json.Unmarshal(raw, &doc) != nil {
		return false
	}
	for key, value := range doc {
		switch key {
		case "type", "required", "$schema", "title", "propertyOrdering":
		case "additionalProperties":
			if string(value) != "false" { // what every model takes for granted
				return false
			}
		case "properties":
			var props map[string]map[string]json.RawMessage
			if json.Unmarshal(value, &props) != nil {
				return false
			}
			for _, prop := range props {
				for key := range prop {
					switch key {
					case "type", "description", "enum", "items", "title":
					default:
						return false
					}
				}
			}
		default:
			return false
		}
	}
	return true
}

func parameters(d *genai.FunctionDeclaration) (json.RawMessage, error) {
	switch {
	case d.Parameters != nil:
		raw, err := schema.FromGenai(d.Parameters)
		return raw, schema.At("config.tools.functionDeclarations.parameters", err)
	case d.ParametersJsonSchema != nil:
		raw, err := schema.Raw(d.ParametersJsonSchema)
		return raw, schema.At("config.tools.functionDeclarations.parametersJsonSchema", err)
	}
	return json.RawMessage(`{"type":"object","properties":{}}`), nil
}

func result(d *genai.FunctionDeclaration) (json.RawMessage, error) {
	switch {
	case d.Response != nil:
		raw, err := schema.FromGenai(d.Response)
		return raw, schema.At("config.tools.functionDeclarations.response", err)
	case d.ResponseJsonSchema != nil:
		raw, err := schema.Raw(d.ResponseJsonSchema)
		return raw, schema.At("config.tools.functionDeclarations.responseJsonSchema", err)
	}
	return nil, nil
}

// reportTold reports the results' schemas, for which no protocol but Gemini's
// has a place.
func (p *Plan) reportTold() {
	const how = "told to the model in the function's description"
	for _, t := range p.Config.Tools {
		if t == nil {
			continue
		}
		for _, d := range t.FunctionDeclarations {
			if d.Response != nil {
				p.emulateOnce("config.tools.functionDeclarations.response", how)
			}
			if d.ResponseJsonSchema != nil {
				p.emulateOnce("config.tools.functionDeclarations.responseJsonSchema", how)
			}
		}
	}
}

// render makes text of the calls and results in the history, for a model that
// has no tokens for them.
func (p *Plan) render(shim *toolcall.Shim) error {
	rendered := false
	for i := range p.Turns {
		t := &p.Turns[i]
		var calls []*genai.FunctionCall
		var results []*genai.FunctionResponse
		var rest []Piece
		for _, piece := range t.Pieces {
			switch piece.Kind {
			case Call:
				calls = append(calls, piece.Call)
			case Result:
				results = append(results, piece.Result)
			default:
				rest = append(rest, piece)
			}
		}
		if len(calls)+len(results) == 0 {
			continue
		}
		rendered = true
		var text string
		var err error
		if len(calls) > 0 {
			text, err = shim.RenderCall(calls)
		} else {
			text, err = shim.RenderResponse(results)
		}
		if err != nil {
			return err
		}
		piece := Piece{Kind: Text, Text: text}
		switch {
		case len(rest) == 0:
			t.Pieces = []Piece{piece}
		case len(calls) > 0: // said, then called
			t.Pieces = append(rest, Piece{Kind: Text, Text: "\n"}, piece)
		default: // answered by the functions, then spoken to
			t.Pieces = append([]Piece{piece, {Kind: Text, Text: "\n\n"}}, rest...)
		}
	}
	if rendered && !shim.Active() {
		p.emulate("contents.parts.functionCall", "written as text")
	}
	return nil
}
