// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package openai

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/models"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/lower"
	"github.com/gemma-go/sdk/internal/wire/send"
)

// Models lists /v1/models. Names are in the server's spelling.
func (Codec) Models(ctx context.Context, r *wire.Request, do wire.Doer) ([]*genai.Model, error) {
	req, err := send.JSON(ctx, http.MethodGet, endpoint(r.Base, "/models"), nil, send.Bearer(r.APIKey))
	if err != nil {
		return nil, err
	}
	var doc struct {
		Data *[]struct {
			ID       string
			OwnedBy  string `json:"owned_by"`
			MaxModel int32  `json:"max_model_len"`
		}
	}
	if err := send.Do(do, req, &doc); err != nil {
		return nil, err
	}
	if doc.Data == nil {
		return nil, fault.New(fault.Server, "the answer is no list of models")
	}
	out := make([]*genai.Model, 0, len(*doc.Data))
	for _, d := range *doc.Data {
		m := &genai.Model{Name: d.ID, InputTokenLimit: d.MaxModel}
		m.SupportedActions = []string{"generateContent", "streamGenerateContent", "countTokens"}
		if known, ok := models.Lookup(d.ID); ok {
			m.DisplayName, m.Thinking = known.ID, known.Thinking
		}
		out = append(out, m)
	}
	return out, nil
}

// CountTokens uses vLLM's /tokenize; other servers have to read the prompt.
func (c Codec) CountTokens(ctx context.Context, r *wire.Request, do wire.Doer) (*genai.CountTokensResponse, error) {
	if r.Server.Software != wire.VLLM {
		return send.Count(ctx, c, r, do)
	}
	plan, err := lower.New(r, wire.ColVLLM)
	if err != nil {
		return nil, err
	}
	body := map[string]any{"model": r.Model, "messages": messages(plan), "add_generation_prompt": !plan.Open}
	if plan.Open {
		body["continue_final_message"] = true
	}
	if plan.Tools.Native != nil {
		body["tools"] = plan.Tools.Native
	}
	req, err := send.JSON(ctx, http.MethodPost, send.URL(root(r.Base), "/tokenize"), body, send.Bearer(r.APIKey))
	if err != nil {
		return nil, err
	}
	var doc struct{ Count *int32 }
	if err := send.Do(do, req, &doc); err != nil {
		return nil, err
	}
	if doc.Count == nil {
		return nil, fault.New(fault.Server, "the answer has no count")
	}
	return &genai.CountTokensResponse{TotalTokens: *doc.Count}, nil
}

// root is the base without the /v1 that OpenAI's clients put into it.
func root(base *url.URL) *url.URL {
	u := *base
	u.Path = strings.TrimSuffix(strings.TrimRight(base.Path, "/"), "/v1")
	return &u
}

// Embed uses /v1/embeddings.
func (Codec) Embed(ctx context.Context, r *wire.EmbedRequest, do wire.Doer) (*genai.EmbedContentResponse, error) {
	inputs, err := send.Inputs(r)
	if err != nil {
		return nil, err
	}
	if send.AutoTruncate(r) && r.Server.Software != wire.VLLM {
		return nil, fault.Refuse("config.autoTruncate", "the OpenAI API can't say that a text may be cut")
	}
	body := struct {
		Model      string   `json:"model"`
		Input      []string `json:"input"`
		Format     string   `json:"encoding_format"`
		Dimensions int      `json:"dimensions,omitempty"`
		Truncate   int      `json:"truncate_prompt_tokens,omitempty"`
	}{Model: r.Model, Input: inputs, Format: "float", Dimensions: send.Dimensions(r)}
	if send.AutoTruncate(r) {
		body.Truncate = -1 // to the model's own length
	}
	req, err := send.JSON(ctx, http.MethodPost, endpoint(r.Base, "/embeddings"), body, send.Bearer(r.APIKey))
	if err != nil {
		return nil, err
	}
	var doc struct {
		Data []struct {
			Index     int
			Embedding []float32
		}
	}
	if err := send.Do(do, req, &doc); err != nil {
		return nil, err
	}
	vectors := make([][]float32, len(doc.Data))
	for _, d := range doc.Data {
		if d.Index < 0 || d.Index >= len(vectors) || vectors[d.Index] != nil {
			return nil, fault.New(fault.Server, "the embeddings are not numbered")
		}
		vectors[d.Index] = d.Embedding
	}
	return send.Embeddings(r, vectors)
}
