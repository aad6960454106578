// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package deploy describes a private Gemma endpoint on Cloud Run as a Go value,
// and makes it so: a GPU service that scales to zero and that only named
// callers may invoke.
//
//	svc := deploy.Service{Project: "my-project", Region: "europe-west1", Name: "gemma"}
//	c, err := deploy.NewClient(ctx, nil)
//	plan, err := c.Plan(ctx, svc)  // changes nothing: what is missing, what would differ, what it costs
//	st, err := c.Apply(ctx, svc)   // creates or updates, waits until ready, makes it private
//	err = c.GrantInvoker(ctx, svc, "serviceAccount:caller@my-project.iam.gserviceaccount.com")
//	client, err := gemma.NewClient(ctx, gemma.ConfigFrom(st))
//
// The zero value of every field of [Service] is what Google's guide for Gemma
// on Cloud Run uses, so the value above equals the guide's gcloud command;
// [Service.Manifest], [Service.YAML] and [Service.Gcloud] show it in each form,
// without credentials and without a network.
//
// # Contract
//
// Apply and Delete converge: they may be killed at any point and run again, and
// end in the same state as one undisturbed run. A second Apply changes nothing
// and says so. Writes carry the etag of what was read, and are decided again on
// a conflict. What this package does not manage on an existing service stays as
// it is, fields included that this version of the package does not know.
//
// # Errors
//
// Every failure that Cloud Run reports is an [*Error] with a [Kind], the step
// that mends it and whether a retry can help:
//
//	if e, ok := errors.AsType[*deploy.Error](err); ok && e.Kind == deploy.KindQuota {
//		fmt.Println(e.Quota.ID, e.Quota.Requested, e.Quota.Allowed, e.Advice)
//	}
package deploy
