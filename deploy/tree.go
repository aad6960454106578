// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// same compares as JSON does, zero and absent being equal.
func same(a, b any) bool {
	if isZero(a) || isZero(b) {
		return isZero(a) && isZero(b)
	}
	return reflect.DeepEqual(a, b)
}

// covers reports whether every field of want is in have with that value.
func covers(have, want any) bool {
	switch w := want.(type) {
	case obj:
		h, _ := have.(obj)
		for k, v := range w {
			if !covers(h[k], v) {
				return false
			}
		}
		return h != nil || len(w) == 0
	case list:
		h, _ := have.(list)
		if len(h) != len(w) {
			return false
		}
		for i := range w {
			if !covers(h[i], w[i]) {
				return false
			}
		}
		return true
	}
	return same(have, want)
}

func isZero(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case bool:
		return !v
	case string:
		return v == ""
	case json.Number:
		f, err := v.Float64()
		return err == nil && f == 0
	case obj:
		return len(v) == 0
	case list:
		return len(v) == 0
	}
	return false
}

// sameQuantity compares "32Gi" with "32768Mi", and "8" with "8000m".
func sameQuantity(a, b any) bool {
	x, okX := a.(string)
	y, okY := b.(string)
	if !okX || !okY {
		return same(a, b)
	}
	if x == y {
		return true
	}
	if m, ok := memoryBytes(x); ok {
		n, ok := memoryBytes(y)
		return ok && m == n
	}
	m, okX := milli(x)
	n, okY := milli(y)
	return okX && okY && m == n
}

func milli(s string) (float64, bool) {
	if cut, ok := strings.CutSuffix(s, "m"); ok {
		f, err := strconv.ParseFloat(cut, 64)
		return f, err == nil
	}
	f, err := strconv.ParseFloat(s, 64)
	return f * 1000, err == nil
}

// toObj gives a typed value the shape of decoded JSON.
func toObj(v any) (obj, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("deploy: encode: %w", err)
	}
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	var o obj
	if err := dec.Decode(&o); err != nil {
		return nil, fmt.Errorf("deploy: encode: %w", err)
	}
	return o, nil
}

func cloneTree(v any) any {
	switch v := v.(type) {
	case obj:
		out := make(obj, len(v))
		for k, e := range v {
			out[k] = cloneTree(e)
		}
		return out
	case list:
		out := make(list, len(v))
		for i, e := range v {
			out[i] = cloneTree(e)
		}
		return out
	}
	return v
}
