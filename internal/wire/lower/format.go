// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package lower

import (
	"encoding/json"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
)

// Hold says how an answer is checked before any of it is handed out.
type Hold struct {
	Check  func(*genai.GenerateContentResponse) error
	Repair func(bad *genai.GenerateContentResponse, why error) *wire.Request
}

func (p *Plan) format() error {
	c := p.Config
	switch c.ResponseMIMEType {
	case "", "text/plain":
	case "application/json":
		p.Format = JSON
	default:
		return fault.Refuse("config.responseMimeType", "not carried")
	}
	if c.ResponseJsonSchema != nil {
		b, err := json.Marshal(c.ResponseJsonSchema)
		if err != nil {
			return &fault.Error{Kind: fault.Invalid, Field: "config.responseJsonSchema", Message: "is no JSON", Err: err}
		}
		p.Format, p.Schema = Schema, b
	}
	return nil
}
