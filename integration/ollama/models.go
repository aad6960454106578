// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/gemma-go/sdk/integration/tinygemma"
)

// createModels does over HTTP what `ollama create` does with a Modelfile.
func (s *Server) createModels(ctx context.Context) error {
	if err := s.create(ctx, Small, tinygemma.Small); err != nil || !s.opts.Large {
		return err
	}
	return s.create(ctx, Large, tinygemma.Large)
}

func (s *Server) create(ctx context.Context, name string, size tinygemma.Size) error {
	var file bytes.Buffer
	if err := tinygemma.Write(&file, size); err != nil {
		return err
	}
	sum := sha256.Sum256(file.Bytes())
	digest := "sha256:" + hex.EncodeToString(sum[:])
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/blobs/"+digest, &file)
	if err != nil {
		return err
	}
	if err := do(req, nil); err != nil {
		return err
	}
	return s.call(ctx, http.MethodPost, "/api/create", map[string]any{
		"model":      name,
		"files":      map[string]string{strings.ReplaceAll(name, ":", "-") + ".gguf": digest},
		"template":   tinygemma.Template,
		"parameters": tinygemma.Parameters(),
		"stream":     false,
	}, nil)
}
