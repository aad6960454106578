// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gemma-go/sdk/deploy"
)

// settings are the flags that are not fields of the service.
type settings struct {
	yes, dryRun, json   bool
	enableAPI, fallback bool
	waitGPU, timeout    time.Duration
	format              string
}

func (s settings) limit() deploy.Option { return deploy.Timeout(s.timeout) }

var commands = []string{"plan", "apply", "status", "grant", "revoke", "delete", "ask"}

// parse reads flags and the command. A dry run needs no command and no project.
func (a *app) parse(args []string) (svc deploy.Service, command string, rest []string, err error) {
	fs := flag.NewFlagSet("deploy", flag.ContinueOnError)
	fs.SetOutput(a.stderr)
	fs.StringVar(&svc.Project, "project", cmp.Or(a.getenv("GOOGLE_CLOUD_PROJECT"), a.getenv("CLOUDSDK_CORE_PROJECT")), "the `project`'s id")
	fs.StringVar(&svc.Region, "region", cmp.Or(a.getenv("CLOUDSDK_RUN_REGION"), "us-central1"), "the `region`")
	fs.StringVar(&svc.Name, "name", "gemma", "the service's `name`")
	fs.StringVar(&svc.Model, "model", "", "the `model`, in any spelling (default gemma-3-4b-it)")
	fs.StringVar(&svc.Image, "image", "", "an `image` of your own")
	fs.StringVar(&svc.Weights, "weights", "", "vLLM: a Hugging Face id, a path or a gs:// `URL`")
	fs.IntVar(&svc.CPU, "cpu", 0, "vCPUs (default by GPU)")
	fs.StringVar(&svc.Memory, "memory", "", "memory, such as 32Gi (default by GPU)")
	fs.StringVar(&svc.GPU, "gpu", "", "accelerator `type` (default by model)")
	fs.BoolVar(&svc.ZonalRedundancy, "zonal-redundancy", false, "reserve GPUs in a second zone")
	fs.IntVar(&svc.Concurrency, "concurrency", 0, "requests per instance (default 4)")
	fs.IntVar(&svc.Parallel, "parallel", 0, "requests the model works on at once (default: the concurrency)")
	fs.BoolVar(&svc.ForceConcurrency, "force-concurrency", false, "accept a concurrency outside the rule")
	fs.IntVar(&svc.MinInstances, "min-instances", 0, "instances kept warm and paid for")
	fs.Func("max-instances", "instances at most (default 1)", func(s string) error {
		n := 0
		if _, err := fmt.Sscan(s, &n); err != nil {
			return err
		}
		svc.MaxInstances = &n
		return nil
	})
	fs.DurationVar(&svc.Timeout, "request-timeout", 0, "longest request (default 10m)")
	fs.StringVar(&svc.ServiceAccount, "service-account", "", "runtime identity (`email`)")
	fs.StringVar((*string)(&svc.Ingress), "ingress", "", "INGRESS_TRAFFIC_ALL, INGRESS_TRAFFIC_INTERNAL_ONLY or INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER")
	pairs(fs, "env", "variable `NAME=value`, repeatable", &svc.Env)
	pairs(fs, "secret", "variable `NAME=secret:version`, repeatable", &svc.Secrets)
	pairs(fs, "label", "label `key=value`, repeatable", &svc.Labels)
	fs.Func("audience", "custom `audience`, repeatable", func(s string) error {
		svc.CustomAudiences = append(svc.CustomAudiences, s)
		return nil
	})
	fs.Func("model-bucket", "`bucket` with a fine-tuned model, mounted at /models", func(s string) error {
		svc.ModelVolume = &deploy.ModelVolume{Bucket: strings.TrimPrefix(s, "gs://")}
		return nil
	})
	fs.BoolVar(&svc.DangerouslyDisableInvokerCheck, "dangerously-disable-invoker-check", false, "let everyone in who can reach the service")

	s := &a.flags
	fs.BoolVar(&s.yes, "yes", false, "do not ask")
	fs.BoolVar(&s.dryRun, "dry-run", false, "print what would be sent, without credentials or network")
	fs.StringVar(&s.format, "format", "all", "dry run: json, yaml, gcloud or all")
	fs.BoolVar(&s.json, "json", false, "plan and status as JSON")
	fs.BoolVar(&s.enableAPI, "enable-api", false, "enable run.googleapis.com if it is not")
	fs.BoolVar(&s.fallback, "fallback-no-zonal-redundancy", false, "go on without zonal redundancy if there is no quota for it")
	fs.DurationVar(&s.waitGPU, "wait-gpu", 0, "how long to try again while all GPUs are in use")
	fs.DurationVar(&s.timeout, "timeout", 45*time.Minute, "longest wait")
	fs.Usage = func() {
		fmt.Fprintf(a.stderr, "usage: deploy [flags] %s\n\ngrant and revoke take members, ask takes a question.\n\n", strings.Join(commands, "|"))
		fs.PrintDefaults()
	}
	if err := fs.Parse(args); err != nil {
		if err != flag.ErrHelp {
			err = fmt.Errorf("%w: %w", errUsage, err)
		}
		return svc, "", nil, err
	}
	rest = fs.Args()
	if s.dryRun {
		svc.Project = cmp.Or(svc.Project, "my-project")
		return svc, "", rest, nil
	}
	if len(rest) == 0 || !slices.Contains(commands, rest[0]) {
		fs.Usage()
		return svc, "", nil, fmt.Errorf("%w: one of %s is needed", errUsage, strings.Join(commands, ", "))
	}
	return svc, rest[0], rest[1:], nil
}

// pairs is a repeatable name=value flag.
func pairs(fs *flag.FlagSet, name, usage string, into *map[string]string) {
	fs.Func(name, usage, func(s string) error {
		k, v, ok := strings.Cut(s, "=")
		if !ok {
			return fmt.Errorf("%q is not name=value", s)
		}
		if *into == nil {
			*into = map[string]string{}
		}
		(*into)[k] = v
		return nil
	})
}
