// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"image"
	"image/color"
	"image/png"
	"slices"
	"testing"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
	"github.com/gemma-go/sdk/integration/ollama"
)

// order has what a schema commonly has: each JSON type, nesting, choices and
// bounds.
type order struct {
	ID       int      `json:"id"`
	Customer string   `json:"customer"`
	Paid     bool     `json:"paid"`
	Tags     []string `json:"tags"`
	Items    []item   `json:"items"`
	Note     *string  `json:"note"`
}

type item struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// Random weights write nothing sensible, but what they write under a schema
// has to fit it, a hundred times out of a hundred.
func TestSchema(t *testing.T) {
	srv := ollama.Start(t, ollama.Options{})
	e := serve(t, srv, gemmatest.FrontEndConfig{}, nil)
	each(t, e, func(t *testing.T, c *gemma.Client) {
		const calls = 100
		different := map[string]bool{}
		for seed := range int32(calls) {
			config := seeded(seed, 0)
			if seed%2 == 0 {
				v, err := gemma.GenerateAs[order](t.Context(), c, genai.Text("Order something."), config)
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				different[v.Customer] = true
				continue
			}
			var last order
			n := 0
			for v, err := range gemma.StreamAs[order](t.Context(), c, genai.Text("Order something."), config) {
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				last = v
				n++
			}
			if n < 2 {
				t.Errorf("seed %d: %d snapshots", seed, n)
			}
			different[last.Customer] = true
		}
		if len(different) < calls/10 {
			t.Errorf("%d answers are of %d customers: too few to show anything", calls, len(different))
		}
	})
}

func TestStructuredOutput(t *testing.T) {
	srv := ollama.Start(t, ollama.Options{})
	e := serve(t, srv, gemmatest.FrontEndConfig{}, nil)
	t.Run("schema of the Gen AI SDK", func(t *testing.T) {
		each(t, e, func(t *testing.T, c *gemma.Client) {
			for seed := range int32(10) {
				config := seeded(seed, 0)
				config.ResponseMIMEType = "application/json"
				config.ResponseSchema = &genai.Schema{
					Type:     genai.TypeObject,
					Required: []string{"colour", "size"},
					Properties: map[string]*genai.Schema{
						"colour": {Type: genai.TypeString, Enum: []string{"red", "green", "blue"}},
						"size":   {Type: genai.TypeInteger},
					},
				}
				got := ask(t, c, sky, config)
				var v struct {
					Colour string
					Size   *int
				}
				if err := json.Unmarshal([]byte(got.text), &v); err != nil || v.Size == nil || !slices.Contains([]string{"red", "green", "blue"}, v.Colour) {
					t.Errorf("seed %d: %v: %v", seed, got, err)
				}
			}
		})
	})
	t.Run("any JSON", func(t *testing.T) {
		each(t, e, func(t *testing.T, c *gemma.Client) {
			for seed := range int32(10) {
				config := seeded(seed, 0)
				config.ResponseMIMEType = "application/json"
				if got := ask(t, c, sky, config); !json.Valid([]byte(got.text)) {
					t.Errorf("seed %d: %v", seed, got)
				}
			}
		})
	})
	t.Run("choice", func(t *testing.T) {
		each(t, e, func(t *testing.T, c *gemma.Client) {
			choices := []string{"river", "stone", "bird"}
			for seed := range int32(10) {
				config := seeded(seed, 0)
				config.ResponseMIMEType = "text/x.enum"
				config.ResponseSchema = &genai.Schema{Type: genai.TypeString, Enum: choices}
				if got := ask(t, c, sky, config); !slices.Contains(choices, got.text) {
					t.Errorf("seed %d: %v", seed, got)
				}
			}
		})
	})
	t.Run("cut off by the limit", func(t *testing.T) {
		each(t, e, func(t *testing.T, c *gemma.Client) {
			_, err := gemma.GenerateAs[order](t.Context(), c, sky, seeded(1, 10))
			failure, ok := errors.AsType[*gemma.Error](err)
			if !ok || failure.Kind != gemma.KindServer || failure.Partial == nil {
				t.Errorf("error %v", err)
			}
		})
	})
}

// Gemma 3 has no tools of its own, and Ollama refuses them for it. The client
// asks by prompt and holds the answer to the tools' schemas, so that even
// random weights make a valid call.
func TestTools(t *testing.T) {
	srv := ollama.Start(t, ollama.Options{})
	e := serve(t, srv, gemmatest.FrontEndConfig{}, nil)
	cities := []string{"Paris", "Oslo"}
	tools := []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{
		Name:        "weather",
		Description: "The weather in a city.",
		Parameters: &genai.Schema{Type: genai.TypeObject, Required: []string{"city", "days"}, Properties: map[string]*genai.Schema{
			"city": {Type: genai.TypeString, Enum: cities},
			"days": {Type: genai.TypeInteger},
		}},
	}}}}
	each(t, e, func(t *testing.T, c *gemma.Client) {
		for seed := range int32(6) {
			config := seeded(seed, 0)
			config.Tools = tools
			config.ToolConfig = &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: genai.FunctionCallingConfigModeAny}}
			r, err := c.Generate(t.Context(), sky, config)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			calls := r.FunctionCalls()
			t.Logf("seed %d: %v", seed, resultOf(r))
			if len(calls) == 0 {
				t.Fatalf("seed %d: no call in %v", seed, resultOf(r))
			}
			for _, call := range calls {
				city, _ := call.Args["city"].(string)
				if _, ok := call.Args["days"].(float64); !ok || call.Name != "weather" || !slices.Contains(cities, city) {
					t.Errorf("seed %d: %s(%v)", seed, call.Name, call.Args)
				}
			}
			// The result goes back, and the model answers in words.
			config.ToolConfig = &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: genai.FunctionCallingConfigModeNone}}
			config.MaxOutputTokens = 30
			response := genai.NewContentFromFunctionResponse("weather", map[string]any{"output": "rain"}, genai.RoleUser)
			response.Parts[0].FunctionResponse.ID = calls[0].ID
			turns := []*genai.Content{sky[0], genai.NewContentFromParts([]*genai.Part{{FunctionCall: calls[0]}}, genai.RoleModel), response}
			if got := ask(t, c, turns, config); got.text == "" || got.finish == "" {
				t.Errorf("seed %d: after the result: %v", seed, got)
			}
		}
	})
}

// The models take no images: the small one by its name, the large one has the
// name of a model that does. Either way the caller hears it. Ollama's OpenAI
// route swallows its own error there and ends an empty answer cleanly, which
// must not pass for an answer (measured on Ollama v0.6.5).
func TestImagesAreRefused(t *testing.T) {
	srv := ollama.Start(t, ollama.Options{Large: true})
	e := serve(t, srv, gemmatest.FrontEndConfig{}, nil)
	picture := image.NewRGBA(image.Rect(0, 0, 8, 8))
	picture.Set(1, 1, color.White)
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		t.Fatal(err)
	}
	contents := []*genai.Content{genai.NewContentFromParts([]*genai.Part{
		genai.NewPartFromText("What is this?"), genai.NewPartFromBytes(file.Bytes(), "image/png"),
	}, genai.RoleUser)}
	for _, model := range []string{ollama.Small, ollama.Large} {
		t.Run(model, func(t *testing.T) {
			each(t, e, func(t *testing.T, c *gemma.Client) {
				c = c.WithModel(model)
				before := len(e.Requests())
				r, err := c.Generate(t.Context(), contents, greedy(5))
				failure, ok := errors.AsType[*gemma.Error](err)
				if !ok {
					t.Fatalf("%v, error %v", r, err)
				}
				t.Logf("after %d requests: %v", len(e.Requests())-before, err)
				kinds := []gemma.Kind{gemma.KindUnsupported}
				if model == ollama.Large {
					kinds = append(kinds, gemma.KindServer, gemma.KindInterrupted)
				}
				if !slices.Contains(kinds, failure.Kind) || resultOf(cmp.Or(r, &genai.GenerateContentResponse{})).text != "" {
					t.Errorf("kind %v: %v", failure.Kind, err)
				}
			})
		})
	}
}
