// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"reflect"

	"github.com/gemma-go/sdk/internal/partialjson"
)

// news reports whether a snapshot should be taken now: there is something new, the
// document is not whole yet (the last value is yielded at the end, when it is
// known to be one), and the copy is paid for by what was read since the last.
func (b *builder) news() bool {
	if b.copied > advance+perByte*b.p.Offset() {
		return false
	}
	if _, _, whole := b.p.Document(); whole {
		return false
	}
	if b.o.GrowingText {
		b.grow()
	}
	return b.changed
}

// snapshot returns a pointer to a deep copy of the value so far.
func (b *builder) snapshot() any {
	for i := len(b.stack) - 1; i >= 0; i-- {
		if b.stack[i].live {
			b.settle(i)
		}
	}
	b.changed = false
	c := reflect.New(b.root.Type())
	c.Elem().Set(b.root)
	b.own(c.Elem())
	return c.Interface()
}

// grow puts what is certain of the open string into its place.
func (b *builder) grow() {
	start, ok := b.p.OpenString()
	if !ok || b.skip > 0 || b.quoted() {
		return
	}
	t := b.target()
	if t != stringType && t != anyType && t != reflect.PointerTo(stringType) {
		return
	}
	text := string(partialjson.Unquote(nil, b.p.Bytes(start, b.p.Offset())))
	b.copied += len(text) / perCopy
	if len(text) <= b.grown {
		return
	}
	b.grown = len(text)
	b.changed = true
	switch slot := b.place(); slot.Kind() {
	case reflect.String:
		slot.SetString(text)
	case reflect.Pointer:
		slot.Set(reflect.ValueOf(&text))
	default:
		slot.Set(reflect.ValueOf(text))
	}
}

// own gives v, a plain copy, parts of its own.
func (b *builder) own(v reflect.Value) {
	b.copied++
	t := v.Type()
	k := b.kinds.of(t)
	if !k.deep {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			c := reflect.New(t.Elem())
			c.Elem().Set(v.Elem())
			b.own(c.Elem())
			v.Set(c)
		}
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		c := reflect.MakeSlice(t, v.Len(), v.Len())
		reflect.Copy(c, v)
		b.ownAll(c)
		v.Set(c)
	case reflect.Array:
		b.ownAll(v)
	case reflect.Map:
		if v.IsNil() {
			return
		}
		c := reflect.MakeMapWithSize(t, v.Len())
		b.copied += perName * v.Len()
		name, e := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		for it := v.MapRange(); it.Next(); {
			name.SetIterKey(it)
			e.SetIterValue(it)
			b.own(e)
			c.SetMapIndex(name, e)
		}
		v.Set(c)
	case reflect.Interface:
		if t == anyType && !v.IsNil() {
			if c := b.ownAny(v.Interface()); c != nil {
				v.Set(reflect.ValueOf(c))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			// What is not exported was not built here, except in embedded structs.
			f := t.Field(i)
			if b.kinds.of(f.Type).deep && (f.IsExported() || f.Anonymous && f.Type.Kind() == reflect.Struct) {
				b.own(v.Field(i))
			}
		}
	}
}

func (b *builder) ownAll(list reflect.Value) {
	if !b.kinds.of(list.Type().Elem()).deep {
		b.copied += list.Len() / perCopy
		return
	}
	for i := range list.Len() {
		b.own(list.Index(i))
	}
}

// ownAny copies what encoding/json makes of any JSON.
func (b *builder) ownAny(v any) any {
	b.copied++
	switch v := v.(type) {
	case map[string]any:
		b.copied += perName * len(v)
		c := make(map[string]any, len(v))
		for name, e := range v {
			c[name] = b.ownAny(e)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, e := range v {
			c[i] = b.ownAny(e)
		}
		return c
	}
	return v
}
