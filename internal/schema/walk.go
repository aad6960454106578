// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/gemma-go/sdk/internal/fault"
)

// Raw returns any form in which a request may hold a JSON Schema as JSON text:
// raw JSON in a json.RawMessage, []byte or string, or any value that
// encoding/json writes as an object, such as a map or a *jsonschema.Schema.
// The order of keys is kept where the value has one. For a *genai.Schema use
// [FromGenai].
func Raw(v any) (json.RawMessage, error) {
	var text []byte
	switch v := v.(type) {
	case json.RawMessage:
		text = v
	case []byte:
		text = v
	case string:
		text = []byte(v)
	default:
		var err error
		if text, err = json.Marshal(v); err != nil {
			return nil, &fault.Error{Kind: fault.Invalid, Message: "the schema can't be written as JSON", Err: err}
		}
	}
	text = bytes.TrimSpace(text)
	if !json.Valid(text) {
		return nil, fault.New(fault.Invalid, "the schema is not JSON")
	}
	switch {
	case string(text) == "true":
		return json.RawMessage("{}"), nil
	case text[0] != '{':
		return nil, fault.New(fault.Invalid, "the schema is not a JSON object")
	}
	return json.RawMessage(bytes.Clone(text)), nil
}

// keywords that hold schemas, by how they hold them.
var (
	holdsOne  = set("items", "additionalItems", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedItems", "unevaluatedProperties", "contentSchema")
	holdsList = set("anyOf", "oneOf", "allOf", "prefixItems", "items")
	holdsMap  = set("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
)

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// walk calls visit with every schema in the decoded document, the outer one
// first, with its path in the manner of an error's field.
func walk(doc any, at string, depth int, visit func(s map[string]any, at string) error) error {
	s, ok := doc.(map[string]any)
	if !ok {
		return nil // true, false, or what Compile refuses
	}
	if depth > maxDepth {
		return fault.Bad(at, "the schema is nested more than %d deep", maxDepth)
	}
	if err := visit(s, at); err != nil {
		return err
	}
	for key, v := range s {
		switch v := v.(type) {
		case map[string]any:
			if holdsOne[key] {
				if err := walk(v, join(at, key), depth+1, visit); err != nil {
					return err
				}
			} else if holdsMap[key] {
				for name, sub := range v {
					if err := walk(sub, join(at, key+"."+name), depth+1, visit); err != nil {
						return err
					}
				}
			}
		case []any:
			if holdsList[key] {
				for i, sub := range v {
					if err := walk(sub, join(at, key+"["+strconv.Itoa(i)+"]"), depth+1, visit); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// pointer finds what a JSON pointer (RFC 6901, without the leading '#') names.
func pointer(doc any, ptr string) (any, error) {
	if ptr == "" {
		return doc, nil
	}
	if ptr[0] != '/' {
		return nil, fmt.Errorf("%q is not a JSON pointer", clip(ptr))
	}
	for token := range strings.SplitSeq(ptr[1:], "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		switch d := doc.(type) {
		case map[string]any:
			v, ok := d[token]
			if !ok {
				return nil, fmt.Errorf("nothing at %q", clip(ptr))
			}
			doc = v
		case []any:
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(d) {
				return nil, fmt.Errorf("nothing at %q", clip(ptr))
			}
			doc = d[i]
		default:
			return nil, fmt.Errorf("nothing at %q", clip(ptr))
		}
	}
	return doc, nil
}
