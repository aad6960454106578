// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/gemma-go/sdk/deploy/deploytest"
)

const l4Quota = "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion"

// planOf plans and fails if anything was written.
func planOf(t *testing.T, c *Client, fake *deploytest.Server, s Service) *Plan {
	t.Helper()
	fake.Forget()
	p, err := c.Plan(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if w := writes(fake); w != nil {
		t.Errorf("a plan wrote %q", w)
	}
	return p
}

func TestPlanOfANewService(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{Quota: map[string]int64{l4Quota: 3}})
		p := planOf(t, c, fake, guide())
		if p.Action != ActionCreate || !p.Changed() || p.APIEnabled != Yes || p.RegionHasGPU != Yes || len(p.Blockers()) != 0 {
			t.Errorf("%+v", p)
		}
		if q := p.Quota; q.Enough != Yes || q.Allowed != 3 || q.Needed != 1 || q.ID != l4Quota || q.Source != "Service Usage" {
			t.Errorf("%+v", q)
		}
		if i := slices.IndexFunc(p.Permissions, func(c PermissionCheck) bool { return c.Permission == "iam.serviceAccounts.actAs" }); i < 0 ||
			p.Permissions[i].Resource != "123456789012-compute@developer.gserviceaccount.com" || p.Permissions[i].Granted != Yes {
			t.Errorf("%+v", p.Permissions)
		}
		golden(t, "plan-create.txt", []byte(p.String()))
		b, err := p.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var m obj
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		if at(m, "action") != "create" || at(m, "cost", "pricesAsOf") != "2026-08" || at(m, "manifest", "template", "timeout") != "600s" || at(m, "quota", "enough") != "yes" || at(m, "changes") == nil {
			t.Errorf("%s", b)
		}
	})
}

func TestPlanOfAnUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{Quota: map[string]int64{l4Quota: 1}})
		mustApply(t, c, guide())
		if p := planOf(t, c, fake, guide()); p.Action != ActionNone || p.Changed() || len(p.Changes) != 0 {
			t.Errorf("%+v", p)
		}
		s := guide()
		s.Concurrency, s.MinInstances, s.MaxInstances = 8, 1, new(2)
		s.Env = map[string]string{"OLLAMA_KEEP_ALIVE": "-1", "HF_TOKEN": "hf_secret"}
		s.Labels = map[string]string{"team": "search"}
		p := planOf(t, c, fake, s)
		text := p.String()
		golden(t, "plan-update.txt", []byte(text))
		b, err := p.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(text, "hf_secret") || strings.Contains(string(b), "hf_secret") {
			t.Error("the plan shows a token")
		}
		for _, ch := range p.Changes {
			if strings.Contains(ch.String(), "hf_secret") {
				t.Errorf("%s", ch)
			}
		}
		if p.Action != ActionUpdate || p.Quota.Enough != No || len(p.Blockers()) != 1 {
			t.Errorf("%s", b)
		}
	})
}

// TestPlanSaysWhatIsMissing: with everything in the way the plan is whole, and
// with nothing to be known it says so.
func TestPlanSaysWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{
			APIDisabled: true, Quota: map[string]int64{l4Quota: 0},
			Deny: []string{"run.services.create", "iam.serviceAccounts.actAs", "serviceusage.services.enable"},
		})
		s := guide()
		s.ServiceAccount, s.Region = "runner@demo-proj.iam.gserviceaccount.com", "europe-north1"
		p := planOf(t, c, fake, s)
		golden(t, "plan-blocked.txt", []byte(p.String()))
		if n := len(p.Blockers()); n != 5 || p.APIEnabled != No || p.RegionHasGPU != Unknown {
			t.Errorf("%d blockers: %q", n, p.Blockers())
		}

		c, fake = world(t, deploytest.Config{HideQuota: true, Deny: []string{"serviceusage.services.get", "run.services.get", "run.services.getIamPolicy"}})
		p = planOf(t, c, fake, guide())
		if p.APIEnabled != Unknown || p.Quota.Enough != Unknown || !strings.Contains(p.Quota.Why, "Cloud Quotas") {
			t.Errorf("%+v", p)
		}
		if a := p.Permissions[len(p.Permissions)-1]; a.Granted != Unknown || a.Why == "" {
			t.Errorf("%+v", a)
		}
		if len(p.Warnings) < 2 {
			t.Errorf("%q", p.Warnings)
		}
	})
}

// TestPlanAsksCloudQuotas when Service Usage may not be asked.
func TestPlanAsksCloudQuotas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, fake := world(t, deploytest.Config{HideUsage: true, Quota: map[string]int64{"NvidiaRtxPro6000GpuAllocPerProjectRegion": 2}})
		s := guide()
		s.Model, s.ZonalRedundancy, s.MaxInstances = "gemma-4-31b-it", true, new(3)
		if q := planOf(t, c, fake, s).Quota; q.Source != "Cloud Quotas" || q.Allowed != 2 || q.Needed != 3 || q.Enough != No {
			t.Errorf("%+v", q)
		}
	})
}

// TestPlanIsRefused for a bad Service, before anything is asked.
func TestPlanIsRefused(t *testing.T) {
	c, fake := world(t, deploytest.Config{})
	if _, err := c.Plan(t.Context(), Service{}); !isKind(err, KindInvalid) || len(fake.Requests()) != 0 {
		t.Errorf("%v", err)
	}
}
