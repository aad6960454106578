// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// encoding/json forgets the order of an object's members; what is here keeps it.

func number(n int) json.RawMessage { return json.RawMessage(strconv.Itoa(n)) }

func text(raw json.RawMessage) (string, bool) {
	var s string
	if raw == nil || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}

// fields returns an object's members and the order they are written in.
func fields(raw json.RawMessage) (keys []string, m map[string]json.RawMessage, err error) {
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, nil, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	seen := make(map[string]bool, len(m))
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return nil, nil, err
		}
		if name, _ := k.(string); !seen[name] {
			seen[name] = true
			keys = append(keys, name)
		}
	}
	return keys, m, nil
}

// object writes a JSON object in the order in which its members are put.
type object struct{ b bytes.Buffer }

func (o *object) put(name string, v json.RawMessage) {
	if o.b.Len() == 0 {
		o.b.WriteByte('{')
	} else {
		o.b.WriteByte(',')
	}
	o.b.Write(quote(name))
	o.b.WriteByte(':')
	o.b.Write(v)
}

func (o *object) bytes() json.RawMessage {
	if o.b.Len() == 0 {
		return json.RawMessage("{}")
	}
	return append(bytes.Clone(o.b.Bytes()), '}')
}

func array(list []json.RawMessage) json.RawMessage {
	return append(append([]byte{'['}, bytes.Join(rawSlices(list), []byte{','})...), ']')
}

func rawSlices(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i, l := range list {
		out[i] = l
	}
	return out
}

func quote(s string) json.RawMessage {
	text, _ := json.Marshal(s)
	return text
}
