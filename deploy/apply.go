// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"fmt"
	"strings"
	"time"

	"google.golang.org/api/serviceusage/v1"
)

// Apply makes the service be as svc says: it creates it, or updates the fields
// that differ, waits until Cloud Run is done, and makes it private. Status says
// what was done.
//
// It converges. It may be stopped at any point and called again: a deployment
// under way that is already as wanted is waited for and not begun again, a
// failed one is tried anew, and if everything is as it should be nothing is
// written and Status.Action is [ActionNone]. The calls need no state of their
// own.
//
// On an existing service public access goes first: allUsers and
// allAuthenticatedUsers lose every role that lets them call (others keep
// theirs), and the invoker check is put back, unless svc asks for it to be off.
//
// A failed deployment returns a typed error; the service then exists and is not
// ready, and the revision before it, if any, still serves. When ctx or the
// Timeout ends the wait, the error is of [KindInterrupted] and names the
// operation, which goes on.
func (c *Client) Apply(ctx context.Context, svc Service, opts ...Option) (*Status, error) {
	if err := svc.Validate(); err != nil {
		return nil, err
	}
	ctx, cancel, cfg := begin(ctx, opts)
	defer cancel()
	if err := c.ensureAPI(ctx, svc, cfg); err != nil {
		return nil, err
	}
	var notes []string
	var all []Change
	first := Action("")
	for n := 0; ; n++ {
		st, err := c.applyOnce(ctx, svc, cfg)
		if st != nil {
			all = append(all, st.Changes...)
			if first == "" {
				first = st.Action
			}
		}
		if err == nil {
			st.Warnings = append(st.Warnings, notes...)
			st.Changes, st.Action = all, first
			cfg.event(PhaseDone, "", "%s", st.summary())
			return st, nil
		}
		e := failure(ctx, "apply", svc.fullName(), err)
		switch {
		case e.Kind == KindZonal && svc.ZonalRedundancy && cfg.noZonal: // once: it is false from here on
			svc.ZonalRedundancy = false
			notes = append(notes, "there is no quota for zonal redundancy: deployed without it")
			cfg.event(PhaseRetry, "", "no quota for zonal redundancy; going on without it")
			continue
		case e.Kind == KindGPUBusy && time.Since(cfg.begun) < cfg.gpuWait:
			cfg.event(PhaseRetry, "", "all GPUs of the quota are in use; trying again in %s", e.After)
			if sleep(ctx, e.After) != nil {
				return nil, c.interrupted(ctx, svc, "wait for a GPU", "")
			}
			continue
		case (e.Kind == KindConflict || e.Kind == KindUnavailable) && e.Operation == "" && n < attempts-1:
			cfg.event(PhaseRetry, "", "%s; reading it again", e.Kind)
			if pause(ctx, n) != nil {
				return nil, c.interrupted(ctx, svc, "apply", "")
			}
			continue
		}
		return nil, e
	}
}

// applyOnce reads, decides, writes at most once and waits. With a conflict
// anywhere the caller starts it over. A Status with an error holds only what was
// written.
func (c *Client) applyOnce(ctx context.Context, svc Service, cfg *callConfig) (*Status, error) {
	l, err := c.get(ctx, svc.fullName())
	if isKind(err, KindNotFound) {
		return c.create(ctx, svc, cfg)
	}
	if err != nil {
		return nil, err
	}
	opened := []Change{}
	if !svc.DangerouslyDisableInvokerCheck {
		closed, err := c.makePrivate(ctx, svc)
		if closed {
			opened = append(opened, accessChange)
			cfg.event(PhasePrivate, "", "took public access away")
		}
		if err != nil {
			return wrote(ActionUpdate, opened), err
		}
	}
	next, changes, err := merge(l.raw, svc)
	if err != nil {
		return nil, err
	}
	failed := l.TerminalCondition != nil && l.TerminalCondition.State == "CONDITION_FAILED"
	action, force := ActionUpdate, false
	switch {
	case len(changes) > 0:
		cfg.event(PhaseUpdate, "", "updating %d %s", len(changes), plural(len(changes), "field"))
	case l.Reconciling || l.ObservedGeneration != l.Generation:
		cfg.event(PhaseWait, "", "a deployment of the same is under way; waiting for it")
		return c.arrive(ctx, svc, cfg, ActionResume, opened)
	case failed:
		// The same template makes no new revision by itself.
		action, force = ActionRepair, true
		cfg.event(PhaseUpdate, "", "the last deployment failed; trying it again")
	case len(opened) > 0:
		return c.arrive(ctx, svc, cfg, ActionUpdate, opened)
	default:
		return c.arrive(ctx, svc, cfg, ActionNone, nil)
	}
	mask := masks(changes)
	if force {
		mask = []string{"template"}
	}
	op, err := c.patch(ctx, svc.fullName(), next, mask, force)
	if err != nil {
		return wrote(action, opened), err
	}
	changes = append(opened, changes...)
	if err := c.finish(ctx, svc, op, cfg); err != nil {
		return wrote(action, changes), err
	}
	return c.arrive(ctx, svc, cfg, action, changes)
}

// accessChange is how Changes tells that public members were removed.
var accessChange = Change{Path: "iamPolicy.bindings[" + invokerRole + "]", Old: "public", New: "private"}

func wrote(a Action, changes []Change) *Status { return &Status{Action: a, Changes: changes} }

func (c *Client) create(ctx context.Context, svc Service, cfg *callConfig) (*Status, error) {
	m, err := svc.Manifest()
	if err != nil {
		return nil, err
	}
	cfg.event(PhaseCreate, "", "creating %s in %s", svc.Name, svc.Region)
	op, err := c.run.Projects.Locations.Services.Create(svc.parent(), m).ServiceId(svc.Name).Context(ctx).Do()
	if err != nil {
		// Also a service that appeared since: the caller reads again.
		return nil, failure(ctx, "create service", svc.fullName(), err)
	}
	if err := c.finish(ctx, svc, op, cfg); err != nil {
		return wrote(ActionCreate, nil), err
	}
	return c.arrive(ctx, svc, cfg, ActionCreate, nil)
}

// arrive waits until the service is settled, and checks the result.
func (c *Client) arrive(ctx context.Context, svc Service, cfg *callConfig, a Action, changes []Change) (*Status, error) {
	l, err := c.settled(ctx, svc, cfg)
	if isKind(err, KindNotFound) {
		// What was under way was its deletion: once more from the start.
		return nil, &Error{Kind: KindConflict, Op: "apply", Service: svc.fullName(), Message: "the service was deleted at the same time", Retry: true, Err: err}
	}
	if err != nil {
		return wrote(a, changes), err
	}
	st, err := c.status(ctx, svc, l)
	if err != nil {
		return wrote(a, changes), err
	}
	st.Action, st.Changes = a, changes
	if st.Failure != nil {
		return st, st.Failure
	}
	if !svc.DangerouslyDisableInvokerCheck && st.Access == AccessPublic {
		// Opened by somebody in the meantime: once more from the start.
		return st, &Error{Kind: KindConflict, Op: "apply", Service: svc.fullName(), Message: "the service was opened to the public at the same time", Retry: true}
	}
	return st, nil
}

func (s *Status) summary() string {
	switch s.Action {
	case ActionNone:
		return "nothing to change; " + s.URL
	case ActionCreate:
		return "created; " + s.URL
	case ActionResume:
		return "the deployment under way is done; " + s.URL
	case ActionRepair:
		return "deployed again; " + s.URL
	}
	return fmt.Sprintf("%d %s changed; %s", len(s.Changes), plural(len(s.Changes), "field"), s.URL)
}

const runAPI = "run.googleapis.com"

// apiState asks whether the API is enabled, and learns the project's number. A
// caller who may not ask is told nothing, and goes on: the first call will tell.
func (c *Client) apiState(ctx context.Context, project string) (state, number string, err error) {
	s, err := read(ctx, "read API state", "", func() (*serviceusage.GoogleApiServiceusageV1Service, error) {
		return c.usage.Services.Get("projects/" + project + "/services/" + runAPI).Context(ctx).Do()
	})
	if err != nil {
		return "", "", err
	}
	return s.State, strings.TrimPrefix(s.Parent, "projects/"), nil
}

func (c *Client) ensureAPI(ctx context.Context, svc Service, cfg *callConfig) error {
	state, _, err := c.apiState(ctx, svc.Project)
	switch {
	case isKind(err, KindPermission), isKind(err, KindAPIDisabled), isKind(err, KindNotFound):
		return nil
	case err != nil:
		return err
	case state != "DISABLED":
		return nil
	case !cfg.enable:
		return &Error{Kind: KindAPIDisabled, Op: "apply", Service: svc.fullName(), Message: runAPI + " is not enabled in project " + svc.Project,
			Advice: "allow Apply to enable it with EnableAPI, or run `gcloud services enable " + runAPI + "`",
			Link:   "https://console.developers.google.com/apis/api/" + runAPI + "/overview?project=" + svc.Project}
	}
	cfg.event(PhaseEnable, "", "enabling %s", runAPI)
	op, err := c.usage.Services.Enable("projects/"+svc.Project+"/services/"+runAPI, &serviceusage.EnableServiceRequest{}).Context(ctx).Do()
	for n := 0; err == nil && !op.Done; n++ {
		if c.nap(ctx, n) != nil {
			return c.interrupted(ctx, svc, "enable API", op.Name)
		}
		name := op.Name
		op, err = read(ctx, "enable API", "", func() (*serviceusage.Operation, error) {
			return c.usage.Operations.Get(name).Context(ctx).Do()
		})
	}
	if err != nil {
		return failure(ctx, "enable API", svc.fullName(), err)
	}
	if op.Error != nil {
		e := Explain(op.Error.Message)
		e.Op, e.Service = "enable API", svc.fullName()
		return e
	}
	return nil
}
