// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/gemma-go/sdk/internal/schema"
)

// bind validates a call's arguments, repaired if need be. It returns them, or
// says what is wrong with them.
func (c call) bind() (map[string]any, *Attempt) {
	if c.problem != "" {
		return nil, &Attempt{Name: c.fn.name, Problem: c.problem}
	}
	args := plain(c.args).(map[string]any)
	err := c.fn.check.ValidateValue(args)
	if err == nil {
		return args, nil
	}
	// The error of the arguments as written is the one to tell: a repair that
	// does not suffice would only hide it.
	doc := c.fn.check.Document()
	if again, ok := plain(coerce(c.args, doc, doc, 0)).(map[string]any); ok && c.fn.check.ValidateValue(again) == nil {
		return again, nil
	}
	a := &Attempt{Name: c.fn.name, Problem: "the arguments do not fit the schema"}
	if e, ok := errors.AsType[*schema.Error](err); ok {
		a.Path, a.Problem = e.Path, e.Detail
	}
	return nil, a
}

// coerce returns v with the repairs that [Shim] lists, where node (a schema
// inside doc) asks for one. It leaves everything else as it is.
func coerce(v, node any, doc map[string]any, depth int) any {
	s := follow(node, doc)
	if s == nil || depth > maxDepth {
		return v
	}
	types := typesOf(s)
	switch v := v.(type) {
	case string:
		if list, ok := s["enum"].([]any); ok {
			if e, ok := sameButCase(v, list); ok {
				return e
			}
		}
		if len(types) != 1 {
			return v
		}
		r := &reader{s: strings.TrimSpace(v)}
		parsed, ok := r.value()
		if !ok || r.i != len(r.s) {
			return v
		}
		switch parsed.(type) {
		case json.Number:
			if types[0] == "integer" || types[0] == "number" {
				return parsed
			}
		case bool:
			if types[0] == "boolean" {
				return parsed
			}
		case []any:
			if types[0] == "array" {
				return coerce(parsed, s, doc, depth+1)
			}
		case map[string]any:
			if types[0] == "object" {
				return coerce(parsed, s, doc, depth+1)
			}
		}
	case json.Number:
		if len(types) == 1 && types[0] == "string" {
			return v.String()
		}
	case []any:
		out := slices.Clone(v)
		for i := range out {
			out[i] = coerce(out[i], s["items"], doc, depth+1)
		}
		return out
	case map[string]any:
		props, _ := s["properties"].(map[string]any)
		required, _ := s["required"].([]any)
		out := make(map[string]any, len(v))
		for k, e := range v {
			p, known := props[k]
			if e == nil && known && !slices.Contains(required, any(k)) {
				if !nullable(p, doc) {
					continue
				}
			}
			out[k] = coerce(e, p, doc, depth+1)
		}
		return out
	}
	return v
}

// follow returns the schema that node is, or refers to inside doc, or has as
// its one alternative to null.
func follow(node any, doc map[string]any) map[string]any {
	for range 8 {
		s, ok := node.(map[string]any)
		if !ok {
			return nil
		}
		if list, ok := s["anyOf"].([]any); ok && s["type"] == nil {
			rest := slices.DeleteFunc(slices.Clone(list), func(b any) bool {
				m, _ := b.(map[string]any)
				return m["type"] == "null"
			})
			if len(rest) == 1 {
				node = rest[0]
				continue
			}
		}
		ref, ok := s["$ref"].(string)
		if !ok {
			return s
		}
		node = nil
		for _, key := range []string{"$defs", "definitions"} {
			if name, ok := strings.CutPrefix(ref, "#/"+key+"/"); ok {
				defs, _ := doc[key].(map[string]any)
				node = defs[name]
			}
		}
	}
	return nil
}

// nullable reports whether a schema may admit null: it says so, or does not
// plainly say which types it admits.
func nullable(node any, doc map[string]any) bool {
	s, _ := node.(map[string]any)
	if s["anyOf"] != nil || s["oneOf"] != nil {
		return true
	}
	switch t := follow(node, doc)["type"].(type) {
	case string:
		return t == "null"
	case []any:
		return slices.Contains(t, any("null"))
	}
	return true
}

// typesOf returns the types that a schema says it admits; in a list of several
// null does not count.
func typesOf(s map[string]any) []string {
	switch t := s["type"].(type) {
	case string:
		return []string{t}
	case []any:
		var out []string
		for _, e := range t {
			if name, _ := e.(string); name != "null" {
				out = append(out, name)
			}
		}
		return out
	}
	return nil
}

// sameButCase finds the one value of an enum that equals v but for case.
func sameButCase(v string, list []any) (any, bool) {
	var found any
	n := 0
	for _, e := range list {
		if s, ok := e.(string); ok && strings.EqualFold(s, strings.TrimSpace(v)) {
			found = e
			n++
		}
	}
	return found, n == 1
}
