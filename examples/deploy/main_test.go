// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/deploy"
	"github.com/gemma-go/sdk/deploy/deploytest"
	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

const name = "projects/demo-proj/locations/us-central1/services/gemma"

// shell runs the program as a user would, against a control plane in memory.
type shell struct {
	t    *testing.T
	fake *deploytest.Server
	dial func(*gemma.Config)
}

// run returns the exit code, stdout and stderr.
func (s shell) run(input string, args ...string) (code int, stdout, stderr string) {
	s.t.Helper()
	var out, errs bytes.Buffer
	a := &app{
		stdin: strings.NewReader(input), stdout: &out, stderr: &errs, dial: s.dial,
		getenv: func(string) string { return "" },
	}
	if s.fake != nil {
		a.options = &deploy.Options{HTTPClient: s.fake.Client()}
	}
	code = a.run(s.t.Context(), args)
	return code, out.String(), errs.String()
}

// want runs and checks the exit code and parts of the output.
func (s shell) want(code int, input, command string, parts ...string) string {
	s.t.Helper()
	got, out, errs := s.run(input, append([]string{"-project", "demo-proj"}, strings.Fields(command)...)...)
	if got != code {
		s.t.Errorf("%s: exit code %d, want %d\n%s%s", command, got, code, out, errs)
	}
	for _, p := range parts {
		if !strings.Contains(out+errs, p) {
			s.t.Errorf("%s: no %q in\n%s%s", command, p, out, errs)
		}
	}
	return out
}

// TestLifeCycle is an operator's day: plan, apply with a slow start, status,
// grant, an answer streamed from the endpoint, revoke, delete.
func TestLifeCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := deploytest.NewServer(deploytest.Config{
			Startup: 6 * time.Minute, URL: gemmatest.DefaultURL,
			Quota: map[string]int64{"NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion": 3},
		})
		// The endpoint obeys the control plane: it is there when the service is, and
		// lets in whom its policy names.
		const caller = "serviceAccount:" + gemmatest.DefaultPrincipal
		srv := gemmatest.NewServer(gemmatest.Config{
			InMemory: true, LoadTime: 20 * time.Second,
			FrontEnd: gemmatest.FrontEndConfig{Start: 15 * time.Second, Slots: 4, Intercept: func(r *http.Request) *gemmatest.Page {
				switch {
				case !slices.Contains(fake.Names(), name):
					return gemmatest.FrontEndPage(http.StatusNotFound, r.URL.Path)
				case !slices.Contains(fake.Members(name, "roles/run.invoker"), caller):
					return gemmatest.FrontEndPage(http.StatusForbidden, r.URL.Path)
				}
				return nil
			}},
		})
		defer srv.Close()
		sh := shell{t, fake, func(c *gemma.Config) {
			if c.Endpoint != srv.URL || c.Audience != "" || c.Model != "gemma-3-4b-it" || c.Concurrency != 4 {
				t.Errorf("handed over: %+v", c)
			}
			c.Auth, c.Audience, c.Transport = srv.Source(), "", srv.Transport()
		}}

		sh.want(exitOK, "", "plan", "will be created", "$1.42 an hour", "prices of 2026-08", "allowed 3, needed 1")
		sh.want(exitFailed, "", "status", "not found")
		sh.want(exitNo, "n\n", "apply", "create gemma? [y/N]", "nothing was changed")
		sh.want(exitNo, "", "apply") // no terminal, no answer
		if n := fake.Names(); len(n) != 0 {
			t.Fatalf("created without a yes: %q", n)
		}
		sh.want(exitRetry, "", "-yes -timeout 2m apply", "not done within 2m0s", "pick it up")
		sh.want(exitOK, "y\n", "apply", "a deployment of the same is under way", "Waiting for the container", "2m",
			"ready", srv.URL, "https://gemma-123456789012.us-central1.run.app", "private", "0 to 1, 4 requests each, 4 at a time in all", "nvidia-l4")
		sh.want(exitOK, "", "apply", "nothing to change") // and nothing to confirm
		sh.want(exitOK, "", "plan", "is as wanted")

		sh.want(exitFailed, "", "ask Why?", "403")
		sh.want(exitNo, "\n", "grant "+caller)
		sh.want(exitOK, "yes\n", "grant "+caller, "roles/run.invoker on gemma")
		sh.want(exitOK, "", "status", "invokers   "+caller)
		begun := time.Now()
		answer := sh.want(exitOK, "", "ask Why is the sky blue?")
		if len(strings.Fields(answer)) < 3 || time.Since(begun) < 30*time.Second {
			t.Errorf("%q after %s: no answer of a cold model", answer, time.Since(begun))
		}

		var st map[string]any
		if err := json.Unmarshal([]byte(sh.want(exitOK, "", "-json status")), &st); err != nil || st["access"] != "private" || st["ready"] != true {
			t.Errorf("%v %v", st, err)
		}
		sh.want(exitOK, "", "-yes -concurrency 8 -parallel 4 apply", "maxInstanceRequestConcurrency: 4 → 8", "8 requests each")
		sh.want(exitOK, "", "-yes revoke "+caller)
		if m := fake.Members(name, "roles/run.invoker"); m != nil {
			t.Errorf("invokers %q", m)
		}
		sh.want(exitNo, "no\n", "delete")
		sh.want(exitOK, "y\n", "delete", "delete gemma in us-central1 of project demo-proj", "nothing of it is billed")
		sh.want(exitOK, "", "-yes delete", "already gone")
		sh.want(exitFailed, "", "ask Why?", "not found")
		if n := fake.Names(); len(n) != 0 {
			t.Errorf("left %q", n)
		}
	})
}

// TestExitCodes of what goes wrong.
func TestExitCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fake := deploytest.NewServer(deploytest.Config{Deny: []string{"iam.serviceAccounts.actAs"}})
		sh := shell{t: t, fake: fake}
		sh.want(exitBlocked, "", "plan", "BLOCKS", "roles/iam.serviceAccountUser")
		sh.want(exitFailed, "", "-yes apply", "actAs", "roles/iam.serviceAccountUser")
		fake.Allow("iam.serviceAccounts.actAs")
		fake.Next(deploytest.NotListening())
		sh.want(exitFailed, "", "-yes apply", "not listening", "Logs URL: https://console.cloud.google.com/logs/")
		sh.want(exitOK, "", "status", "NOT READY")
		fake.Next(deploytest.GPUBusy())
		sh.want(exitRetry, "", "-yes apply", "gpu busy", "a retry can help after 45s")
		sh.want(exitUsage, "", "-cpu 2 -max-instances 0 plan", "CPU: 2 is below the minimum of 4", "MaxInstances: 0")
		sh.want(exitUsage, "", "-cpu two plan", "invalid value")
		sh.want(exitUsage, "", "fly", "usage: deploy")
		sh.want(exitUsage, "", "", "usage: deploy")
		sh.want(exitUsage, "", "-yes grant allUsers", "private endpoints only")
		sh.want(exitOK, "", "-h", "usage: deploy")
	})
}

// TestDryRun needs nothing: no project, no credentials, no network.
func TestDryRun(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/key.json")
	sh := shell{t: t}
	code, out, errs := sh.run("", "-dry-run")
	if code != exitOK {
		t.Fatalf("%d %s", code, errs)
	}
	for _, want := range []string{
		`"maxInstanceRequestConcurrency": 4`, "apiVersion: serving.knative.dev/v1", "--no-gpu-zonal-redundancy",
		"POST /v2/projects/my-project/locations/us-central1/services?serviceId=gemma", "gcloud run services replace",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if !strings.Contains(errs, "$1.42 per hour") {
		t.Errorf("no cost in %s", errs)
	}
	_, out, _ = sh.run("", "-dry-run", "-format", "json", "-model", "gemma-4-31b-it")
	var m map[string]any
	if err := json.Unmarshal([]byte(out), &m); err != nil || !strings.Contains(out, "nvidia-rtx-pro-6000") {
		t.Errorf("%v in %s", err, out)
	}
	_, out, _ = sh.run("", "-dry-run", "-format", "yaml")
	if !strings.HasPrefix(out, "apiVersion: serving.knative.dev/v1\n") {
		t.Errorf("%s", out)
	}
	if code, _, _ := sh.run("", "-dry-run", "-format", "toml"); code != exitUsage {
		t.Errorf("exit code %d", code)
	}
	if code, _, errs := sh.run("", "-dry-run", "-concurrency", "9", "-parallel", "4"); code != exitUsage || !strings.Contains(errs, "at most 8") {
		t.Errorf("%d %s", code, errs)
	}
	// What is not a dry run does ask for credentials.
	if code, _, errs := sh.run("", "-project", "p", "plan"); code != exitFailed || !strings.Contains(errs, "credentials") {
		t.Errorf("%d %s", code, errs)
	}
}
