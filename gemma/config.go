// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/gemma-go/sdk/auth"
	"github.com/gemma-go/sdk/internal/wire"
)

// Config says which endpoint to call and how. Endpoint is required; the zero
// value of every other field is the right default for a private Cloud Run
// service. NewClient takes a Config by value: changing it afterwards changes
// nothing.
type Config struct {
	// Endpoint is the service's URL, such as https://gemma-abc-ew.a.run.app,
	// without the path of an API. It must be https, except for a loopback
	// address.
	Endpoint string

	// Model is the model to ask, in any spelling: gemma-3-4b-it, gemma3:4b,
	// google/gemma-3-4b-it, or a custom name. "" means the one model that the
	// endpoint serves, and is an error at the first call if it serves several.
	Model string

	// Protocol says what the server speaks. The zero value asks it, once.
	Protocol Protocol

	// Auth mints the identity token. nil means Google credentials for
	// Audience (auth.Google), or none if the endpoint is loopback http.
	Auth auth.Source

	// Audience is the audience the identity token is minted for when Auth is
	// nil. "" means the endpoint's origin, which Cloud Run always accepts.
	Audience string

	// Public says that the service is open to everybody on purpose: no token
	// is minted or sent.
	Public bool

	// APIKey is the container's own key (the API_KEY of Google's prebuilt
	// containers, vLLM's --api-key), besides IAM.
	APIKey string

	// ColdStart bounds and tunes the wait for an instance that starts.
	ColdStart ColdStart

	// Concurrency is how many requests the endpoint takes at once: concurrency
	// × maximum instances. 0 means that the client learns it from what the
	// endpoint refuses.
	Concurrency int

	// ContextWindow is the context to run the model with, in tokens (Ollama's
	// num_ctx). It is sent with every request of the client, since a change
	// makes Ollama reload the model. 0 means the server's own. Other servers
	// fix their context when they start: there a call ends with
	// KindUnsupported unless the server says that it has as much.
	ContextWindow int

	// IdleTimeout is the longest silence inside a stream before it counts as
	// broken. 0 means 2 minutes, negative means no limit. It does not bound
	// the wait for the first byte, which the context and ColdStart.MaxWait do.
	IdleTimeout time.Duration

	// Resume is how often a broken text stream is continued, at most. 0 means
	// never.
	Resume int

	// Transport carries the requests. nil means a clone of
	// http.DefaultTransport tuned for long streams: no response-header
	// timeout, since a cold endpoint sends headers only with the first token.
	Transport http.RoundTripper

	// Logger gets one line for each call: at Info if something unusual happened
	// (it waited for more than a second, was sent again, resumed or emulated,
	// or failed), at Debug otherwise. Events are told at Debug as well. A line
	// holds names, numbers, times, kinds and the client's own words, such as
	// endpoint, model, waited, requests, retries, emulated, prompt_tokens,
	// output_tokens, error and status: no prompt, answer, header, query, token
	// or key, and no text of the server. nil means silence.
	Logger *slog.Logger

	// OnEvent is told what the client does while a call waits. It is called
	// from the goroutines of calls and of the probe that they wait for, maybe
	// from several at once and shortly after a call ended, and must not block.
	OnEvent func(Event)

	// TracerProvider and MeterProvider receive spans and metrics, named as
	// OpenTelemetry's semantic conventions 1.41.0 name them where they do. nil
	// means OpenTelemetry's globals, and no cost as long as those are not set.
	//
	// Each call is a span "generate_content <model>" with the model asked and
	// answering, sampling parameters, finish reasons, token usage and time to
	// the first chunk. Below it are "gemma wait" for the time that it waited
	// for the endpoint, "gemma attempt" for each HTTP request up to its
	// response headers, and, in the call that came first, "gemma probe" for
	// what woke the endpoint on behalf of all and "gemma identity token" for a
	// token minted. Retries, resumes and emulated features are events. Within
	// a span of a caller that has gen_ai.operation.name "generate_content" or
	// "chat", as ADK's have, a call makes none of its own.
	//
	// Metrics are the conventions' gen_ai.client.operation.duration,
	// .time_to_first_chunk and .time_per_output_chunk,
	// gen_ai.client.token.usage, and our own gemma.client.cold_start.wait (s)
	// and gemma.client.slots.in_use (requests whose answer has not ended).
	//
	// No content is recorded: no prompt, answer, tool's argument, header,
	// query, token or key, nor any text of the server but the model's name,
	// the answer's id and finish reasons. Stop sequences are recorded, as the
	// conventions have it.
	TracerProvider trace.TracerProvider
	MeterProvider  metric.MeterProvider
}

// ColdStart says how to wait for an endpoint that is scaled to zero. The zero
// value waits as long as the call's context allows, and 30 minutes where the
// context has no deadline.
type ColdStart struct {
	// MaxWait is the longest time that one call spends waiting for the
	// endpoint to become ready or to have a free slot. 0 means until the
	// context's deadline, and 30 minutes where it has none.
	MaxWait time.Duration

	// Expected is how long a start takes, as far as you know. 0 means an
	// estimate by the model's size. The client corrects either by the starts
	// that it sees.
	Expected time.Duration

	// FailFast makes a call whose deadline is too short for any plausible
	// start fail at once with KindCold. The endpoint is woken all the same.
	FailFast bool
}

// Protocol is what the model server speaks.
type Protocol uint8

const (
	// ProtocolAuto asks the endpoint once and remembers the answer: Ollama's
	// native API if it has one, else the OpenAI-compatible API, else the
	// Gemini API. The question wakes a sleeping instance.
	ProtocolAuto Protocol = iota
	// ProtocolGemini is the Gemini API as Google's prebuilt Gemma 3 container
	// speaks it. That container loses most of a request without a word; the
	// client emulates or refuses what it would lose.
	ProtocolGemini
	// ProtocolOllama is Ollama's native API, /api/chat.
	ProtocolOllama
	// ProtocolOpenAI is the OpenAI-compatible API, /v1/chat/completions: vLLM,
	// SGLang, TGI, llama.cpp.
	ProtocolOpenAI
	// ProtocolGeminiFull is the Gemini API on a server that honours all of it.
	ProtocolGeminiFull
)

// String returns the protocol's name: auto, gemini, ollama, openai or
// gemini-full.
func (p Protocol) String() string {
	switch p {
	case ProtocolAuto:
		return "auto"
	case ProtocolGemini:
		return "gemini"
	case ProtocolOllama:
		return "ollama"
	case ProtocolOpenAI:
		return "openai"
	case ProtocolGeminiFull:
		return "gemini-full"
	}
	return fmt.Sprintf("Protocol(%d)", uint8(p))
}

// ParseProtocol is the inverse of [Protocol.String], for flags and environment
// variables. "" is ProtocolAuto.
func ParseProtocol(s string) (Protocol, error) {
	switch strings.ToLower(s) {
	case "", "auto":
		return ProtocolAuto, nil
	case "gemini":
		return ProtocolGemini, nil
	case "ollama":
		return ProtocolOllama, nil
	case "openai":
		return ProtocolOpenAI, nil
	case "gemini-full":
		return ProtocolGeminiFull, nil
	}
	return 0, fmt.Errorf("gemma: unknown protocol %q: want auto, ollama, openai, gemini or gemini-full", s)
}

// server is what the configuration alone says of the server.
func (p Protocol) server() (wire.Protocol, wire.Server) {
	switch p {
	case ProtocolGemini:
		return wire.Gemini, wire.Server{Software: wire.Prebuilt}
	case ProtocolGeminiFull:
		return wire.Gemini, wire.Server{Software: wire.FullGemini}
	case ProtocolOllama:
		return wire.Ollama, wire.Server{Software: wire.OllamaServer}
	case ProtocolOpenAI:
		return wire.OpenAI, wire.Server{}
	}
	return wire.Auto, wire.Server{}
}

const (
	defaultIdleTimeout = 2 * time.Minute
	defaultMaxWait     = 30 * time.Minute // as the gate's, where a context has no deadline
)

// validate checks c and returns the parsed endpoint. The error names the field.
func (c *Config) validate() (*url.URL, error) {
	bad := func(field, format string, args ...any) error {
		return &Error{Kind: KindInvalid, Message: "Config." + field + " " + fmt.Sprintf(format, args...)}
	}
	if c.Endpoint == "" {
		return nil, bad("Endpoint", "is empty: give the service's URL, such as https://gemma-abc-ew.a.run.app")
	}
	u, err := url.Parse(strings.TrimRight(c.Endpoint, "/"))
	if err != nil {
		// The parser's error repeats the URL, which may hold a password.
		return nil, bad("Endpoint", "is not a URL")
	}
	switch {
	case u.User != nil:
		return nil, bad("Endpoint", "holds a user or password: identity comes from Config.Auth")
	case u.Host == "" || u.Opaque != "" || u.Hostname() == "":
		return nil, bad("Endpoint", "has no host: give the whole URL, such as https://gemma-abc-ew.a.run.app")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, bad("Endpoint", "has a query or fragment: give the service's URL only")
	case u.Scheme == "http" && !loopback(u):
		return nil, bad("Endpoint", "is http on %s: only https may carry an identity token, except on a loopback address", u.Host)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, bad("Endpoint", "has the scheme %q: want https", u.Scheme)
	}
	for _, p := range []string{"/v1", "/v1beta", "/api", "/v1/chat/completions", "/api/chat", "/api/generate"} {
		if strings.HasSuffix(u.Path, p) {
			return nil, bad("Endpoint", "ends in %s, the path of one API: give the service's URL without it; Config.Protocol says which API to use", p)
		}
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	if c.Protocol > ProtocolGeminiFull {
		return nil, bad("Protocol", "is %d, which is no protocol", c.Protocol)
	}
	if c.Public && c.Auth != nil {
		return nil, bad("Public", "is set together with Auth: a public service gets no token; drop one of the two")
	}
	if c.Audience != "" && (c.Public || c.Auth != nil) {
		return nil, bad("Audience", "has no effect with Public or Auth: an own source is made for its audience")
	}
	for _, n := range []struct {
		field string
		value int64
	}{
		{"Concurrency", int64(c.Concurrency)}, {"ContextWindow", int64(c.ContextWindow)}, {"Resume", int64(c.Resume)},
		{"ColdStart.MaxWait", int64(c.ColdStart.MaxWait)}, {"ColdStart.Expected", int64(c.ColdStart.Expected)},
	} {
		if n.value < 0 {
			return nil, bad(n.field, "is negative")
		}
	}
	if strings.ContainsFunc(c.APIKey, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, bad("APIKey", "holds a line break or another control character; is it read from a file with a trailing newline?")
	}
	return u, nil
}

// loopback reports whether u's host is this machine.
func loopback(u *url.URL) bool {
	host := u.Hostname()
	if strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// origin returns u's scheme, host and port, which is what a token is for.
func origin(u *url.URL) string { return u.Scheme + "://" + u.Host }

// defaultTransport is made once for each client that brings none.
func defaultTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 15 * time.Second}).DialContext
	t.MaxIdleConns = 0          // all of them lead to one host
	t.MaxIdleConnsPerHost = 256 // long streams end together; keep their connections
	t.ResponseHeaderTimeout = 0 // headers come with the first token, which a cold start delays by minutes
	t.DisableCompression = true // a compressor in between would hold tokens back to fill its window
	t.HTTP2 = &http.HTTP2Config{
		SendPingTimeout: 30 * time.Second, // a dead connection is found although the stream is silent
		PingTimeout:     15 * time.Second,
	}
	return t
}
