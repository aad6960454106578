// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Backend is an HTTP service that streams a private Gemma's answers to
// browsers. It is what one would copy into a service of one's own: one shared
// client, a deadline for each request, a model that stops when the browser
// goes away, a cold start that the user sees as a state, and an honest 503 for
// callers that don't want to wait.
//
//	go run ./examples/backend        # then open http://127.0.0.1:8080
//
// GEMMA_ENDPOINT and GEMMA_MODEL name the service to ask; without them an
// emulated endpoint inside this program answers.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], log, nil); err != nil && !errors.Is(err, flag.ErrHelp) {
		log.Error("backend", "error", err)
		stop()
		os.Exit(1)
	}
}

// run serves until ctx ends, then lets the requests in flight finish. listening
// is told the address, if it is not nil.
func run(ctx context.Context, args []string, log *slog.Logger, listening func(net.Addr)) error {
	flags := flag.NewFlagSet("backend", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:"+cmp.Or(os.Getenv("PORT"), "8080"), "`address` to listen on; Cloud Run wants :$PORT")
	deadline := flags.Duration("deadline", 5*time.Minute, "longest time for one answer, a cold start included")
	grace := flags.Duration("grace", 10*time.Second, "how long requests in flight may finish after a signal (Cloud Run allows 10 s)")
	start := flags.Duration("start", 5*time.Second, "how long the emulated endpoint takes to start")
	pace := flags.Duration("pace", 40*time.Millisecond, "how long the emulated endpoint takes for a token")
	if err := flags.Parse(args); err != nil {
		return err
	}

	status := newStatus()
	config := gemma.Config{Endpoint: os.Getenv("GEMMA_ENDPOINT"), Model: os.Getenv("GEMMA_MODEL"), Logger: log, OnEvent: status.observe}
	if config.Endpoint == "" {
		srv := gemmatest.NewServer(gemmatest.Config{
			FirstToken: 4 * *pace, Pace: *pace,
			FrontEnd: gemmatest.FrontEndConfig{Start: *start, Slots: 4},
		})
		defer srv.Close()
		config.Endpoint, config.Auth = srv.URL, srv.Source()
		log.Info("GEMMA_ENDPOINT is not set: an emulated endpoint answers")
	}
	client, err := gemma.NewClient(ctx, config)
	if err != nil {
		return err
	}

	// Requests outlive the signal by the grace period, so their context is not ctx.
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := &http.Server{
		Handler:           newServer(client, status, *deadline),
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: 10 * time.Second,
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	log.Info("listening", "url", fmt.Sprintf("http://%s", l.Addr()))
	if listening != nil {
		listening(l.Addr())
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	bounded, stop := context.WithTimeout(requests, *grace)
	defer stop()
	if err := server.Shutdown(bounded); err != nil {
		cancel() // the rest is cut off; the model stops with it
		return fmt.Errorf("requests were still running after %v: %w", *grace, err)
	}
	return nil
}
