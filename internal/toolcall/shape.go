// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"regexp"
	"strings"
)

// call is a call as the model wrote it: of a declared function, with arguments
// that were not validated yet.
type call struct {
	fn      *function
	args    map[string]any
	problem string // why the arguments are none; "" if args holds them
}

// The keys that models use for the parts of a call.
var (
	nameKeys = keys("name", "function", "tool", "tool_name", "toolName", "function_name", "functionName")
	argKeys  = keys("parameters", "args", "arguments", "params", "input", "tool_input", "kwargs", "arguments_json")
	noteKeys = keys("id", "call_id", "tool_call_id", "index")
	oneKeys  = keys("function", "function_call", "functionCall", "tool_call", "toolCall", "call")
	listKeys = keys("calls", "tool_calls", "toolCalls", "function_calls", "functionCalls")
)

func keys(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}

// opens reports whether a JSON object whose first key this is may be a call.
func (s *Shim) opens(key string, explicit bool) bool {
	return nameKeys[key] || argKeys[key] || noteKeys[key] || oneKeys[key] || listKeys[key] || key == "type" ||
		explicit && s.lookup(key) != nil
}

// calls reads calls off a value: one, a list, or a wrapper of either. It
// reports false for a value that is anything else, also in part: a list in
// which one element is no call is an answer. explicit says that the value
// stands where only calls stand.
func (s *Shim) calls(v any, explicit bool) ([]call, bool) {
	switch v := v.(type) {
	case []any:
		var all []call
		for _, e := range v {
			if _, ok := e.(map[string]any); !ok {
				return nil, false
			}
			c, ok := s.calls(e, explicit)
			if !ok {
				return nil, false
			}
			all = append(all, c...)
		}
		return all, len(all) > 0
	case map[string]any:
		return s.object(v, explicit)
	}
	return nil, false
}

func (s *Shim) object(m map[string]any, explicit bool) ([]call, bool) {
	var name, argKey string
	var inner any
	var flat map[string]any
	for k, v := range m {
		text, isText := v.(string)
		_, isObject := v.(map[string]any)
		_, isList := v.([]any)
		switch {
		case k == "type" && isText && (text == "function" || text == "function_call" || text == "tool_call" || text == "tool_use"):
		case noteKeys[k] && !isObject && !isList:
		case nameKeys[k] && isText && name == "":
			name = text
		case oneKeys[k] && isObject && inner == nil, listKeys[k] && isList && inner == nil:
			inner = v
		case argKeys[k] && argKey == "":
			argKey = k
		case explicit && len(m) == 1 && isObject && s.lookup(k) != nil: // {"f": {…}}
			return []call{{fn: s.lookup(k), args: v.(map[string]any)}}, true
		default:
			if flat == nil {
				flat = map[string]any{}
			}
			flat[k] = v
		}
	}
	if inner != nil {
		if name != "" || argKey != "" || flat != nil {
			return nil, false
		}
		return s.calls(inner, explicit)
	}
	fn := s.lookup(strings.TrimSpace(name))
	if fn == nil {
		return nil, false
	}
	c := call{fn: fn, args: map[string]any{}}
	if flat != nil { // {"name": f, "x": 1}: only if it fits, since it is an answer's form, too
		c.args = flat
		_, failed := c.bind()
		return []call{c}, argKey == "" && failed == nil && fn.takes(flat)
	}
	switch args := m[argKey].(type) {
	case nil:
	case map[string]any:
		if s.echo(fn, args) {
			return nil, false
		}
		c.args = args
	case string: // as in OpenAI's API
		if strings.TrimSpace(args) == "" {
			break
		}
		r := &reader{s: args}
		v, ok := r.value()
		parsed, isObject := v.(map[string]any)
		switch {
		case ok && isObject && r.end():
			c.args = parsed
		case fn.single != "":
			c.args = map[string]any{fn.single: args}
		default:
			c.problem = "the arguments are not an object"
		}
	default:
		c.problem = "the arguments are not an object"
	}
	return []call{c}, true
}

// echo reports whether the arguments are the function's own declaration, which
// models like to repeat: {"name": f, "parameters": {"type": "object", "properties": …}}.
func (s *Shim) echo(fn *function, args map[string]any) bool {
	_, props := args["properties"].(map[string]any)
	t, _ := args["type"].(string)
	own, _ := fn.check.Document()["properties"].(map[string]any)
	return props && strings.EqualFold(t, "object") && own["properties"] == nil
}

// template reports whether a call is one to fill in: an argument is a
// placeholder, such as "<city>" or "...".
func (c call) template() bool {
	for _, v := range c.args {
		if s, ok := v.(string); ok && placeholder.MatchString(s) {
			return true
		}
	}
	return false
}

var placeholder = regexp.MustCompile(`^(?:<[A-Za-z][\w '-]*>|\.\.\.|…|\[[a-z][a-z _]*\])$`)
