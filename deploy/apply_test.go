// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/deploy/deploytest"
	"github.com/google/go-cmp/cmp"
)

// world is a client and the control plane it talks to, in memory.
func world(t *testing.T, cfg deploytest.Config) (*Client, *deploytest.Server) {
	t.Helper()
	fake := deploytest.NewServer(cfg)
	c, err := NewClient(t.Context(), &Options{HTTPClient: fake.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return c, fake
}

// writes are the requests that change something, in short.
func writes(fake *deploytest.Server) []string {
	var out []string
	for _, r := range fake.Requests() {
		if r.Method != "GET" && !strings.HasSuffix(r.Path, ":testIamPermissions") {
			out = append(out, r.Method+" "+r.Path[strings.LastIndexByte(r.Path, '/')+1:])
		}
	}
	return out
}

func mustApply(t *testing.T, c *Client, s Service, opts ...Option) *Status {
	t.Helper()
	st, err := c.Apply(t.Context(), s, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// TestApplyCreates: what is sent is the recorded create, mapped; the wait is
// told step by step; a second Apply writes nothing.
func TestApplyCreates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{Startup: 4 * time.Minute})
		var said []string
		st := mustApply(t, c, guide(), Progress(func(e Event) {
			if line := string(e.Phase) + ": " + e.Message; !slices.Contains(said, line) {
				said = append(said, line)
			}
			if e.Phase == PhaseWait && (e.Operation == "" || e.Elapsed > 5*time.Minute) {
				t.Errorf("event %+v", e)
			}
		}))
		if st.Action != ActionCreate || !st.Ready || !st.Private() || st.Revision != "my-gemma-00001-abc" || len(st.URLs) != 2 {
			t.Errorf("status %+v", st)
		}
		want := []string{
			"create: creating my-gemma in us-central1", "wait: Provisioning imported containers.",
			"wait: Waiting for the container to listen on its port.", "wait: Routing traffic.", "done: created; " + st.URL,
		}
		if diff := cmp.Diff(want, said); diff != "" {
			t.Errorf("progress (-want +got):\n%s", diff)
		}
		for _, r := range fake.Requests() {
			if r.Method != "POST" {
				continue
			}
			if r.Path != "/v2/projects/demo-proj/locations/us-central1/services" || r.Query.Get("serviceId") != "my-gemma" || r.Host != "run.googleapis.com" {
				t.Errorf("create: %s %v", r, r.Query)
			}
			if diff := cmp.Diff(v1ToV2(t, readRecording(t, "01-create").write(t)), asMap(t, r.Body)); diff != "" {
				t.Errorf("body (-gcloud +ours):\n%s", diff)
			}
		}
		if w := writes(fake); !slices.Equal(w, []string{"POST services"}) {
			t.Errorf("writes %q", w)
		}

		fake.Forget()
		st = mustApply(t, c, guide())
		if w := writes(fake); w != nil || st.Action != ActionNone || len(st.Changes) != 0 {
			t.Errorf("second Apply: writes %q, %+v", w, st)
		}
	})
}

// TestApplyUpdates: the recorded `services update` changes two fields; so does
// ours, with a mask, an etag, and all the rest as it was.
func TestApplyUpdates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{Startup: time.Minute})
		mustApply(t, c, guide())
		fake.Forget()
		s := guide()
		s.Concurrency = 8
		st := mustApply(t, c, s)
		want := []string{
			`template.maxInstanceRequestConcurrency: 4 → 8`,
			`template.containers[0].env[OLLAMA_NUM_PARALLEL]: "4" → "8"`,
		}
		var got []string
		for _, ch := range st.Changes {
			got = append(got, ch.String())
		}
		if diff := cmp.Diff(want, got); diff != "" || st.Action != ActionUpdate || st.Revision != "my-gemma-00002-abc" {
			t.Errorf("%s %s (-want +got):\n%s", st.Action, st.Revision, diff)
		}
		rec := v1ToV2(t, readRecording(t, "07-update-concurrency").write(t))
		for _, r := range fake.Requests() {
			if r.Method != "PATCH" {
				continue
			}
			if r.Query.Get("updateMask") != "template" || r.Body["etag"] == nil || r.Body["name"] != s.fullName() {
				t.Errorf("%v etag %v", r.Query, r.Body["etag"])
			}
			if !covers(asMap(t, r.Body), rec) {
				t.Errorf("gcloud's update is not in ours:\n%s", cmp.Diff(rec, asMap(t, r.Body)))
			}
		}
		if w := writes(fake); !slices.Equal(w, []string{"PATCH my-gemma"}) {
			t.Errorf("writes %q", w)
		}
	})
}

// foreign is a service that other tools have worked on, with a field that this
// module's types do not know in each place.
const foreign = `{
	"description": "by hand", "labels": {"owner": "platform"}, "annotations": {"x": "y"}, "futureField": {"a": 1},
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

// TestFullServiceIsIdempotent: every field, applied twice against a server that
// fills in its defaults.
func TestFullServiceIsIdempotent(t *testing.T) {
	g4 := guide()
	g4.Model = "gemma-4-31b-it"
	for _, s := range []Service{full(), g4} {
		synctest.Test(t, func(t *testing.T) {
			c, fake := world(t, deploytest.Config{})
			mustApply(t, c, s)
			fake.Forget()
			if st := mustApply(t, c, s); st.Action != ActionNone || writes(fake) != nil {
				t.Errorf("%s: %v %q", s.Name, st.Changes, writes(fake))
			}
			// And back to the guide's shape: the other server's command line goes.
			back := guide()
			back.Name, back.Region = s.Name, s.Region
			mustApply(t, c, back)
			got := asMap(t, fake.Service(back.fullName()))
			if a := at(got, "template", "containers", 0, "args"); a != nil {
				t.Errorf("args %v outlive their image", a)
			}
			if st := mustApply(t, c, back); st.Action != ActionNone {
				t.Errorf("back: %v", st.Changes)
			}
		})
	}
}

// TestInterruptedApplyIsResumed: a deadline ends the wait, not the work; the
// next Apply waits for it and writes nothing.
func TestInterruptedApplyIsResumed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{Startup: 20 * time.Minute})
		_, err := c.Apply(t.Context(), guide(), Timeout(5*time.Minute))
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Kind != KindInterrupted || !e.Retry || !strings.HasPrefix(e.Operation, "projects/demo-proj/locations/us-central1/operations/") || !strings.Contains(err.Error(), "not done within 5m0s") {
			t.Fatalf("%v %+v", err, e)
		}
		// Cancelled, with a cause.
		ctx, cancel := context.WithCancelCause(t.Context())
		stop := errors.New("operator left")
		time.AfterFunc(time.Minute, func() { cancel(stop) })
		if _, err := c.Apply(ctx, guide()); !errors.Is(err, stop) || !isKind(err, KindInterrupted) {
			t.Errorf("%v", err)
		}
		fake.Forget()
		begun := time.Now()
		st := mustApply(t, c, guide())
		if st.Action != ActionResume || !st.Ready || writes(fake) != nil || time.Since(begun) > 15*time.Minute {
			t.Errorf("%+v, writes %q, after %s", st, writes(fake), time.Since(begun))
		}
		if st, err := c.Wait(t.Context(), guide()); err != nil || !st.Ready {
			t.Errorf("Wait: %+v %v", st, err)
		}
	})
}

// TestApplyEnablesTheAPI only when it is told that it may.
func TestApplyEnablesTheAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{APIDisabled: true})
		_, err := c.Apply(t.Context(), guide())
		if e, _ := errors.AsType[*Error](err); e == nil || e.Kind != KindAPIDisabled || e.Retry || !strings.Contains(e.Link, "demo-proj") || !strings.Contains(e.Advice, "EnableAPI") {
			t.Errorf("%v", err)
		}
		if w := writes(fake); w != nil {
			t.Errorf("wrote %q", w)
		}
		mustApply(t, c, guide(), EnableAPI())
		if w := writes(fake); !slices.Equal(w, []string{"POST run.googleapis.com:enable", "POST services"}) {
			t.Errorf("wrote %q", w)
		}
	})
}

// TestConflicts: every write is decided again from a fresh read.
func TestConflicts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{})
		putForeign(fake)
		fake.Next(deploytest.Conflict(), deploytest.PolicyConflict(), deploytest.Unavailable(deploytest.OnGet), deploytest.Conflict(), deploytest.Unavailable(deploytest.OnWrite))
		mustApply(t, c, guide())
		checkForeign(t, fake)
		if left := fake.Left(); len(left) != 0 {
			t.Errorf("not met: %v", left)
		}
		// It does not go on for ever.
		s := guide()
		s.MinInstances = 1
		fake.Next(slices.Repeat([]deploytest.Outcome{deploytest.Conflict()}, attempts)...)
		if _, err := c.Apply(t.Context(), s); !isKind(err, KindConflict) {
			t.Errorf("%v", err)
		}
	})
}

// TestRepair: a failed deployment is tried anew by the next Apply, and counts as
// a write that it says.
func TestRepair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{Startup: time.Minute})
		fake.Next(deploytest.ImageNotFound("x"))
		if _, err := c.Apply(t.Context(), guide()); !isKind(err, KindImageNotFound) {
			t.Fatalf("%v", err)
		}
		st, err := c.Status(t.Context(), guide())
		if err != nil || st.Ready || st.Failure == nil || st.Failure.Kind != KindImageNotFound || st.Revision != "" {
			t.Errorf("after the failure: %+v %v", st, err)
		}
		plan, err := c.Plan(t.Context(), guide())
		if err != nil || plan.Action != ActionRepair {
			t.Errorf("plan %+v %v", plan, err)
		}
		fake.Forget()
		st = mustApply(t, c, guide())
		if st.Action != ActionRepair || !st.Ready || st.Revision != "my-gemma-00002-abc" || !slices.Equal(writes(fake), []string{"PATCH my-gemma"}) {
			t.Errorf("%+v %q", st, writes(fake))
		}
	})
}

func TestFallbackWithoutZonalRedundancy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{Quota: map[string]int64{"NvidiaL4GpuAllocPerProjectRegion": 0, "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion": 3}})
		s := guide()
		s.ZonalRedundancy = true
		if _, err := c.Apply(t.Context(), s); !isKind(err, KindZonal) {
			t.Errorf("%v", err)
		}
		st := mustApply(t, c, s, FallbackWithoutZonalRedundancy())
		if st.Zonal || !slices.ContainsFunc(st.Warnings, func(w string) bool { return strings.Contains(w, "without it") }) {
			t.Errorf("%+v", st)
		}
		if got := asMap(t, fake.Service(s.fullName())); at(got, "template", "gpuZonalRedundancyDisabled") != true {
			t.Errorf("%v", got)
		}
	})
}

func TestWaitForGPU(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{Startup: time.Minute})
		mustApply(t, c, guide())
		s := guide()
		s.Concurrency = 8
		fake.Next(deploytest.GPUBusy(), deploytest.GPUBusy())
		st := mustApply(t, c, s, WaitForGPU(10*time.Minute))
		if !st.Ready || st.Action != ActionUpdate || len(st.Changes) != 2 {
			t.Errorf("%+v", st)
		}
		s.Concurrency = 12
		fake.Next(slices.Repeat([]deploytest.Outcome{deploytest.GPUBusy()}, 20)...)
		if _, err := c.Apply(t.Context(), s, WaitForGPU(5*time.Minute)); !isKind(err, KindGPUBusy) {
			t.Errorf("%v", err)
		}
	})
}

// TestKilledApplyConverges kills the program at each of Apply's requests, before
// and after the server carried it out, and runs it again.
func TestKilledApplyConverges(t *testing.T) {
	for _, tc := range []struct {
		name  string
		setup func(*deploytest.Server)
		check func(*testing.T, *deploytest.Server)
	}{
		{"create", func(*deploytest.Server) {}, func(t *testing.T, fake *deploytest.Server) {
			if names := fake.Names(); !slices.Equal(names, []string{guide().fullName()}) {
				t.Errorf("services %q", names)
			}
			if got := fake.Service(guide().fullName()); got["latestCreatedRevision"] != guide().fullName()+"/revisions/my-gemma-00001-abc" {
				t.Errorf("doubled: %v", got["latestCreatedRevision"])
			}
		}},
		{"update", putForeign, func(t *testing.T, fake *deploytest.Server) {
			checkForeign(t, fake)
			if got := fake.Service(guide().fullName()); got["latestReadyRevision"] != guide().fullName()+"/revisions/my-gemma-00002-abc" {
				t.Errorf("doubled: %v", got["latestReadyRevision"])
			}
		}},
	} {
		for _, late := range []bool{false, true} {
			kills := 0
			for n := 1; ; n++ {
				killed := false
				synctest.Test(t, func(t *testing.T) {
					c, fake := world(t, deploytest.Config{APIDisabled: tc.name == "create", Startup: 30 * time.Second})
					tc.setup(fake)
					fake.KillAt(n, late)
					_, err := c.Apply(t.Context(), guide(), EnableAPI())
					if killed = fake.Revive(); killed != (err != nil) {
						t.Errorf("%s %d: killed %t, error %v", tc.name, n, killed, err)
					}
					st := mustApply(t, c, guide(), EnableAPI())
					if !st.Ready || !st.Private() {
						t.Errorf("%s %d %t: %+v", tc.name, n, late, st)
					}
					tc.check(t, fake)
					fake.Forget()
					if st := mustApply(t, c, guide()); st.Action != ActionNone || writes(fake) != nil {
						t.Errorf("%s %d %t: not settled: %+v", tc.name, n, late, st)
					}
				})
				if !killed {
					break
				}
				kills++
			}
			if kills < 8 {
				t.Errorf("%s: only %d kills", tc.name, kills)
			}
			t.Logf("%s, answer lost %t: killed at each of %d requests", tc.name, late, kills)
		}
	}
}

// TestKilledDeleteConverges does the same for Delete.
func TestKilledDeleteConverges(t *testing.T) {
	for _, late := range []bool{false, true} {
		kills := 0
		for n := 1; ; n++ {
			killed := false
			synctest.Test(t, func(t *testing.T) {
				c, fake := world(t, deploytest.Config{Startup: 30 * time.Second})
				putForeign(fake)
				fake.KillAt(n, late)
				err := c.Delete(t.Context(), guide())
				if killed = fake.Revive(); killed != (err != nil) {
					t.Errorf("%d: killed %t, error %v", n, killed, err)
				}
				if err := c.Delete(t.Context(), guide()); err != nil {
					t.Errorf("%d %t: %v", n, late, err)
				}
				if names := fake.Names(); len(names) != 0 {
					t.Errorf("%d %t: left %q", n, late, names)
				}
			})
			if !killed {
				break
			}
			kills++
		}
		if kills < 4 {
			t.Errorf("only %d kills", kills)
		}
		t.Logf("answer lost %t: killed at each of %d requests", late, kills)
	}
}

func ExampleClient_Apply() {
	fake := deploytest.NewServer(deploytest.Config{Project: "my-project"})
	ctx := context.Background()
	c, err := NewClient(ctx, &Options{HTTPClient: fake.Client()})
	if err != nil {
		fmt.Println(err)
		return
	}
	svc := Service{Project: "my-project", Region: "europe-west1", Name: "gemma", Model: "gemma-3-4b-it"}
	for range 2 {
		st, err := c.Apply(ctx, svc)
		if err != nil {
			fmt.Println(err)
			return
		}
		_, _, model, slots := st.GemmaEndpoint()
		fmt.Println(st.Action, st.Access, model, slots)
	}
	// Output:
	// create private gemma-3-4b-it 4
	// none private gemma-3-4b-it 4
}
