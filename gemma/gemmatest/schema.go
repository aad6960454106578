// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Instance is a small JSON value that satisfies a JSON Schema: required
// properties only (all of them if the schema requires none), numbers and
// strings within their bounds. It is what an emulated server's constrained
// decoding writes. Types may be spelled in capitals, as genai.Schema does.
// Patterns and conditions (if, not, dependent…) are not looked at. What is no
// schema gives {}.
func Instance(schema json.RawMessage) string {
	var root any
	if len(schema) == 0 || json.Unmarshal(schema, &root) != nil {
		return "{}"
	}
	s := &instancer{root: root}
	s.value(root, "", 0)
	return s.out.String()
}

type instancer struct {
	root any
	out  strings.Builder
}

func (s *instancer) value(schema any, name string, depth int) {
	m, ok := schema.(map[string]any)
	if !ok || depth > 32 {
		s.out.WriteString("{}")
		return
	}
	if ref, ok := m["$ref"].(string); ok {
		s.value(s.resolve(ref), name, depth+1)
		return
	}
	if v, ok := m["const"]; ok {
		s.json(v)
		return
	}
	if e, ok := m["enum"].([]any); ok && len(e) > 0 {
		s.json(e[0])
		return
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		if list, ok := m[key].([]any); ok && len(list) > 0 {
			s.value(list[0], name, depth+1)
			return
		}
	}
	if list, ok := m["allOf"].([]any); ok && len(list) > 0 {
		s.value(merge(m, list), name, depth+1)
		return
	}
	switch kind(m) {
	case "object":
		s.object(m, depth)
	case "array":
		s.array(m, name, depth)
	case "integer":
		s.json(int64(number(m, 1)))
	case "number":
		s.json(number(m, 1.5))
	case "boolean":
		s.json(true)
	case "null":
		s.json(nil)
	default:
		s.json(text(m, name))
	}
}

func (s *instancer) object(m map[string]any, depth int) {
	properties, _ := m["properties"].(map[string]any)
	var names []string
	if required, ok := m["required"].([]any); ok && len(required) > 0 {
		for _, r := range required {
			names = append(names, fmt.Sprint(r))
		}
	} else {
		for name := range properties {
			names = append(names, name)
		}
		slices.Sort(names)
	}
	s.out.WriteByte('{')
	for i, name := range names {
		if i > 0 {
			s.out.WriteString(", ")
		}
		s.json(name)
		s.out.WriteString(": ")
		p, ok := properties[name]
		if !ok {
			p = map[string]any{"type": "string"}
		}
		s.value(p, name, depth+1)
	}
	s.out.WriteByte('}')
}

func (s *instancer) array(m map[string]any, name string, depth int) {
	n := 2 // so that there is something to see between the first and the last
	if v, ok := m["minItems"].(float64); ok && int(v) > n {
		n = int(v)
	}
	if v, ok := m["maxItems"].(float64); ok && int(v) < n {
		n = int(v)
	}
	prefix, _ := m["prefixItems"].([]any)
	if len(prefix) > 0 {
		n = len(prefix)
	}
	s.out.WriteByte('[')
	for i := range n {
		if i > 0 {
			s.out.WriteString(", ")
		}
		item := m["items"]
		if i < len(prefix) {
			item = prefix[i]
		}
		if item == nil {
			item = map[string]any{"type": "string"}
		}
		s.value(item, fmt.Sprintf("%s %d", name, i+1), depth+1)
	}
	s.out.WriteByte(']')
}

func (s *instancer) json(v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b = []byte("null")
	}
	s.out.Write(b)
}

// resolve follows a reference within the document.
func (s *instancer) resolve(ref string) any {
	var at any = s.root
	for part := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(ref, "#"), "/"), "/") {
		m, ok := at.(map[string]any)
		if part == "" || !ok {
			continue
		}
		at = m[strings.NewReplacer("~1", "/", "~0", "~").Replace(part)]
	}
	return at
}

// kind is the schema's type; of several the first that isn't null.
func kind(m map[string]any) string {
	switch t := m["type"].(type) {
	case string:
		return strings.ToLower(t)
	case []any:
		for _, v := range t {
			if k := strings.ToLower(fmt.Sprint(v)); k != "null" {
				return k
			}
		}
		return "null"
	}
	switch {
	case m["properties"] != nil:
		return "object"
	case m["items"] != nil:
		return "array"
	}
	return "string"
}

func number(m map[string]any, v float64) float64 {
	if lo, ok := m["minimum"].(float64); ok && v < lo {
		v = lo
	}
	if lo, ok := m["exclusiveMinimum"].(float64); ok && v <= lo {
		v = lo + 1
	}
	if hi, ok := m["maximum"].(float64); ok && v > hi {
		v = hi
	}
	if hi, ok := m["exclusiveMaximum"].(float64); ok && v >= hi {
		v = hi - 1
	}
	if step, ok := m["multipleOf"].(float64); ok && step > 0 {
		if lo := float64(int64(v / step)); lo*step < v {
			v = (lo + 1) * step
		}
	}
	return v
}

func text(m map[string]any, name string) string {
	switch m["format"] {
	case "date-time":
		return "2026-01-02T03:04:05Z"
	case "date":
		return "2026-01-02"
	case "time":
		return "03:04:05Z"
	case "email":
		return "someone@example.com"
	case "uri", "uri-reference":
		return "https://example.com/"
	case "uuid":
		return "00000000-0000-4000-8000-000000000000"
	}
	s := strings.TrimSpace("some " + name)
	if n, ok := m["minLength"].(float64); ok {
		for len(s) < int(n) {
			s += " and more"
		}
	}
	if n, ok := m["maxLength"].(float64); ok && len(s) > int(n) {
		s = s[:int(n)]
	}
	return s
}

// merge folds the parts of an allOf into the schema that holds it.
func merge(m map[string]any, parts []any) map[string]any {
	out := make(map[string]any)
	properties := make(map[string]any)
	var required []any
	for _, part := range append([]any{m}, parts...) {
		p, _ := part.(map[string]any)
		for k, v := range p {
			switch k {
			case "allOf":
			case "properties":
				if m, ok := v.(map[string]any); ok {
					maps.Copy(properties, m)
				}
			case "required":
				if list, ok := v.([]any); ok {
					required = append(required, list...)
				}
			default:
				out[k] = v
			}
		}
	}
	if len(properties) > 0 {
		out["properties"] = properties
	}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}
