// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"maps"
	"strings"
)

// program reads Python that does nothing but call declared functions with
// literal arguments: one call a line or between semicolons, each also inside
// print(…), behind "x =", or in a list. Comments and the printing of a
// variable that was assigned are passed over.
func (s *Shim) program(r *reader) ([]call, bool) {
	var all []call
	assigned := map[string]bool{}
	for {
		for r.eat(';') {
		}
		if r.end() {
			return all, len(all) > 0
		}
		start := r.i
		if name, ok := r.ident(); ok && name == "print" && r.eat('(') {
			if v, ok := r.ident(); ok && assigned[v] && r.eat(')') {
				if !r.endStatement() {
					return nil, false
				}
				continue
			}
		}
		r.i = start
		if name, ok := r.ident(); ok && r.eat('=') {
			assigned[name] = true
		} else {
			r.i = start
		}
		calls, ok := s.expression(r, 0)
		if !ok || !r.endStatement() {
			return nil, false
		}
		all = append(all, calls...)
	}
}

// endStatement reports whether a statement may end here.
func (r *reader) endStatement() bool {
	for r.i < len(r.s) && strings.IndexByte(" \t\r)]},", r.s[r.i]) >= 0 {
		r.i++ // a bracket or a comma too many does no harm
	}
	return r.i >= len(r.s) || strings.IndexByte("\n;#", r.s[r.i]) >= 0
}

// expression reads f(…), print(f(…)), await f(…) or [f(…), g(…)].
func (s *Shim) expression(r *reader, depth int) ([]call, bool) {
	if depth > 4 {
		return nil, false
	}
	if r.eat('[') {
		var all []call
		for !r.shut(']') {
			c, ok := s.expression(r, depth+1)
			if !ok || !r.eat(',') && !r.ends(']') {
				return nil, false
			}
			all = append(all, c...)
		}
		return all, len(all) > 0
	}
	name, ok := r.dotted()
	if ok && name == "await" {
		name, ok = r.dotted()
	}
	if !ok || !r.eat('(') {
		return nil, false
	}
	fn := s.lookup(name)
	if fn == nil {
		if name != "print" {
			return nil, false
		}
		inner, ok := s.expression(r, depth+1)
		return inner, ok && r.shut(')')
	}
	c, ok := r.arguments(fn)
	return []call{c}, ok
}

// dotted reads a function's name, with dots, dashes and colons.
func (r *reader) dotted() (string, bool) {
	r.space()
	start := r.i
	for r.i < len(r.s) && nameByte(r.s[r.i]) {
		r.i++
	}
	return r.s[start:r.i], r.i > start && letter(r.s[start])
}

// arguments reads what follows the opening bracket: x=1, one positional
// argument for the one parameter that it can mean, or one object that holds
// all arguments.
func (r *reader) arguments(fn *function) (call, bool) {
	c := call{fn: fn, args: map[string]any{}}
	var positional []any
	for !r.shut(')') {
		spread := r.i
		//lint:ignore SA4000 eat moves on: the two calls read two stars
		if r.eat('*') && r.eat('*') {
			v, ok := r.value()
			m, isObject := v.(map[string]any)
			if !ok || !isObject {
				return c, false
			}
			maps.Copy(c.args, m)
		} else {
			r.i = spread
			if name, ok := r.ident(); ok && (r.eat('=') || r.eat(':')) {
				v, ok := r.value()
				if !ok {
					return c, false
				}
				if _, twice := c.args[name]; twice {
					return c, false
				}
				c.args[name] = v
			} else {
				r.i = spread
				v, ok := r.value()
				if !ok {
					return c, false
				}
				positional = append(positional, v)
			}
		}
		if !r.eat(',') && !r.ends(')') {
			return c, false
		}
	}
	switch {
	case len(positional) == 0:
	case len(positional) == 1 && len(c.args) == 0:
		if m, ok := positional[0].(map[string]any); ok && fn.takes(m) {
			c.args = m
			break
		}
		if fn.single == "" {
			c.problem = "the argument has no name"
			break
		}
		c.args[fn.single] = positional[0]
	case len(positional) == 1 && fn.single != "" && c.args[fn.single] == nil:
		c.args[fn.single] = positional[0]
	default:
		c.problem = "the arguments have no names"
	}
	return c, true
}

// takes reports whether every key of m is a parameter.
func (f *function) takes(m map[string]any) bool {
	props, _ := f.check.Document()["properties"].(map[string]any)
	for k := range m {
		if props[k] == nil {
			return false
		}
	}
	return len(m) > 0
}
