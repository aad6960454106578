// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
)

// maxDepth bounds the nesting of a schema. The Gemini API allows far less; the
// bound is there so that a schema that holds itself is an error, not a crash.
const maxDepth = 64

// FromGenai returns s as JSON Schema (draft 2020-12). A nil s admits any value.
//
// The forms that differ from JSON Schema: type names are upper case there
// (accepted in any case); nullable adds "null" to the types and to the enum;
// enum values are always strings there, and become numbers or booleans under
// such a type; format "enum" says nothing and is left out; example becomes
// examples. Properties are written in propertyOrdering, then by name: a model
// that decodes under the schema writes them in that order.
//
// The error is a *fault.Error of kind Invalid whose Field is the path inside s,
// such as "properties.city.minItems".
func FromGenai(s *genai.Schema) (json.RawMessage, error) {
	js, err := convert(s, "", 0)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(js)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Invalid, Message: "the schema can't be written as JSON", Err: err}
	}
	if string(text) == "true" { // the library's spelling of the empty schema; not every server knows it
		text = []byte("{}")
	}
	return text, nil
}

func convert(s *genai.Schema, at string, depth int) (*jsonschema.Schema, error) {
	if s == nil {
		return &jsonschema.Schema{}, nil
	}
	if depth > maxDepth {
		return nil, fault.Bad(at, "the schema is nested more than %d deep, or holds itself", maxDepth)
	}
	js := &jsonschema.Schema{
		Title:       s.Title,
		Description: s.Description,
		Pattern:     s.Pattern,
		Minimum:     s.Minimum,
		Maximum:     s.Maximum,
		Required:    slices.Clone(s.Required),
	}
	if !strings.EqualFold(s.Format, "enum") {
		js.Format = s.Format
	}
	nullable := s.Nullable != nil && *s.Nullable
	typ, err := typeName(s.Type, at)
	if err != nil {
		return nil, err
	}
	switch {
	case typ == "":
	case nullable && typ != "null":
		js.Types = []string{typ, "null"}
	default:
		js.Type = typ
	}
	if js.Enum, err = enum(s.Enum, typ, at); err != nil {
		return nil, err
	}
	if nullable && js.Enum != nil {
		js.Enum = append(js.Enum, nil)
	}
	for i, b := range s.AnyOf {
		sub, err := convert(b, join(at, "anyOf["+strconv.Itoa(i)+"]"), depth+1)
		if err != nil {
			return nil, err
		}
		js.AnyOf = append(js.AnyOf, sub)
	}
	if nullable && js.AnyOf != nil {
		js.AnyOf = append(js.AnyOf, &jsonschema.Schema{Type: "null"})
	}
	if s.Items != nil {
		if js.Items, err = convert(s.Items, join(at, "items"), depth+1); err != nil {
			return nil, err
		}
	}
	if s.Properties != nil {
		js.Properties = make(map[string]*jsonschema.Schema, len(s.Properties))
		for name, p := range s.Properties {
			if js.Properties[name], err = convert(p, join(at, "properties."+name), depth+1); err != nil {
				return nil, err
			}
		}
		for _, name := range s.PropertyOrdering {
			if _, ok := s.Properties[name]; ok && !slices.Contains(js.PropertyOrder, name) {
				js.PropertyOrder = append(js.PropertyOrder, name)
			}
		}
	}
	for _, b := range []struct {
		from *int64
		to   **int
		name string
	}{
		{s.MinItems, &js.MinItems, "minItems"}, {s.MaxItems, &js.MaxItems, "maxItems"},
		{s.MinLength, &js.MinLength, "minLength"}, {s.MaxLength, &js.MaxLength, "maxLength"},
		{s.MinProperties, &js.MinProperties, "minProperties"}, {s.MaxProperties, &js.MaxProperties, "maxProperties"},
	} {
		if b.from == nil {
			continue
		}
		if *b.from < 0 || *b.from > math.MaxInt32 {
			return nil, fault.Bad(join(at, b.name), "%d is not a count", *b.from)
		}
		*b.to = new(int(*b.from))
	}
	if s.Default != nil {
		if js.Default, err = json.Marshal(s.Default); err != nil {
			return nil, &fault.Error{Kind: fault.Invalid, Field: join(at, "default"), Message: "is not a JSON value", Err: err}
		}
	}
	if s.Example != nil {
		if _, err := json.Marshal(s.Example); err != nil {
			return nil, &fault.Error{Kind: fault.Invalid, Field: join(at, "example"), Message: "is not a JSON value", Err: err}
		}
		js.Examples = []any{s.Example}
	}
	return js, nil
}

// types are JSON Schema's names for types, which are the Gemini API's in lower case.
var types = [...]string{"string", "number", "integer", "boolean", "array", "object", "null"}

func typeName(t genai.Type, at string) (string, error) {
	if t == "" || strings.EqualFold(string(t), string(genai.TypeUnspecified)) {
		return "", nil
	}
	name := strings.ToLower(string(t))
	if !slices.Contains(types[:], name) {
		return "", fault.Bad(join(at, "type"), "%q is not a type", clip(string(t)))
	}
	return name, nil
}

// enum gives the values of an enum their type: the Gemini API spells them all
// as strings, {type: INTEGER, enum: ["101"]}, and the model then answers 101.
func enum(values []string, typ, at string) ([]any, error) {
	if values == nil {
		return nil, nil
	}
	out := make([]any, len(values))
	for i, v := range values {
		field := join(at, "enum["+strconv.Itoa(i)+"]")
		switch typ {
		case "integer", "number":
			n, err := strconv.ParseFloat(v, 64)
			if err != nil || math.IsInf(n, 0) || math.IsNaN(n) || typ == "integer" && n != math.Trunc(n) {
				return nil, fault.Bad(field, "%q is not of type %s", clip(v), typ)
			}
			out[i] = n
		case "boolean":
			b, err := strconv.ParseBool(v)
			if err != nil {
				return nil, fault.Bad(field, "%q is not of type boolean", clip(v))
			}
			out[i] = b
		case "array", "object", "null":
			return nil, fault.Bad(field, "a value of type %s can't be listed", typ)
		default:
			out[i] = v
		}
	}
	return out, nil
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// At puts the path of the schema itself before the path that an error of this
// package names, so that it leads from the request: At("config.responseSchema", err).
func At(field string, err error) error {
	f := fault.Of(err)
	if f == nil {
		return err
	}
	g := *f
	g.Field = join(field, f.Field)
	if f.Field == "" {
		g.Field = field
	}
	return &g
}
