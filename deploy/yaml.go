// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// plainRE are the strings that every YAML reader, 1.1 or 1.2, takes for strings
// without quotes. It is narrower than the specification on purpose: no leading
// digit or sign (numbers, dates, base 60), no indicator, no space.
var plainRE = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9_./@-]*(:[A-Za-z0-9_./@-]+)*$`)

// appendYAML appends a tree of obj, list, string, bool and int in block style,
// keys sorted. It is all the YAML that a manifest needs.
func appendYAML(b []byte, v any, indent int) []byte {
	pad := strings.Repeat(" ", indent)
	switch v := v.(type) {
	case obj:
		if len(v) == 0 {
			return append(b, "{}"...)
		}
		for _, k := range sortedKeys(v) {
			b = append(b, pad+yamlString(k)+":"...)
			b = appendChild(b, v[k], indent+2)
		}
	case list:
		if len(v) == 0 {
			return append(b, "[]"...)
		}
		for _, e := range v {
			item := appendYAML(nil, e, indent+2)
			if isLeaf(e) {
				b = append(b, pad+"- "...)
				b = append(b, item...)
				b = append(b, '\n')
				continue
			}
			// The first key of a map stands on the dash's line.
			b = append(b, pad+"- "...)
			b = append(b, item[min(indent+2, len(item)):]...)
		}
	case string:
		b = append(b, yamlString(v)...)
	default:
		b = fmt.Append(b, v)
	}
	return b
}

func appendChild(b []byte, v any, indent int) []byte {
	if isLeaf(v) {
		b = append(b, ' ')
		b = appendYAML(b, v, indent)
		return append(b, '\n')
	}
	if _, ok := v.(list); ok {
		indent -= 2 // kubectl's style: a list stands under its key's first letter
	}
	b = append(b, '\n')
	return appendYAML(b, v, indent)
}

func isLeaf(v any) bool {
	switch v := v.(type) {
	case obj:
		return len(v) == 0
	case list:
		return len(v) == 0
	}
	return true
}

// yamlString quotes whatever a reader could take for something other than that
// string. A JSON string is a YAML double-quoted scalar.
func yamlString(s string) string {
	if plainRE.MatchString(s) {
		switch strings.ToLower(s) {
		case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf":
		default:
			return s
		}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""` // a string always encodes
	}
	return strings.TrimSuffix(b.String(), "\n")
}
