// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"net/url"
	"reflect"
	"strings"

	"github.com/gemma-go/sdk/internal/fault"
)

// target finds what a reference inside the document names: a JSON pointer
// ("#/$defs/city") or an anchor ("#city").
func target(doc map[string]any, ref string) (any, error) {
	frag, err := url.PathUnescape(strings.TrimPrefix(ref, "#"))
	if err != nil {
		return nil, err
	}
	if frag == "" || frag[0] == '/' {
		return pointer(doc, frag)
	}
	var found any
	err = walk(doc, "", 0, func(s map[string]any, _ string) error {
		if s["$anchor"] == frag || s["$id"] == "#"+frag {
			found = s
		}
		return nil
	})
	if err == nil && found == nil {
		err = fault.New(fault.Invalid, "no schema is named %q", clip(frag))
	}
	return found, err
}

// acyclic refuses a schema that applies itself to the same value, such as
// {"$defs":{"a":{"$ref":"#/$defs/a"}}}: no value could ever be checked against
// it. A schema that applies itself to a part of the value is fine.
func acyclic(doc map[string]any) error {
	const open, done = 1, 2
	state := make(map[uintptr]int)
	var visit func(v any, at string) error
	visit = func(v any, at string) error {
		s, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		id := reflect.ValueOf(s).Pointer()
		switch state[id] {
		case open:
			return fault.Bad(at, "the schema refers to itself without an end")
		case done:
			return nil
		}
		state[id] = open
		defer func() { state[id] = done }()
		if ref, ok := s["$ref"].(string); ok {
			to, err := target(doc, ref)
			if err != nil {
				return &fault.Error{Kind: fault.Invalid, Field: join(at, "$ref"), Message: "names no schema in this document", Err: err}
			}
			if err := visit(to, join(at, "$ref")); err != nil {
				return err
			}
		}
		for _, key := range []string{"not", "if", "then", "else"} {
			if err := visit(s[key], join(at, key)); err != nil {
				return err
			}
		}
		for _, key := range []string{"anyOf", "oneOf", "allOf"} {
			list, _ := s[key].([]any)
			for _, sub := range list {
				if err := visit(sub, join(at, key)); err != nil {
					return err
				}
			}
		}
		deps, _ := s["dependentSchemas"].(map[string]any)
		for _, sub := range deps {
			if err := visit(sub, join(at, "dependentSchemas")); err != nil {
				return err
			}
		}
		return nil
	}
	return walk(doc, "", 0, func(s map[string]any, at string) error { return visit(s, at) })
}
