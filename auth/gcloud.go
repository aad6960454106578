// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// gcloud runs `gcloud auth print-identity-token`.
type gcloud struct {
	audience    string
	impersonate string
	delegates   []string
}

func (g *gcloud) Token(ctx context.Context) (Token, error) {
	args := []string{"auth", "print-identity-token", "--quiet"}
	if g.impersonate != "" {
		chain := append(g.delegates[:len(g.delegates):len(g.delegates)], g.impersonate)
		args = append(args, "--impersonate-service-account="+strings.Join(chain, ","), "--include-email", "--audiences="+g.audience)
	} else {
		// gcloud refuses --audiences for a person's account and needs it for a
		// service account.
		account, err := g.run(ctx, "config", "get-value", "account", "--quiet")
		if err != nil {
			return Token{}, err
		}
		if strings.HasSuffix(account, ".gserviceaccount.com") {
			args = append(args, "--audiences="+g.audience)
		}
	}
	out, err := g.run(ctx, args...)
	if err != nil {
		return Token{}, err
	}
	return Token{Value: out}.fill(), nil
}

func (g *gcloud) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "gcloud", args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.WaitDelay = time.Second // gcloud is a script, whose children hold the pipes
	err := cmd.Run()
	if err == nil {
		return strings.TrimSpace(out.String()), nil
	}
	what := "gcloud " + strings.Join(args[:2], " ")
	if errors.Is(err, exec.ErrNotFound) {
		return "", &Error{Message: what + ": gcloud is not on the PATH", Hint: "install the Google Cloud CLI, or leave GoogleOptions.GCloud unset", Err: err}
	}
	if ctx.Err() != nil {
		return "", &Error{Message: what + " took too long", Retry: true, Err: context.Cause(ctx)}
	}
	return "", &Error{Message: fmt.Sprintf("%s: %v: %s", what, err, clip(errs.String())), Hint: "gcloud auth login", Err: err}
}
