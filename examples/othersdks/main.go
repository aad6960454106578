// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Othersdks runs other libraries, unchanged, over a gemma.Client's HTTP client:
// openai-go, Ollama's own Go client, and a plain request. They so get the
// identity token, the wait for a cold start and the slots, and a team can move
// one call at a time.
//
//	go run .
//
// GEMMA_ENDPOINT and GEMMA_MODEL name the service to ask; without them an
// emulated endpoint inside this program answers.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"os"
	"time"

	ollama "github.com/ollama/ollama/api"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

func main() {
	ctx := context.Background()
	config := gemma.Config{Endpoint: os.Getenv("GEMMA_ENDPOINT")}
	model := cmp.Or(os.Getenv("GEMMA_MODEL"), "gemma3:4b")
	if config.Endpoint == "" {
		srv := gemmatest.NewServer(gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Start: 2 * time.Second}})
		defer srv.Close()
		config.Endpoint, config.Auth = srv.URL, srv.Source()
	}
	client, err := gemma.NewClient(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	const question = "Why is the sky blue?"
	for _, way := range []struct {
		name string
		ask  func(context.Context, *http.Client, string, string, string, io.Writer) error
	}{
		{"openai-go", askOpenAI}, {"ollama chat", askOllamaChat}, {"ollama generate", askOllamaGenerate}, {"plain HTTP", askPlain},
	} {
		fmt.Printf("--- %s\n", way.name)
		if err := way.ask(ctx, client.HTTPClient(), config.Endpoint, model, question, os.Stdout); err != nil {
			log.Fatalf("%s: %v", way.name, err)
		}
		fmt.Println()
	}
}

// askOpenAI streams through openai-go. Its retries are off: the transport below
// knows a cold start from a failure, and two loops would multiply.
func askOpenAI(ctx context.Context, hc *http.Client, endpoint, model, question string, w io.Writer) error {
	client := openai.NewClient(
		option.WithHTTPClient(hc),
		option.WithBaseURL(endpoint+"/v1/"),
		option.WithAPIKey("unused"), // it insists on one; Config.APIKey is what the container gets
		option.WithMaxRetries(0),
	)
	s := client.Chat.Completions.NewStreaming(ctx, openai.ChatCompletionNewParams{
		Model:    model,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(question)},
	})
	defer s.Close()
	for s.Next() {
		for _, c := range s.Current().Choices {
			io.WriteString(w, c.Delta.Content)
		}
	}
	return s.Err()
}

// askOllamaChat streams through Ollama's own client, which has no way to send
// an identity token by itself.
func askOllamaChat(ctx context.Context, hc *http.Client, endpoint, model, question string, w io.Writer) error {
	base, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	return ollama.NewClient(base, hc).Chat(ctx, &ollama.ChatRequest{
		Model:    model,
		Messages: []ollama.Message{{Role: "user", Content: question}},
	}, func(r ollama.ChatResponse) error {
		_, err := io.WriteString(w, r.Message.Content)
		return err
	})
}

// askOllamaGenerate is the same over /api/generate.
func askOllamaGenerate(ctx context.Context, hc *http.Client, endpoint, model, question string, w io.Writer) error {
	base, err := url.Parse(endpoint)
	if err != nil {
		return err
	}
	return ollama.NewClient(base, hc).Generate(ctx, &ollama.GenerateRequest{Model: model, Prompt: question}, func(r ollama.GenerateResponse) error {
		_, err := io.WriteString(w, r.Response)
		return err
	})
}

// askPlain is what a shell script would do with curl.
func askPlain(ctx context.Context, hc *http.Client, endpoint, model, question string, w io.Writer) error {
	body, err := json.Marshal(map[string]any{"model": model, "prompt": question, "stream": false})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+"/api/generate", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := hc.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %s", resp.Status)
	}
	var answer struct{ Response string }
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	_, err = io.WriteString(w, answer.Response)
	return err
}
