// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"context"
	"net/http"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/send"
)

// onlyGenerates is the fault of what the prebuilt container's Gemini route
// answers with 404.
func onlyGenerates(what string) error {
	f := fault.New(fault.Unsupported, "the container's Gemini route does not %s", what)
	f.Hint = "use ProtocolOllama, which does"
	return f
}

// Models lists /v1beta/models.
func (Codec) Models(ctx context.Context, r *wire.Request, do wire.Doer) ([]*genai.Model, error) {
	if r.Server.Software != wire.FullGemini {
		return nil, onlyGenerates("list models")
	}
	var out []*genai.Model
	token := ""
	for range 100 {
		u := send.URL(r.Base, "/v1beta/models")
		if token != "" {
			q := u.Query()
			q.Set("pageToken", token)
			u.RawQuery = q.Encode()
		}
		req, err := send.JSON(ctx, http.MethodGet, u, nil, send.GoogleKey(r.APIKey))
		if err != nil {
			return nil, err
		}
		var page struct {
			Models []struct {
				*genai.Model
				Methods []string `json:"supportedGenerationMethods"`
			}
			NextPageToken string
		}
		if err := send.Do(do, req, &page); err != nil {
			return nil, err
		}
		for _, m := range page.Models {
			if m.Model == nil {
				continue
			}
			if m.Methods != nil {
				m.SupportedActions = m.Methods
			}
			out = append(out, m.Model)
		}
		if token = page.NextPageToken; token == "" {
			return out, nil
		}
	}
	return nil, fault.New(fault.Server, "the list of models has no end")
}

// CountTokens uses :countTokens.
func (Codec) CountTokens(ctx context.Context, r *wire.Request, do wire.Doer) (*genai.CountTokensResponse, error) {
	if r.Server.Software != wire.FullGemini {
		return nil, onlyGenerates("count tokens")
	}
	path, err := method(r.Model, "countTokens", wire.ColGemini)
	if err != nil {
		return nil, err
	}
	if err := wire.Refuse(r, wire.ColGemini); err != nil {
		return nil, err
	}
	generate, err := whole(r)
	if err != nil {
		return nil, err
	}
	generate.Model = modelName(r.Model)
	req, err := send.JSON(ctx, http.MethodPost, send.URL(r.Base, path), map[string]any{"generateContentRequest": generate}, send.GoogleKey(r.APIKey))
	if err != nil {
		return nil, err
	}
	out := new(genai.CountTokensResponse)
	if err := send.Do(do, req, out); err != nil {
		return nil, err
	}
	return out, nil
}

// Embed uses :batchEmbedContents.
func (Codec) Embed(ctx context.Context, r *wire.EmbedRequest, do wire.Doer) (*genai.EmbedContentResponse, error) {
	if r.Server.Software != wire.FullGemini {
		return nil, onlyGenerates("embed")
	}
	path, err := method(r.Model, "batchEmbedContents", wire.ColGemini)
	if err != nil {
		return nil, err
	}
	type request struct {
		Model    string         `json:"model"`
		Content  *genai.Content `json:"content"`
		TaskType string         `json:"taskType,omitempty"`
		Title    string         `json:"title,omitempty"`
		Length   *int32         `json:"outputDimensionality,omitempty"`
	}
	var body struct {
		Requests []request `json:"requests"`
	}
	if len(r.Contents) == 0 {
		return nil, fault.Bad("contents", "there is nothing to embed")
	}
	for _, c := range r.Contents {
		one := request{Model: modelName(r.Model), Content: c}
		if f := r.Config; f != nil {
			if f.MIMEType != "" || f.AutoTruncate || f.DocumentOcr != nil || f.AudioTrackExtraction != nil {
				return nil, fault.Refuse("config", "mimeType, autoTruncate, documentOcr and audioTrackExtraction are not in the Gemini API")
			}
			one.TaskType, one.Title, one.Length = f.TaskType, f.Title, f.OutputDimensionality
		}
		body.Requests = append(body.Requests, one)
	}
	req, err := send.JSON(ctx, http.MethodPost, send.URL(r.Base, path), body, send.GoogleKey(r.APIKey))
	if err != nil {
		return nil, err
	}
	out := new(genai.EmbedContentResponse)
	if err := send.Do(do, req, out); err != nil {
		return nil, err
	}
	return out, nil
}
