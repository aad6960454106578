// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Instruction returns the text that tells the model which functions there are
// and how to call them. It belongs before everything else: into the system
// instruction, or the beginning of the first user turn. It is "" when the Shim
// is not active.
//
// constrained says that the answer is decoded under [Shim.Schema], so that a
// plain answer is an object too.
func (s *Shim) Instruction(constrained bool) string {
	if !s.Active() {
		return ""
	}
	var b strings.Builder
	b.WriteString("You can call functions. Each line below declares one, with its parameters as JSON Schema.\n")
	for _, f := range s.funcs {
		b.Write(f.declaration())
		b.WriteByte('\n')
	}
	if s.must() {
		b.WriteString("\nAnswer with a function call, whatever is asked: ")
	} else {
		b.WriteString("\nTo call a function, answer with ")
	}
	b.WriteString(`one JSON object and nothing else, without a code block and without any other text:
{"name": "<function>", "parameters": {<arguments>}}
To call several functions at once, answer with a JSON array of such objects.
Call only functions that are declared above. The arguments must fit the parameters' schema.
The results come in the next message, as lines of the form {"name": "<function>", "result": <result>}.
`)
	switch {
	case s.must():
	case constrained:
		b.WriteString("If no call is needed, or the results are enough, or a required argument is unknown, answer with\n{\"text\": \"<your answer>\"}\n")
	default:
		b.WriteString("If no call is needed, or the results are enough, or a required argument is unknown, answer in plain text.\n")
	}
	return b.String()
}

// declaration is the line that declares a function to the model.
func (f *function) declaration() []byte {
	line := struct {
		Name        string          `json:"name"`
		Description string          `json:"description,omitempty"`
		Parameters  json.RawMessage `json:"parameters"`
		Result      json.RawMessage `json:"result,omitempty"`
	}{f.name, f.description, f.params, f.result}
	text, err := marshal(line)
	if err != nil { // all of it was read as JSON, or is a string
		panic("toolcall: " + err.Error())
	}
	return text
}

// marshal writes a JSON value on one line, for a model to read: < > & stay as
// they are, except where they begin one of Gemma's control tokens. A
// function's result is not the caller's own text: it must not be able to end
// its turn and begin another.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return []byte(tokens.Replace(strings.TrimSuffix(b.String(), "\n"))), nil
}

// tokens escapes the beginning of every control token of Gemma 3, Gemma 4 and
// FunctionGemma. In JSON a '<' can stand only inside a string, where \u003c is
// the same character.
var tokens = strings.NewReplacer(
	"<start_", `\u003cstart_`, "<end_", `\u003cend_`, "<bos>", `\u003cbos>`, "<eos>", `\u003ceos>`,
	"<|", `\u003c|`, "<tool", `\u003ctool`, "<turn", `\u003cturn`, "<channel", `\u003cchannel`, "<escape>", `\u003cescape>`,
)
