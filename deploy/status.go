// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gemma-go/sdk/internal/models"
	run "google.golang.org/api/run/v2"
)

// Access is who may call the service.
type Access string

const (
	AccessPrivate Access = "private" // IAM decides, and no public member is granted
	AccessPublic  Access = "public"  // everyone who can reach it
	AccessUnknown Access = "unknown" // the policy could not be read
)

// Action is what Apply did, or Plan says it would do.
type Action string

const (
	ActionNone   Action = "none"   // the service is as wanted
	ActionCreate Action = "create" //
	ActionUpdate Action = "update" // fields differed
	ActionRepair Action = "repair" // nothing differed, but the last revision had failed: a new one is tried
	ActionResume Action = "resume" // an earlier deployment was under way and is waited for
)

// Status is a service as it is.
type Status struct {
	Name     string `json:"name"`               // projects/P/locations/R/services/S
	Ready    bool   `json:"ready"`              // the wanted revision serves
	Busy     bool   `json:"busy,omitempty"`     // Cloud Run is at work on it
	Reason   string `json:"reason,omitempty"`   // why it is not ready, or what it waits for
	Failure  *Error `json:"-"`                  // the same as a typed error, if it failed
	Revision string `json:"revision,omitempty"` // the one that serves; empty if none ever did
	Latest   string `json:"latest,omitempty"`   // the one created last

	URL      string   `json:"url"`      // where to send requests
	URLs     []string `json:"urls"`     // all of them: by project number, and by hash
	Audience string   `json:"audience"` // what an identity token must be minted for

	Model        string `json:"model,omitempty"` // as the server names it; empty for an image of your own
	Image        string `json:"image"`
	Concurrency  int    `json:"concurrency"`        // requests per instance
	Parallel     int    `json:"parallel,omitempty"` // worked on at once; 0 = not known
	MinInstances int    `json:"minInstances"`
	MaxInstances int    `json:"maxInstances"`
	CPU          string `json:"cpu"`
	Memory       string `json:"memory"`
	GPU          string `json:"gpu,omitempty"`
	Zonal        bool   `json:"zonalRedundancy"`

	Access   Access   `json:"access"`
	Invokers []string `json:"invokers,omitempty"` // members with roles/run.invoker on the service itself
	Warnings []string `json:"warnings,omitempty"`

	Action  Action   `json:"action,omitempty"`  // what Apply did; "" from Status
	Changes []Change `json:"changes,omitempty"` // what Apply wrote
}

// Private reports whether it is certain that only granted callers get in.
func (s *Status) Private() bool { return s.Access == AccessPrivate }

// GemmaEndpoint is what a client needs to know: the URL, the audience of its
// tokens, the model's name ("" = the one model served), and how many requests
// the service takes at a time (concurrency × max instances). Package gemma takes
// it as it is: gemma.NewClient(ctx, gemma.ConfigFrom(status)).
func (s *Status) GemmaEndpoint() (url, audience, model string, slots int) {
	return s.URL, s.Audience, s.Model, s.Concurrency * max(s.MaxInstances, 1)
}

// Status reads the service and its policy. A service that does not exist is an
// [*Error] of [KindNotFound]. A policy that may not be read leaves Access
// unknown.
func (c *Client) Status(ctx context.Context, svc Service) (*Status, error) {
	l, err := c.get(ctx, svc.fullName())
	if err != nil {
		return nil, err
	}
	return c.status(ctx, svc, l)
}

func (c *Client) status(ctx context.Context, svc Service, l live) (*Status, error) {
	st := statusOf(svc, l)
	p, err := c.policy(ctx, svc.fullName())
	switch {
	case isKind(err, KindPermission):
		if st.Access != AccessPublic {
			st.Access = AccessUnknown
		}
		st.warn("the IAM policy may not be read (run.services.getIamPolicy): whether the service is private is not known")
	case err != nil:
		return nil, err
	default:
		st.judge(p)
	}
	return st, nil
}

// judge fills in who may call.
func (s *Status) judge(p *run.GoogleIamV1Policy) {
	for _, b := range p.Bindings {
		if b.Role == invokerRole {
			s.Invokers = append(s.Invokers, b.Members...)
		}
		for _, m := range publicMembers {
			if !slices.Contains(b.Members, m) {
				continue
			}
			if slices.Contains(invokerRoles, b.Role) {
				s.Access = AccessPublic
			}
			s.warn("%s has %s", m, b.Role)
		}
	}
}

// statusOf reads what the service itself says.
func statusOf(svc Service, l live) *Status {
	st := &Status{
		Name: cmp.Or(l.Name, svc.fullName()), Busy: l.Reconciling,
		Revision: base(l.LatestReadyRevision), Latest: base(l.LatestCreatedRevision),
		URL: l.Uri, URLs: slices.Clone(l.Urls), Access: AccessPrivate,
	}
	if st.URL == "" && len(st.URLs) > 0 {
		st.URL = st.URLs[0]
	}
	// The default URL is always accepted as an audience; without one, a custom
	// audience is the only way in.
	st.Audience = st.URL
	if len(l.CustomAudiences) > 0 && (l.DefaultUriDisabled || st.URL == "") {
		st.Audience = l.CustomAudiences[0]
	}
	if l.InvokerIamDisabled {
		st.Access = AccessPublic
		st.warn("the invoker check is off")
	}
	if tc := l.TerminalCondition; tc != nil {
		st.Ready = tc.State == "CONDITION_SUCCEEDED" && !l.Reconciling && l.ObservedGeneration == l.Generation
		if !st.Ready {
			st.Reason = cmp.Or(tc.Message, tc.State)
		}
		if tc.State == "CONDITION_FAILED" && !l.Reconciling {
			st.Failure = conditionError(svc.fullName(), tc)
		}
	}
	t := l.Template
	if t == nil {
		return st
	}
	st.Concurrency = int(t.MaxInstanceRequestConcurrency)
	if t.Scaling != nil {
		st.MinInstances, st.MaxInstances = int(t.Scaling.MinInstanceCount), int(t.Scaling.MaxInstanceCount)
	}
	if l.Scaling != nil {
		// The service's own minimum adds to nothing: the larger of both holds.
		st.MinInstances = max(st.MinInstances, int(l.Scaling.MinInstanceCount))
		if n := int(l.Scaling.MaxInstanceCount); n > 0 && (st.MaxInstances == 0 || n < st.MaxInstances) {
			st.MaxInstances = n
		}
	}
	if t.NodeSelector != nil {
		st.GPU = t.NodeSelector.Accelerator
	}
	st.Zonal = st.GPU != "" && !t.GpuZonalRedundancyDisabled
	if len(t.Containers) > 0 {
		c := t.Containers[max(0, slices.IndexFunc(t.Containers, func(c *run.GoogleCloudRunV2Container) bool { return len(c.Ports) > 0 }))]
		st.Image = c.Image
		if c.Resources != nil {
			st.CPU, st.Memory = c.Resources.Limits["cpu"], c.Resources.Limits["memory"]
		}
		st.Model, st.Parallel = served(svc, c)
	}
	if len(l.Traffic) > 0 && !slices.ContainsFunc(l.Traffic, func(t *run.GoogleCloudRunV2TrafficTarget) bool {
		return t.Type == "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" && t.Percent > 0
	}) {
		st.warn("traffic is pinned to a revision: a new one gets none until the traffic is changed")
	}
	return st
}

// served tells the model and the slots from the container.
func served(svc Service, c *run.GoogleCloudRunV2Container) (model string, parallel int) {
	for _, a := range c.Args {
		if v, ok := strings.CutPrefix(a, "--served-model-name="); ok {
			model = v
		}
		if v, ok := strings.CutPrefix(a, "--max-num-seqs="); ok {
			parallel, _ = strconv.Atoi(v)
		}
	}
	for _, e := range c.Env {
		if e.Name == parallelEnv {
			parallel, _ = strconv.Atoi(e.Value)
		}
	}
	if model == "" {
		for _, m := range models.All() {
			if m.Image != "" && (c.Image == m.Image || strings.HasPrefix(c.Image, m.Image+":") || strings.HasPrefix(c.Image, m.Image+"@")) {
				model = m.ID
			}
		}
	}
	return cmp.Or(model, svc.Model), parallel
}

// conditionError is a failed condition as a typed error. Only where no row knows
// the words do the condition's reasons decide.
func conditionError(service string, tc *run.GoogleCloudRunV2Condition) *Error {
	e := Explain(tc.Message)
	e.Op, e.Service = "deploy revision", service
	if e.Kind != KindUnknown {
		return e
	}
	e.Kind, e.Advice = KindNotReady, "read the logs of the service's latest revision"
	switch {
	case tc.RevisionReason == "HEALTH_CHECK_CONTAINER_ERROR":
		e.Kind = KindNotListening
	case tc.Reason == "CONTAINER_MISSING":
		e.Kind = KindImageNotFound
	case tc.Reason == "CONTAINER_PERMISSION_DENIED", tc.Reason == "CONTAINER_IMAGE_UNAUTHORIZED":
		e.Kind = KindImageDenied
	case tc.Reason == "SECRETS_ACCESS_CHECK_FAILED":
		e.Kind = KindSecret
	case tc.Reason == "VPC_NETWORK_NOT_FOUND":
		e.Kind = KindNetwork
	}
	for _, row := range catalogue {
		if row.kind == e.Kind {
			e.Advice = row.advice
			break
		}
	}
	e.Message = cmp.Or(e.Message, tc.Reason, tc.RevisionReason, tc.State)
	return e
}

func (s *Status) warn(format string, args ...any) {
	s.Warnings = append(s.Warnings, fmt.Sprintf(format, args...))
}

func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// DeterministicURL is the URL that a service will have, known before it is
// created: by project number. It reports false where Cloud Run makes none, as
// the first label would be longer than 63 characters.
func DeterministicURL(service, projectNumber, region string) (string, bool) {
	label := service + "-" + projectNumber
	if len(label) > 63 {
		return "", false
	}
	return "https://" + label + "." + region + ".run.app", true
}
