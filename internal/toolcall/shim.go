// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/schema"
)

// Shim is what one request's declarations come to. It is made by [New], does
// not change, and is safe for concurrent use.
//
// Arguments that do not fit their schema are repaired where there is one way
// to do so, and only then: a number or a boolean in a string where a number or
// boolean is asked for ("3" → 3); a number where a string is asked for (94103
// → "94103", digit for digit); an object or a list written as JSON inside a
// string; a null for a parameter that is not required, which is left out; an
// enum value in other letters' case, where one value matches. The repaired
// arguments are validated like any others.
type Shim struct {
	mode  genai.FunctionCallingConfigMode
	funcs []*function // those that may be called, in the order of declaration
	names map[string]*function
}

// function is one declaration, checked.
type function struct {
	name        string
	description string
	params      json.RawMessage // JSON Schema of the arguments
	result      json.RawMessage // JSON Schema of the result; nil if none was declared
	check       *schema.Validator
	single      string // the one parameter that a lone positional argument can mean; "" if there is none
}

// noParams is the schema of a function that takes nothing.
var noParams = json.RawMessage(`{"type":"object","properties":{}}`)

// New checks the function declarations of a request and how they may be
// called. Other kinds of tools are not looked at: whoever calls New has
// refused them. Without any declaration the Shim does nothing; see [Shim.Active].
//
// Modes: AUTO (also if unspecified), VALIDATED (the same, since arguments are
// always validated, with allowed names), ANY and NONE. The error is a
// *fault.Error whose Field is the path from the request:
// "config.tools[0].functionDeclarations[1].parameters.properties.city.type".
func New(tools []*genai.Tool, cfg *genai.ToolConfig) (*Shim, error) {
	s := &Shim{mode: genai.FunctionCallingConfigModeAuto, names: map[string]*function{}}
	allowed, err := s.configure(cfg)
	if err != nil {
		return nil, err
	}
	for i, t := range tools {
		if t == nil {
			continue
		}
		for j, d := range t.FunctionDeclarations {
			field := fmt.Sprintf("config.tools[%d].functionDeclarations[%d]", i, j)
			f, err := declare(d, field)
			if err != nil {
				return nil, err
			}
			if s.names[f.name] != nil {
				return nil, fault.Bad(field+".name", "%q is declared twice", f.name)
			}
			s.names[f.name] = f
			s.funcs = append(s.funcs, f)
		}
	}
	const field = "config.toolConfig.functionCallingConfig"
	for i, name := range allowed {
		if s.names[name] == nil {
			return nil, fault.Bad(fmt.Sprintf("%s.allowedFunctionNames[%d]", field, i), "no function of this name is declared")
		}
	}
	if s.mode == genai.FunctionCallingConfigModeAny && len(s.funcs) == 0 {
		return nil, fault.Bad(field+".mode", "ANY asks for a call, and no function is declared")
	}
	if len(allowed) > 0 {
		s.funcs = slices.DeleteFunc(s.funcs, func(f *function) bool { return !slices.Contains(allowed, f.name) })
		for name := range s.names {
			if !slices.Contains(allowed, name) {
				delete(s.names, name)
			}
		}
	}
	return s, nil
}

func (s *Shim) configure(cfg *genai.ToolConfig) (allowed []string, err error) {
	if cfg == nil {
		return nil, nil
	}
	if cfg.RetrievalConfig != nil {
		return nil, fault.Refuse("config.toolConfig.retrievalConfig", "there is no retrieval on a private endpoint")
	}
	if cfg.IncludeServerSideToolInvocations != nil && *cfg.IncludeServerSideToolInvocations {
		return nil, fault.Refuse("config.toolConfig.includeServerSideToolInvocations", "a private endpoint runs no tools of its own")
	}
	f := cfg.FunctionCallingConfig
	if f == nil {
		return nil, nil
	}
	const field = "config.toolConfig.functionCallingConfig"
	if f.StreamFunctionCallArguments != nil && *f.StreamFunctionCallArguments {
		return nil, fault.Refuse(field+".streamFunctionCallArguments", "a call is handed out whole, after its arguments were validated")
	}
	takesNames := false
	switch f.Mode {
	case "", genai.FunctionCallingConfigModeUnspecified, genai.FunctionCallingConfigModeAuto:
	case genai.FunctionCallingConfigModeNone:
		s.mode = f.Mode
	case genai.FunctionCallingConfigModeAny:
		s.mode, takesNames = f.Mode, true
	case genai.FunctionCallingConfigModeValidated:
		takesNames = true
	default:
		return nil, fault.Bad(field+".mode", "is none of AUTO, ANY, VALIDATED and NONE")
	}
	if len(f.AllowedFunctionNames) > 0 && !takesNames {
		return nil, fault.Bad(field+".allowedFunctionNames", "goes with mode ANY or VALIDATED only")
	}
	return f.AllowedFunctionNames, nil
}

func declare(d *genai.FunctionDeclaration, field string) (*function, error) {
	switch {
	case d == nil:
		return nil, fault.Bad(field, "is nil")
	case !goodName(d.Name):
		return nil, fault.Bad(field+".name", "a function's name begins with a letter or an underscore and has up to 128 letters, digits, underscores, dots, colons and dashes")
	case d.Behavior == genai.BehaviorNonBlocking:
		return nil, fault.Refuse(field+".behavior", "only the live API calls without blocking")
	case d.Parameters != nil && d.ParametersJsonSchema != nil:
		return nil, fault.Bad(field, "has both parameters and parametersJsonSchema")
	case d.Response != nil && d.ResponseJsonSchema != nil:
		return nil, fault.Bad(field, "has both response and responseJsonSchema")
	}
	f := &function{name: d.Name, description: d.Description, params: noParams}
	var err error
	var order []string
	at := field + ".parameters"
	switch {
	case d.Parameters != nil:
		f.params, err = schema.FromGenai(d.Parameters)
		order = d.Parameters.Required
	case d.ParametersJsonSchema != nil:
		at = field + ".parametersJsonSchema"
		f.params, err = schema.Raw(d.ParametersJsonSchema)
	}
	if err == nil {
		f.check, err = schema.Compile(f.params)
	}
	if err != nil {
		return nil, schema.At(at, err)
	}
	doc := f.check.Document()
	if t, ok := doc["type"]; ok && t != "object" {
		return nil, fault.Bad(at+".type", "a function's parameters are an object")
	}
	f.single = single(doc, order)
	switch {
	case d.Response != nil:
		f.result, err = schema.FromGenai(d.Response)
		at = field + ".response"
	case d.ResponseJsonSchema != nil:
		f.result, err = schema.Raw(d.ResponseJsonSchema)
		at = field + ".responseJsonSchema"
	}
	if err != nil {
		return nil, schema.At(at, err)
	}
	return f, nil
}

// goodName holds the Gemini API's rule for a function's name.
func goodName(name string) bool {
	if name == "" || len(name) > 128 || !letter(name[0]) {
		return false
	}
	for i := range len(name) {
		if !nameByte(name[i]) {
			return false
		}
	}
	return true
}

func letter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' || b == '_' }

func digit(b byte) bool { return b >= '0' && b <= '9' }

func nameByte(b byte) bool { return letter(b) || digit(b) || b == '.' || b == ':' || b == '-' }

// single names the parameter that a call's lone positional argument means: the
// only one, or the only one that is required.
func single(doc map[string]any, required []string) string {
	props, _ := doc["properties"].(map[string]any)
	if len(props) == 1 {
		for name := range props {
			return name
		}
	}
	if len(required) == 0 {
		list, _ := doc["required"].([]any)
		for _, r := range list {
			name, _ := r.(string)
			required = append(required, name)
		}
	}
	if len(required) == 1 && props[required[0]] != nil {
		return required[0]
	}
	return ""
}

// Active reports whether the model may call anything: some function is
// declared and the mode is not NONE. An inactive Shim has no instruction and no
// schema, and its scanners pass everything through.
func (s *Shim) Active() bool {
	return len(s.funcs) > 0 && s.mode != genai.FunctionCallingConfigModeNone
}

// must reports whether the answer has to be a call.
func (s *Shim) must() bool { return s.mode == genai.FunctionCallingConfigModeAny }

// lookup finds a function by the name that a model writes: the declared name,
// also behind the module that Gemini's Python prompts put it in
// (default_api.f), or with an underscore escaped as Markdown wants it.
func (s *Shim) lookup(name string) *function {
	if f := s.names[name]; f != nil {
		return f
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		switch name[:i] {
		case "default_api", "functions", "tools", "api", "tool":
			return s.names[name[i+1:]]
		}
	}
	if strings.Contains(name, `\_`) {
		return s.names[strings.ReplaceAll(name, `\_`, "_")]
	}
	return nil
}
