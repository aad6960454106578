// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/models"
)

// generate is a generateContent request, back in the SDK's types.
type generate struct {
	Contents          []*genai.Content
	Config            *genai.GenerateContentConfig
	ContinuationToken []byte
}

// parseGenerate undoes what the SDK's generateContentParametersToMldev does:
// fields that it moved out of the config come back into it. A field it does not
// know is an error that names it, since dropping it would lose it silently.
func parseGenerate(body []byte) (*generate, error) {
	var w struct {
		Contents          []*genai.Content             `json:"contents"`
		GenerationConfig  *genai.GenerateContentConfig `json:"generationConfig"` // same field names
		SystemInstruction *genai.Content               `json:"systemInstruction"`
		SafetySettings    []*genai.SafetySetting       `json:"safetySettings"`
		Tools             []*genai.Tool                `json:"tools"`
		ToolConfig        *genai.ToolConfig            `json:"toolConfig"`
		Labels            map[string]string            `json:"labels"`
		CachedContent     string                       `json:"cachedContent"`
		ServiceTier       genai.ServiceTier            `json:"serviceTier"`
		ContinuationToken []byte                       `json:"continuationToken"`
		Store             *bool                        `json:"store"`
		Model             string                       `json:"model"`
	}
	if err := strict(body, &w); err != nil {
		return nil, err
	}
	c := w.GenerationConfig
	if c == nil {
		c = &genai.GenerateContentConfig{}
	}
	c.SystemInstruction, c.SafetySettings, c.Tools, c.ToolConfig = w.SystemInstruction, w.SafetySettings, w.Tools, w.ToolConfig
	c.Labels, c.CachedContent, c.ServiceTier, c.Store = w.Labels, w.CachedContent, w.ServiceTier, w.Store
	return &generate{w.Contents, c, w.ContinuationToken}, nil
}

// callersHeaders returns what a request has beside the headers that the SDK sets
// by itself and the one that the client gives it against Live: those of the caller's HTTPOptions. nil means none.
func callersHeaders(h http.Header) http.Header {
	var own http.Header
	for name, values := range h {
		switch http.CanonicalHeaderKey(name) {
		case "Content-Type", "User-Agent", "X-Goog-Api-Client", "X-Goog-Api-Key", "X-Server-Timeout", "Accept", "Content-Length", "Sec-Websocket-Extensions":
			continue
		}
		if own == nil {
			own = http.Header{}
		}
		own[name] = values
	}
	return own
}

// parseEmbed reads batchEmbedContents, which the SDK sends for the Gemini API
// with one request for each content, and the plain embedContent.
func parseEmbed(body []byte) ([]*genai.Content, *genai.EmbedContentConfig, error) {
	type one struct {
		Model                string         `json:"model"`
		Content              *genai.Content `json:"content"`
		TaskType             string         `json:"taskType"`
		Title                string         `json:"title"`
		OutputDimensionality *int32         `json:"outputDimensionality"`
	}
	var w struct {
		Requests []one `json:"requests"`
		one
	}
	if err := strict(body, &w); err != nil {
		return nil, nil, err
	}
	if w.Content != nil {
		w.Requests = append(w.Requests, w.one)
	}
	config := &genai.EmbedContentConfig{}
	var contents []*genai.Content
	for i, r := range w.Requests {
		c := genai.EmbedContentConfig{TaskType: r.TaskType, Title: r.Title, OutputDimensionality: r.OutputDimensionality}
		if i == 0 {
			*config = c
		} else if c.TaskType != config.TaskType || c.Title != config.Title || deref(c.OutputDimensionality) != deref(config.OutputDimensionality) {
			return nil, nil, fault.Refuse(fmt.Sprintf("requests[%d]", i), "has another config than the first: one config serves all contents of a call")
		}
		contents = append(contents, r.Content)
	}
	return contents, config, nil
}

func deref(p *int32) int32 {
	if p == nil {
		return 0
	}
	return *p
}

// strict decodes body into v and refuses unknown fields and trailing data. The
// error never repeats a value of the request.
func strict(body []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil && err != io.EOF { // no body at all is an empty request
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return fault.Refuse(strings.Trim(name, `"`), "the Gen AI SDK's request has a field that this version does not know; nothing was sent")
		}
		if e, ok := err.(*json.UnmarshalTypeError); ok {
			return fault.Bad(e.Field, "is a JSON %s, which does not fit", e.Value)
		}
		return fault.New(fault.Invalid, "the request is no JSON that this version reads, at byte %d", d.InputOffset())
	}
	return nil
}

// sameModel compares a listed model's resource name with the one asked for.
func sameModel(listed, asked string) bool {
	return models.Same(strings.TrimPrefix(listed, "models/"), strings.TrimPrefix(asked, "models/"))
}
