// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package send

import (
	"fmt"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
)

// Inputs returns the text of each content that is to be embedded, or refuses
// what no embedding server takes.
func Inputs(r *wire.EmbedRequest) ([]string, error) {
	if len(r.Contents) == 0 {
		return nil, fault.Bad("contents", "there is nothing to embed")
	}
	if c := r.Config; c != nil {
		switch {
		case c.TaskType != "":
			return nil, fault.Refuse("config.taskType", "no private server knows task types: put the task's prompt before the text, as the model's card says")
		case c.Title != "":
			return nil, fault.Refuse("config.title", "no private server knows titles: put it into the text, as the model's card says")
		case c.MIMEType != "" && c.MIMEType != "text/plain":
			return nil, fault.Refuse("config.mimeType", "only text is embedded")
		case c.DocumentOcr != nil && *c.DocumentOcr:
			return nil, fault.Refuse("config.documentOcr", "only text is embedded")
		case c.AudioTrackExtraction != nil && *c.AudioTrackExtraction:
			return nil, fault.Refuse("config.audioTrackExtraction", "only text is embedded")
		case c.OutputDimensionality != nil && *c.OutputDimensionality <= 0:
			return nil, fault.Bad("config.outputDimensionality", "%d is no length", *c.OutputDimensionality)
		}
	}
	inputs := make([]string, len(r.Contents))
	for i, c := range r.Contents {
		var b strings.Builder
		if c != nil {
			for _, p := range c.Parts {
				if p == nil {
					continue
				}
				if p.InlineData != nil || p.FileData != nil || p.FunctionCall != nil || p.FunctionResponse != nil {
					return nil, fault.Refuse(fmt.Sprintf("contents[%d].parts", i), "only text is embedded")
				}
				b.WriteString(p.Text)
			}
		}
		if b.Len() == 0 {
			return nil, fault.Bad(fmt.Sprintf("contents[%d]", i), "has no text")
		}
		inputs[i] = b.String()
	}
	return inputs, nil
}

// Dimensions returns the length asked for, or 0.
func Dimensions(r *wire.EmbedRequest) int {
	if r.Config == nil || r.Config.OutputDimensionality == nil {
		return 0
	}
	return int(*r.Config.OutputDimensionality)
}

// AutoTruncate reports whether too long a text may be cut.
func AutoTruncate(r *wire.EmbedRequest) bool { return r.Config != nil && r.Config.AutoTruncate }

// Embeddings checks the vectors against the question.
func Embeddings(r *wire.EmbedRequest, vectors [][]float32) (*genai.EmbedContentResponse, error) {
	if len(vectors) != len(r.Contents) {
		return nil, fault.New(fault.Server, "%d embeddings for %d contents", len(vectors), len(r.Contents))
	}
	out := &genai.EmbedContentResponse{}
	for _, v := range vectors {
		if n := Dimensions(r); n != 0 && len(v) != n {
			return nil, fault.Refuse("config.outputDimensionality", fmt.Sprintf("the server ignores it: it answered %d numbers", len(v)))
		}
		out.Embeddings = append(out.Embeddings, &genai.ContentEmbedding{Values: v})
	}
	return out, nil
}
