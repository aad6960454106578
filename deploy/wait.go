// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"google.golang.org/api/googleapi"
	run "google.golang.org/api/run/v2"
)

// Wait waits for a deployment that is under way, begun by whichever program, and
// returns the service's status once it is settled. A deployment that failed is
// the same typed error that Apply gives. It changes nothing.
func (c *Client) Wait(ctx context.Context, svc Service, opts ...Option) (*Status, error) {
	ctx, cancel, cfg := begin(ctx, opts)
	defer cancel()
	l, err := c.settled(ctx, svc, cfg)
	if err != nil {
		return nil, err
	}
	st, err := c.status(ctx, svc, l)
	if err == nil && st.Failure != nil {
		return st, st.Failure
	}
	return st, err
}

// settled polls the service until Cloud Run is no longer at work on it.
func (c *Client) settled(ctx context.Context, svc Service, cfg *callConfig) (live, error) {
	for n := 0; ; n++ {
		l, err := c.get(ctx, svc.fullName())
		if err != nil {
			return l, err
		}
		if !l.Reconciling && l.ObservedGeneration == l.Generation {
			return l, nil
		}
		cfg.event(PhaseWait, "", "%s", waitsFor(l.GoogleCloudRunV2Service))
		if err := c.nap(ctx, n); err != nil {
			return l, c.interrupted(ctx, svc, "wait for service", "")
		}
	}
}

// finish polls an operation until it is done. A failed operation is a typed
// error. Its code decides nothing: 13 INTERNAL is also what a missing image is
// reported as, so the words do.
func (c *Client) finish(ctx context.Context, svc Service, op *run.GoogleLongrunningOperation, cfg *callConfig) error {
	what, name := "deploy revision", op.Name
	for n := 0; ; n++ {
		if op.Done {
			if op.Error == nil {
				return nil
			}
			e := Explain(op.Error.Message)
			if e.Kind == KindUnknown {
				e.Kind, e.Advice = KindNotReady, "read the logs of the service's latest revision"
				if s := metadata(op); s != nil && s.TerminalCondition != nil && s.TerminalCondition.State == "CONDITION_FAILED" {
					e = conditionError(svc.fullName(), s.TerminalCondition)
				}
			}
			e.Op, e.Service, e.Operation = what, svc.fullName(), name
			return e
		}
		cfg.event(PhaseWait, name, "%s", waitsFor(metadata(op)))
		if err := c.nap(ctx, n); err != nil {
			return c.interrupted(ctx, svc, what, name)
		}
		next, err := read(ctx, "read operation", svc.fullName(), func() (*run.GoogleLongrunningOperation, error) {
			return c.run.Projects.Locations.Operations.Get(name).Context(ctx).Do()
		})
		if err != nil {
			if e, ok := errors.AsType[*Error](err); ok {
				if e.Kind == KindNotFound || e.Kind == KindPermission {
					return nil // the operation is no longer kept, or may not be read: the service itself tells
				}
				e.Operation = name
			}
			return err
		}
		op = next
	}
}

func metadata(op *run.GoogleLongrunningOperation) *run.GoogleCloudRunV2Service {
	s := new(run.GoogleCloudRunV2Service)
	if len(op.Metadata) == 0 || json.Unmarshal(googleapi.RawMessage(op.Metadata), s) != nil {
		return nil
	}
	return s
}

// waitsFor is the most telling condition: the deepest one that is not done.
func waitsFor(s *run.GoogleCloudRunV2Service) string {
	if s == nil {
		return "Cloud Run is at work"
	}
	msg := ""
	if s.TerminalCondition != nil {
		msg = s.TerminalCondition.Message
	}
	for _, c := range s.Conditions {
		if c.Type == "ConfigurationsReady" && c.State != "CONDITION_SUCCEEDED" {
			msg = cmp.Or(c.Message, msg)
		}
	}
	return clip(cmp.Or(msg, "Cloud Run is at work"))
}

// nap pauses between two looks: 1 s at first, up to the poll interval.
func (c *Client) nap(ctx context.Context, n int) error {
	return sleep(ctx, min(time.Second<<min(n, 6), c.poll))
}

func (c *Client) interrupted(ctx context.Context, svc Service, op, operation string) *Error {
	e := failure(ctx, op, svc.fullName(), ctx.Err())
	e.Operation = operation
	return e
}

func isKind(err error, k Kind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == k
}
