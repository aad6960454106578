// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
)

// kind is what the builder knows of a Go type.
type kind struct {
	// custom types decode themselves; the builder gives them whole values.
	custom bool
	// deep values have parts that a plain copy would share.
	deep bool
	// fields of a struct by name, and in the order of encoding/json for names in another case.
	fields map[string]*field
	order  []*field
}

// field is a member of a struct as encoding/json sees it.
type field struct {
	name   string
	index  []int
	typ    reflect.Type
	quoted bool // `json:",string"`; encoding/json knows for which types it means something
	tagged bool
}

var (
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	anyType         = reflect.TypeFor[any]()
	stringType      = reflect.TypeFor[string]()
	mapType         = reflect.TypeFor[map[string]any]()
	sliceType       = reflect.TypeFor[[]any]()
)

// kinds remembers what was found out about the types inside one T.
type kinds map[reflect.Type]*kind

func (ks kinds) of(t reflect.Type) *kind {
	if k := ks[t]; k != nil {
		return k
	}
	k := new(kind)
	ks[t] = k
	for _, m := range []reflect.Type{t, reflect.PointerTo(t)} {
		if t.Kind() != reflect.Interface && (m.Implements(unmarshaler) || m.Implements(textUnmarshaler)) {
			k.custom = true
			return k
		}
	}
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Interface:
		k.deep = true
	case reflect.Array:
		k.deep = ks.of(t.Elem()).deep
	case reflect.Struct:
		for field := range t.Fields() {
			k.deep = k.deep || ks.of(field.Type).deep
		}
		k.order = structFields(t)
		k.fields = make(map[string]*field, len(k.order))
		for _, f := range k.order {
			k.fields[f.name] = f
		}
	}
	return k
}

// field returns the field for a name, or nil.
func (k *kind) field(name string) *field {
	if f := k.fields[name]; f != nil {
		return f
	}
	for _, f := range k.order {
		if strings.EqualFold(f.name, name) {
			return f
		}
	}
	return nil
}

// structFields returns the members of a struct by the rules of encoding/json:
// embedded structs without a name lend their fields; of the fields with one
// name the shallowest wins, among those the tagged one, and if that leaves several, none.
func structFields(t reflect.Type) []*field {
	var all []*field
	var walk func(t reflect.Type, index []int, inside []reflect.Type)
	walk = func(t reflect.Type, index []int, inside []reflect.Type) {
		if slices.Contains(inside, t) {
			return // an embedded cycle: all that is in it is hidden by what is above
		}
		inside = append(inside[:len(inside):len(inside)], t)
		for i := range t.NumField() {
			sf := t.Field(i)
			tag := sf.Tag.Get("json")
			if tag == "-" {
				continue
			}
			name, options, _ := strings.Cut(tag, ",")
			if !validName(name) {
				name = ""
			}
			at := append(index[:len(index):len(index)], i)
			inner := sf.Type
			if sf.Anonymous {
				pointer := inner.Kind() == reflect.Pointer
				if pointer {
					inner = inner.Elem()
				}
				if !sf.IsExported() && (pointer || inner.Kind() != reflect.Struct) {
					continue // cannot be set
				}
				if name == "" && inner.Kind() == reflect.Struct {
					walk(inner, at, inside)
					continue
				}
			}
			if !sf.IsExported() {
				continue
			}
			f := &field{name: name, index: at, typ: sf.Type, tagged: name != ""}
			if name == "" {
				f.name = sf.Name
			}
			for o := range strings.SplitSeq(options, ",") {
				f.quoted = f.quoted || o == "string"
			}
			all = append(all, f)
		}
	}
	walk(t, nil, nil)

	best := make(map[string]*field, len(all))
	tie := make(map[string]bool)
	for _, f := range all {
		have := best[f.name]
		switch {
		case have == nil || rank(f) < rank(have):
			best[f.name], tie[f.name] = f, false
		case rank(f) == rank(have):
			tie[f.name] = true
		}
	}
	var out []*field
	for _, f := range all {
		if best[f.name] == f && !tie[f.name] {
			out = append(out, f)
		}
	}
	return out
}

// rank orders fields of the same name; the lowest wins.
func rank(f *field) int {
	if f.tagged {
		return 2 * len(f.index)
	}
	return 2*len(f.index) + 1
}

// validName reports whether encoding/json takes s for a name.
func validName(s string) bool {
	return s != "" && !strings.ContainsAny(s, "\"\\'`,") && strings.IndexFunc(s, func(r rune) bool { return r < ' ' }) < 0
}
