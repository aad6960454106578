// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package lower

import (
	"encoding/json"
	"errors"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/schema"
	"github.com/gemma-go/sdk/internal/wire"
)

// Hold says how an answer is checked before any of it is handed out. Check may
// tidy the answer: take a code fence away, or make calls of text.
type Hold struct {
	Check  func(*genai.GenerateContentResponse) error
	Repair func(bad *genai.GenerateContentResponse, why error) *wire.Request
}

const enumType = "text/x.enum"

// format reads what the answer has to look like.
func (p *Plan) format() error {
	c := p.Config
	if p.col == wire.ColGemini {
		return nil
	}
	field, raw, err := p.schema()
	if err != nil {
		return err
	}
	switch mime := c.ResponseMIMEType; {
	case mime == "application/json", mime == "" && raw != nil:
		p.Format = JSON
	case mime == "", mime == "text/plain" && raw == nil:
		return nil
	case mime == enumType && raw != nil:
		p.Enum = true
	case mime == enumType:
		return fault.Bad("config.responseMimeType", "text/x.enum needs a schema with an enum")
	case mime == "text/plain":
		return fault.Bad("config.responseMimeType", "text/plain has no schema: use application/json")
	default:
		return fault.Refuse("config.responseMimeType", "a model server writes text/plain, application/json or text/x.enum")
	}
	if p.Tools.any() {
		return fault.Refuse(field, "can't be combined with tools: an answer that has to be JSON can be no call")
	}
	if raw != nil {
		if p.check, err = schema.Compile(raw); err != nil {
			return schema.At(field, err)
		}
		p.Format, p.Schema = Schema, raw
		if p.Enum && !isEnum(p.check.Document()) {
			return fault.Bad(field, "text/x.enum needs a string schema with an enum")
		}
		// vLLM compiles whole schemas; llama.cpp's grammars, which Ollama uses, do
		// not know every keyword. The answer is checked against the whole one.
		if p.col != wire.ColVLLM {
			if p.Schema, err = schema.Relax(raw); err != nil {
				return schema.At(field, err)
			}
		}
	}
	if p.col == wire.ColPrebuilt {
		p.promptFormat(field, raw)
	}
	return nil
}

// schema returns the request's schema as JSON Schema, and the field it is in.
func (p *Plan) schema() (field string, raw json.RawMessage, err error) {
	c := p.Config
	switch {
	case c.ResponseSchema != nil && c.ResponseJsonSchema != nil:
		return "", nil, fault.Bad("config.responseJsonSchema", "there is a responseSchema too: set one")
	case c.ResponseSchema != nil:
		field = "config.responseSchema"
		raw, err = schema.FromGenai(c.ResponseSchema)
	case c.ResponseJsonSchema != nil:
		field = "config.responseJsonSchema"
		raw, err = schema.Raw(c.ResponseJsonSchema)
	default:
		return "config.responseMimeType", nil, nil
	}
	return field, raw, schema.At(field, err)
}

func isEnum(doc map[string]any) bool {
	values, ok := doc["enum"].([]any)
	if !ok || len(values) == 0 {
		return false
	}
	for _, v := range values {
		if _, ok := v.(string); !ok {
			return false
		}
	}
	return true
}

// promptFormat asks for the format in words, and has the answer checked before
// it is handed out.
func (p *Plan) promptFormat(field string, raw json.RawMessage) {
	p.emulate(field, "asked for in the prompt, checked, and repaired once")
	switch {
	case p.Enum:
		values, _ := json.Marshal(p.check.Document()["enum"])
		p.Tools.Prompt = "Answer with exactly one of the strings in this list, without quotes and without any other word: " + string(values)
	case raw != nil:
		p.Tools.Prompt = "Answer with JSON only, without a code block and without any other word. The JSON must satisfy this JSON Schema:\n" + string(raw)
	default:
		p.Tools.Prompt = "Answer with JSON only, without a code block and without any other word."
	}
	p.Format, p.Schema = Free, nil // the server knows no format
	enum := p.Enum
	p.Enum = false
	p.Hold = &Hold{
		Check: func(r *genai.GenerateContentResponse) error {
			text, err := p.judge(wholeText(r), enum)
			if err == nil {
				setText(r, text)
			}
			return err
		},
		Repair: func(bad *genai.GenerateContentResponse, why error) *wire.Request {
			return p.again(wholeText(bad), "That answer does not fit ("+problem(why)+"). "+p.Tools.Prompt)
		},
	}
}

// judge tidies an answer and checks it.
func (p *Plan) judge(text string, enum bool) (string, error) {
	text = unfence(text)
	if enum {
		quoted, _ := json.Marshal(strings.Trim(text, "\"`'."))
		if err := p.check.Validate(quoted); err != nil {
			return "", misfit(err)
		}
		return strings.Trim(text, "\"`'."), nil
	}
	return text, p.fits(text)
}

// fits checks a whole answer against the format.
func (p *Plan) fits(text string) error {
	if p.check == nil {
		if !json.Valid([]byte(text)) {
			return misfit(errors.New("it is not JSON"))
		}
		return nil
	}
	if err := p.check.Validate([]byte(text)); err != nil {
		return misfit(err)
	}
	return nil
}

func misfit(err error) error {
	return &fault.Error{Kind: fault.Server, Message: "the answer does not fit the format asked for", Err: err}
}

// problem says what is wrong with an answer, without the fault's own words.
func problem(err error) string {
	if f := fault.Of(err); f != nil && f.Err != nil {
		return f.Err.Error()
	}
	return err.Error()
}

// again is the request that asks once more, after the bad answer.
func (p *Plan) again(bad, ask string) *wire.Request {
	r := *p.req
	r.Contents = append(append([]*genai.Content(nil), r.Contents...),
		genai.NewContentFromText(bad, genai.RoleModel), genai.NewContentFromText(ask, genai.RoleUser))
	if bad == "" {
		r.Contents[len(r.Contents)-2].Parts[0].Text = "(nothing)"
	}
	return &r
}

// unfence takes away a code block's fence around the whole text.
func unfence(text string) string {
	text = strings.TrimSpace(text)
	rest, ok := strings.CutPrefix(text, "```")
	if !ok {
		return text
	}
	inner, ok := strings.CutSuffix(rest, "```")
	if !ok {
		return text
	}
	if i := strings.IndexByte(inner, '\n'); i >= 0 && !strings.ContainsAny(inner[:i], "{[\"") {
		inner = inner[i+1:]
	}
	return strings.TrimSpace(inner)
}

// wholeText is the first candidate's text, without thoughts.
func wholeText(r *genai.GenerateContentResponse) string {
	var b strings.Builder
	if len(r.Candidates) > 0 && r.Candidates[0].Content != nil {
		for _, part := range r.Candidates[0].Content.Parts {
			if !part.Thought {
				b.WriteString(part.Text)
			}
		}
	}
	return b.String()
}

// setText makes text the first candidate's only part.
func setText(r *genai.GenerateContentResponse, text string) {
	if len(r.Candidates) > 0 {
		r.Candidates[0].Content = genai.NewContentFromText(text, genai.RoleModel)
	}
}
