// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Extract reads the notes of a meeting with a private Gemma endpoint and gets
// Go values back while the model is still writing them.
//
//	go run ./examples/extract         one record, each field as it comes
//	go run ./examples/extract -list   a list, each element as it is complete
//	go run ./examples/extract -file notes.txt
//
// It asks the service in GEMMA_ENDPOINT with Google credentials; without that
// variable an emulated endpoint inside this program, which knows one answer to each.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/stream"
)

// Meeting is what is asked for. Its JSON Schema goes to the server; a jsonschema tag tells
// the model what a field means.
type Meeting struct {
	Title   string   `json:"title"`
	Date    string   `json:"date" jsonschema:"as YYYY-MM-DD"`
	People  []string `json:"people" jsonschema:"who was there, first names"`
	Actions []Action `json:"actions" jsonschema:"what was agreed to be done"`
}

// Action is one thing that somebody promised.
type Action struct {
	Who  string `json:"who"`
	What string `json:"what"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv, 40*time.Millisecond, os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "extract:", err)
		}
		stop()
		os.Exit(1)
	}
}

// run is main with everything it touches as a parameter. pace is that of the
// emulated model.
func run(ctx context.Context, args []string, getenv func(string) string, pace time.Duration, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("extract", flag.ContinueOnError)
	flags.SetOutput(stderr)
	list := flags.Bool("list", false, "extract only the list of actions, one by one")
	file := flags.String("file", "", "the `notes` to read; empty means some that come with the program")
	model := flags.String("model", getenv("GEMMA_MODEL"), "the `model` to ask, in any spelling; empty means the one served")
	if err := flags.Parse(args); err != nil {
		return err
	}
	text := notes
	if *file != "" {
		b, err := os.ReadFile(*file)
		if err != nil {
			return err
		}
		text = string(b)
	}
	config, done := endpoint(getenv, pace, stderr)
	defer done()
	config.Model = *model
	client, err := gemma.NewClient(ctx, config)
	if err != nil {
		return err
	}
	if *list {
		return actions(ctx, client, text, stdout)
	}
	return meeting(ctx, client, text, stdout)
}

// meeting prints every field of the record when it first appears.
func meeting(ctx context.Context, client *gemma.Client, text string, w io.Writer) error {
	// [record]
	prompt := genai.Text("Extract the meeting from these notes.\n\n" + text)
	var before Meeting
	for m, err := range gemma.StreamAs[Meeting](ctx, client, prompt, nil) {
		if err != nil {
			return err
		}
		m.print(w, before)
		before = m
	}
	// [/record]
	return nil
}

// print writes what m has and before had not.
func (m Meeting) print(w io.Writer, before Meeting) {
	if m.Title != before.Title {
		fmt.Fprintln(w, "title:  ", m.Title)
	}
	if m.Date != before.Date {
		fmt.Fprintln(w, "date:   ", m.Date)
	}
	for _, name := range m.People[len(before.People):] {
		fmt.Fprintln(w, "person: ", name)
	}
	for i, a := range m.Actions {
		// An action appears with its first field and is then completed.
		if whole := a.Who != "" && a.What != ""; whole && (i >= len(before.Actions) || before.Actions[i] != a) {
			fmt.Fprintf(w, "action:  %s: %s\n", a.Who, a.What)
		}
	}
}

// actions prints every element of the list when its last byte is in.
func actions(ctx context.Context, client *gemma.Client, text string, w io.Writer) error {
	// [list]
	word := &genai.Schema{Type: genai.TypeString}
	config := &genai.GenerateContentConfig{
		ResponseMIMEType: "application/json",
		ResponseSchema: &genai.Schema{Type: genai.TypeArray, Items: &genai.Schema{
			Type:             genai.TypeObject,
			Properties:       map[string]*genai.Schema{"who": word, "what": word},
			PropertyOrdering: []string{"who", "what"},
			Required:         []string{"who", "what"},
		}},
	}
	prompt := genai.Text("List what was agreed to be done, and by whom.\n\n" + text)
	for a, err := range stream.Elements[Action](client.Stream(ctx, prompt, config)) {
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%-6s %s\n", a.Who, a.What)
	}
	// [/list]
	return nil
}
