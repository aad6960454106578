// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package gemini speaks the Gemini API: :streamGenerateContent and what lists,
// counts and embeds beside it.
//
// It has two faces. A server that is known to be [wire.FullGemini] gets the whole
// request. Any other is taken for the prebuilt Gemma 3 container's Gemini route,
// which drops or chokes on nearly everything but text, temperature and stop
// sequences, and gets nothing else. Even calls that want a whole answer go out as
// streams: that container mixes up different kinds of calls in flight.
package gemini

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/lower"
	"github.com/gemma-go/sdk/internal/wire/reply"
	"github.com/gemma-go/sdk/internal/wire/send"
)

// Codec speaks the Gemini API. The zero Codec is ready.
type Codec struct{}

// Protocol returns [wire.Gemini].
func (Codec) Protocol() wire.Protocol { return wire.Gemini }

// Fault reads an error.
func (Codec) Fault(resp *http.Response) error { return reply.Fault(resp) }

// Encode returns the request of one generation.
func (Codec) Encode(ctx context.Context, r *wire.Request) (*wire.Exchange, error) {
	col := wire.ColumnOf(wire.Gemini, r.Server.Software)
	path, err := method(r.Model, "streamGenerateContent", col)
	if err != nil {
		return nil, err
	}
	plan, err := lower.New(r, col)
	if err != nil {
		return nil, err
	}
	var body any
	if col == wire.ColGemini {
		if body, err = whole(r); err != nil {
			return nil, err
		}
	} else {
		body = prebuilt(plan)
	}
	u := send.URL(r.Base, path)
	q := u.Query()
	q.Set("alt", "sse")
	u.RawQuery = q.Encode()
	req, err := send.JSON(ctx, http.MethodPost, u, body, send.GoogleKey(r.APIKey))
	if err != nil {
		return nil, err
	}
	return plan.Exchange(req, func(header http.Header, src io.Reader) wire.Decoder {
		return newDecoder(src, r, plan)
	}), nil
}

// method returns the path of a model's method. The prebuilt container's router
// knows no model name with a slash.
func method(model, name string, col wire.Column) (string, error) {
	switch {
	case model == "":
		return "", fault.Bad("model", "the Gemini API needs a model's name")
	case col == wire.ColPrebuilt && strings.Contains(model, "/") && (!strings.HasPrefix(model, "models/") || strings.Count(model, "/") > 1):
		return "", fault.Bad("model", "the container's Gemini route knows no name with a slash")
	}
	return "/v1beta/" + modelName(model) + ":" + name, nil
}

// modelName is a model's resource name.
func modelName(model string) string {
	if strings.Contains(model, "/") {
		return model
	}
	return "models/" + model
}

// prebuiltRequest is all that the prebuilt container's Gemini route honours
// (measured on the image of March 2026).
type prebuiltRequest struct {
	Contents []prebuiltContent `json:"contents"`
	Config   *prebuiltConfig   `json:"generationConfig,omitempty"`
}

type prebuiltContent struct {
	Role  string         `json:"role"`
	Parts []prebuiltPart `json:"parts"`
}

type prebuiltPart struct {
	Text string `json:"text"`
}

type prebuiltConfig struct {
	Temperature *float32 `json:"temperature,omitempty"`
	Stop        []string `json:"stopSequences,omitempty"`
}

// prebuilt spells a plan. One turn is one part: the container would make a turn
// of each.
func prebuilt(plan *lower.Plan) *prebuiltRequest {
	body := &prebuiltRequest{Contents: make([]prebuiltContent, 0, len(plan.Turns))}
	for i := range plan.Turns {
		t := &plan.Turns[i]
		role := genai.RoleUser
		if t.Model {
			role = genai.RoleModel
		}
		body.Contents = append(body.Contents, prebuiltContent{Role: string(role), Parts: []prebuiltPart{{t.Text()}}})
	}
	c := plan.Config
	if c.Temperature != nil || len(c.StopSequences) > 0 {
		body.Config = &prebuiltConfig{Temperature: plan.Temperature(), Stop: c.StopSequences}
	}
	return body
}

type wholeRequest struct {
	Model             string                 `json:"model,omitempty"` // inside of countTokens only
	Contents          []*genai.Content       `json:"contents"`
	SystemInstruction *genai.Content         `json:"systemInstruction,omitempty"`
	SafetySettings    []*genai.SafetySetting `json:"safetySettings,omitempty"`
	Tools             []*genai.Tool          `json:"tools,omitempty"`
	ToolConfig        *genai.ToolConfig      `json:"toolConfig,omitempty"`
	Labels            map[string]string      `json:"labels,omitempty"`
	CachedContent     string                 `json:"cachedContent,omitempty"`
	ServiceTier       genai.ServiceTier      `json:"serviceTier,omitempty"`
	ContinuationToken []byte                 `json:"continuationToken,omitempty"`
	Store             *bool                  `json:"store,omitempty"`
	Config            *generationConfig      `json:"generationConfig,omitempty"`
}

// generationConfig has what the Gen AI SDK's own type of that name lacks, though
// the SDK sends it.
type generationConfig struct {
	*genai.GenerationConfig
	ImageConfig *genai.ImageConfig `json:"imageConfig,omitempty"`
}

// whole spells the whole request, as the Gen AI SDK would.
func whole(r *wire.Request) (*wholeRequest, error) {
	body := &wholeRequest{Contents: r.Contents}
	if r.Config == nil {
		return body, nil
	}
	c := *r.Config
	body.SystemInstruction, body.SafetySettings, body.Tools, body.ToolConfig = c.SystemInstruction, c.SafetySettings, c.Tools, c.ToolConfig
	body.Labels, body.CachedContent, body.ServiceTier = c.Labels, c.CachedContent, c.ServiceTier
	body.ContinuationToken, body.Store = c.ContinuationToken, c.Store
	c.SystemInstruction, c.SafetySettings, c.Tools, c.ToolConfig, c.HTTPOptions = nil, nil, nil, nil, nil
	c.Labels, c.CachedContent, c.ServiceTier, c.ContinuationToken, c.Store = nil, "", "", nil, nil
	c.AutomaticContinuation = nil
	config, err := c.ToGenerationConfig(genai.BackendGeminiAPI)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Unsupported, Field: "config", Message: "the Gemini API does not take it", Err: err}
	}
	all := &generationConfig{config, c.ImageConfig}
	if b, err := json.Marshal(all); err == nil && string(b) != "{}" {
		body.Config = all
	}
	return body, nil
}
