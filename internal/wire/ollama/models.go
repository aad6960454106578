// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"context"
	"net/http"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/models"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/send"
)

// Models lists /api/tags; /api/show adds what each model can do, where the
// server answers it. Names are in the server's spelling.
func (Codec) Models(ctx context.Context, r *wire.Request, do wire.Doer) ([]*genai.Model, error) {
	req, err := send.JSON(ctx, http.MethodGet, send.URL(r.Base, "/api/tags"), nil, send.Bearer(r.APIKey))
	if err != nil {
		return nil, err
	}
	var tags struct {
		Models []struct {
			Name, Model, Digest string
			Details             struct {
				ParameterSize     string `json:"parameter_size"`
				QuantizationLevel string `json:"quantization_level"`
			}
		}
	}
	if err := send.Do(do, req, &tags); err != nil {
		return nil, err
	}
	out := make([]*genai.Model, 0, len(tags.Models))
	for _, t := range tags.Models {
		m := &genai.Model{Name: t.Name, Version: t.Digest}
		m.Description = strings.TrimSpace(t.Details.ParameterSize + " " + t.Details.QuantizationLevel)
		if known, ok := models.Lookup(t.Name); ok {
			m.DisplayName = known.ID
			m.Thinking = known.Thinking
		}
		m.SupportedActions = []string{"generateContent", "streamGenerateContent", "countTokens"}
		if err := show(ctx, r, do, m); err != nil && ctx.Err() != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, nil
}

// show fills in what /api/show knows. A failure leaves m as it is.
func show(ctx context.Context, r *wire.Request, do wire.Doer, m *genai.Model) error {
	req, err := send.JSON(ctx, http.MethodPost, send.URL(r.Base, "/api/show"), map[string]string{"model": m.Name}, send.Bearer(r.APIKey))
	if err != nil {
		return err
	}
	var doc struct {
		Info         map[string]any `json:"model_info"`
		Capabilities []string
	}
	if err := send.Do(do, req, &doc); err != nil {
		return err
	}
	for key, v := range doc.Info {
		if n, ok := v.(float64); ok && strings.HasSuffix(key, ".context_length") && n > 0 && n < 1<<31 {
			m.InputTokenLimit = int32(n)
		}
	}
	for _, c := range doc.Capabilities {
		switch c {
		case "embedding":
			m.SupportedActions = []string{"embedContent"}
		case "thinking":
			m.Thinking = true
		}
	}
	return nil
}

// CountTokens has the server read the prompt: Ollama has no route that only
// counts.
func (c Codec) CountTokens(ctx context.Context, r *wire.Request, do wire.Doer) (*genai.CountTokensResponse, error) {
	return send.Count(ctx, c, r, do)
}

// Embed uses /api/embed.
func (Codec) Embed(ctx context.Context, r *wire.EmbedRequest, do wire.Doer) (*genai.EmbedContentResponse, error) {
	inputs, err := send.Inputs(r)
	if err != nil {
		return nil, err
	}
	body := struct {
		Model      string   `json:"model"`
		Input      []string `json:"input"`
		Truncate   bool     `json:"truncate"`
		Dimensions int      `json:"dimensions,omitempty"`
	}{r.Model, inputs, send.AutoTruncate(r), send.Dimensions(r)}
	req, err := send.JSON(ctx, http.MethodPost, send.URL(r.Base, "/api/embed"), body, send.Bearer(r.APIKey))
	if err != nil {
		return nil, err
	}
	var doc struct{ Embeddings [][]float32 }
	if err := send.Do(do, req, &doc); err != nil {
		return nil, err
	}
	return send.Embeddings(r, doc.Embeddings)
}
