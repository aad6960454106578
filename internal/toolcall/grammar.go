// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"encoding/json"
	"strings"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/schema"
)

// Schema returns the JSON Schema to decode an answer under, for a server that
// can: one call, or a list of calls, each with its own function's arguments.
// Unless the mode is ANY, an answer in plain text is admitted too, as
// {"text": "…"}; a [Scanner] made for constrained answers takes the text out
// again while it streams. It is nil when the Shim is not active.
//
// The arguments' schemas are relaxed ([schema.Relax]) to what llama.cpp turns
// into a grammar; the scanner validates calls against the full ones.
func (s *Shim) Schema() (json.RawMessage, error) {
	if !s.Active() {
		return nil, nil
	}
	defs := schema.NewDefs("")
	var calls []string
	for _, f := range s.funcs {
		args, err := defs.Relax(f.params)
		if err != nil {
			return nil, &fault.Error{Kind: fault.Unsupported, Field: "config.tools", Message: "no schema for decoding can be made of the parameters of " + f.name, Err: err}
		}
		name, _ := json.Marshal(f.name)
		// The name comes first: what follows depends on it.
		calls = append(calls, `{"type":"object","properties":{"name":{"const":`+string(name)+`},"parameters":`+string(args)+`},"required":["name","parameters"],"additionalProperties":false}`)
	}
	call := calls[0]
	if len(calls) > 1 {
		call = `{"anyOf":[` + strings.Join(calls, ",") + `]}`
	}
	options := []string{
		`{"$ref":"#/$defs/call"}`,
		`{"type":"array","items":{"$ref":"#/$defs/call"},"minItems":1,"maxItems":16}`,
	}
	if !s.must() {
		options = append([]string{`{"type":"object","properties":{"text":{"type":"string"}},"required":["text"],"additionalProperties":false}`}, options...)
	}
	all, err := defs.JSON()
	if err != nil {
		return nil, err
	}
	more := ""
	if defs.Len() > 0 {
		more = "," + string(all[1:len(all)-1])
	}
	return json.RawMessage(`{"anyOf":[` + strings.Join(options, ",") + `],"$defs":{"call":` + call + more + `}}`), nil
}
