// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploytest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/deploy"
	"github.com/gemma-go/sdk/deploy/deploytest"
)

const (
	services = "https://run.googleapis.com/v2/projects/demo-proj/locations/us-central1/services"
	name     = "projects/demo-proj/locations/us-central1/services/g"
	small    = `{"template":{"containers":[{"image":"i"}]}}`
)

func call(t *testing.T, s *deploytest.Server, method, url, body string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("%v in %s", err, b)
	}
	return res.StatusCode, m
}

// TestStrict: what the fake refuses, and in which words.
func TestStrict(t *testing.T) {
	for _, tc := range []struct {
		method, url, body string
		status            int
		text              string
	}{
		{"POST", services + "?serviceId=new", small, 200, ""},
		{"POST", services + "?serviceId=g", small, 409, "already exists"},
		{"POST", services + "?serviceId=new", `{"name":"` + name + `",` + small[1:], 400, "service.name must be empty"},
		{"POST", services + "?serviceId=New", small, 400, "service_id"},
		{"POST", services + "?serviceId=" + strings.Repeat("a", 50), small, 400, "service_id"},
		{"POST", services + "?service_id=new", small, 400, "query parameter"},
		{"POST", services + "?serviceId=new", `{"template":{"containers":[{"image":"i","imagee":"x"}]}}`, 400, `"imagee" at 'service.template.containers[0]'`},
		{"POST", services + "?serviceId=new", `{"labels":{"run.googleapis.com/x":"y"},` + small[1:], 400, "reserved namespace"},
		{"POST", services + "?serviceId=new", `{"template":{}}`, 400, "at least one container"},
		{"POST", services + "?serviceId=new", `{`, 400, "Invalid JSON"},
		{"PATCH", "", `{"name":"` + name + `",` + small[1:], 400, "etag"},
		{"PATCH", "", `{"name":"` + name + `","etag":"\"CK9999\"",` + small[1:], 409, "version"},
		{"PATCH", "", `{"name":"other","etag":"ETAG",` + small[1:], 400, "not the name"},
		{"PATCH", "", `{"etag":"ETAG",` + small[1:], 400, "not the name"},
		{"PATCH", "?updateMask=template.scaling,labels", `{"name":"` + name + `","etag":"ETAG",` + small[1:], 200, ""},
		{"PATCH", "?updateMask=template.scalling", `{"name":"` + name + `","etag":"ETAG",` + small[1:], 400, "update_mask"},
		{"PATCH", "?updateMask=template", `{"name":"` + name + `","etag":"ETAG","future":1,` + small[1:], 200, ""},
		{"PATCH", "?updateMask=template", `{"name":"` + name + `","etag":"ETAG","unheardOf":1,` + small[1:], 400, "unheardOf"},
		{"DELETE", "?etag=x", "", 409, "version"},
		{"GET", ":getIamPolicy", "", 200, ""},
		{"POST", ":setIamPolicy", `{"policy":{"bindings":[]}}`, 400, "etag"},
		{"POST", ":setIamPolicy", `{"policy":{"bindings":[],"etag":"old"}}`, 409, "concurrent"},
		{"POST", ":setIamPolicy", `{"policy":{"bindings":[],"etag":"ACAB","rules":[]}}`, 400, "rules"},
		{"POST", ":setIamPolicy", `{"policy":{"bindings":[{"role":"r","members":["m"],"condition":{"expression":"x"}}],"etag":"ACAB","version":1}}`, 400, "version 3"},
		{"POST", ":setIamPolicy", `{"policy":{"bindings":[{"role":"r","members":["m"]}],"etag":"ACAB","version":3}}`, 200, ""},
		{"GET", "https://run.googleapis.com/v2/projects/other/locations/r/services/g", "", 403, "other"},
		{"GET", "https://example.com/x", "", 404, "serves no"},
	} {
		s := deploytest.NewServer(deploytest.Config{})
		s.Put(name, []byte(`{"future":1,`+small[1:]))
		etag, _ := json.Marshal(s.Service(name)["etag"])
		url := tc.url
		if !strings.HasPrefix(url, "https://") {
			url = services + "/g" + url
		}
		status, got := call(t, s, tc.method, url, strings.ReplaceAll(tc.body, `"ETAG"`, string(etag)))
		text, _ := json.Marshal(got)
		if status != tc.status || tc.text != "" && !strings.Contains(strings.ReplaceAll(string(text), `\"`, `"`), tc.text) {
			t.Errorf("%s %s %s: %d %s", tc.method, tc.url, tc.body, status, text)
		}
	}
}

// TestOperation: under way, it says so in the operation and in the service; done,
// it has the service as its response; later writes take over.
func TestOperation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := deploytest.NewServer(deploytest.Config{Startup: time.Minute})
		_, op := call(t, s, "POST", services+"?serviceId=g", small)
		url := "https://run.googleapis.com/v2/" + op["name"].(string)
		if _, got := call(t, s, "GET", url, ""); got["done"] != nil || s.Service(name)["reconciling"] != true || s.Service(name)["observedGeneration"] != "0" {
			t.Errorf("%v", got)
		}
		time.Sleep(time.Minute)
		_, got := call(t, s, "POST", url+":wait", `{"timeout":"30s"}`)
		if got["done"] != true || got["response"].(map[string]any)["latestReadyRevision"] == nil || s.Service(name)["reconciling"] != nil {
			t.Errorf("%v", got)
		}
		// The defaults that a real GET shows.
		b, _ := json.Marshal(s.Service(name))
		for _, want := range []string{`"containerPort":8080`, `"startupProbe"`, `"serviceAccount":"123456789012-compute@`, `"ingress":"INGRESS_TRAFFIC_ALL"`} {
			if !bytes.Contains(b, []byte(want)) {
				t.Errorf("no %s in %s", want, b)
			}
		}
	})
}

func TestKill(t *testing.T) {
	s := deploytest.NewServer(deploytest.Config{})
	for _, late := range []bool{false, true} {
		s.KillAt(1, late)
		for range 2 {
			_, err := s.Client().Post(services+"?serviceId=g", "application/json", strings.NewReader(small))
			if !errors.Is(err, deploytest.ErrKilled) {
				t.Errorf("%v", err)
			}
		}
		if !s.Revive() || (s.Service(name) != nil) != late {
			t.Errorf("late %t: carried out %t", late, s.Service(name) != nil)
		}
	}
	if s.Revive() {
		t.Error("revived the living")
	}
}

// TestOnAListener: the same handler behind a socket, for programs that take an
// endpoint and not a client.
func TestOnAListener(t *testing.T) {
	fake := deploytest.NewServer(deploytest.Config{Quota: map[string]int64{"NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion": 1}})
	ts := httptest.NewServer(fake)
	defer ts.Close()
	c, err := deploy.NewClient(t.Context(), &deploy.Options{HTTPClient: ts.Client(), Endpoint: ts.URL})
	if err != nil {
		t.Fatal(err)
	}
	svc := deploy.Service{Project: "demo-proj", Region: "us-central1", Name: "g"}
	p, err := c.Plan(t.Context(), svc)
	if err != nil || p.APIEnabled != deploy.Yes || p.Quota.Enough != deploy.Yes || len(p.Blockers()) != 0 {
		t.Errorf("%v %v", p, err)
	}
}

func Example() {
	fake := deploytest.NewServer(deploytest.Config{Project: "my-project"})
	fake.Next(deploytest.QuotaExceeded("NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion", 3, 1))
	ctx := context.Background()
	c, err := deploy.NewClient(ctx, &deploy.Options{HTTPClient: fake.Client()})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.Apply(ctx, deploy.Service{Project: "my-project", Region: "us-central1", Name: "gemma", MaxInstances: new(3)})
	if e, ok := errors.AsType[*deploy.Error](err); ok {
		fmt.Println(e.Kind, e.Quota.Requested, e.Quota.Allowed, e.Retryable())
	}
	// Output: quota 3 1 false
}
