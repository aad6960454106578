// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Adkagent is a chat on the console with an ADK agent that uses tools, on a
// Gemma of one's own.
//
//	go run .
//
// GEMMA_ENDPOINT and GEMMA_MODEL name the service to ask; without them an
// emulated prebuilt Gemma 3 container inside this program answers.
package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"sync"
	"time"

	"google.golang.org/adk/v2/agent"
	"google.golang.org/adk/v2/runner"
	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var told sync.Map
	config := gemma.Config{Endpoint: os.Getenv("GEMMA_ENDPOINT"), OnEvent: func(e gemma.Event) {
		switch e.Type {
		case gemma.EventCold:
			fmt.Fprintf(os.Stderr, "· cold: %s\n", e.Reason)
		case gemma.EventReady:
			fmt.Fprintf(os.Stderr, "· ready after %v\n", e.Waited.Round(100*time.Millisecond))
		case gemma.EventEmulated: // of every request; tell it once
			if _, known := told.LoadOrStore(e.Feature, true); !known {
				fmt.Fprintf(os.Stderr, "· emulated: %s: %s\n", e.Feature, e.Reason)
			}
		}
	}}
	model := cmp.Or(os.Getenv("GEMMA_MODEL"), "gemma-3-4b-it")
	if config.Endpoint == "" {
		srv := gemmatest.NewServer(gemmatest.Config{Reply: shopper, FrontEnd: gemmatest.FrontEndConfig{Start: 2 * time.Second}})
		defer srv.Close()
		config.Endpoint, config.Auth = srv.URL, srv.Source()
		fmt.Fprintln(os.Stderr, "· GEMMA_ENDPOINT is not set: an emulated endpoint answers, whose model looks up a chain whatever you ask")
	}
	client, err := gemma.NewClient(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	clerk, err := newAgent(ctx, client, model)
	if err != nil {
		log.Fatal(err)
	}
	if err := chat(ctx, clerk, os.Stdin, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// chat answers each line of in, until it ends.
func chat(ctx context.Context, a agent.Agent, in io.Reader, out io.Writer) error {
	r, err := runner.NewInMemory("shop", a)
	if err != nil {
		return err
	}
	fmt.Fprint(out, "Ask the clerk (an empty line ends it), for example: How much is a chain, and do you have one?\n> ")
	for lines := bufio.NewScanner(in); lines.Scan() && lines.Text() != ""; {
		if err := answer(ctx, r, lines.Text(), agent.StreamingModeSSE, out); err != nil {
			return err
		}
		fmt.Fprint(out, "\n> ")
	}
	return nil
}

// answer runs one turn and writes text as it comes, and what the agent does.
func answer(ctx context.Context, r *runner.Runner, question string, mode agent.StreamingMode, out io.Writer) error {
	streamed := false
	for e, err := range r.Run(ctx, "user", "session", genai.NewContentFromText(question, genai.RoleUser), agent.RunConfig{StreamingMode: mode}) {
		if err != nil {
			return err
		}
		if e.Content == nil {
			continue
		}
		for _, p := range e.Content.Parts {
			switch {
			case p.FunctionCall != nil && !e.Partial:
				fmt.Fprintf(out, "[%s %v]\n", p.FunctionCall.Name, p.FunctionCall.Args)
			case p.FunctionResponse != nil:
				fmt.Fprintf(out, "[%s said %v]\n", p.FunctionResponse.Name, p.FunctionResponse.Response)
			case p.Text != "" && !p.Thought && (e.Partial || !streamed):
				// With streaming, the last event repeats the whole text.
				fmt.Fprint(out, p.Text)
				streamed = e.Partial
			}
		}
	}
	return nil
}
