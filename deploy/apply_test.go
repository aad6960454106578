// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
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
		for _, r := range fake.Requests() {
			if r.Method == "PATCH" && (r.Query.Get("updateMask") != "template" || r.Query.Get("forceNewRevision") != "true") {
				t.Errorf("%v", r.Query)
			}
		}
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

// TestOpenedMeanwhile: somebody opens the service while it is being deployed;
// the same Apply closes it again.
func TestOpenedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{Startup: time.Minute})
		opened := false
		st := mustApply(t, c, guide(), Progress(func(e Event) {
			if e.Phase == PhaseWait && !opened {
				opened = true
				fake.Bind(guide().fullName(), invokerRole, "allUsers")
			}
		}))
		if !opened || !st.Private() || fake.Members(guide().fullName(), invokerRole) != nil {
			t.Errorf("%+v", st)
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
