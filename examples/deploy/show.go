// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/deploy"
	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/stream"
)

// dryRun prints the service in every form that something else takes.
func (a *app) dryRun(svc deploy.Service) error {
	manifest, err := svc.JSON()
	if err != nil {
		return err
	}
	yaml, err := svc.YAML()
	if err != nil {
		return err
	}
	args, err := svc.Gcloud()
	if err != nil {
		return err
	}
	forms := []struct{ name, title, text string }{
		{"json", "Cloud Run Admin API v2: POST /v2/projects/" + svc.Project + "/locations/" + svc.Region + "/services?serviceId=" + svc.Name, string(manifest)},
		{"yaml", "gcloud run services replace --project=" + svc.Project + " --region=" + svc.Region + " FILE", string(yaml)},
		{"gcloud", "the same as a command", deploy.ShellJoin(args) + "\n"},
	}
	found := false
	for _, f := range forms {
		switch a.flags.format {
		case "all":
			fmt.Fprintf(a.stdout, "# %s\n%s\n", f.title, f.text)
		case f.name:
			fmt.Fprint(a.stdout, f.text)
		default:
			continue
		}
		found = true
	}
	if !found {
		return fmt.Errorf("%w: -format %q is not json, yaml, gcloud or all", errUsage, a.flags.format)
	}
	fmt.Fprintln(a.stderr, svc.Cost())
	for _, w := range svc.Warnings() {
		fmt.Fprintln(a.stderr, "note:", w)
	}
	return nil
}

// progress prints a line for each new step, and every half minute that a step
// goes on.
func (a *app) progress() deploy.Option {
	last, at := "", time.Duration(0)
	return deploy.Progress(func(e deploy.Event) {
		line := string(e.Phase) + ": " + e.Message
		if line == last && e.Elapsed < at+30*time.Second {
			return
		}
		last, at = line, e.Elapsed
		fmt.Fprintf(a.stderr, "%6s  %s\n", e.Elapsed.Round(time.Second), line)
	})
}

// ask hands the deployed service over to a client, and streams one answer.
func (a *app) ask(ctx context.Context, c *deploy.Client, svc deploy.Service, question string) error {
	// [handover]
	st, err := c.Status(ctx, svc)
	if err != nil {
		return err
	}
	config := gemma.ConfigFrom(st) // URL, audience, model and slots
	// [/handover]
	if a.dial != nil {
		a.dial(&config)
	}
	client, err := gemma.NewClient(ctx, config)
	if err != nil {
		return err
	}
	for text, err := range stream.Text(client.Stream(ctx, genai.Text(cmp.Or(question, "Why is the sky blue?")), nil)) {
		if err != nil {
			return err
		}
		fmt.Fprint(a.stdout, text)
	}
	fmt.Fprintln(a.stdout)
	return nil
}
