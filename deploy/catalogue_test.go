// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/deploy/deploytest"
)

// TestCatalogue: for each row Cloud Run answers so, and Apply says what it
// means, what mends it, and whether a retry helps.
func TestCatalogue(t *testing.T) {
	const l4 = "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion"
	for _, tc := range []struct {
		outcome deploytest.Outcome
		exists  bool // the service is there before, and this is an update
		kind    Kind
		retry   bool
		advice  string // a part of it
		quota   *Quota
		logs    bool
		status  int
	}{
		{outcome: deploytest.NoGPUQuota(false), kind: KindQuota, advice: "request the quota", status: 400},
		{outcome: deploytest.NoGPUQuota(true), kind: KindZonal, advice: "FallbackWithoutZonalRedundancy", status: 400},
		{outcome: deploytest.QuotaExceeded(l4, 3, 1), kind: KindQuota, advice: "lower MaxInstances", quota: &Quota{l4, 3, 1}, status: 400},
		{outcome: deploytest.QuotaExceeded(l4, 3, 1), exists: true, kind: KindQuota, advice: "lower MaxInstances", quota: &Quota{l4, 3, 1}, status: 400},
		{outcome: deploytest.MemoryQuota(51539607552, 42949672960), kind: KindQuota, advice: "lower Memory", quota: &Quota{"MemAllocPerProjectRegion", 51539607552, 42949672960}, status: 400},
		{outcome: deploytest.GPUBusy(), exists: true, kind: KindGPUBusy, retry: true, advice: "old revision"},
		{outcome: deploytest.ImageNotFound("us-docker.pkg.dev/x/y/z"), kind: KindImageNotFound, advice: "push it"},
		{outcome: deploytest.BadImage(), kind: KindImageInvalid, advice: "must read like", status: 400},
		{outcome: deploytest.NotListening(), kind: KindNotListening, advice: "0.0.0.0:$PORT", logs: true},
		{outcome: deploytest.ProbeFailed(), kind: KindProbe, advice: "1800 s", logs: true},
		{outcome: deploytest.OutOfMemory(), kind: KindOutOfMemory, advice: "raise Memory", logs: true},
		{outcome: deploytest.ActAsDenied("runner@demo-proj.iam.gserviceaccount.com"), kind: KindActAs, advice: "roles/iam.serviceAccountUser", status: 403},
		{outcome: deploytest.SecretDenied(), kind: KindSecret, advice: "secretAccessor"},
		{outcome: deploytest.Outcome{Name: "unknown words", On: deploytest.OnWrite, Code: 13, Message: "Something new."}, kind: KindNotReady, advice: "logs"},
		{outcome: deploytest.Outcome{Name: "a reason without words", On: deploytest.OnWrite, Code: 9, ConditionReason: "VPC_NETWORK_NOT_FOUND"}, kind: KindNetwork, advice: "Subnet"},
		{outcome: deploytest.Outcome{Name: "a revision reason", On: deploytest.OnWrite, Code: 9, RevisionReason: "HEALTH_CHECK_CONTAINER_ERROR", Message: "Health check."}, kind: KindNotListening, advice: "0.0.0.0:$PORT"},
		{outcome: deploytest.Outcome{Name: "no permission", On: deploytest.OnWrite, Status: 403, Reason: "PERMISSION_DENIED", Message: "Permission 'run.services.create' denied on resource 'namespaces/demo-proj/services/my-gemma' (or resource may not exist)."}, kind: KindPermission, advice: "roles/run.developer", status: 403},
		{outcome: deploytest.Outcome{Name: "bad field", On: deploytest.OnWrite, Status: 400, Reason: "INVALID_ARGUMENT", Message: "Violation in CreateServiceRequest.service.template.timeout: too long"}, kind: KindInvalid, advice: "names the field", status: 400},
	} {
		t.Run(tc.outcome.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, fake := world(t, deploytest.Config{Startup: time.Minute})
				s := guide()
				if tc.exists {
					mustApply(t, c, s)
					s.Concurrency = 8
				}
				fake.Next(tc.outcome)
				_, err := c.Apply(t.Context(), s)
				e, ok := errors.AsType[*Error](err)
				if !ok || len(fake.Left()) != 0 {
					t.Fatalf("%v, left %v", err, fake.Left())
				}
				if e.Kind != tc.kind || e.Retry != tc.retry || e.Retryable() != tc.retry || e.Status != tc.status || !strings.Contains(e.Advice, tc.advice) {
					t.Errorf("kind %q retry %t status %d advice %q", e.Kind, e.Retry, e.Status, e.Advice)
				}
				if (e.LogsURL != "") != tc.logs || tc.logs && !strings.HasPrefix(e.LogsURL, "https://console.cloud.google.com/logs/") {
					t.Errorf("logs URL %q", e.LogsURL)
				}
				if tc.quota != nil && (e.Quota == nil || *e.Quota != *tc.quota) {
					t.Errorf("quota %+v", e.Quota)
				}
				if e.Kind == KindQuota && e.Link == "" {
					t.Error("no link for the quota")
				}
				if e.Service != s.fullName() || e.Op == "" || tc.status == 0 && e.Operation == "" {
					t.Errorf("service %q op %q operation %q", e.Service, e.Op, e.Operation)
				}
				if !strings.Contains(err.Error(), e.Advice) || !strings.Contains(err.Error(), cmp.Or(tc.outcome.Message, string(e.Kind))) {
					t.Errorf("text %q", err)
				}
				// After a refused call there is nothing; after a failed operation the
				// service stands there, and is said to be broken.
				if tc.status == 0 {
					st, err := c.Status(t.Context(), s)
					if err != nil || st.Ready || st.Failure == nil || st.Failure.Kind != tc.kind || st.Reason == "" {
						t.Errorf("status %+v %v", st, err)
					}
					if tc.exists && st.Revision != "my-gemma-00001-abc" {
						t.Errorf("the old revision no longer serves: %+v", st)
					}
				}
				if err := c.Delete(t.Context(), s); err != nil || len(fake.Names()) != 0 {
					t.Errorf("clean-up: %v", err)
				}
			})
		})
	}
}

// TestExplain covers rows that no admin call reports, and the order of rows.
func TestExplain(t *testing.T) {
	for _, tc := range []struct {
		text  string
		kind  Kind
		retry bool
	}{
		{"The request failed because the project exceeded its quota limit for NvidiaL4GpuAlloc.", KindGPUBusy, true}, // request log behind a 503
		{"One or more users named in the policy do not belong to a permitted customer, perhaps due to an organization policy.", KindOrgPolicy, false},
		{"Conflict for resource 'x': version 'A' was specified but current version is 'B'.", KindConflict, true},
		{"Cloud Run Admin API has not been used in project 1 before or it is disabled.", KindAPIDisabled, false},
		{"Permission 'iam.serviceaccounts.actAs' denied on service account x (or it may not exist)", KindActAs, false},
		{"Google Cloud Run Service Agent must have permission to read the image, europe-docker.pkg.dev/p/r/i.", KindImageDenied, false},
		{"Max instances must be set to 1 or fewer in order to set GPU requirements.", KindQuota, false},
		{"Project 'x' not found or deleted.", KindUnknown, false},
		{"", KindUnknown, false},
	} {
		if e := Explain(tc.text); e.Kind != tc.kind || e.Retry != tc.retry {
			t.Errorf("%q: %s, retry %t", tc.text, e.Kind, e.Retry)
		}
	}
	if e := Explain("Max instances must be set to 1 or fewer in order to set GPU requirements."); e.Quota == nil || e.Quota.Allowed != 1 {
		t.Errorf("%+v", e.Quota)
	}
	if e := Explain(strings.Repeat("é\n", 5000)); len(e.Message) > 1100 || strings.Contains(e.Message, "\n") {
		t.Errorf("%d bytes", len(e.Message))
	}
}

// FuzzExplain: any text gives an error with a kind and bounded words.
func FuzzExplain(f *testing.F) {
	for _, o := range []deploytest.Outcome{deploytest.NoGPUQuota(true), deploytest.QuotaExceeded("NvidiaL4GpuAllocPerProjectRegion", 3, 1), deploytest.NotListening(), deploytest.ImageNotFound("x"), deploytest.SecretDenied()} {
		f.Add(o.Message)
	}
	f.Add("Quota violated: X requested: 99999999999999999999999 allowed: 0")
	f.Fuzz(func(t *testing.T, s string) {
		e := Explain(s)
		if e.Kind == "" || len(e.Message) > 1100 || e.Kind != KindUnknown && e.Advice == "" {
			t.Errorf("%+v", e)
		}
		if strings.ContainsAny(e.LogsURL, " \n") {
			t.Errorf("logs URL %q", e.LogsURL)
		}
	})
}
