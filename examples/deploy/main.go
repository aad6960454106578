// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Deploy creates, watches, grants and removes a private Gemma endpoint on Cloud
// Run.
//
//	go run ./examples/deploy -dry-run
//	go run ./examples/deploy -project my-project -region europe-west1 -name gemma plan
//	go run ./examples/deploy -project my-project -region europe-west1 -name gemma apply
//
// It asks before it changes anything. See README.md for the commands and the
// exit codes.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/gemma-go/sdk/deploy"
	"github.com/gemma-go/sdk/gemma"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailed  = 1 // it failed, and will again
	exitUsage   = 2 // bad command line, or a bad service: every fault is listed
	exitNo      = 3 // not confirmed; nothing was changed
	exitRetry   = 4 // it failed, and the same command may succeed later
	exitBlocked = 5 // plan: something known would make apply fail
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv}
	code := a.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// app is the program with everything it touches as a field.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	options        *deploy.Options     // nil = Google's APIs with default credentials
	dial           func(*gemma.Config) // changes how ask reaches the endpoint; nil = as it is
	flags          settings
}

func (a *app) run(ctx context.Context, args []string) int {
	svc, command, rest, err := a.parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err == nil {
		err = a.do(ctx, svc, command, rest)
	}
	return a.report(err)
}

// errUsage and errNo end the program without a failure of the cloud's.
var (
	errUsage   = errors.New("bad command line")
	errNo      = errors.New("not confirmed; nothing was changed")
	errBlocked = errors.New("apply would fail: see above")
)

func (a *app) do(ctx context.Context, svc deploy.Service, command string, rest []string) error {
	if a.flags.dryRun {
		return a.dryRun(svc)
	}
	if svc.Project == "" {
		return fmt.Errorf("%w: no project: give -project or set GOOGLE_CLOUD_PROJECT", errUsage)
	}
	if err := svc.Validate(); err != nil {
		return err
	}
	c, err := deploy.NewClient(ctx, a.options)
	if err != nil {
		return err
	}
	switch command {
	case "plan":
		return a.plan(ctx, c, svc)
	case "apply":
		return a.apply(ctx, c, svc)
	case "status":
		st, err := c.Status(ctx, svc)
		if err != nil {
			return err
		}
		return a.show(st)
	case "grant", "revoke":
		if err := a.confirm("%s roles/run.invoker on %s: %s", command, svc.Name, strings.Join(rest, ", ")); err != nil {
			return err
		}
		change := c.GrantInvoker
		if command == "revoke" {
			change = c.RevokeInvoker
		}
		if err := change(ctx, svc, rest...); err != nil {
			return err
		}
		fmt.Fprintln(a.stderr, "done; it takes up to two minutes to reach the endpoint")
		return nil
	case "delete":
		if err := a.confirm("delete %s in %s of project %s, with all its revisions", svc.Name, svc.Region, svc.Project); err != nil {
			return err
		}
		return c.Delete(ctx, svc, a.flags.limit(), a.progress())
	case "ask":
		return a.ask(ctx, c, svc, strings.Join(rest, " "))
	}
	return fmt.Errorf("%w: no command %q", errUsage, command)
}

func (a *app) plan(ctx context.Context, c *deploy.Client, svc deploy.Service) error {
	p, err := c.Plan(ctx, svc)
	if err != nil {
		return err
	}
	if a.flags.json {
		b, err := p.JSON()
		if err != nil {
			return err
		}
		if _, err := a.stdout.Write(b); err != nil {
			return err
		}
	} else {
		fmt.Fprint(a.stdout, p)
	}
	if len(p.Blockers()) > 0 {
		return errBlocked
	}
	return nil
}

// apply shows the plan, asks, and carries it out.
func (a *app) apply(ctx context.Context, c *deploy.Client, svc deploy.Service) error {
	p, err := c.Plan(ctx, svc)
	if err != nil {
		return err
	}
	if p.Changed() {
		fmt.Fprint(a.stderr, p)
		if err := a.confirm("%s %s", p.Action, svc.Name); err != nil {
			return err
		}
	}
	opts := []deploy.Option{a.flags.limit(), a.progress(), deploy.WaitForGPU(a.flags.waitGPU)}
	if a.flags.enableAPI {
		opts = append(opts, deploy.EnableAPI())
	}
	if a.flags.fallback {
		opts = append(opts, deploy.FallbackWithoutZonalRedundancy())
	}
	st, err := c.Apply(ctx, svc, opts...)
	if err != nil {
		return err
	}
	return a.show(st)
}

func (a *app) show(st *deploy.Status) error {
	if a.flags.json {
		enc := json.NewEncoder(a.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(st)
	}
	state := "ready"
	switch {
	case st.Busy:
		state = "under way: " + st.Reason
	case !st.Ready:
		state = "NOT READY: " + st.Reason
	}
	_, _, model, slots := st.GemmaEndpoint()
	rows := [][2]string{
		{"state", state}, {"url", st.URL}, {"audience", st.Audience}, {"model", model}, {"image", st.Image},
		{"revision", st.Revision}, {"access", string(st.Access)}, {"invokers", strings.Join(st.Invokers, ", ")},
		{"instances", fmt.Sprintf("%d to %d, %d requests each, %d at a time in all", st.MinInstances, st.MaxInstances, st.Concurrency, slots)},
		{"machine", fmt.Sprintf("%s, %s CPU, %s", st.GPU, st.CPU, st.Memory)},
	}
	for _, r := range rows {
		if r[1] != "" {
			fmt.Fprintf(a.stdout, "%-10s %s\n", r[0], r[1])
		}
	}
	for _, u := range st.URLs {
		if u != st.URL {
			fmt.Fprintf(a.stdout, "%-10s %s\n", "also", u)
		}
	}
	for _, w := range st.Warnings {
		fmt.Fprintf(a.stdout, "%-10s %s\n", "note", w)
	}
	return nil
}

// confirm asks on stderr and reads one line; -yes answers by itself.
func (a *app) confirm(format string, args ...any) error {
	if a.flags.yes {
		return nil
	}
	fmt.Fprintf(a.stderr, format+"? [y/N] ", args...)
	line, err := bufio.NewReader(a.stdin).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch strings.ToLower(strings.TrimSpace(line)) {
	case "y", "yes":
		return nil
	}
	return errNo
}

// report says what went wrong and chooses the exit code.
func (a *app) report(err error) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(a.stderr, "deploy:", strings.TrimPrefix(err.Error(), "deploy: "))
	switch e, ok := errors.AsType[*deploy.Error](err); {
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, errNo):
		return exitNo
	case errors.Is(err, errBlocked):
		return exitBlocked
	case !ok:
		return exitFailed
	default:
		for _, link := range []string{e.Link, e.LogsURL} {
			if link != "" && !strings.Contains(err.Error(), link) {
				fmt.Fprintln(a.stderr, "see", link)
			}
		}
		switch {
		case e.Kind == deploy.KindInvalid && len(e.Faults) > 0:
			return exitUsage
		case e.Retry:
			return exitRetry
		}
		return exitFailed
	}
}
