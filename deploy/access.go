// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"regexp"
	"slices"

	run "google.golang.org/api/run/v2"
)

const invokerRole = "roles/run.invoker"

// invokerRoles let their members call a service; a public member in any of them
// opens it.
var invokerRoles = []string{invokerRole, "roles/run.servicesInvoker", "roles/run.admin", "roles/editor", "roles/owner"}

var publicMembers = []string{"allUsers", "allAuthenticatedUsers"}

var memberRE = regexp.MustCompile(`^(user|serviceAccount|group):[^@\s]+@[^@\s]+$|^domain:[^\s:]+\.[^\s:]+$|^principal(Set)?://\S+$`)

// GrantInvoker lets members call the service: "serviceAccount:…", "user:…",
// "group:…", "domain:…" or a principal://… of workforce or workload identity. It
// is idempotent, keeps what else is in the policy, and decides again when
// somebody else changes the policy at the same time. The public members allUsers
// and allAuthenticatedUsers are refused.
//
// A grant takes up to a minute or two to reach the front end.
func (c *Client) GrantInvoker(ctx context.Context, svc Service, members ...string) error {
	if err := checkMembers(svc, members); err != nil {
		return err
	}
	return c.editPolicy(ctx, svc, func(p *run.GoogleIamV1Policy) bool {
		var b *run.GoogleIamV1Binding
		for _, x := range p.Bindings {
			if x.Role == invokerRole && x.Condition == nil {
				b = x
				break
			}
		}
		changed := false
		for _, m := range members {
			if b == nil {
				b = &run.GoogleIamV1Binding{Role: invokerRole}
				p.Bindings = append(p.Bindings, b)
			}
			if !slices.Contains(b.Members, m) {
				b.Members = append(b.Members, m)
				changed = true
			}
		}
		return changed
	})
}

// RevokeInvoker takes the right to call the service from members, conditional
// grants included. It is idempotent, and tolerates a service that is gone.
// Rights that come from the project, its folder or organization stay.
func (c *Client) RevokeInvoker(ctx context.Context, svc Service, members ...string) error {
	err := c.editPolicy(ctx, svc, func(p *run.GoogleIamV1Policy) bool {
		return removeMembers(p, []string{invokerRole}, members)
	})
	if isKind(err, KindNotFound) {
		return nil
	}
	return err
}

// makePrivate takes the public members from every role that lets them call. It
// reports whether there were any.
func (c *Client) makePrivate(ctx context.Context, svc Service) (changed bool, err error) {
	err = c.editPolicy(ctx, svc, func(p *run.GoogleIamV1Policy) bool {
		done := removeMembers(p, invokerRoles, publicMembers)
		changed = changed || done
		return done
	})
	return changed, err
}

// removeMembers drops members, and bindings that are then empty.
func removeMembers(p *run.GoogleIamV1Policy, roles, members []string) bool {
	changed := false
	p.Bindings = slices.DeleteFunc(p.Bindings, func(b *run.GoogleIamV1Binding) bool {
		if !slices.Contains(roles, b.Role) {
			return false
		}
		n := len(b.Members)
		b.Members = slices.DeleteFunc(b.Members, func(m string) bool { return slices.Contains(members, m) })
		changed = changed || len(b.Members) != n
		return len(b.Members) == 0
	})
	return changed
}

// editPolicy is the read-modify-write with etag. edit reports whether it changed
// the policy; if not, nothing is written.
func (c *Client) editPolicy(ctx context.Context, svc Service, edit func(*run.GoogleIamV1Policy) bool) error {
	name := svc.fullName()
	for n := 0; ; n++ {
		p, err := c.policy(ctx, name)
		if err != nil {
			return err
		}
		if !edit(p) {
			return nil
		}
		p.Version = 3 // or conditions would be lost
		_, err = c.run.Projects.Locations.Services.SetIamPolicy(name, &run.GoogleIamV1SetIamPolicyRequest{Policy: p}).Context(ctx).Do()
		if err == nil {
			return nil
		}
		e := failure(ctx, "set IAM policy", name, err)
		if e.Kind != KindConflict && e.Kind != KindUnavailable || n == attempts-1 {
			return e
		}
		if pause(ctx, n) != nil {
			return failure(ctx, "set IAM policy", name, ctx.Err())
		}
	}
}

func (c *Client) policy(ctx context.Context, name string) (*run.GoogleIamV1Policy, error) {
	return read(ctx, "read IAM policy", name, func() (*run.GoogleIamV1Policy, error) {
		return c.run.Projects.Locations.Services.GetIamPolicy(name).OptionsRequestedPolicyVersion(3).Context(ctx).Do()
	})
}

func checkMembers(svc Service, members []string) error {
	var f faults
	for _, m := range members {
		switch {
		case slices.Contains(publicMembers, m):
			f.add("member", "", "%q would open the endpoint to everyone; this package makes private endpoints only", m)
		case !memberRE.MatchString(m):
			f.add("member", "https://cloud.google.com/iam/docs/principal-identifiers", `%q does not read like "serviceAccount:name@project.iam.gserviceaccount.com"`, m)
		}
	}
	if len(members) == 0 {
		f.add("member", "", "is required: who may call?")
	}
	if len(f) > 0 {
		return &Error{Kind: KindInvalid, Op: "grant", Service: svc.fullName(), Faults: f, Message: "bad member"}
	}
	return nil
}
