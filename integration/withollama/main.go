// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Withollama runs a command beside a real Ollama v0.6.5 that serves the tiny
// Gemma of these tests, and tells it where in GEMMA_TEST_ENDPOINT:
//
//	go -C integration run ./withollama go -C examples/othersdks test ./...
//
// The command runs in the repository's root.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"

	"github.com/gemma-go/sdk/integration/ollama"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "withollama:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, command []string) error {
	if len(command) == 0 {
		return errors.New("usage: withollama COMMAND [ARGUMENT …]")
	}
	srv, err := ollama.Run(ctx, ollama.Options{})
	if err != nil {
		return err
	}
	defer srv.Close()
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Dir = ".."
	c.Env = append(os.Environ(), "GEMMA_TEST_ENDPOINT="+srv.URL)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	return c.Run()
}
