// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"

	"github.com/ollama/ollama/api"
	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"google.golang.org/genai"

	"github.com/gemma-go/sdk/auth"
	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/stream"
)

// The names of the clients, as the table has them.
const (
	ours      = "this module"
	viaBridge = "this module's GenAI()"
	goGenAI   = "go-genai"
	openAIGo  = "openai-go"
	ollamaAPI = "ollama/api"
	netHTTP   = "net/http"
)

const prompt = "Why is the sky blue?"

// asker is one client with one protocol, made ready to ask the one question.
type asker struct {
	name string
	p    protocol
	// stream asks for a stream and hands out each piece of text as it comes.
	stream func(ctx context.Context, text func(string)) error
	// whole asks for the whole answer in one piece.
	whole func(ctx context.Context) (string, error)
}

// streams asks for a stream, and checks that nothing of its text is missing.
func (k *asker) streams(ctx context.Context, want *answer) error {
	n := 0
	if err := k.stream(ctx, func(piece string) { n += len(piece) }); err != nil {
		return err
	}
	if n != len(want.text) {
		return fmt.Errorf("%d bytes of text, want %d", n, len(want.text))
	}
	return nil
}

// gets asks for the whole answer, and checks it.
func (k *asker) gets(ctx context.Context, want *answer) error {
	text, err := k.whole(ctx)
	if err == nil && text != want.text {
		err = fmt.Errorf("%d bytes of text, or other ones: want %d", len(text), len(want.text))
	}
	return err
}

// newAskers returns everybody who speaks p, this module first.
func newAskers(ctx context.Context, p protocol, base string, rt http.RoundTripper) ([]asker, error) {
	client, err := newClient(ctx, p, base, rt)
	if err != nil {
		return nil, err
	}
	askers := []asker{askGemma(p, client)}
	switch p {
	case ollama:
		return append(askers, askOllama(base, rt)), nil
	case openAI:
		return append(askers, askOpenAI(base, rt)), nil
	}
	plain, err := genai.NewClient(ctx, &genai.ClientConfig{
		APIKey: "none", Backend: genai.BackendGeminiAPI, HTTPClient: &http.Client{Transport: rt},
		HTTPOptions: genai.HTTPOptions{BaseURL: base + "/"},
	})
	if err != nil {
		return nil, err
	}
	return append(askers, askGenAI(goGenAI, plain), askGenAI(viaBridge, client.GenAI())), nil
}

// newClient is this module's client as a private endpoint gets it: with an
// identity token, the gate, and an idle timeout in force.
func newClient(ctx context.Context, p protocol, base string, rt http.RoundTripper) (*gemma.Client, error) {
	return gemma.NewClient(ctx, gemma.Config{
		Endpoint:    base,
		Model:       p.model(),
		Protocol:    map[protocol]gemma.Protocol{ollama: gemma.ProtocolOllama, openAI: gemma.ProtocolOpenAI, gemini: gemma.ProtocolGeminiFull}[p],
		Auth:        auth.Static("an-identity-token"),
		Concurrency: 1 << 16, // the server here takes everything; learning that is not what is measured
		Transport:   rt,
	})
}

func askGemma(p protocol, c *gemma.Client) asker {
	contents := genai.Text(prompt)
	return asker{
		name: ours, p: p,
		stream: func(ctx context.Context, text func(string)) error {
			for piece, err := range stream.Text(c.Stream(ctx, contents, nil)) {
				if err != nil {
					return err
				}
				text(piece)
			}
			return nil
		},
		whole: func(ctx context.Context) (string, error) {
			resp, err := c.Generate(ctx, contents, nil)
			if err != nil {
				return "", err
			}
			return resp.Text(), nil
		},
	}
}

func askGenAI(name string, c *genai.Client) asker {
	contents := genai.Text(prompt)
	return asker{
		name: name, p: gemini,
		stream: func(ctx context.Context, text func(string)) error {
			return each(c.Models.GenerateContentStream(ctx, gemini.model(), contents, nil), text)
		},
		whole: func(ctx context.Context) (string, error) {
			resp, err := c.Models.GenerateContent(ctx, gemini.model(), contents, nil)
			if err != nil {
				return "", err
			}
			return resp.Text(), nil
		},
	}
}

// each is the loop that the Gen AI SDK's documentation shows.
func each(seq iter.Seq2[*genai.GenerateContentResponse, error], text func(string)) error {
	for resp, err := range seq {
		if err != nil {
			return err
		}
		if piece := resp.Text(); piece != "" {
			text(piece)
		}
	}
	return nil
}

func askOpenAI(base string, rt http.RoundTripper) asker {
	c := openai.NewClient(option.WithBaseURL(base+"/v1/"), option.WithAPIKey("none"), option.WithHTTPClient(&http.Client{Transport: rt}))
	params := openai.ChatCompletionNewParams{
		Model: openAI.model(), Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(prompt)},
	}
	streamed := params
	streamed.StreamOptions.IncludeUsage = openai.Bool(true)
	return asker{
		name: openAIGo, p: openAI,
		stream: func(ctx context.Context, text func(string)) error {
			s := c.Chat.Completions.NewStreaming(ctx, streamed)
			defer s.Close()
			for s.Next() {
				if choices := s.Current().Choices; len(choices) > 0 && choices[0].Delta.Content != "" {
					text(choices[0].Delta.Content)
				}
			}
			return s.Err()
		},
		whole: func(ctx context.Context) (string, error) {
			resp, err := c.Chat.Completions.New(ctx, params)
			if err != nil {
				return "", err
			}
			return resp.Choices[0].Message.Content, nil
		},
	}
}

func askOllama(base string, rt http.RoundTripper) asker {
	u, err := url.Parse(base)
	if err != nil {
		panic(err) // our own
	}
	c := api.NewClient(u, &http.Client{Transport: rt})
	ask := func(ctx context.Context, streamed bool, text func(string)) error {
		req := &api.ChatRequest{Model: ollama.model(), Messages: []api.Message{{Role: "user", Content: prompt}}, Stream: &streamed}
		return c.Chat(ctx, req, func(resp api.ChatResponse) error {
			if resp.Message.Content != "" {
				text(resp.Message.Content)
			}
			return nil
		})
	}
	return asker{
		name: ollamaAPI, p: ollama,
		stream: func(ctx context.Context, text func(string)) error { return ask(ctx, true, text) },
		whole: func(ctx context.Context) (answer string, err error) {
			err = ask(ctx, false, func(piece string) { answer += piece })
			return answer, err
		},
	}
}

// askBare is no client at all: a request made by hand in Ollama's protocol, and
// the text cut out of each line by position. It is the floor under any client.
func askBare(base string, rt http.RoundTripper) asker {
	c := &http.Client{Transport: rt}
	body, _ := json.Marshal(map[string]any{"model": ollama.model(), "messages": []map[string]string{{"role": "user", "content": prompt}}, "stream": true})
	return asker{name: netHTTP, p: ollama, stream: func(ctx context.Context, text func(string)) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/chat", bytes.NewReader(body))
		if err != nil {
			return err
		}
		resp, err := c.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
		lines := bufio.NewReader(resp.Body)
		for {
			line, err := lines.ReadSlice('\n')
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if piece := contentOf(line); len(piece) > 0 {
				text(string(piece))
			}
		}
	}}
}

// contentOf cuts the text, still quoted as in JSON, out of a line of Ollama's.
func contentOf(line []byte) []byte {
	_, rest, _ := bytes.Cut(line, []byte(`"content":"`))
	piece, _, _ := bytes.Cut(rest, []byte(`"},"done`))
	return piece
}
