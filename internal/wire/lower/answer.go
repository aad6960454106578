// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package lower

import (
	"encoding/json"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/wire"
)

// checked hands an answer on as it comes and, at its end, checks the whole: a
// server may ignore a format, or know less of a schema than was asked. An
// answer cut off by the limit of tokens is not checked.
type checked struct {
	wire.Decoder
	plan  *Plan
	texts map[int32]*strings.Builder // by candidate
	err   error
}

func (d *checked) Next() (*genai.GenerateContentResponse, error) {
	if d.err != nil {
		return nil, d.err
	}
	resp, err := d.Decoder.Next()
	if err != nil {
		d.err = err
		return nil, err
	}
	for _, c := range resp.Candidates {
		b := d.texts[c.Index]
		if b == nil {
			b = new(strings.Builder)
			d.texts[c.Index] = b
		}
		if c.Content != nil {
			for _, part := range c.Content.Parts {
				if !part.Thought {
					b.WriteString(part.Text)
				}
			}
		}
		if c.FinishReason == genai.FinishReasonStop {
			if d.err = d.plan.fits(b.String()); d.err != nil {
				return nil, d.err
			}
		}
	}
	return resp, nil
}

// unquoted hands out an answer that is one JSON string, without its quotes: all
// of it at the end, since it is short.
type unquoted struct {
	wire.Decoder
	texts map[int32]*strings.Builder
}

func (d *unquoted) Next() (*genai.GenerateContentResponse, error) {
	for {
		resp, err := d.Decoder.Next()
		if err != nil {
			return nil, err
		}
		finished, thoughts := false, false
		for _, c := range resp.Candidates {
			b := d.texts[c.Index]
			if b == nil {
				b = new(strings.Builder)
				d.texts[c.Index] = b
			}
			var keep []*genai.Part
			if c.Content != nil {
				for _, part := range c.Content.Parts {
					if part.Thought {
						keep, thoughts = append(keep, part), true
					} else {
						b.WriteString(part.Text)
					}
				}
				c.Content.Parts = keep
			}
			if c.FinishReason == "" {
				continue
			}
			finished = true
			text := b.String()
			var s string
			if json.Unmarshal([]byte(text), &s) == nil {
				text = s
			}
			if text != "" {
				if c.Content == nil {
					c.Content = &genai.Content{Role: genai.RoleModel}
				}
				c.Content.Parts = append(keep, &genai.Part{Text: text})
			}
		}
		if finished || thoughts {
			return resp, nil
		}
	}
}

// wrap adds to a decoder what the plan needs after it.
func (p *Plan) wrap(d wire.Decoder) wire.Decoder {
	if p.Format != Free && !p.constrained {
		d = &checked{Decoder: d, plan: p, texts: map[int32]*strings.Builder{}}
	}
	if p.Enum {
		d = &unquoted{Decoder: d, texts: map[int32]*strings.Builder{}}
	}
	return p.Tools.wrap(d)
}
