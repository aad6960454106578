// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
)

// abilities asks Ollama what a model can do. Servers before v0.6.4 do not say;
// then the answer is "unknown", which is remembered too.
func (ep *endpoint) abilities(ctx context.Context, s *server, model string) (*server, error) {
	body, err := json.Marshal(map[string]string{"model": model})
	if err != nil {
		return nil, err
	}
	req, err := ep.newRequest(ctx, http.MethodPost, "/api/show", body)
	if err != nil {
		return nil, err
	}
	resp, err := ep.do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, s.codec.Fault(resp)
	}
	var show struct{ Capabilities []string }
	if err := ep.decode(resp, &show); err != nil {
		return nil, err
	}
	n := *s
	n.server.Known = show.Capabilities != nil
	n.server.Tools = slices.Contains(show.Capabilities, "tools")
	n.server.Vision = slices.Contains(show.Capabilities, "vision")
	n.server.Thinking = slices.Contains(show.Capabilities, "thinking")
	n.server.NoTools = n.server.Known && !n.server.Tools
	return &n, nil
}
