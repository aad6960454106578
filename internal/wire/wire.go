// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package wire speaks the protocols of model servers: the Gemini API, Ollama's
// native API and the OpenAI-compatible API. It turns a request in the Gen AI
// SDK's types into an HTTP request, and the bytes of the answer into the Gen
// AI SDK's responses, and owns no connection, no token and no retry.
//
// One rule holds for every codec: each field of the request is carried, or
// emulated and reported in [Exchange.Emulated], or refused with a *fault.Error
// of kind Unsupported that names it. There is no third way; [Features] is the
// table.
package wire

import (
	"context"
	"io"
	"net/http"
	"net/url"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/models"
)

// Protocol is a family of routes and message shapes.
type Protocol uint8

const (
	Auto   Protocol = iota // not known yet
	Gemini                 // /v1beta/models/M:streamGenerateContent
	Ollama                 // /api/chat
	OpenAI                 // /v1/chat/completions
)

func (p Protocol) String() string {
	switch p {
	case Gemini:
		return "gemini"
	case Ollama:
		return "ollama"
	case OpenAI:
		return "openai"
	}
	return "auto"
}

// Software is what answers behind a protocol. Servers that speak one protocol
// still differ in what they honour.
type Software uint8

const (
	UnknownSoftware Software = iota
	OllamaServer             // Ollama, on its native or its OpenAI-compatible routes
	VLLM                     // vLLM
	LlamaCpp                 // llama.cpp's server
	Prebuilt                 // the Gemini route of Google's prebuilt Gemma 3 container
	FullGemini               // a server that honours the whole Gemini API
)

// Server is what is known of the endpoint's server. The zero Server is one of
// which nothing is known: codecs then assume the least.
type Server struct {
	Software  Software
	Version   string   // as the server says it; "" or "0.0.0" when it does not say
	MaxTokens int      // the context window as the server says it (vLLM's max_model_len); 0 = unknown
	Served    []string // the names of the models served, as the server spells them; nil = not asked
	NoTools   bool     // the server has said that this model takes no tools
	Tools     bool     // the server has said that this model takes tools (Ollama's capabilities)
	Vision    bool     // the server has said that this model takes images
	Thinking  bool     // the server has said that this model thinks
	Known     bool     // Tools, Vision and Thinking were read from the server: false there means no
}

// Request is one generation, as the caller asked for it. A codec never writes
// to what it points to.
type Request struct {
	Base          *url.URL     // the endpoint
	Model         string       // the name to send, in the server's spelling
	Info          models.Model // what the table knows of the model; zero for a custom one
	Contents      []*genai.Content
	Config        *genai.GenerateContentConfig // may be nil
	ContextWindow int                          // tokens; 0 = the server's own
	APIKey        string                       // the container's own key; "" = none
	Server        Server

	// Prefix is the beginning of the answer, which the server has to go on
	// with: the open model turn of a resumed stream. "" = a new answer.
	Prefix string
}

// Emulation is one feature of a request that the server does not have and the
// codec made up for.
type Emulation struct {
	Feature string // the request's field: "config.systemInstruction"
	How     string // "folded into the first user turn"
}

// Codec speaks one protocol. A Codec has no state and is safe for concurrent
// use.
type Codec interface {
	Protocol() Protocol

	// Encode returns the HTTP request for r and what is needed to read its
	// answer, or the *fault.Error that names what can't be carried. The HTTP
	// request always has GetBody, asks for a stream, and carries r.APIKey
	// where this protocol's servers look for it, but no identity token.
	Encode(ctx context.Context, r *Request) (*Exchange, error)

	// Fault reads a response that is not 2xx (or the error object inside a
	// stream) into a fault: bounded, clipped, status kept. It closes the body.
	Fault(resp *http.Response) error

	// Models lists what the server serves.
	Models(ctx context.Context, r *Request, do Doer) ([]*genai.Model, error)
	// CountTokens returns the exact number of tokens of r's contents, or
	// Unsupported where the server can't tell.
	CountTokens(ctx context.Context, r *Request, do Doer) (*genai.CountTokensResponse, error)
	// Embed returns one embedding for each content.
	Embed(ctx context.Context, r *EmbedRequest, do Doer) (*genai.EmbedContentResponse, error)
}

// Doer sends one request through the whole client (identity, cold start,
// slots).
type Doer func(*http.Request) (*http.Response, error)

// EmbedRequest asks for embeddings.
type EmbedRequest struct {
	Base     *url.URL
	Model    string
	Contents []*genai.Content
	Config   *genai.EmbedContentConfig // may be nil
	APIKey   string
	Server   Server
}

// Exchange is an encoded request together with the way to read its answer.
type Exchange struct {
	HTTP     *http.Request
	Emulated []Emulation

	// Resumable reports whether a broken answer may be continued with
	// Request.Prefix: plain text, no tools, no schema, one candidate.
	Resumable bool

	// Hold is set when no response may be handed out before the whole answer
	// was checked (an emulated schema): the caller collects, calls Check, and
	// on its error sends Repair's request once.
	Hold   bool
	Check  func(*genai.GenerateContentResponse) error
	Repair func(bad *genai.GenerateContentResponse, why error) *Request

	// Open starts reading a 2xx answer. It does not close body.
	Open func(header http.Header, body io.Reader) Decoder
}

// Decoder reads the responses of one answer in turn.
//
// Next returns a response that belongs to the caller, or io.EOF after the
// answer's own end marker was seen, or a *fault.Error: Interrupted when the
// bytes ended without the marker (the reader's error is the cause), Server for
// an error object, garbage, or another protocol's shape. The last response
// before io.EOF has a finish reason, and usage where the server counts. After
// an error every further call returns the same one. A Decoder is for one
// goroutine.
type Decoder interface {
	Next() (*genai.GenerateContentResponse, error)
}
