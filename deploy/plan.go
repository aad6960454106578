// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"

	crm "google.golang.org/api/cloudresourcemanager/v3"
	"google.golang.org/api/iam/v1"
)

// Answer is yes, no or unknown: a plan never guesses what it may not ask.
type Answer string

const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// Plan is what Apply would meet and do. It is made for String and for JSON.
type Plan struct {
	Service string `json:"service"`
	Action  Action `json:"action"`

	APIEnabled   Answer            `json:"apiEnabled"`
	Permissions  []PermissionCheck `json:"permissions"`
	Quota        QuotaCheck        `json:"quota"`
	RegionHasGPU Answer            `json:"regionHasGPU"` // by the documentation; unknown where it does not say

	Changes  []Change `json:"changes"`  // field by field; empty on create
	Manifest any      `json:"manifest"` // the whole service, as the Admin API v2 takes it
	Cost     Cost     `json:"cost"`
	Warnings []string `json:"warnings,omitempty"`
}

// PermissionCheck is one permission that the deployment needs.
type PermissionCheck struct {
	Permission string `json:"permission"`
	Resource   string `json:"resource"`
	Granted    Answer `json:"granted"`
	Role       string `json:"role"`          // the smallest predefined role that has it
	Why        string `json:"why,omitempty"` // what it is for, or why it is not known
}

// QuotaCheck is the GPU quota against MaxInstances.
type QuotaCheck struct {
	ID         string `json:"id"`
	Needed     int64  `json:"needed"`
	Allowed    int64  `json:"allowed"` // meaningful if Enough is not unknown
	Enough     Answer `json:"enough"`
	Source     string `json:"source,omitempty"` // which API said so
	Why        string `json:"why,omitempty"`    // why it is not known
	RequestURL string `json:"requestURL"`
}

// Blockers are what would make Apply fail, in words. Empty means that nothing
// known would.
func (p *Plan) Blockers() []string {
	var out []string
	if p.APIEnabled == No {
		out = append(out, runAPI+" is not enabled (Apply may enable it, if it is allowed to)")
	}
	for _, c := range p.Permissions {
		if c.Granted == No {
			out = append(out, fmt.Sprintf("missing %s on %s: grant %s", c.Permission, c.Resource, c.Role))
		}
	}
	if p.Quota.Enough == No {
		out = append(out, fmt.Sprintf("quota %s allows %d, needed %d: request more at %s", p.Quota.ID, p.Quota.Allowed, p.Quota.Needed, p.Quota.RequestURL))
	}
	return out
}

// Changed reports whether Apply would write anything.
func (p *Plan) Changed() bool { return p.Action != ActionNone }

// Plan looks and changes nothing. What it may not look at is unknown in the
// result, with the reason, and no error; an error is a bad Service, or an API
// that cannot be reached at all.
func (c *Client) Plan(ctx context.Context, svc Service) (*Plan, error) {
	m, err := svc.Manifest()
	if err != nil {
		return nil, err
	}
	for _, e := range m.Template.Containers[0].Env {
		if secretName(e.Name) && e.Value != "" {
			e.Value = hidden // plans are pasted into tickets
		}
	}
	r := svc.settle()
	p := &Plan{Service: svc.fullName(), Manifest: m, Cost: svc.Cost(), Warnings: svc.Warnings(), RegionHasGPU: Unknown, APIEnabled: Unknown, Changes: []Change{}}
	if g, ok := gpuTypes[r.GPU]; ok && slices.Contains(g.regions, svc.Region) {
		p.RegionHasGPU = Yes
	}

	state, number, err := c.apiState(ctx, svc.Project)
	switch {
	case err != nil && fatal(err):
		return nil, err
	case err != nil:
		p.warn("whether %s is enabled is not known: %v", runAPI, brief(err))
	case state == "ENABLED":
		p.APIEnabled = Yes
	case state == "DISABLED":
		p.APIEnabled = No
	}
	if err := c.planChanges(ctx, svc, p); err != nil {
		return nil, err
	}
	c.planPermissions(ctx, r, number, p)
	p.Quota = c.planQuota(ctx, r)
	if p.Quota.Enough == No && p.Quota.Allowed == 0 && p.Action == ActionCreate && r.GPU == L4 && !r.ZonalRedundancy {
		p.warn("a project's first L4 service in a region is documented to be granted 3 GPUs by itself; the quota may read 0 until then")
	}
	return p, ctx.Err()
}

// planChanges compares with the service as it is.
func (c *Client) planChanges(ctx context.Context, svc Service, p *Plan) error {
	if p.APIEnabled == No {
		p.Action = ActionCreate // without the API there is no service
		return nil
	}
	l, err := c.get(ctx, svc.fullName())
	switch {
	case isKind(err, KindNotFound), isKind(err, KindAPIDisabled):
		p.Action = ActionCreate
		return nil
	case isKind(err, KindPermission):
		p.Action = ActionCreate
		p.warn("whether the service exists is not known (run.services.get)")
		return nil
	case err != nil:
		return err
	}
	_, changes, err := merge(l.raw, svc)
	if err != nil {
		return err
	}
	st, err := c.status(ctx, svc, l)
	if err != nil {
		return err
	}
	if st.Access == AccessPublic && !svc.DangerouslyDisableInvokerCheck && (len(st.Invokers) > 0 || !l.InvokerIamDisabled) {
		if pol, err := c.policy(ctx, svc.fullName()); err == nil && removeMembers(pol, invokerRoles, publicMembers) {
			changes = append([]Change{accessChange}, changes...)
		}
	}
	p.Changes = append(p.Changes, changes...)
	p.Warnings = append(p.Warnings, st.Warnings...)
	switch {
	case len(changes) > 0:
		p.Action = ActionUpdate
		if st.GPU != "" {
			p.warn("an update starts the new revision's GPU while the old one may still hold its own: with a quota of %d it can fail until the old one is idle (see WaitForGPU)", st.MaxInstances)
		}
	case st.Busy:
		p.Action = ActionResume
	case st.Failure != nil:
		p.Action = ActionRepair
		p.warn("the last deployment failed: %s", st.Reason)
	default:
		p.Action = ActionNone
	}
	return nil
}

// planPermissions asks for the deployer's permissions on the project, and for
// actAs on the runtime service account, which Google's guide leaves out.
func (c *Client) planPermissions(ctx context.Context, r settled, number string, p *Plan) {
	project := "projects/" + r.Project
	need := []PermissionCheck{
		{Permission: "run.services.get", Role: "roles/run.developer"},
		{Permission: "run.services.create", Role: "roles/run.developer"},
		{Permission: "run.services.update", Role: "roles/run.developer"},
		{Permission: "run.operations.get", Role: "roles/run.developer"},
		{Permission: "run.services.getIamPolicy", Role: "roles/run.developer"},
		{Permission: "run.services.setIamPolicy", Role: "roles/run.admin", Why: "to make the service private, and to grant"},
	}
	if p.APIEnabled == No {
		need = append(need, PermissionCheck{Permission: "serviceusage.services.enable", Role: "roles/serviceusage.serviceUsageAdmin"})
	}
	ask := make([]string, len(need))
	for i := range need {
		need[i].Resource, ask[i] = project, need[i].Permission
	}
	got, err := read(ctx, "test permissions", "", func() (*crm.TestIamPermissionsResponse, error) {
		return c.crm.Projects.TestIamPermissions(project, &crm.TestIamPermissionsRequest{Permissions: ask}).Context(ctx).Do()
	})
	for i := range need {
		switch {
		case err != nil:
			need[i].Granted, need[i].Why = Unknown, brief(err)
		case slices.Contains(got.Permissions, need[i].Permission):
			need[i].Granted = Yes
		default:
			need[i].Granted = No
		}
	}
	p.Permissions = append(need, c.planActAs(ctx, r, number))
}

func (c *Client) planActAs(ctx context.Context, r settled, number string) PermissionCheck {
	account := r.ServiceAccount
	if account == "" && number != "" {
		account = number + "-compute@developer.gserviceaccount.com"
	}
	check := PermissionCheck{Permission: "iam.serviceAccounts.actAs", Resource: account, Role: "roles/iam.serviceAccountUser", Granted: Unknown, Why: "to run the service as that account"}
	if account == "" {
		check.Resource, check.Why = "the Compute Engine default account", "the project's number is not known"
		return check
	}
	got, err := read(ctx, "test permissions", "", func() (*iam.TestIamPermissionsResponse, error) {
		return c.iam.Projects.ServiceAccounts.TestIamPermissions("projects/-/serviceAccounts/"+account, &iam.TestIamPermissionsRequest{Permissions: []string{check.Permission}}).Context(ctx).Do()
	})
	switch {
	case err != nil:
		check.Why = brief(err)
	case slices.Contains(got.Permissions, check.Permission):
		check.Granted = Yes
	default:
		check.Granted = No
	}
	return check
}

// fatal tells a failure of ours to ask (no credentials, no network, stopped)
// from an answer.
func fatal(err error) bool {
	return isKind(err, KindCredentials) || isKind(err, KindInterrupted) || isKind(err, KindUnavailable)
}

// brief is the API's own words.
func brief(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Message != "" {
		return e.Message
	}
	return err.Error()
}

func (p *Plan) warn(format string, args ...any) {
	p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...))
}
