// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"testing"
	"time"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
	"github.com/gemma-go/sdk/stream"
)

// endpoint is a private endpoint in this process, for the examples. A real one
// needs only its URL.
func endpoint(reply string) (gemma.Config, *gemmatest.Server) {
	c := gemmatest.Config{}
	if reply != "" {
		c.Reply = func(gemmatest.Call) gemmatest.Reply { return gemmatest.Text(reply) }
	}
	srv := gemmatest.NewServer(c)
	return gemma.Config{Endpoint: srv.URL, Auth: srv.Source()}, srv
}

func ExampleNewClient() {
	client, err := gemma.NewClient(context.Background(), gemma.Config{
		Endpoint: "https://gemma-abc-ew.a.run.app/v1",
		Public:   true,
	})
	fmt.Println(client != nil)
	fmt.Println(err)
	// Output:
	// false
	// gemma: invalid: Config.Endpoint ends in /v1, the path of one API: give the service's URL without it; Config.Protocol says which API to use
}

func ExampleClient_Stream() {
	config, srv := endpoint("Rayleigh scattering.")
	defer srv.Close()
	ctx := context.Background()
	client, err := gemma.NewClient(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	for text, err := range stream.Text(client.Stream(ctx, genai.Text("Why is the sky blue?"), nil)) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q\n", text)
	}
	// Output:
	// "Rayleigh"
	// " scattering."
}

func ExampleClient_Generate() {
	config, srv := endpoint("Rayleigh scattering.")
	defer srv.Close()
	ctx := context.Background()
	client, err := gemma.NewClient(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	answer, err := client.Generate(ctx, genai.Text("Why is the sky blue?"), &genai.GenerateContentConfig{
		SystemInstruction: genai.NewContentFromText("Answer in two words.", genai.RoleUser),
		Temperature:       new(float32(0)),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Text(), answer.Candidates[0].FinishReason)
	// Output: Rayleigh scattering. STOP
}

func ExampleGenerateAs() {
	config, srv := endpoint(`{"city": "Paris", "population": 2100000}`)
	defer srv.Close()
	ctx := context.Background()
	client, err := gemma.NewClient(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	type city struct {
		City       string `json:"city" jsonschema:"the city's name"`
		Population int    `json:"population"`
	}
	paris, err := gemma.GenerateAs[city](ctx, client, genai.Text("Tell me about the capital of France."), nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(paris.City, paris.Population)
	// Output: Paris 2100000
}

func ExampleStreamAs() {
	config, srv := endpoint(`{"title": "Soup", "steps": ["Cut", "Boil"]}`)
	defer srv.Close()
	ctx := context.Background()
	client, err := gemma.NewClient(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	type recipe struct {
		Title string   `json:"title"`
		Steps []string `json:"steps"`
	}
	for r, err := range gemma.StreamAs[recipe](ctx, client, genai.Text("A recipe for soup."), nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%q %q\n", r.Title, r.Steps)
	}
	// Output:
	// "Soup" []
	// "Soup" ["Cut"]
	// "Soup" ["Cut" "Boil"]
}

func ExampleClient_GenAI() {
	config, srv := endpoint("Hello, Ada.")
	defer srv.Close()
	ctx := context.Background()
	client, err := gemma.NewClient(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	chat, err := client.GenAI().Chats.Create(ctx, "gemma-3-4b-it", nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	answer, err := chat.SendMessage(ctx, genai.Part{Text: "I am Ada."})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Text())
	// Output: Hello, Ada.
}

// An error says what it means for the caller, here through the Gen AI SDK's own
// wrapping.
func ExampleError() {
	config, srv := endpoint("")
	defer srv.Close()
	ctx := context.Background()
	client, err := gemma.NewClient(ctx, config)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.GenAI().Models.GenerateContent(ctx, "gemma-3-4b-it", genai.Text("hi"), &genai.GenerateContentConfig{
		CachedContent: "cachedContents/abc",
	})
	if e, ok := errors.AsType[*gemma.Error](err); ok {
		fmt.Println(e.Kind, e.Retryable())
		fmt.Println(e.Message)
	}
	// Output:
	// unsupported false
	// config.cachedContent: a private model server has no content cache of the Gemini API
}

func ExampleClient_Ready() {
	srv := gemmatest.NewServer(gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Start: 10 * time.Millisecond}})
	defer srv.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	client, err := gemma.NewClient(ctx, gemma.Config{Endpoint: srv.URL, Auth: srv.Source()})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(client.Ready(ctx), len(srv.Starts()), "start")
	// Output: <nil> 1 start
}

func ExampleClient_HTTPClient() {
	config, srv := endpoint("Blue.")
	defer srv.Close()
	client, err := gemma.NewClient(context.Background(), config)
	if err != nil {
		log.Fatal(err)
	}
	resp, err := client.HTTPClient().Post(srv.URL+"/api/generate", "application/json",
		strings.NewReader(`{"model": "gemma3:4b", "prompt": "What colour is the sky?", "stream": false}`))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, strings.Contains(string(body), `"response":"Blue."`), err)
	// Output: 200 true <nil>
}

// deployed stands for deploy.Status.
type deployed struct{}

func (deployed) GemmaEndpoint() (url, audience, model string, slots int) {
	return "https://gemma-123.europe-west1.run.app", "https://gemma-123.europe-west1.run.app", "gemma-3-4b-it", 4
}

func ExampleConfigFrom() {
	config := gemma.ConfigFrom(deployed{})
	fmt.Println(config.Endpoint, config.Model, config.Concurrency)
	// Output: https://gemma-123.europe-west1.run.app gemma-3-4b-it 4
}

// [testing]
// askColour stands for your own code.
func askColour(ctx context.Context, client *gemma.Client) (string, error) {
	answer, err := client.Generate(ctx, genai.Text("What colour is the sky?"), nil)
	if err != nil {
		return "", err // answer is nil where nothing arrived
	}
	return answer.Text(), nil
}

func TestAskColour(t *testing.T) {
	srv := gemmatest.NewServer(gemmatest.Config{
		Reply:    gemmatest.Script(gemmatest.Text("Blue.")),              // what the model says
		FrontEnd: gemmatest.FrontEndConfig{Start: 20 * time.Millisecond}, // private, and cold
	})
	defer srv.Close()
	client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: srv.URL, Auth: srv.Source()})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := askColour(t.Context(), client); err != nil || got != "Blue." {
		t.Errorf("%q, %v", got, err)
	}
}

// [/testing]
