// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
)

// abilities is what Ollama says that one model can do.
type abilities struct{ known, tools, vision, thinking bool }

// abilities asks Ollama what a model can do, once. Servers before v0.6.4 do not
// say; then the answer is "unknown", which is remembered too.
func (ep *endpoint) abilities(ctx context.Context, s *server, model string) (*server, error) {
	a, ok := ep.shown.Load(model)
	if !ok {
		var err error
		if a, err = ep.show(ctx, s, model); err != nil {
			return nil, err
		}
		ep.shown.Store(model, a)
	}
	n, can := *s, a.(abilities)
	n.server.Known, n.server.Tools, n.server.Vision, n.server.Thinking = can.known, can.tools, can.vision, can.thinking
	n.server.NoTools = can.known && !can.tools
	return &n, nil
}

func (ep *endpoint) show(ctx context.Context, s *server, model string) (abilities, error) {
	body, err := json.Marshal(map[string]string{"model": model})
	if err != nil {
		return abilities{}, err
	}
	req, err := ep.newRequest(ctx, http.MethodPost, "/api/show", body)
	if err != nil {
		return abilities{}, err
	}
	resp, err := ep.do(req)
	if err != nil {
		return abilities{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return abilities{}, s.codec.Fault(resp)
	}
	var show struct{ Capabilities []string }
	if err := ep.decode(resp, &show); err != nil {
		return abilities{}, &fault.Error{Kind: fault.Server, Message: "the answer about the model's abilities can't be read", Retry: true}
	}
	has := func(what string) bool { return slices.Contains(show.Capabilities, what) }
	return abilities{show.Capabilities != nil, has("tools"), has("vision"), has("thinking")}, nil
}

// window reports whether the server can be made to run with a context of n
// tokens, or has one that holds it. Only Ollama takes a context with a request;
// elsewhere it is fixed when the server starts.
func (s *server) window(n int) error {
	if n == 0 || s.codec.Protocol() == wire.Ollama || s.server.MaxTokens >= n {
		return nil
	}
	f := fault.Refuse("Config.ContextWindow", "this server's context is set when it starts, and it does not say that it holds "+strconv.Itoa(n)+" tokens")
	if s.server.MaxTokens > 0 {
		f.Message = fmt.Sprintf("this server's context is %d tokens, less than the %d asked for", s.server.MaxTokens, n)
	}
	f.Hint = "leave Config.ContextWindow at 0 and start the server with the context you need (vLLM: --max-model-len)"
	return f
}
