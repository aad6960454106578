// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package lower

import (
	"encoding/json"

	"github.com/gemma-go/sdk/internal/fault"
)

// Tools is what the model may call.
type Tools struct {
	Prompt string          // the declarations as text, for a model without tools of its own
	Native json.RawMessage // the declarations as the protocol spells them
	Choice any             // OpenAI's tool_choice; nil = the server's default
}

func (t *Tools) any() bool { return t.Prompt != "" }

func (p *Plan) tools() error {
	for _, t := range p.Config.Tools {
		if t != nil && len(t.FunctionDeclarations) > 0 {
			return fault.Refuse("config.tools", "not carried")
		}
	}
	return nil
}
