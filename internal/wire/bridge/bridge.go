// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package bridge lets the Gen AI SDK, and everything built on it, run over this
// module's client. It is an [http.RoundTripper] that never touches the network
// itself: it reads the Gemini API request that the SDK wrote, hands the SDK's
// own types in it to a [Backend], and writes what comes back as the SDK expects
// it. There is so one implementation of each protocol, not two.
//
// It closes the SDK's traps (read in google.golang.org/genai v1.77.0): a
// request for another host is refused, keys that the SDK took from the
// environment go no further than here, a field that the bridge does not know
// is refused by name, methods that a private endpoint does not have fail at
// once, and a failure in mid-stream arrives as the typed error that it is, with
// nothing printed to the global logger (see failures).
package bridge

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
)

// Backend is the client below the bridge. Its errors reach the SDK's caller as
// they are, wrapped by net/http and the SDK.
type Backend interface {
	Stream(ctx context.Context, model string, contents []*genai.Content, config *genai.GenerateContentConfig) iter.Seq2[*genai.GenerateContentResponse, error]
	Generate(ctx context.Context, model string, contents []*genai.Content, config *genai.GenerateContentConfig) (*genai.GenerateContentResponse, error)
	Models(ctx context.Context) ([]*genai.Model, error)
	CountTokens(ctx context.Context, model string, contents []*genai.Content) (*genai.CountTokensResponse, error)
	Embed(ctx context.Context, model string, contents []*genai.Content, config *genai.EmbedContentConfig) (*genai.EmbedContentResponse, error)
	// Fail turns a fault of the bridge itself into the error that callers see.
	Fail(error) error
	// Status is the HTTP status that tells an error best, for callers that can
	// be given nothing but a status and a text.
	Status(error) int
}

// maxRequest bounds a request body. The SDK holds it in memory already; the
// front end takes 32 MiB (Cloud Run's HTTP/1 limit), in whatever protocol.
const maxRequest = 64 << 20

// Transport is the bridge. It is safe for concurrent use.
type Transport struct {
	origin   *url.URL
	backend  Backend
	failures failures
}

// New returns the bridge for requests to origin's scheme and host.
func New(origin *url.URL, b Backend) *Transport {
	return &Transport{origin: origin, backend: b}
}

// RoundTrip serves one request of the SDK. For a stream it returns when the
// first response is there, so that every earlier failure is an error here and
// not inside the body.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		body, err = io.ReadAll(io.LimitReader(req.Body, maxRequest+1))
		req.Body.Close()
		if err != nil {
			return nil, err
		}
		if len(body) > maxRequest {
			return nil, t.backend.Fail(fault.New(fault.Invalid, "the request is larger than %d MiB", maxRequest>>20))
		}
	}
	if req.URL.Scheme != t.origin.Scheme || !strings.EqualFold(req.URL.Host, t.origin.Host) {
		return nil, t.backend.Fail(fault.Bad("HTTPOptions.BaseURL",
			"names the host %s, but this client is bound to %s", req.URL.Host, t.origin.Host))
	}
	resp, err := t.serve(req, body)
	if err != nil {
		return nil, t.backend.Fail(err)
	}
	return resp, nil
}

// serve routes one request. Its paths are relative to the API version, which
// the SDK always writes as /v1beta unless told otherwise.
func (t *Transport) serve(req *http.Request, body []byte) (*http.Response, error) {
	ctx := req.Context()
	path := strings.TrimPrefix(req.URL.Path, t.origin.Path)
	_, path, _ = strings.Cut(strings.TrimPrefix(path, "/"), "/") // the version
	if path == "models" && req.Method == http.MethodGet {
		return t.list(ctx, req)
	}
	name, ok := strings.CutPrefix(path, "models/")
	if !ok {
		return nil, unsupported(req.Method, path)
	}
	// A model's own name may hold colons (gemma3:4b): the method is behind the last.
	cut := strings.LastIndexByte(name, ':')
	if req.Method == http.MethodGet {
		return t.get(ctx, req, name)
	}
	if cut < 0 || req.Method != http.MethodPost {
		return nil, unsupported(req.Method, path)
	}
	model, method := name[:cut], name[cut+1:]
	switch method {
	case "generateContent", "streamGenerateContent":
		r, err := parseGenerate(body)
		if err != nil {
			return nil, err
		}
		if len(r.ContinuationToken) > 0 {
			if err := t.failures.take(string(r.ContinuationToken)); err != nil {
				return nil, err
			}
			return nil, fault.Refuse("config.continuationToken", "a private endpoint issues no continuation tokens")
		}
		if h := callersHeaders(req.Header); h != nil {
			r.Config.HTTPOptions = &genai.HTTPOptions{Headers: h}
		}
		if method == "generateContent" {
			resp, err := t.backend.Generate(ctx, model, r.Contents, r.Config)
			if err != nil {
				return nil, err
			}
			return reply(req, appendResponse(nil, resp)), nil
		}
		return t.stream(ctx, req, model, r)
	case "countTokens":
		var r struct {
			Contents               []*genai.Content `json:"contents"`
			GenerateContentRequest json.RawMessage  `json:"generateContentRequest"`
		}
		if err := strict(body, &r); err != nil {
			return nil, err
		}
		if r.GenerateContentRequest != nil {
			return nil, fault.Refuse("generateContentRequest", "tokens are counted of contents only")
		}
		n, err := t.backend.CountTokens(ctx, model, r.Contents)
		return marshal(req, n, err)
	case "batchEmbedContents", "embedContent":
		return t.embed(ctx, req, model, body)
	}
	return nil, unsupported(req.Method, path)
}

func (t *Transport) list(ctx context.Context, req *http.Request) (*http.Response, error) {
	if f := req.URL.Query().Get("filter"); f != "" {
		return nil, fault.Refuse("config.filter", "a private endpoint lists all its models")
	}
	models, err := t.backend.Models(ctx)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(models))
	for i, m := range models {
		list[i] = wireModel(m)
	}
	return marshal(req, map[string]any{"models": list}, nil)
}

func (t *Transport) get(ctx context.Context, req *http.Request, name string) (*http.Response, error) {
	models, err := t.backend.Models(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range models {
		if sameModel(m.Name, name) {
			return marshal(req, wireModel(m), nil)
		}
	}
	return nil, &fault.Error{Kind: fault.NotFound, Status: http.StatusNotFound,
		Message: fmt.Sprintf("the endpoint serves no model %q", fault.Clip(name)), Hint: "Models.List says which it serves"}
}

func (t *Transport) embed(ctx context.Context, req *http.Request, model string, body []byte) (*http.Response, error) {
	contents, config, err := parseEmbed(body)
	if err != nil {
		return nil, err
	}
	e, err := t.backend.Embed(ctx, model, contents, config)
	return marshal(req, e, err)
}

// unsupported names what the SDK tried to do in the SDK's own words.
func unsupported(method, path string) error {
	first, _, _ := strings.Cut(path, "/")
	what, ok := map[string]string{
		"files": "Files", "upload": "Files", "cachedContents": "Caches", "tunedModels": "Tunings", "batches": "Batches",
		"fileSearchStores": "FileSearchStores", "auth_tokens": "AuthTokens", "operations": "Operations",
		"interactions": "Interactions", "agents": "Agents", "webhooks": "Webhooks", "environments": "Environments",
	}[first]
	if !ok {
		what = method + " " + fault.Clip(path)
		if i := strings.LastIndexByte(path, ':'); i >= 0 {
			what = fault.Clip(path[i+1:])
		}
	}
	return &fault.Error{Kind: fault.Unsupported, Field: what,
		Message: "a private endpoint serves only models: generating, counting tokens, embedding and listing"}
}

// reply is a complete JSON answer.
func reply(req *http.Request, body []byte) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        http.Header{"Content-Type": {"application/json"}},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)), Request: req,
	}
}

func marshal(req *http.Request, v any, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("bridge: encoding the answer: %w", err)
	}
	return reply(req, b), nil
}
