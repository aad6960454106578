// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package send

import (
	"context"
	"io"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
)

// Count has the server read the prompt and write one token, and returns what
// it counted: exact, at the price of reading the prompt once.
func Count(ctx context.Context, c wire.Codec, r *wire.Request, do wire.Doer) (*genai.CountTokensResponse, error) {
	one := *r
	var config genai.GenerateContentConfig
	if r.Config != nil {
		config = *r.Config
	}
	config.MaxOutputTokens = 1
	config.ResponseSchema, config.ResponseJsonSchema, config.ResponseMIMEType = nil, nil, ""
	one.Config = &config
	x, err := c.Encode(ctx, &one)
	if err != nil {
		return nil, err
	}
	resp, err := do(x.HTTP)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 != 2 {
		return nil, c.Fault(resp)
	}
	defer resp.Body.Close()
	dec := x.Open(resp.Header, resp.Body)
	for {
		answer, err := dec.Next()
		if err == io.EOF {
			return nil, fault.New(fault.Unsupported, "the server does not count tokens")
		}
		if err != nil {
			return nil, err
		}
		if u := answer.UsageMetadata; u != nil && u.PromptTokenCount > 0 {
			return &genai.CountTokensResponse{TotalTokens: u.PromptTokenCount}, nil
		}
	}
}
