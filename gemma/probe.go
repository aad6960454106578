// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/gemma-go/sdk/internal/coldstart"
	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/codecs"
)

// sender sends one attempt of a probe.
type sender func(*http.Request) (*http.Response, error)

// probe is the cheapest thing that wakes the endpoint and makes its model
// ready to answer. The gate runs one at a time, for all who wait. It returns
// the response that settled the matter, which the gate classifies.
func (ep *endpoint) probe(ctx context.Context, attempt func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	send := func(req *http.Request) (*http.Response, error) { return ep.here(attempt(req)) }
	s := ep.known.Load()
	if s == nil {
		resp, found, err := ep.detect(ctx, send)
		if found == nil {
			return resp, err
		}
		s = found
		ep.known.Store(s)
		ep.notify(Event{Type: EventProtocol, Model: ep.cfg.Model, Reason: describe(s)})
	}
	switch s.codec.Protocol() {
	case wire.Ollama:
		return ep.probeOllama(ctx, s, coldstart.ProbeFor(ctx), send)
	case wire.OpenAI:
		return ep.list(ctx, s, "/v1/models", send)
	default:
		if s.server.Software == wire.FullGemini {
			return ep.list(ctx, s, "/v1beta/models", send)
		}
		// GET / wakes the container, whose model then loads under the first
		// call. Nothing is in flight that it could be mixed up with: the gate
		// probes only while the endpoint is not ready.
		return ep.get(ctx, "/", send)
	}
}

// probeOllama loads the model without generating: a generate request without a
// prompt (measured: done_reason "load").
func (ep *endpoint) probeOllama(ctx context.Context, s *server, asked string, send sender) (*http.Response, error) {
	model := s.name(cmp.Or(asked, ep.cfg.Model))
	if model == "" && s.server.Served == nil {
		resp, err := ep.list(ctx, s, "/api/tags", send)
		if err != nil || resp == nil || resp.StatusCode != http.StatusOK {
			return resp, err
		}
		if model = ep.known.Load().name(""); model == "" {
			return resp, nil // several models: each call names its own or is refused
		}
		resp.Body.Close()
	}
	if model == "" {
		return ep.get(ctx, "/api/version", send)
	}
	req, err := ep.loadRequest(ctx, model)
	if err != nil {
		return nil, err
	}
	return send(req)
}

func (ep *endpoint) loadRequest(ctx context.Context, model string) (*http.Request, error) {
	load := struct {
		Model   string         `json:"model"`
		Options map[string]int `json:"options,omitempty"`
	}{Model: model}
	if n := ep.cfg.ContextWindow; n > 0 {
		load.Options = map[string]int{"num_ctx": n} // else the first call with it would load again
	}
	body, err := json.Marshal(load)
	if err != nil {
		return nil, err
	}
	return ep.newRequest(ctx, http.MethodPost, "/api/generate", body)
}

// detect asks what the server speaks, cheapest and safest first: Ollama's
// native API is the only one on which the prebuilt container loses nothing. It
// returns either the server, or the response or error that the gate has to
// judge.
func (ep *endpoint) detect(ctx context.Context, send sender) (*http.Response, *server, error) {
	resp, err := ep.get(ctx, "/api/version", send)
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode == http.StatusOK && isJSON(resp) {
		var v struct{ Version string }
		if err := ep.decode(resp, &v); err == nil && v.Version != "" {
			return nil, &server{codecs.New(wire.Ollama), wire.Server{Software: wire.OllamaServer, Version: v.Version}}, nil
		}
	} else if !absent(resp) {
		return resp, nil, nil
	} else {
		resp.Body.Close()
	}
	resp, err = ep.get(ctx, "/v1/models", send)
	if err != nil {
		return nil, nil, err
	}
	if resp.StatusCode == http.StatusOK && isJSON(resp) {
		var list modelList
		if err := ep.decode(resp, &list); err == nil && list.Object == "list" {
			return nil, &server{codecs.New(wire.OpenAI), list.server()}, nil
		}
	} else if !absent(resp) {
		return resp, nil, nil
	} else {
		resp.Body.Close()
	}
	resp, err = ep.get(ctx, "/v1beta/models", send)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case resp.StatusCode == http.StatusOK && isJSON(resp):
		var list modelList
		if err := ep.decode(resp, &list); err != nil {
			return nil, nil, err
		}
		return nil, &server{codecs.New(wire.Gemini), wire.Server{Software: wire.FullGemini, Served: list.server().Served}}, nil
	case absent(resp):
		resp.Body.Close()
		return nil, &server{codecs.New(wire.Gemini), wire.Server{Software: wire.Prebuilt}}, nil
	}
	return resp, nil, nil
}

// list asks for the models served, notes them the first time, and gives the
// response back as if it had not been read; or none from a server that is up
// and has no such list, which is no reason for a call to fail.
func (ep *endpoint) list(ctx context.Context, s *server, path string, send sender) (*http.Response, error) {
	resp, err := ep.get(ctx, path, send)
	if err != nil {
		return nil, err
	}
	if none := absent(resp); none || s.server.Served != nil {
		if !none {
			return resp, nil
		}
		resp.Body.Close()
		if s.server.Served == nil {
			n := *s
			n.server.Served = []string{} // names are then taken as they are
			ep.known.Store(&n)
		}
		return nil, nil
	}
	n := *s
	n.server.Served = []string{} // asked, whatever comes
	if resp.StatusCode != http.StatusOK {
		return resp, nil
	}
	var list modelList
	body, err := ep.read(resp)
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err := json.Unmarshal(body, &list); err != nil {
		return resp, nil // the codec will say what is wrong with this server
	}
	found := list.server()
	n.server.Served = append(n.server.Served, found.Served...)
	if found.Software != wire.UnknownSoftware {
		n.server.Software, n.server.MaxTokens = found.Software, found.MaxTokens
	}
	ep.known.Store(&n)
	return resp, nil
}

// modelList is the part that matters of /v1/models, of Ollama's /api/tags and
// of the Gemini API's list.
type modelList struct {
	Object string
	Data   []struct {
		ID          string
		OwnedBy     string `json:"owned_by"`
		MaxModelLen int    `json:"max_model_len"`
	}
	Models []struct{ Name string }
}

func (l *modelList) server() wire.Server {
	var s wire.Server
	for _, m := range l.Data {
		s.Served = append(s.Served, m.ID)
		switch m.OwnedBy {
		case "vllm":
			s.Software = wire.VLLM
		case "llamacpp":
			s.Software = wire.LlamaCpp
		case "library":
			s.Software = wire.OllamaServer // its OpenAI-compatible routes
		}
		s.MaxTokens = max(s.MaxTokens, m.MaxModelLen)
	}
	if l.Data == nil {
		for _, m := range l.Models {
			s.Served = append(s.Served, strings.TrimPrefix(m.Name, "models/"))
		}
	}
	return s
}

// absent reports whether a server that is up said that it has no such path.
func absent(resp *http.Response) bool {
	switch resp.StatusCode {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusNotImplemented:
		return !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") // that is the front end
	}
	return false
}

func isJSON(resp *http.Response) bool {
	return strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json")
}

func describe(s *server) string {
	names := map[wire.Software]string{
		wire.OllamaServer: "Ollama", wire.VLLM: "vLLM", wire.LlamaCpp: "llama.cpp", wire.FullGemini: "a Gemini API server",
		wire.Prebuilt: "the prebuilt container's Gemini route",
	}
	d := s.codec.Protocol().String()
	if n := names[s.server.Software]; n != "" {
		d += ": " + n
	}
	if v := s.server.Version; v != "" && v != "0.0.0" { // 0.0.0 is a build that was not told its version
		d += " " + fault.Clip(v)
	}
	return d
}

// maxAnswer bounds the answers that the client reads for itself.
const maxAnswer = 4 << 20

func (ep *endpoint) get(ctx context.Context, path string, send sender) (*http.Response, error) {
	req, err := ep.newRequest(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	return send(req)
}

// newRequest makes a request for a path on which servers look for their key in
// Authorization.
func (ep *endpoint) newRequest(ctx context.Context, method, path string, body []byte) (*http.Request, error) {
	var r io.Reader
	if body != nil {
		r = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, ep.base.JoinPath(path).String(), r)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if ep.cfg.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+ep.cfg.APIKey)
		if strings.HasPrefix(path, "/v1beta/") {
			req.Header.Set("X-Goog-Api-Key", ep.cfg.APIKey)
		}
	}
	return req, nil
}

func (ep *endpoint) read(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("the answer to %s is larger than %d MiB", resp.Request.URL.Path, maxAnswer>>20)
	}
	return body, err
}

func (ep *endpoint) decode(resp *http.Response, v any) error {
	body, err := ep.read(resp)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, v)
}
