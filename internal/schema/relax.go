// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// What a grammar can count without growing out of hand. Measured on Ollama
// v0.24.0: a minLength of 3000 is a failed request.
const (
	mostItems  = 64
	mostLength = 256
)

// Relax returns a looser schema for decoding under a grammar. It keeps the
// structure (objects, arrays, types, enums, const, alternatives, references,
// required, small counts, the bounds of integers) and drops the rest, because
// llama.cpp's converter, which Ollama uses, fails the whole request on a
// pattern it can't translate or a schema without a type, and reads properties
// only in the order in which they are written. An object whose schema says
// nothing of further properties gets none.
//
// The schema is one that [Compile] takes.
func Relax(raw json.RawMessage) (json.RawMessage, error) {
	d := NewDefs("")
	out, err := d.Relax(raw)
	if err != nil || d.Len() == 0 {
		return out, err
	}
	// What is referred to stands beside the rest, under $defs.
	defs, err := d.JSON()
	if err != nil {
		return nil, err
	}
	if string(out) == "{}" {
		return json.RawMessage(`{"$defs":` + string(defs) + `}`), nil
	}
	return json.RawMessage(string(out[:len(out)-1]) + `,"$defs":` + string(defs) + `}`), nil
}

// Defs collects what the references of relaxed schemas refer to, so that
// several schemas may stand in one document. Each definition has a name of its
// own: llama.cpp goes by the last part of a reference alone, and would take
// two functions' "#/$defs/Address" for one.
type Defs struct {
	prefix string
	names  []string
	bodies []json.RawMessage
}

// NewDefs returns an empty collection, whose names begin with prefix.
func NewDefs(prefix string) *Defs { return &Defs{prefix: prefix} }

// Len returns the number of definitions.
func (d *Defs) Len() int { return len(d.names) }

// JSON returns the definitions as the object that belongs under the outermost
// schema's "$defs".
func (d *Defs) JSON() (json.RawMessage, error) {
	var o object
	for i, name := range d.names {
		o.put(name, d.bodies[i])
	}
	return o.bytes(), nil
}

// Relax is [Relax] with the definitions kept apart, in d.
func (d *Defs) Relax(raw json.RawMessage) (json.RawMessage, error) {
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, err
	}
	r := &relaxer{doc: doc, raw: raw, defs: d, names: map[string]string{}}
	return r.relax(raw, 0)
}

type relaxer struct {
	doc   map[string]any
	raw   json.RawMessage
	defs  *Defs
	names map[string]string // a reference of this document → the definition's name
}

// anyValue is spelled out: llama.cpp takes the empty schema for an object.
var anyValue = json.RawMessage(`{"type":["string","number","boolean","object","array","null"]}`)

func (r *relaxer) relax(raw json.RawMessage, depth int) (json.RawMessage, error) {
	keys, s, err := fields(raw)
	if err != nil || depth > maxDepth || len(keys) == 0 {
		return anyValue, nil // true, false, {}
	}
	if ref, ok := text(s["$ref"]); ok {
		return r.reference(ref, depth)
	}
	if c, ok := s["const"]; ok {
		var o object
		o.put("const", c)
		return o.bytes(), nil
	}
	if e, ok := s["enum"]; ok && string(e) != "[]" {
		var o object
		o.put("enum", e)
		return o.bytes(), nil
	}
	for _, key := range []string{"anyOf", "oneOf"} {
		var branches []json.RawMessage
		if json.Unmarshal(s[key], &branches) != nil || len(branches) == 0 || !r.shapely(branches) {
			continue
		}
		var o object
		list := make([]json.RawMessage, len(branches))
		for i, b := range branches {
			if list[i], err = r.relax(b, depth+1); err != nil {
				return nil, err
			}
		}
		o.put("anyOf", array(list))
		return o.bytes(), nil
	}
	if all, ok := s["allOf"]; ok {
		if merged, ok := r.merge(s, all, 0); ok {
			return r.relax(merged, depth+1)
		}
	}
	var kinds []string
	if one, ok := text(s["type"]); ok {
		kinds = []string{one}
	} else if json.Unmarshal(s["type"], &kinds) != nil || len(kinds) == 0 {
		kinds = guess(s)
	}
	if len(kinds) == 0 {
		return anyValue, nil
	}
	list := make([]json.RawMessage, len(kinds))
	for i, k := range kinds {
		if list[i], err = r.typed(k, s, depth); err != nil {
			return nil, err
		}
	}
	if len(list) == 1 {
		return list[0], nil
	}
	var o object
	o.put("anyOf", array(list))
	return o.bytes(), nil
}

// reference gives what is referred to a definition of its own, once.
func (r *relaxer) reference(ref string, depth int) (json.RawMessage, error) {
	name, ok := r.names[ref]
	if !ok {
		body, err := r.at(ref)
		if err != nil {
			return nil, err
		}
		i := len(r.defs.names)
		name = r.defs.prefix + "def" + strconv.Itoa(i)
		r.names[ref] = name // before the body, which may refer to itself
		r.defs.names = append(r.defs.names, name)
		r.defs.bodies = append(r.defs.bodies, nil)
		if r.defs.bodies[i], err = r.relax(body, 0); err != nil {
			return nil, err
		}
	}
	var o object
	o.put("$ref", quote("#/$defs/"+name))
	return o.bytes(), nil
}

// at returns the text of what a reference names, with its order of keys where
// the reference is a pointer.
func (r *relaxer) at(ref string) (json.RawMessage, error) {
	to, err := target(r.doc, ref)
	if err != nil {
		return nil, err
	}
	body := r.raw
	for token := range strings.SplitSeq(strings.TrimPrefix(strings.TrimPrefix(ref, "#"), "/"), "/") {
		if _, s, err := fields(body); err == nil && s[token] != nil {
			body = s[token]
		} else if ref != "#" {
			return json.Marshal(to) // an anchor, an escaped name, a list's element
		}
	}
	return body, nil
}

// shapely reports whether alternatives say what a value looks like. Those that
// only say which properties are required don't, and the schema around them does.
func (r *relaxer) shapely(branches []json.RawMessage) bool {
	for _, b := range branches {
		_, s, err := fields(b)
		if err != nil {
			return false
		}
		if s["type"] == nil && s["$ref"] == nil && s["enum"] == nil && s["const"] == nil &&
			s["properties"] == nil && s["items"] == nil && s["anyOf"] == nil && s["oneOf"] == nil && s["allOf"] == nil {
			return false
		}
	}
	return true
}

// merge makes one object schema of allOf and what stands beside it.
func (r *relaxer) merge(s map[string]json.RawMessage, all json.RawMessage, depth int) (json.RawMessage, bool) {
	var branches []json.RawMessage
	if json.Unmarshal(all, &branches) != nil || len(branches) == 0 || depth > maxDepth {
		return nil, false
	}
	if len(branches) == 1 && s["properties"] == nil && s["type"] == nil {
		return branches[0], true
	}
	own := object{}
	for k, v := range s {
		if k == "properties" || k == "required" {
			own.put(k, v)
		}
	}
	branches = append(branches, own.bytes())
	var props object
	var required []string
	seen := map[string]bool{}
	for _, b := range branches {
		_, bs, err := fields(b)
		if err != nil {
			return nil, false
		}
		if ref, ok := text(bs["$ref"]); ok {
			if b, err = r.at(ref); err != nil {
				return nil, false
			}
			_, bs, _ = fields(b)
		}
		if bs["allOf"] != nil {
			if b, ok := r.merge(bs, bs["allOf"], depth+1); ok {
				_, bs, _ = fields(b)
			}
		}
		names, sub, err := fields(bs["properties"])
		if err != nil && bs["properties"] != nil {
			return nil, false
		}
		for _, n := range names {
			if !seen[n] {
				seen[n] = true
				props.put(n, sub[n])
			}
		}
		var req []string
		json.Unmarshal(bs["required"], &req) // absent or not: nothing more is required
		required = append(required, req...)
	}
	if len(seen) == 0 {
		return nil, false
	}
	var o object
	o.put("type", quote("object"))
	o.put("properties", props.bytes())
	req, _ := json.Marshal(required)
	o.put("required", req)
	return o.bytes(), true
}

// guess tells the type from keywords that belong to one.
func guess(s map[string]json.RawMessage) []string {
	switch {
	case s["properties"] != nil || s["additionalProperties"] != nil || s["required"] != nil:
		return []string{"object"}
	case s["items"] != nil || s["prefixItems"] != nil:
		return []string{"array"}
	}
	return nil
}

func (r *relaxer) typed(kind string, s map[string]json.RawMessage, depth int) (json.RawMessage, error) {
	var o object
	o.put("type", quote(kind))
	switch kind {
	case "object":
		if err := r.object(&o, s, depth); err != nil {
			return nil, err
		}
	case "array":
		if _, _, err := fields(s["items"]); err == nil && s["prefixItems"] == nil {
			items, err := r.relax(s["items"], depth+1)
			if err != nil {
				return nil, err
			}
			o.put("items", items)
			least, most := count(s["minItems"], mostItems), count(s["maxItems"], mostItems)
			if least > 0 {
				o.put("minItems", number(least))
			}
			if most >= 0 && most >= least {
				o.put("maxItems", number(most))
			}
		}
	case "string":
		switch f, _ := text(s["format"]); f {
		case "date", "time", "date-time", "uuid":
			o.put("format", quote(f))
			return o.bytes(), nil
		}
		least, most := count(s["minLength"], mostItems), count(s["maxLength"], mostLength)
		if least > 0 {
			o.put("minLength", number(least))
		}
		if most >= 0 && most >= least {
			o.put("maxLength", number(most))
		}
	case "integer":
		low, hasLow := bound(s["minimum"], s["exclusiveMinimum"], +1)
		high, hasHigh := bound(s["maximum"], s["exclusiveMaximum"], -1)
		if hasLow && (!hasHigh || low <= high) {
			o.put("minimum", number(low))
		}
		if hasHigh && (!hasLow || low <= high) {
			o.put("maximum", number(high))
		}
	}
	return o.bytes(), nil
}

func (r *relaxer) object(o *object, s map[string]json.RawMessage, depth int) error {
	names, props, err := fields(s["properties"])
	more := s["additionalProperties"]
	if s["patternProperties"] != nil {
		more = json.RawMessage("true")
	}
	if err == nil && (len(names) > 0 || more == nil || string(more) == "false") {
		var out object
		for _, n := range names {
			p, err := r.relax(props[n], depth+1)
			if err != nil {
				return err
			}
			out.put(n, p)
		}
		o.put("properties", out.bytes())
		var required, kept []string
		json.Unmarshal(s["required"], &required) // absent: nothing is required
		for _, n := range required {
			if props[n] != nil {
				kept = append(kept, n)
			}
		}
		if len(kept) > 0 {
			text, _ := json.Marshal(kept)
			o.put("required", text)
		}
	}
	switch string(more) {
	case "", "true", "false":
		if more != nil {
			o.put("additionalProperties", more)
		}
	default:
		sub, err := r.relax(more, depth+1)
		if err != nil {
			return err
		}
		o.put("additionalProperties", sub)
	}
	return nil
}

// count returns a small count, or -1.
func count(raw json.RawMessage, most int) int {
	var f float64
	if raw == nil || json.Unmarshal(raw, &f) != nil || f < 0 || f > float64(most) || f != math.Trunc(f) {
		return -1
	}
	return int(f)
}

// bound returns an integer's inclusive bound, if it is a whole number that
// fits the converter's 32 bits.
func bound(inclusive, exclusive json.RawMessage, step int) (int, bool) {
	raw := inclusive
	if raw == nil {
		raw = exclusive
	} else {
		step = 0
	}
	var f float64
	if raw == nil || json.Unmarshal(raw, &f) != nil || f != math.Trunc(f) || math.Abs(f) > 1<<30 {
		return 0, false
	}
	return int(f) + step, true
}
