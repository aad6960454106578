// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// recording is one gcloud command (gcloud 528.0.0) with the requests it sent to
// a recording API.
type recording struct {
	Command  string `json:"command"`
	Requests []struct {
		Method   string              `json:"method"`
		Host     string              `json:"host"`
		Path     string              `json:"path"`
		Query    map[string][]string `json:"query"`
		Body     obj                 `json:"body"`
		Response struct {
			Status int `json:"status"`
			Body   obj `json:"body"`
		} `json:"response"`
	} `json:"requests"`
}

func readRecording(t *testing.T, name string) recording {
	t.Helper()
	var r recording
	readJSON(t, filepath.Join("testdata/gcloud", name+".json"), &r)
	return r
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// write returns the body of the recording's only POST or PUT of a service.
func (r recording) write(t *testing.T) obj {
	t.Helper()
	for _, q := range r.Requests {
		if (q.Method == "POST" || q.Method == "PUT") && strings.Contains(q.Path, "/apis/serving.knative.dev/v1/") {
			return q.Body
		}
	}
	t.Fatal("the recording writes no service")
	return nil
}

// asMap gives any JSON-able value the shape of decoded JSON.
func asMap(t *testing.T, v any) obj {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var m obj
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	if err := dec.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

// at walks a path of keys and list indexes; nil if there is nothing.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			m, _ := v.(obj)
			v = m[p]
		case int:
			l, _ := v.(list)
			if p >= len(l) {
				return nil
			}
			v = l[p]
		}
	}
	return v
}

// v1ToV2 maps a Knative service to the Admin API v2, one row per field, written
// from the API's documentation and independent of the code under test. It fails
// on any v1 field that it has no row for, so that nothing gcloud sends goes
// unlooked at.
func v1ToV2(t *testing.T, v1 obj) obj {
	t.Helper()
	service, template := obj{}, obj{}
	scaling, container, resources := obj{}, obj{}, obj{}
	number := func(v any) any { return json.Number(fmt.Sprint(v)) }
	truth := func(v any) any { b, err := strconv.ParseBool(v.(string)); return map[bool]any{true: b}[err == nil] }
	ignored := func(k string) bool { // said by other means in v2, or noise of this client
		switch k {
		case "run.googleapis.com/client-name", "run.googleapis.com/client-version", "client.knative.dev/nonce",
			"run.googleapis.com/urls", "run.googleapis.com/operation-id", "run.googleapis.com/ingress-status",
			"serving.knative.dev/creator", "serving.knative.dev/lastModifier", "cloud.googleapis.com/location":
			return true
		}
		return false
	}
	for k, v := range sub(v1, "metadata", "annotations") {
		switch {
		case ignored(k):
		case k == "run.googleapis.com/invoker-iam-disabled":
			service["invokerIamDisabled"] = truth(v)
		case k == "run.googleapis.com/ingress" && v == "all": // the server's default, echoed
		default:
			t.Errorf("no row for annotation %s", k)
		}
	}
	for k := range sub(v1, "metadata", "labels") {
		if !ignored(k) {
			t.Errorf("no row for label %s", k)
		}
	}
	for k, v := range sub(v1, "spec", "template", "metadata", "annotations") {
		switch {
		case ignored(k):
		case k == "autoscaling.knative.dev/maxScale":
			scaling["maxInstanceCount"] = number(v)
		case k == "autoscaling.knative.dev/minScale":
			scaling["minInstanceCount"] = number(v)
		case k == "run.googleapis.com/cpu-throttling":
			if v == "True" { // inverted, and false is absent in v2
				resources["cpuIdle"] = true
			}
		case k == "run.googleapis.com/gpu-zonal-redundancy-disabled":
			template["gpuZonalRedundancyDisabled"] = truth(v)
		case k == "run.googleapis.com/startup-cpu-boost":
			resources["startupCpuBoost"] = truth(v)
		default:
			t.Errorf("no row for template annotation %s", k)
		}
	}
	for k, v := range sub(v1, "spec", "template", "spec") {
		switch k {
		case "containerConcurrency":
			template["maxInstanceRequestConcurrency"] = number(v)
		case "timeoutSeconds":
			template["timeout"] = fmt.Sprintf("%vs", v)
		case "nodeSelector":
			template["nodeSelector"] = obj{"accelerator": at(v, "run.googleapis.com/accelerator")}
		case "serviceAccountName":
			template["serviceAccount"] = v
		case "containers":
			if len(v.(list)) != 1 {
				t.Errorf("%d containers", len(v.(list)))
			}
			for k, v := range v.(list)[0].(obj) {
				switch k {
				case "image", "env":
					container[k] = v
				case "name": // empty
				case "resources":
					resources["limits"] = at(v, "limits")
				default:
					t.Errorf("no row for container field %s", k)
				}
			}
		default:
			t.Errorf("no row for spec field %s", k)
		}
	}
	container["resources"] = resources
	template["containers"] = list{container}
	template["scaling"] = scaling
	service["template"] = template
	return service
}

func sub(v any, path ...any) obj { m, _ := at(v, path...).(obj); return m }
