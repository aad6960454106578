// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploytest

import (
	"fmt"
	"reflect"
	"strings"

	run "google.golang.org/api/run/v2"
)

type obj = map[string]any

var serviceType = reflect.TypeFor[run.GoogleCloudRunV2Service]()

// unknownField returns the path of a field that the API does not define, or "".
// A field that the stored service has is known: the API may be newer than the
// types that this package is built with, and a client must carry it along.
func unknownField(path string, v any, t reflect.Type, stored any) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case obj:
		if t.Kind() != reflect.Struct {
			return "" // a map: any key
		}
		was, _ := stored.(obj)
		for k, e := range v {
			f, ok := fieldByJSON(t, k)
			if !ok {
				if _, kept := was[k]; kept {
					continue
				}
				return path + "." + k
			}
			if p := unknownField(path+"."+k, e, f.Type, was[k]); p != "" {
				return p
			}
		}
	case []any:
		if t.Kind() != reflect.Slice {
			return ""
		}
		was, _ := stored.([]any)
		for i, e := range v {
			var old any
			if i < len(was) {
				old = was[i]
			}
			if p := unknownField(fmt.Sprintf("%s[%d]", path, i), e, t.Elem(), old); p != "" {
				return p
			}
		}
	}
	return ""
}

func fieldByJSON(t reflect.Type, name string) (reflect.StructField, bool) {
	for f := range t.Fields() {
		if tag, _, _ := strings.Cut(f.Tag.Get("json"), ","); tag == name && tag != "-" && tag != "" {
			return f, true
		}
	}
	return reflect.StructField{}, false
}

// knownMask reports whether a mask's path leads to a field.
func knownMask(path string) bool {
	t := serviceType
	for name := range strings.SplitSeq(path, ".") {
		for t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct {
			return false
		}
		f, ok := fieldByJSON(t, name)
		if !ok {
			return false
		}
		t = f.Type
	}
	return true
}

// reservedLabel returns a label that v2 rejects: the namespaces that v1 kept its
// settings in.
func reservedLabel(m any) string {
	labels, _ := m.(obj)
	for k := range labels {
		for _, ns := range []string{"run.googleapis.com", "cloud.googleapis.com", "serving.knative.dev", "autoscaling.knative.dev"} {
			if strings.HasPrefix(k, ns+"/") {
				return k
			}
		}
	}
	return ""
}
