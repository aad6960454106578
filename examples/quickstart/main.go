// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Quickstart streams one answer from a private Gemma endpoint and shows on
// stderr what happens on the way: the identity token, the cold start, the first
// token.
//
//	go run ./examples/quickstart "Why is the sky blue?"
//
// It uses the service in GEMMA_ENDPOINT with Google credentials; without that
// variable an Ollama on this machine that serves a Gemma; without one an
// emulated endpoint inside this program, which is private and cold like a real one.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/stream"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		stop()
		os.Exit(1)
	}
}

// run is main with everything it touches as a parameter.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(stderr)
	model := flags.String("model", getenv("GEMMA_MODEL"), "the `model` to ask, in any spelling; empty means the one served")
	protocol := flags.String("protocol", "auto", "what the `server` speaks: auto, ollama, openai, gemini or gemini-full")
	start := flags.Duration("start", 3*time.Second, "how long the emulated endpoint takes to start")
	pace := flags.Duration("pace", 40*time.Millisecond, "how long the emulated endpoint takes for a token")
	flags.Usage = func() {
		fmt.Fprint(stderr, "usage: quickstart [flags] [question]\n\n"+
			"GEMMA_ENDPOINT is the URL of a private Cloud Run service; Google credentials are used to sign in.\n"+
			"Without it a local Ollama that serves a Gemma is asked, or else an endpoint emulated in this program.\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	question := strings.Join(flags.Args(), " ")
	if question == "" {
		question = "Why is the sky blue?"
	}
	speaks, err := gemma.ParseProtocol(*protocol)
	if err != nil {
		return err
	}
	config, done := endpoint(ctx, speaks, getenv, stderr, *start, *pace)
	defer done()
	config.Model, config.Protocol, config.OnEvent = cmp.Or(*model, config.Model), speaks, reporter(stderr)
	return ask(ctx, config, question, stdout, stderr)
}

func ask(ctx context.Context, config gemma.Config, question string, stdout, stderr io.Writer) error {
	// [stream]
	client, err := gemma.NewClient(ctx, config)
	if err != nil {
		return err
	}
	var stats stream.Stats
	answer := client.Stream(ctx, genai.Text(question), nil)
	for text, err := range stream.Text(stream.Measure(answer, &stats)) {
		if err != nil {
			return err
		}
		fmt.Fprint(stdout, text)
	}
	// [/stream]
	fmt.Fprintln(stdout)
	speed := "tokens not counted by the server"
	if stats.OutputTokens > 0 {
		speed = fmt.Sprintf("%d tokens, %.1f tokens/s", stats.OutputTokens, stats.TokensPerSecond())
	}
	fmt.Fprintf(stderr, "· done:      first token after %v, %s (%s, %s)\n",
		stats.FirstToken.Round(time.Millisecond), speed, stats.Model, stats.Finish)
	return nil
}
