// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/deploy/deploytest"
	"github.com/google/go-cmp/cmp"
)

// foreign is a service that other tools have worked on, with a field that this
// module's types do not know in each place.
const foreign = `{
	"description": "by hand", "labels": {"owner": "platform", "cloud.googleapis.com/location": "us-central1"}, "annotations": {"x": "y", "run.googleapis.com/client-name": "gcloud"}, "futureField": {"a": 1},
	"customAudiences": ["https://other.example.com"], "invokerIamDisabled": true, "ingress": "INGRESS_TRAFFIC_INTERNAL_ONLY",
	"scaling": {"minInstanceCount": 1},
	"template": {
		"revision": "my-gemma-blue", "futureTemplate": ["z"], "sessionAffinity": true,
		"labels": {"owner": "platform"}, "serviceAccount": "runner@demo-proj.iam.gserviceaccount.com",
		"scaling": {"minInstanceCount": 1, "maxInstanceCount": 1}, "timeout": "300s", "maxInstanceRequestConcurrency": 80,
		"nodeSelector": {"accelerator": "nvidia-l4"}, "vpcAccess": {"egress": "ALL_TRAFFIC", "networkInterfaces": [{"network": "default"}]},
		"volumes": [{"name": "tmp", "emptyDir": {"medium": "MEMORY"}}],
		"containers": [
			{"name": "sidecar", "image": "europe-docker.pkg.dev/p/r/otel", "resources": {"limits": {"cpu": "1"}}},
			{"name": "main", "image": "us-docker.pkg.dev/cloudrun/container/gemma/gemma3-1b", "ports": [{"name": "http1", "containerPort": 8080}],
			 "futureContainer": true, "dependsOn": ["sidecar"],
			 "env": [{"name": "OLLAMA_DEBUG", "value": "1"}, {"name": "OLLAMA_NUM_PARALLEL", "value": "2"}, {"name": "API_KEY", "valueSource": {"secretKeyRef": {"secret": "k", "version": "1"}}}],
			 "volumeMounts": [{"name": "tmp", "mountPath": "/tmp/x"}],
			 "resources": {"limits": {"cpu": "4000m", "memory": "32768Mi", "nvidia.com/gpu": "1"}, "cpuIdle": true}}]}}`

// checkForeign fails if anything of the foreign service that is not managed was
// lost.
func checkForeign(t *testing.T, fake *deploytest.Server) {
	t.Helper()
	got := asMap(t, fake.Service(guide().fullName()))
	for _, tc := range []struct {
		path []any
		want string
	}{
		{[]any{"description"}, `"by hand"`},
		{[]any{"labels", "owner"}, `"platform"`},
		{[]any{"annotations", "x"}, `"y"`},
		{[]any{"futureField", "a"}, `1`},
		{[]any{"customAudiences"}, `["https://other.example.com"]`},
		{[]any{"ingress"}, `"INGRESS_TRAFFIC_INTERNAL_ONLY"`},
		{[]any{"scaling", "minInstanceCount"}, `1`},
		{[]any{"template", "futureTemplate"}, `["z"]`},
		{[]any{"template", "sessionAffinity"}, `true`},
		{[]any{"template", "labels", "owner"}, `"platform"`},
		{[]any{"template", "serviceAccount"}, `"runner@demo-proj.iam.gserviceaccount.com"`},
		{[]any{"template", "vpcAccess", "egress"}, `"ALL_TRAFFIC"`},
		{[]any{"template", "volumes", 0, "name"}, `"tmp"`},
		{[]any{"template", "containers", 0, "image"}, `"europe-docker.pkg.dev/p/r/otel"`},
		{[]any{"template", "containers", 1, "futureContainer"}, `true`},
		{[]any{"template", "containers", 1, "dependsOn", 0}, `"sidecar"`},
		{[]any{"template", "containers", 1, "env", 0}, `{"name":"OLLAMA_DEBUG","value":"1"}`},
		{[]any{"template", "containers", 1, "env", 2, "valueSource", "secretKeyRef", "secret"}, `"k"`},
		{[]any{"template", "containers", 1, "volumeMounts", 0, "mountPath"}, `"/tmp/x"`},
	} {
		if b, _ := json.Marshal(at(got, tc.path...)); string(b) != tc.want {
			t.Errorf("%v = %s, want %s", tc.path, b, tc.want)
		}
	}
	// And what is managed is as wanted, once.
	_, changes, err := merge(got, guide())
	if err != nil || len(changes) != 0 {
		t.Errorf("not converged: %v %v", changes, err)
	}
	if n := len(at(got, "template", "containers", 1, "env").(list)); n != 3 {
		t.Errorf("%d variables", n)
	}
	if r := at(got, "template", "revision"); r != nil {
		t.Errorf("the fixed revision name %v is still there", r)
	}
	if m := fake.Members(guide().fullName(), invokerRole); !slices.Equal(m, []string{"user:alice@example.com"}) {
		t.Errorf("invokers %q", m)
	}
	if m := fake.Members(guide().fullName(), "roles/run.viewer"); !slices.Equal(m, []string{"allUsers"}) {
		t.Errorf("a role that cannot call lost its members: %q", m)
	}
}

func putForeign(fake *deploytest.Server) {
	name := guide().fullName()
	fake.Put(name, []byte(foreign))
	fake.Bind(name, invokerRole, "allUsers", "user:alice@example.com")
	fake.Bind(name, "roles/run.admin", "allAuthenticatedUsers")
	fake.Bind(name, "roles/run.viewer", "allUsers")
}

// TestApplyTakesOverForeignService: an open service of somebody else becomes
// private and ours, and nothing else of it changes.
func TestApplyTakesOverForeignService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{Startup: time.Minute})
		putForeign(fake)
		plan, err := c.Plan(t.Context(), guide())
		if err != nil {
			t.Fatal(err)
		}
		if w := writes(fake); w != nil {
			t.Errorf("Plan wrote %q", w)
		}
		st := mustApply(t, c, guide())
		checkForeign(t, fake)
		if !st.Private() || st.Action != ActionUpdate {
			t.Errorf("%+v", st)
		}
		if diff := cmp.Diff(plan.Changes, st.Changes); diff != "" {
			t.Errorf("what was planned is not what was done (-plan +done):\n%s", diff)
		}
		var got []string
		for _, ch := range st.Changes {
			got = append(got, ch.String())
		}
		want := []string{
			`iamPolicy.bindings[roles/run.invoker]: "public" → "private"`,
			`invokerIamDisabled: true → (none)`,
			`template.timeout: "300s" → "600s"`,
			`template.maxInstanceRequestConcurrency: 80 → 4`,
			`template.gpuZonalRedundancyDisabled: (none) → true`,
			`template.scaling.minInstanceCount: 1 → (none)`,
			`template.containers[1].image: "us-docker.pkg.dev/cloudrun/container/gemma/gemma3-1b" → "us-docker.pkg.dev/cloudrun/container/gemma/gemma3-4b"`,
			`template.containers[1].resources.limits.cpu: "4000m" → "8"`,
			`template.containers[1].resources.cpuIdle: true → (none)`,
			`template.containers[1].resources.startupCpuBoost: (none) → true`,
			`template.containers[1].env[OLLAMA_NUM_PARALLEL]: "2" → "4"`,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("changes (-want +got):\n%s", diff)
		}
	})
}

// TestExactRemoves: only what Exact names loses its foreign entries.
func TestExactRemoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{})
		putForeign(fake)
		s := guide()
		s.Exact = []string{"env", "labels", "customAudiences", "volumes", "vpcAccess", "description"}
		s.Labels = map[string]string{"team": "search"}
		mustApply(t, c, s)
		got := asMap(t, fake.Service(s.fullName()))
		for _, path := range [][]any{{"customAudiences"}, {"description"}, {"template", "vpcAccess"}, {"template", "volumes"},
			{"template", "containers", 1, "volumeMounts"}, {"template", "containers", 1, "env", 1}, {"labels", "owner"}, {"template", "labels", "owner"}} {
			if v := at(got, path...); !isZero(v) {
				t.Errorf("%v is still %v", path, v)
			}
		}
		if at(got, "labels", "team") != "search" || at(got, "template", "containers", 1, "futureContainer") != true {
			t.Errorf("lost: %v", got)
		}
		fake.Forget()
		if st := mustApply(t, c, s); st.Action != ActionNone {
			t.Errorf("not idempotent: %v", st.Changes)
		}
	})
}
