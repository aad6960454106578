// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gemma-go/sdk/deploy/deploytest"
	"github.com/google/go-cmp/cmp"
)

// TestGrantAndRevokeAreGcloudsRequests replays the recorded commands: two grants
// and a revoke. Paths, queries and bodies are gcloud's, the etag aside.
func TestGrantAndRevokeAreGcloudsRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{})
		mustApply(t, c, guide())
		const alice, caller = "user:alice@example.com", "serviceAccount:caller@demo-proj.iam.gserviceaccount.com"
		for _, tc := range []struct {
			recording string
			call      func() error
		}{
			{"04-add-iam-user", func() error { return c.GrantInvoker(t.Context(), guide(), alice) }},
			{"05-add-iam-sa", func() error { return c.GrantInvoker(t.Context(), guide(), caller) }},
			{"06-remove-iam", func() error { return c.RevokeInvoker(t.Context(), guide(), alice) }},
		} {
			fake.Forget()
			if err := tc.call(); err != nil {
				t.Fatal(err)
			}
			rec := readRecording(t, tc.recording)
			got := fake.Requests()
			if len(got) != len(rec.Requests) {
				t.Fatalf("%s: %v", tc.recording, got)
			}
			for i, want := range rec.Requests {
				// v2 puts the same methods under its own version.
				path := strings.Replace(want.Path, "/v1/", "/v2/", 1)
				if got[i].Method != want.Method || got[i].Path != path || got[i].Host != want.Host {
					t.Errorf("%s: sent %s, gcloud %s %s", tc.recording, got[i], want.Method, path)
				}
				if v := want.Query["options.requestedPolicyVersion"]; v != nil && !slices.Equal(v, got[i].Query["options.requestedPolicyVersion"]) {
					t.Errorf("%s: query %v", tc.recording, got[i].Query)
				}
				if want.Body == nil {
					continue
				}
				sent := asMap(t, got[i].Body)
				if at(sent, "policy", "etag") == nil {
					t.Errorf("%s: no etag", tc.recording)
				}
				delete(sub(sent, "policy"), "etag")
				delete(sub(want.Body, "policy"), "etag")
				if diff := cmp.Diff(want.Body, sent); diff != "" {
					t.Errorf("%s (-gcloud +ours):\n%s", tc.recording, diff)
				}
			}
		}
	})
}

func TestGrantIsIdempotentAndKeepsOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{})
		mustApply(t, c, guide())
		name := guide().fullName()
		fake.Bind(name, "roles/run.viewer", "group:ops@example.com")
		fake.Bind(name, invokerRole, "user:bob@example.com")
		const caller = "serviceAccount:caller@demo-proj.iam.gserviceaccount.com"
		fake.Next(deploytest.PolicyConflict(), deploytest.PolicyConflict())
		for range 2 {
			if err := c.GrantInvoker(t.Context(), guide(), caller); err != nil {
				t.Fatal(err)
			}
		}
		if w := writes(fake); len(w) != 4 { // the create, two conflicts, one write
			t.Errorf("writes %q", w)
		}
		if m := fake.Members(name, invokerRole); !slices.Equal(m, []string{"user:bob@example.com", caller}) {
			t.Errorf("%q", m)
		}
		st, err := c.Status(t.Context(), guide())
		if err != nil || len(st.Invokers) != 2 || !st.Private() {
			t.Errorf("%+v %v", st, err)
		}
		for range 2 {
			if err := c.RevokeInvoker(t.Context(), guide(), caller, "user:bob@example.com"); err != nil {
				t.Fatal(err)
			}
		}
		if m := fake.Members(name, "roles/run.viewer"); !slices.Equal(m, []string{"group:ops@example.com"}) {
			t.Errorf("others: %q", m)
		}
		if m := fake.Members(name, invokerRole); m != nil {
			t.Errorf("invokers: %q", m)
		}
	})
}

func TestGrantRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{})
		mustApply(t, c, guide())
		fake.Forget()
		err := c.GrantInvoker(t.Context(), guide(), "allUsers", "caller@demo-proj.iam.gserviceaccount.com", "user:a@example.com", "principal://iam.googleapis.com/x")
		e, _ := errors.AsType[*Error](err)
		if e == nil || e.Kind != KindInvalid || len(e.Faults) != 2 || len(fake.Requests()) != 0 {
			t.Errorf("%v %v", err, fake.Requests())
		}
		if err := c.GrantInvoker(t.Context(), guide()); !isKind(err, KindInvalid) {
			t.Errorf("nobody: %v", err)
		}
		fake.Next(deploytest.OrgPolicy())
		err = c.GrantInvoker(t.Context(), guide(), "user:a@elsewhere.com")
		if e, _ := errors.AsType[*Error](err); e == nil || e.Kind != KindOrgPolicy || e.Retry || !strings.Contains(e.Advice, "allowedPolicyMemberDomains") {
			t.Errorf("%v", err)
		}
		gone := guide()
		gone.Name = "gone"
		if err := c.GrantInvoker(t.Context(), gone, "user:a@example.com"); !isKind(err, KindNotFound) {
			t.Errorf("%v", err)
		}
		if err := c.RevokeInvoker(t.Context(), gone, "user:a@example.com"); err != nil {
			t.Errorf("%v", err)
		}
	})
}

// TestPrivateIsMadeTrue: allUsers goes, others stay; without the permission to
// do so nothing else is changed.
func TestPrivateIsMadeTrue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{Deny: []string{"run.services.setIamPolicy"}})
		putForeign(fake)
		_, err := c.Apply(t.Context(), guide())
		e, _ := errors.AsType[*Error](err)
		if e == nil || e.Kind != KindPermission || !strings.Contains(e.Advice, "roles/run.admin") {
			t.Errorf("%v", err)
		}
		if w := writes(fake); !slices.Equal(w, []string{"POST my-gemma:setIamPolicy"}) {
			t.Errorf("went on to %q", w)
		}
		st, err := c.Status(t.Context(), guide())
		if err != nil || st.Private() || st.Access != AccessPublic {
			t.Errorf("%+v %v", st, err)
		}
		fake.Allow("run.services.setIamPolicy")
		if st := mustApply(t, c, guide()); !st.Private() {
			t.Errorf("%+v", st)
		}
		checkForeign(t, fake)

		// Only opened, nothing else changed: that too is an update.
		fake.Bind(guide().fullName(), invokerRole, "allUsers")
		st = mustApply(t, c, guide())
		if st.Action != ActionUpdate || !st.Private() || len(st.Changes) != 1 {
			t.Errorf("%+v", st)
		}

		// Asked for by name, the check stays off and public members stay.
		fake.Bind(guide().fullName(), invokerRole, "allUsers")
		s := guide()
		s.DangerouslyDisableInvokerCheck = true
		if st := mustApply(t, c, s); st.Private() || !slices.Contains(fake.Members(s.fullName(), invokerRole), "allUsers") {
			t.Errorf("%+v", st)
		}
	})
}

func TestUnreadablePolicyIsUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := world(t, deploytest.Config{Deny: []string{"run.services.getIamPolicy"}})
		st := mustApply(t, c, guide()) // a new service is private by the server's default
		if st.Access != AccessUnknown || st.Private() || len(st.Warnings) == 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestDeterministicURL(t *testing.T) {
	if u, ok := DeterministicURL("my-gemma", "123456789012", "us-central1"); !ok || u != "https://my-gemma-123456789012.us-central1.run.app" {
		t.Errorf("%q %t", u, ok)
	}
	if u, ok := DeterministicURL(strings.Repeat("a", 51), "123456789012", "us-central1"); ok {
		t.Errorf("%q", u)
	}
}

// TestDelete: the recorded command's requests, gone twice, what remains.
func TestDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{})
		s := full()
		mustApply(t, c, s)
		fake.Forget()
		var said []string
		for range 2 {
			if err := c.Delete(t.Context(), s, Progress(func(e Event) {
				if e.Phase == PhaseRemains || e.Phase == PhaseDone {
					said = append(said, e.Message)
				}
			})); err != nil {
				t.Fatal(err)
			}
		}
		want := []string{"the bucket gs://my-tunes and what is in it", "the image " + s.Image, "the secret gemma-key", "the secret projects/123/secrets/shared",
			"g-full is gone; nothing of it is billed", "g-full is already gone; nothing of it is billed"}
		if diff := cmp.Diff(want, said); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		// gcloud: DELETE, then GET until 404.
		var line []string
		for _, r := range fake.Requests() {
			if !strings.Contains(r.Path, "/operations/") {
				line = append(line, fmt.Sprint(r.Method, " ", r.Status))
			}
		}
		if rec := readRecording(t, "08-delete"); rec.Requests[0].Method != "DELETE" || rec.Requests[1].Response.Status != 404 {
			t.Error("the recording is another")
		}
		if !slices.Equal(line, []string{"GET 200", "DELETE 200", "GET 404", "GET 404"}) {
			t.Errorf("%q", line)
		}
	})
}

// TestDeleteWhileCreating: a deployment under way, and one that was stopped, are
// deleted as well; a denied deletion says what goes on costing money.
func TestDeleteFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{Startup: 10 * 60e9})
		s := guide()
		s.MinInstances = 1
		if _, err := c.Apply(t.Context(), s, Timeout(60e9)); !isKind(err, KindInterrupted) {
			t.Fatal(err)
		}
		// An outage, somebody else's change, and somebody who was faster.
		fake.Next(deploytest.Unavailable(deploytest.OnDelete),
			deploytest.Outcome{On: deploytest.OnDelete, Status: 409, Reason: "ABORTED", Message: "Conflict for resource 'my-gemma': version '1' was specified but current version is '2'."},
			deploytest.Outcome{On: deploytest.OnDelete, Status: 404, Reason: "NOT_FOUND", Message: "gone"})
		if err := c.Delete(t.Context(), s); err != nil || len(fake.Names()) != 0 {
			t.Errorf("%v %q", err, fake.Names())
		}
		mustApply(t, c, s)
		fake.Next(deploytest.Outcome{On: deploytest.OnDelete, Status: 403, Reason: "PERMISSION_DENIED", Message: "Permission 'run.services.delete' denied"})
		err := c.Delete(t.Context(), s)
		if !isKind(err, KindPermission) || !strings.Contains(err.Error(), "1 warm GPU instance is billed") {
			t.Errorf("%v", err)
		}
	})
}
