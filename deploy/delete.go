// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"context"
	"fmt"
	"strings"

	run "google.golang.org/api/run/v2"
)

// Delete removes the service with all its revisions and waits until it is gone.
// A service that is not there is no error, and neither is one whose creation had
// failed or is still under way. It may be stopped and called again.
//
// With [Progress] it says afterwards what it does not remove and what is billed
// on, such as a bucket with a model ([PhaseRemains]). If it fails, the error says
// whether the service may still cost money.
func (c *Client) Delete(ctx context.Context, svc Service, opts ...Option) error {
	ctx, cancel, cfg := begin(ctx, opts)
	defer cancel()
	name := svc.fullName()
	var remains []string
	warm := 0
	for n := 0; ; n++ {
		l, err := c.get(ctx, name)
		if isKind(err, KindNotFound) {
			for _, r := range remains {
				cfg.event(PhaseRemains, "", "%s", r)
			}
			if n == 0 {
				cfg.event(PhaseDone, "", "%s is already gone; nothing of it is billed", svc.Name)
			} else {
				cfg.event(PhaseDone, "", "%s is gone; nothing of it is billed", svc.Name)
			}
			return nil
		}
		if err == nil {
			remains = leftovers(l.GoogleCloudRunV2Service)
			warm = statusOf(svc, l).MinInstances
			cfg.event(PhaseDelete, "", "deleting %s", svc.Name)
			if err = c.deleteOnce(ctx, svc, cfg); err == nil && n > 0 && c.nap(ctx, n) != nil {
				err = c.interrupted(ctx, svc, "delete service", "")
			}
		}
		if err == nil {
			continue // read again: gone, or not yet
		}
		e := failure(ctx, "delete service", name, err)
		if (e.Kind == KindConflict || e.Kind == KindUnavailable || e.Kind == KindNotFound) && n < attempts-1 {
			cfg.event(PhaseRetry, "", "%s; trying again", e.Kind)
			if pause(ctx, n) == nil {
				continue
			}
			e = c.interrupted(ctx, svc, "delete service", "")
		}
		if warm > 0 {
			e.Advice = strings.TrimPrefix(e.Advice+fmt.Sprintf("; until it is gone, %d warm GPU %s billed", warm, map[bool]string{true: "instance is", false: "instances are"}[warm == 1]), "; ")
		}
		return e
	}
}

func (c *Client) deleteOnce(ctx context.Context, svc Service, cfg *callConfig) error {
	op, err := c.run.Projects.Locations.Services.Delete(svc.fullName()).Context(ctx).Do()
	if err != nil {
		return err
	}
	return c.finish(ctx, svc, op, cfg)
}

// leftovers are the things a service uses that outlive it and cost money.
func leftovers(s *run.GoogleCloudRunV2Service) []string {
	var out []string
	if s.Template == nil {
		return nil
	}
	for _, v := range s.Template.Volumes {
		if v.Gcs != nil {
			out = append(out, "the bucket gs://"+v.Gcs.Bucket+" and what is in it")
		}
	}
	for _, c := range s.Template.Containers {
		if !strings.HasPrefix(c.Image, "us-docker.pkg.dev/cloudrun/") && !strings.HasPrefix(c.Image, "us-docker.pkg.dev/vertex-ai/") {
			out = append(out, "the image "+c.Image)
		}
		for _, e := range c.Env {
			if e.ValueSource != nil && e.ValueSource.SecretKeyRef != nil {
				out = append(out, "the secret "+e.ValueSource.SecretKeyRef.Secret)
			}
		}
	}
	return out
}
