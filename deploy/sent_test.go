// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGcloudSendsTheYAML: testdata/sent is what gcloud 528.0.0 sent when the
// commands in testdata/*.sh were run; the v1 manifest says the same. (gcloud
// names the alias of another project's secret at random; it reads "shared" here.)
func TestGcloudSendsTheYAML(t *testing.T) {
	g4 := guide()
	g4.Model = "gemma-4-31b-it"
	for name, s := range map[string]Service{"guide": guide(), "full": full(), "gemma4": g4} {
		t.Run(name, func(t *testing.T) {
			var sent obj
			readJSON(t, filepath.Join("testdata/sent", name+".json"), &sent)
			k, err := s.knative()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(quiet(t, sent), quiet(t, asMap(t, k))); diff != "" {
				t.Errorf("(-gcloud +ours):\n%s", diff)
			}
		})
	}
}

// quiet drops what identifies gcloud and what it spells out empty, and sorts
// variables by name.
func quiet(t *testing.T, v any) any {
	t.Helper()
	switch v := v.(type) {
	case obj:
		out := obj{}
		for k, e := range v {
			switch k {
			case "run.googleapis.com/client-name", "run.googleapis.com/client-version", "run.googleapis.com/launch-stage", "client.knative.dev/nonce", "status":
				continue
			case "run.googleapis.com/network-interfaces":
				var nics any
				if err := json.Unmarshal([]byte(e.(string)), &nics); err != nil {
					t.Fatal(err)
				}
				e = nics
			case "env":
				byName := obj{}
				for _, v := range e.(list) {
					byName[v.(obj)["name"].(string)] = v
				}
				e = byName
			}
			if e = quiet(t, e); !isZero(e) || k == "value" {
				out[k] = e
			}
		}
		return out
	case list:
		out := make(list, len(v))
		for i, e := range v {
			out[i] = quiet(t, e)
		}
		return out
	case string:
		return strings.TrimSpace(v)
	}
	return v
}
