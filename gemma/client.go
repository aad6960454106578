// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/models"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/bridge"
	"github.com/gemma-go/sdk/stream"
)

// Client calls one model on one private endpoint; NewClient makes it. It is safe for concurrent
// use by any number of goroutines; make one for each endpoint and share it, as
// its connections, token, knowledge of the endpoint's state and slots are
// shared by all its calls. It owns no goroutine and needs no Close.
type Client struct {
	ep    *endpoint
	model string // as the caller spelled it; "" = the one served
	info  models.Model
}

// NewClient checks c and returns a client for its endpoint. It touches neither
// the network nor the credentials' files: the first call does. The error names
// the field at fault and has KindInvalid, or KindUnauthenticated if no
// credentials were found.
func NewClient(ctx context.Context, c Config) (*Client, error) {
	base, err := c.validate()
	if err != nil {
		return nil, err
	}
	ep, err := newEndpoint(ctx, c, base)
	if err != nil {
		return nil, newError(ctx, err)
	}
	return newModelClient(ep, c.Model), nil
}

func newModelClient(ep *endpoint, model string) *Client {
	info, _ := models.Lookup(model)
	return &Client{ep: ep, model: model, info: info}
}

// WithModel returns a client for another model on the same endpoint. Both
// share connections, token, the knowledge of the endpoint's state, and slots.
func (c *Client) WithModel(name string) *Client { return newModelClient(c.ep, name) }

// Stream asks the model and returns its answer as a sequence of responses, in
// the order in which the server sends them.
//
// Nothing is sent until the sequence is ranged over, which may be done once; a
// second range yields an error and sends nothing. A failure is yielded once,
// last, as an *[Error]; a sequence that ends without one has a last response
// with a finish reason and, where the server counts, usage. Breaking out of the
// loop, or the end of ctx, ends the generation and frees the connection at
// once. Each response belongs to the caller.
//
// config may be nil. Neither contents nor config is written to, and neither may
// change before the sequence was ranged over.
func (c *Client) Stream(ctx context.Context, contents []*genai.Content, config *genai.GenerateContentConfig) iter.Seq2[*genai.GenerateContentResponse, error] {
	return c.stream(ctx, contents, config)
}

// Generate asks the model and returns its whole answer. It streams underneath,
// so that a long answer meets no timeout before its first byte and an answer
// that breaks off is seen: the *[Error] then has what arrived in Partial, which
// Generate also returns beside it.
func (c *Client) Generate(ctx context.Context, contents []*genai.Content, config *genai.GenerateContentConfig) (*genai.GenerateContentResponse, error) {
	whole, err := stream.Collect(c.stream(ctx, contents, config))
	if err != nil && len(whole.Candidates) == 0 {
		whole = nil
	}
	return whole, err
}

// Ready wakes the endpoint and returns when the model can answer: nil, or an
// *[Error] that says why it cannot. Any number of callers cost the starting
// instance one probe. On a warm endpoint it is one cheap request, which
// generates nothing.
func (c *Client) Ready(ctx context.Context) error {
	if err := c.ep.ready(ctx, c.model); err != nil {
		return newError(ctx, err)
	}
	return nil
}

// Models lists the models that the endpoint serves, with the limits and
// abilities that the server tells. Names are as the server spells them.
func (c *Client) Models(ctx context.Context) ([]*genai.Model, error) {
	s, err := c.ep.settle(ctx, c.model)
	if err != nil {
		return nil, newError(ctx, err)
	}
	list, err := s.codec.Models(ctx, c.request(s), c.ep.do)
	if err != nil {
		return nil, newError(ctx, err)
	}
	return list, nil
}

// HTTPClient returns an HTTP client for the server's other paths (Ollama's
// /api/generate, a vLLM extension, another SDK): its requests get the identity
// token and the container's key, wait out a cold start, take a slot, and are
// retried before their first byte like the client's own. It carries them to the
// endpoint's origin only; a redirect elsewhere is an error.
//
// Config.APIKey, if it is set, takes the place of whatever key a request brings
// in the header that the route reads (X-Goog-Api-Key below /v1beta/, else
// Authorization), since other SDKs insist on a key and are given a placeholder.
// Without Config.APIKey a request's own headers stay as they are.
func (c *Client) HTTPClient() *http.Client {
	return &http.Client{Transport: rawTransport{c.ep}}
}

// GenAI returns the Gen AI SDK's client over this endpoint: Models, Chats and
// all that is built on them, in streaming and unary form, with every promise of
// this client. Its models are named as with [Client.WithModel]; "" is not a
// name there, so pass the configured one. What a private endpoint does not have
// (Files, Caches, Tunings, images, video) fails at once with KindUnsupported;
// so does Live, with an error of the SDK's own. Errors are found with errors.AsType[*gemma.Error].
func (c *Client) GenAI() *genai.Client {
	g, err := genai.NewClient(context.Background(), c.ClientConfig())
	if err != nil {
		// Every field that genai checks is set by ClientConfig, so there is
		// nothing that could fail; a test holds this for each genai version.
		panic("gemma: genai refused its own configuration: " + err.Error())
	}
	return g
}

// ClientConfig returns the Gen AI SDK's configuration for this endpoint, made
// anew each time because genai.NewClient writes to it. It is what ADK takes:
//
//	model, err := gemini.NewModel(ctx, "gemma-3-4b-it", client.ClientConfig())
//
// The SDK's own retries stay off, so that they never multiply the client's, and
// no key from the environment (GOOGLE_API_KEY, GEMINI_API_KEY) is used or sent.
func (c *Client) ClientConfig() *genai.ClientConfig {
	return &genai.ClientConfig{
		// The SDK insists on a key and takes one from the environment if there
		// is none. This one goes no further than the bridge.
		APIKey:     "unused",
		Backend:    genai.BackendGeminiAPI, // not GOOGLE_GENAI_USE_VERTEXAI's choice
		HTTPClient: &http.Client{Transport: bridge.New(c.ep.base, backend{c})},
		HTTPOptions: genai.HTTPOptions{
			BaseURL:    c.ep.base.String() + "/", // not GOOGLE_GEMINI_BASE_URL's
			APIVersion: "v1beta",
			// Live dials by itself, past HTTPClient and without a token. Its
			// dialer refuses, before it dials, a header that it sets itself.
			Headers: http.Header{"Sec-Websocket-Extensions": {"refused: a private endpoint has no Live API"}},
		},
	}
}

// backend is the client as the bridge sees it.
type backend struct{ c *Client }

// named is the client for the model of one request.
func (b backend) named(model string) *Client {
	if models.Same(strings.TrimPrefix(model, "models/"), b.c.model) {
		return b.c // keep the caller's own spelling
	}
	return b.c.WithModel(model)
}

func (b backend) Stream(ctx context.Context, model string, contents []*genai.Content, config *genai.GenerateContentConfig) iter.Seq2[*genai.GenerateContentResponse, error] {
	return b.named(model).Stream(ctx, contents, config)
}

func (b backend) Generate(ctx context.Context, model string, contents []*genai.Content, config *genai.GenerateContentConfig) (*genai.GenerateContentResponse, error) {
	return b.named(model).Generate(ctx, contents, config)
}

func (b backend) Models(ctx context.Context) ([]*genai.Model, error) { return b.c.Models(ctx) }

func (b backend) CountTokens(ctx context.Context, model string, contents []*genai.Content) (*genai.CountTokensResponse, error) {
	c := b.named(model)
	s, err := c.ep.settle(ctx, c.model)
	if err != nil {
		return nil, newError(ctx, err)
	}
	r := c.request(s)
	r.Contents = contents
	n, err := s.codec.CountTokens(ctx, r, c.ep.do)
	if err != nil {
		return nil, newError(ctx, err)
	}
	return n, nil
}

func (b backend) Embed(ctx context.Context, model string, contents []*genai.Content, config *genai.EmbedContentConfig) (*genai.EmbedContentResponse, error) {
	c := b.named(model)
	s, err := c.ep.settle(ctx, c.model)
	if err != nil {
		return nil, newError(ctx, err)
	}
	r := &wire.EmbedRequest{Base: c.ep.base, Model: s.name(c.model), Contents: contents, Config: config, APIKey: c.ep.cfg.APIKey, Server: s.server}
	e, err := s.codec.Embed(ctx, r, c.ep.do)
	if err != nil {
		return nil, newError(ctx, err)
	}
	return e, nil
}

func (b backend) Fail(err error) error { return newError(context.Background(), err) }

func (b backend) Status(err error) int {
	e := newError(context.Background(), err)
	if e.Status >= 400 {
		return e.Status
	}
	switch e.Kind {
	case KindInvalid, KindUnsupported:
		return http.StatusBadRequest
	case KindCold, KindOverloaded:
		return http.StatusServiceUnavailable
	case KindInterrupted:
		return http.StatusBadGateway
	}
	return http.StatusInternalServerError
}

// request starts a wire request with what the client knows.
func (c *Client) request(s *server) *wire.Request {
	name := s.name(c.model)
	return &wire.Request{
		Base: c.ep.base, Model: name, Info: c.about(name),
		ContextWindow: c.ep.cfg.ContextWindow, APIKey: c.ep.cfg.APIKey, Server: s.server,
	}
}

// about is what the table knows of the model, by the caller's name for it or,
// where there is none, by the server's.
func (c *Client) about(served string) models.Model {
	if c.info.ID != "" {
		return c.info
	}
	info, _ := models.Lookup(served)
	return info
}

// rawTransport adds the container's key to requests that are not the client's
// own and sends them through the gate.
type rawTransport struct{ ep *endpoint }

func (t rawTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !sameOrigin(req.URL, t.ep.base) { // before it costs anything; below, the identity's transport holds the same
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, &Error{Kind: KindInvalid, Message: fmt.Sprintf("a request for %s://%s, but this client is bound to %s: neither token nor key goes elsewhere",
			req.URL.Scheme, req.URL.Host, origin(t.ep.base))}
	}
	if key := t.ep.cfg.APIKey; key != "" {
		req = req.Clone(req.Context())
		if strings.Contains(req.URL.Path, "/v1beta/") { // the prebuilt container ignores Authorization there, and this header elsewhere
			req.Header.Set("X-Goog-Api-Key", key)
		} else {
			req.Header.Set("Authorization", "Bearer "+key)
		}
	}
	resp, err := t.ep.gate.RoundTrip(req)
	if err != nil {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, newError(req.Context(), err)
	}
	return resp, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the
// connections, which all clients of the endpoint share.
func (t rawTransport) CloseIdleConnections() {
	if c, ok := t.ep.transport.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// errTwice is the failure of ranging over a sequence again.
var errTwice = fault.New(fault.Invalid, "the sequence was ranged over before: each Stream call is one request; call Stream again")
