// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"

	"github.com/gemma-go/sdk/internal/partialjson"
)

// Snapshots are deep copies, and copying all there is at each response would
// be quadratic. So copying is paid for by reading: every byte read earns
// perByte, a snapshot costs one for each value copied, and none is taken in debt. All
// snapshots together then cost at most advance + perByte × bytes, and the last of them. A
// document of a few KiB never gets into debt; one of 64 KiB has a snapshot about every 600 bytes.
const (
	advance = 64 << 10
	perByte = 8
	perCopy = 16 // bytes of text, or elements of a flat list, that cost as much as one value
	perName = 4  // what a name in a map costs, measured against a value
)

// builder builds a Go value from the events of a parser. Each event is
// worked into the one value in place, in time that does not depend on how much is there
// already. Scalars are decoded by encoding/json, so that the rules are its own.
type builder struct {
	p       partialjson.Parser
	o       JSONOptions
	root    reflect.Value
	kinds   kinds
	stack   []frame
	skip    int // containers open inside a value that is not built piece by piece
	grown   int // length of the text last shown of the open string
	changed bool
	copied  int  // what snapshots have cost so far
	blind   bool // build nothing: there will be no snapshot
}

// frame is an open object or array. It becomes live, which is to say part of
// the value, with the first thing in it that is complete: an object of which
// nothing is known is not shown.
type frame struct {
	typ   reflect.Type
	live  bool
	val   reflect.Value // settable, if live
	outer reflect.Value // the interface that holds val, if one does; it has to be told of changes

	n     int           // elements complete
	field *field        // of the member that is being read; nil if the struct has none
	name  string        // of the member that is being read
	slot  reflect.Value // place of the member or element that is being read, once it has one
}

func newBuilder(t reflect.Type, o JSONOptions) *builder {
	return &builder{
		p:     partialjson.Parser{MaxBytes: o.MaxBytes, MaxDepth: o.MaxDepth},
		o:     o,
		root:  reflect.New(t).Elem(),
		kinds: kinds{},
	}
}

// read works in all the events there are.
func (b *builder) read() error {
	for {
		ev, ok, err := b.p.Next()
		if err != nil || !ok {
			return err
		}
		if b.blind {
			continue
		}
		if err := b.event(ev); err != nil {
			return &JSONError{Offset: ev.Start, Path: b.path(), Message: "the value does not fit the type", Err: err}
		}
	}
}

func (b *builder) event(ev partialjson.Event) error {
	switch ev.Kind {
	case partialjson.BeginObject, partialjson.BeginArray:
		if b.skip == 0 {
			if t := b.open(b.target(), ev.Kind == partialjson.BeginObject); t != nil {
				b.stack = append(b.stack, frame{typ: t})
				return nil
			}
		}
		b.skip++
		return nil
	case partialjson.EndObject, partialjson.EndArray:
		if b.skip > 0 {
			if b.skip--; b.skip > 0 {
				return nil
			}
			return b.whole(ev)
		}
		b.live(len(b.stack) - 1) // it may be empty
		b.settle(len(b.stack) - 1)
		b.stack = b.stack[:len(b.stack)-1]
		b.done()
		return nil
	}
	if b.skip > 0 {
		return nil
	}
	if ev.Kind == partialjson.Key {
		top := &b.stack[len(b.stack)-1]
		top.name = ev.Name
		if top.typ.Kind() == reflect.Struct {
			top.field = b.kinds.of(top.typ).field(ev.Name)
		}
		return nil
	}
	return b.whole(ev)
}

// target returns the type of the value that comes next; nil if it goes nowhere.
func (b *builder) target() reflect.Type {
	if len(b.stack) == 0 {
		return b.root.Type()
	}
	top := &b.stack[len(b.stack)-1]
	switch top.typ.Kind() {
	case reflect.Struct:
		if top.field == nil {
			return nil
		}
		return top.field.typ
	case reflect.Array:
		if top.n >= top.typ.Len() {
			return nil
		}
	}
	return top.typ.Elem()
}

// open returns the type of container that is built for a target, or nil if
// encoding/json has to decode it whole.
func (b *builder) open(t reflect.Type, object bool) reflect.Type {
	for t != nil && !b.kinds.of(t).custom {
		switch t.Kind() {
		case reflect.Pointer:
			t = t.Elem()
			continue
		case reflect.Interface:
			switch {
			case t.NumMethod() > 0:
			case object:
				return mapType
			default:
				return sliceType
			}
		case reflect.Struct:
			if object {
				return t
			}
		case reflect.Map:
			if object && t.Key().Kind() == reflect.String && !b.kinds.of(t.Key()).custom {
				return t
			}
		case reflect.Slice, reflect.Array:
			if !object {
				return t
			}
		}
		return nil
	}
	return nil
}

// whole decodes a complete value into its place.
func (b *builder) whole(ev partialjson.Event) error {
	t := b.target()
	if t == nil {
		b.done()
		return nil
	}
	slot := b.place()
	raw := b.p.Bytes(ev.Start, ev.End)
	var err error
	switch {
	case ev.Kind == partialjson.String && t == stringType && !b.quoted():
		slot.SetString(string(partialjson.Unquote(nil, raw)))
	case b.quoted():
		top := &b.stack[len(b.stack)-1]
		member := append(strconv.AppendQuote([]byte("{"), top.field.name), ':')
		err = json.Unmarshal(append(append(member, raw...), '}'), top.val.Addr().Interface())
	default:
		err = json.Unmarshal(raw, slot.Addr().Interface())
	}
	if err != nil {
		return err
	}
	b.changed = true
	b.done()
	return nil
}

func (b *builder) quoted() bool {
	if len(b.stack) == 0 {
		return false
	}
	f := b.stack[len(b.stack)-1].field
	return f != nil && f.quoted
}

// place returns the settable place of the value that is being read.
func (b *builder) place() reflect.Value {
	if len(b.stack) == 0 {
		return b.root
	}
	i := len(b.stack) - 1
	b.live(i)
	return b.stack[i].place()
}

func (f *frame) place() reflect.Value {
	if f.slot.IsValid() {
		return f.slot
	}
	switch f.typ.Kind() {
	case reflect.Struct:
		v := f.val
		for _, i := range f.field.index {
			if v.Kind() == reflect.Pointer {
				if v.IsNil() {
					v.Set(reflect.New(v.Type().Elem()))
				}
				v = v.Elem()
			}
			v = v.Field(i)
		}
		f.slot = v
	case reflect.Map:
		f.slot = reflect.New(f.typ.Elem()).Elem()
	case reflect.Slice:
		n := f.val.Len()
		f.val.Grow(1)
		f.val.SetLen(n + 1)
		f.slot = f.val.Index(n)
	case reflect.Array:
		f.slot = f.val.Index(f.n)
	}
	return f.slot
}

// live makes frame i, and those around it, part of the value.
func (b *builder) live(i int) {
	f := &b.stack[i]
	if f.live {
		return
	}
	b.changed = true
	v := b.root
	if i > 0 {
		b.live(i - 1)
		v = b.stack[i-1].place()
	}
	for v.Kind() == reflect.Pointer {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	if v.Kind() == reflect.Interface {
		f.outer = v
		v = reflect.New(f.typ).Elem()
	}
	switch v.Kind() {
	case reflect.Map:
		if v.IsNil() {
			v.Set(reflect.MakeMap(f.typ))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(f.typ, 0, 0))
	}
	f.val, f.live = v, true
}

// settle carries what is in frame i to where it is kept by value.
func (b *builder) settle(i int) {
	f := &b.stack[i]
	f.store()
	if f.outer.IsValid() {
		f.outer.Set(f.val)
	}
}

// store puts the member that is being read into its map. Slots of
// everything else are the real places.
func (f *frame) store() {
	if f.slot.IsValid() && f.typ.Kind() == reflect.Map {
		f.val.SetMapIndex(reflect.ValueOf(f.name).Convert(f.typ.Key()), f.slot)
	}
}

// done ends the value that was being read.
func (b *builder) done() {
	b.grown = 0
	if len(b.stack) == 0 {
		return
	}
	i := len(b.stack) - 1
	f := &b.stack[i]
	f.store()
	f.n++
	f.slot = reflect.Value{}
	f.field = nil
}

// path names the value that is being read by the fields of the type. Names in
// maps are the answer's own text and left out.
func (b *builder) path() string {
	var s strings.Builder
	for i := range b.stack {
		switch f := &b.stack[i]; f.typ.Kind() {
		case reflect.Struct:
			if f.field != nil {
				s.WriteString("." + f.field.name)
			}
		case reflect.Map:
			s.WriteString("[…]")
		default:
			s.WriteString(index(f.n))
		}
	}
	return s.String()
}

func index(n int) string { return "[" + strconv.Itoa(n) + "]" }
