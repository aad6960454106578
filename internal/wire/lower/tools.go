// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package lower

import (
	"encoding/json"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
)

// Tools is what the model may call.
type Tools struct {
	Native json.RawMessage // the declarations, as Ollama and OpenAI spell them; nil = none
	Choice any             // OpenAI's tool_choice; nil = the server's default
	Prompt string          // what goes before the conversation
}

func (t *Tools) any() bool                        { return t.Native != nil }
func (t *Tools) wrap(d wire.Decoder) wire.Decoder { return d }

func (p *Plan) tools() error {
	for _, t := range p.Config.Tools {
		if t != nil && len(t.FunctionDeclarations) > 0 {
			return fault.Refuse("config.tools", "not carried")
		}
	}
	return nil
}
