// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
)

// Validator checks values against one schema. It is safe for concurrent use.
type Validator struct {
	raw      json.RawMessage
	doc      map[string]any
	resolved *jsonschema.Resolved
}

// Compile returns the validator of a schema in any of the forms that [Raw]
// takes, or of a *genai.Schema. It understands JSON Schema drafts 2020-12 and
// 7, with references inside the schema only; "format" is not checked.
//
// The error is a *fault.Error that names the path inside the schema: Invalid
// for what is no schema, Unsupported for one that can't be checked here (a
// reference to another document, another draft, a pattern that Go's regexp does
// not know).
func Compile(v any) (*Validator, error) {
	var raw json.RawMessage
	var err error
	if g, ok := v.(*genai.Schema); ok {
		raw, err = FromGenai(g)
	} else {
		raw, err = Raw(v)
	}
	if err != nil {
		return nil, err
	}
	c := &Validator{raw: raw}
	if err := json.Unmarshal(raw, &c.doc); err != nil {
		return nil, &fault.Error{Kind: fault.Invalid, Message: "the schema is not a JSON object", Err: err}
	}
	if err := walk(c.doc, "", 0, check); err != nil {
		return nil, err
	}
	if err := acyclic(c.doc); err != nil {
		return nil, err
	}
	js := new(jsonschema.Schema)
	if err := json.Unmarshal(raw, js); err != nil {
		return nil, &fault.Error{Kind: fault.Invalid, Message: "is not a JSON Schema", Err: err}
	}
	if c.resolved, err = js.Resolve(nil); err != nil {
		return nil, &fault.Error{Kind: fault.Unsupported, Message: "the schema can't be checked", Err: err}
	}
	return c, nil
}

// check refuses what the library would take and then never, or always, match.
func check(s map[string]any, at string) error {
	switch d := s["$schema"]; d {
	case nil, "", "http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema":
	default:
		return fault.Refuse(join(at, "$schema"), "only drafts 2020-12 and 7 of JSON Schema can be checked")
	}
	if ref, ok := s["$ref"].(string); ok && !strings.HasPrefix(ref, "#") {
		return fault.Refuse(join(at, "$ref"), "a schema can't refer to another document; put it under $defs")
	}
	if _, ok := s["$dynamicRef"]; ok {
		return fault.Refuse(join(at, "$dynamicRef"), "dynamic references can't be checked; use $ref")
	}
	if _, ok := s["$id"]; ok && at != "" {
		return fault.Refuse(join(at, "$id"), "a schema inside another can't have an identity of its own; refer to it by its place")
	}
	known := func(t any) bool {
		name, ok := t.(string)
		return ok && slices.Contains(types[:], name)
	}
	switch t := s["type"].(type) {
	case nil:
	case []any:
		for _, t := range t {
			if !known(t) {
				return fault.Bad(join(at, "type"), "JSON Schema's types are %s", strings.Join(types[:], ", "))
			}
		}
	default:
		if !known(t) {
			return fault.Bad(join(at, "type"), "JSON Schema's types are %s", strings.Join(types[:], ", "))
		}
	}
	return nil
}

// JSON returns the schema as JSON. The caller must not change it.
func (c *Validator) JSON() json.RawMessage { return c.raw }

// Document returns the schema as encoding/json decodes it. The caller must not
// change it.
func (c *Validator) Document() map[string]any { return c.doc }

// Validate checks JSON text: one value, and nothing after it. The error is an
// [*Error].
func (c *Validator) Validate(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	var v any
	if err := d.Decode(&v); err != nil {
		return &Error{Keyword: "json", Detail: notJSON(err)}
	}
	if _, err := d.Token(); err != io.EOF {
		return &Error{Keyword: "json", Detail: "more follows the JSON value"}
	}
	return c.ValidateValue(v)
}

// notJSON says what is wrong with a text without quoting it.
func notJSON(err error) string {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("is not JSON at byte %d", syntax.Offset)
	}
	if err == io.EOF {
		return "is empty"
	}
	if err == io.ErrUnexpectedEOF {
		return "ends in the middle of the JSON"
	}
	return "is not JSON"
}

// ValidateValue checks a value as encoding/json decodes it into an any. The
// error is an [*Error].
func (c *Validator) ValidateValue(v any) error {
	err := c.resolved.Validate(v)
	if err == nil {
		return nil
	}
	return c.report(err.Error())
}

// Error is one way in which a value does not fit its schema. It names places
// and what the schema asks for, never the value.
type Error struct {
	Path    string // where in the value: "items[].price"; "" is the whole value
	Keyword string // the schema's keyword that failed: "type", "required" …; "json" for text that isn't JSON
	Detail  string // what the schema asks for, in words
}

func (e *Error) Error() string {
	at := e.Path
	if at == "" {
		at = "the value"
	}
	return at + ": " + e.Detail
}

// report reads the library's message, which begins with the chain of schemas
// that led to the failure and ends in a text that quotes the value. Only the
// chain and the keyword are used.
func (c *Validator) report(msg string) *Error {
	var path strings.Builder
	var last string
	for {
		rest, ok := strings.CutPrefix(msg, "validating ")
		if !ok {
			break
		}
		here, after, ok := strings.Cut(rest, ": ")
		if !ok {
			break
		}
		msg = after
		if here == "root" {
			here = ""
		}
		if steps, below := strings.CutPrefix(here, last); below {
			instancePath(&path, steps)
		} // else a reference, which stays at the same value
		last = here
	}
	node, _ := pointer(c.doc, last)
	s, _ := node.(map[string]any)
	keyword, _, _ := strings.Cut(msg, ":")
	e := &Error{Path: path.String()}
	if strings.HasPrefix(msg, "unexpected additional properties") {
		keyword = "additionalProperties"
	}
	if i := strings.IndexByte(keyword, '['); i > 0 { // dependentRequired["x"]
		keyword = keyword[:i]
	}
	e.Keyword = keyword
	switch keyword {
	case "type":
		e.Detail = "must be of type " + listed(s["type"], " or ")
	case "enum":
		e.Detail = "must be one of " + listed(s["enum"], ", ")
	case "const":
		e.Detail = "must be " + listed(s["const"], "")
	case "required":
		// The names are the schema's own, so they may be told.
		_, names, _ := strings.Cut(msg, "missing properties: ")
		e.Detail = "lacks the required " + strings.Join(quoted(names), ", ")
	case "additionalProperties":
		e.Detail = "has a property that the schema does not have"
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
		"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "pattern":
		e.Detail = "does not keep " + keyword + " " + listed(s[keyword], "")
	case "anyOf", "oneOf", "not", "contains", "minContains", "maxContains", "uniqueItems", "dependentRequired":
		e.Detail = "does not keep " + keyword
	default:
		e.Keyword, e.Detail = "schema", "does not fit the schema"
	}
	return e
}

// instancePath writes the steps of a schema's path as steps into a value.
func instancePath(b *strings.Builder, steps string) {
	tokens := strings.Split(strings.TrimPrefix(steps, "/"), "/")
	for i := 0; i < len(tokens); i++ {
		name := func(n string) {
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			b.WriteString(strings.ReplaceAll(strings.ReplaceAll(n, "~1", "/"), "~0", "~"))
		}
		switch t := tokens[i]; t {
		case "properties":
			if i++; i < len(tokens) {
				name(tokens[i])
			}
		case "patternProperties", "dependentSchemas", "$defs", "definitions", "anyOf", "oneOf", "allOf":
			i++
			if t == "patternProperties" {
				name("*")
			}
		case "additionalProperties", "unevaluatedProperties":
			name("*")
		case "prefixItems":
			if i++; i < len(tokens) {
				b.WriteString("[" + tokens[i] + "]")
			}
		case "items", "additionalItems", "unevaluatedItems", "contains":
			b.WriteString("[]")
			if i+1 < len(tokens) && isIndex(tokens[i+1]) {
				i++
			}
		}
	}
}

func isIndex(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// quoted returns the Go-quoted strings in s.
func quoted(s string) []string {
	var out []string
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			return out
		}
		q, err := strconv.QuotedPrefix(s[i:])
		if err != nil {
			return out
		}
		out = append(out, q)
		s = s[i+len(q):]
	}
}

// listed writes a keyword's value, bounded: an enum may have thousands.
func listed(v any, sep string) string {
	values, ok := v.([]any)
	if !ok {
		values = []any{v}
	}
	const most = 12
	var out []string
	for i, v := range values {
		if i == most {
			out = append(out, "…")
			break
		}
		if s, ok := v.(string); ok && sep == " or " {
			out = append(out, s)
			continue
		}
		text, _ := json.Marshal(v)
		out = append(out, clip(string(text)))
	}
	return strings.Join(out, sep)
}
