// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gemma-go/sdk/auth"
	"github.com/gemma-go/sdk/internal/coldstart"
	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/models"
	"github.com/gemma-go/sdk/internal/telemetry"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/codecs"
)

// version is the module's, as the root package's Version says; a test compares.
const version = "0.1.0"

// endpoint is what all clients of one service share.
type endpoint struct {
	cfg  Config
	base *url.URL
	gate *coldstart.Gate

	transport http.RoundTripper // at the bottom: the caller's, or our own

	telemetry *telemetry.Telemetry

	// known is nil until the protocol is settled. Reading it costs a call one
	// atomic load.
	known atomic.Pointer[server]

	shown sync.Map // abilities, by the model's name; few models, asked once each
	// noTools holds the models that refused tools, by the server's name.
	noTools sync.Map
}

// server is what was found out about the model server. A *server is never
// written to.
type server struct {
	codec  wire.Codec
	server wire.Server
}

// name is the model's name in the server's own spelling.
func (s *server) name(model string) string {
	if model == "" {
		if len(s.server.Served) == 1 {
			return s.server.Served[0]
		}
		return ""
	}
	if slices.Contains(s.server.Served, model) {
		return model
	}
	for _, served := range s.server.Served {
		if models.Same(served, model) {
			return served
		}
	}
	info, ok := models.Lookup(model)
	switch {
	case s.codec.Protocol() == wire.Gemini:
		if ok {
			return info.ID
		}
		return strings.TrimPrefix(model, "models/")
	case !ok:
		return model
	case s.codec.Protocol() == wire.Ollama || s.server.Software == wire.OllamaServer:
		if strings.Contains(model, ":") { // a tag of its own, such as gemma3:4b-it-qat
			return model
		}
		return info.Ollama
	default:
		return info.HF
	}
}

// oneModel refuses a call that names no model where the server would have to
// choose.
func (s *server) oneModel(model string) error {
	if model != "" || s.name("") != "" {
		return nil
	}
	n := len(s.server.Served)
	switch {
	case n > 1:
		return fault.Bad("Config.Model", "is empty, and the endpoint serves %d models: name one (Client.Models lists them)", n)
	case s.codec.Protocol() == wire.OpenAI: // llama.cpp serves what it has loaded, under any name or none
		return nil
	case s.codec.Protocol() == wire.Ollama:
		return &fault.Error{Kind: fault.NotFound, Field: "Config.Model", Message: "is empty, and the endpoint has no model",
			Hint: "load one into the server"}
	}
	return fault.Bad("Config.Model", "is empty, and this protocol does not list what is served: name the model")
}

func newEndpoint(ctx context.Context, c Config, base *url.URL) (*endpoint, error) {
	ep := &endpoint{cfg: c, base: base, telemetry: telemetry.New(c.TracerProvider, c.MeterProvider, base, version)}
	src := c.Auth
	if src == nil && !c.Public && base.Scheme == "https" {
		audience := c.Audience
		var err error
		if audience == "" {
			if audience, err = auth.Audience(c.Endpoint); err != nil {
				return nil, err
			}
		}
		if src, err = auth.Google(audience, nil); err != nil {
			return nil, err
		}
	}
	if src != nil {
		src = auth.Cached(src)
	}
	rt := c.Transport
	if rt == nil {
		rt = defaultTransport()
	}
	ep.transport = rt
	rt = ep.telemetry.Transport(rt)
	if src != nil && c.OnEvent != nil {
		rt = &tokenWatch{base: rt, notify: ep.notify}
	}
	authed, err := auth.NewTransport(origin(base), src, rt)
	if err != nil {
		return nil, err
	}
	authed = ep.telemetry.Identity(authed, auth.WithFetchHook)
	if p, s := c.Protocol.server(); p != wire.Auto {
		ep.known.Store(&server{codec: codecs.New(p), server: s})
	}
	info, _ := models.Lookup(c.Model)
	ep.gate = coldstart.New(coldstart.Config{
		Base:        authed,
		MaxWait:     c.ColdStart.MaxWait,
		Expected:    c.ColdStart.Expected,
		FailFast:    c.ColdStart.FailFast,
		Prior:       prior(info),
		Concurrency: c.Concurrency,
		Probe:       ep.watchedProbe,
		OnEvent:     ep.onGate,
	})
	return ep, nil
}

// prior is how long the median start of a model takes before anything was
// measured. Cloud Run starts a GPU instance with drivers in about 5 s (its
// documentation), and weights then load at roughly 0.5 GB/s; half a byte a
// parameter (Ollama's 4-bit tags) up to two (vLLM's bf16) gives the slope. A
// vLLM start of 31B was measured at 4 min 31 s, Gemma 3 4B is quoted at 19 s.
func prior(m models.Model) time.Duration {
	if m.Params == 0 {
		return 0
	}
	perBillion := 3 * time.Second
	if m.Family == models.Gemma4 {
		perBillion = 8 * time.Second
	}
	return 8*time.Second + time.Duration(m.Params*float64(perBillion))
}

// settle returns what is known of the server. If that is too little to name the
// model, it wakes the endpoint, and the probe that wakes it asks.
func (ep *endpoint) settle(ctx context.Context, model string) (*server, error) {
	if s := ep.known.Load(); s != nil && s.names(model) {
		return s, nil
	}
	if err := ep.gate.Ready(forModel(ctx, model)); err != nil {
		return nil, err
	}
	if s := ep.known.Load(); s != nil {
		return s, nil
	}
	return nil, &fault.Error{Kind: fault.Server, Message: "the endpoint answers, but speaks none of the protocols known",
		Hint: "check that Config.Endpoint is the model server's URL, or set Config.Protocol"}
}

// names reports whether the model's name can be told in the server's spelling
// without asking for the list of models. Ollama and the Gemini API spell names
// by rule; an OpenAI-compatible server serves them under any name it likes.
func (s *server) names(model string) bool {
	if s.server.Served != nil || s.server.Software == wire.Prebuilt { // its Gemini route has no list to wait for
		return true
	}
	return model != "" && s.codec.Protocol() != wire.OpenAI
}

// ready is Client.Ready for one model.
func (ep *endpoint) ready(ctx context.Context, model string) error {
	if s := ep.known.Load(); s != nil && s.server.Software == wire.Prebuilt && ep.gate.State().Ready {
		// On this route a request of another kind mixes up the answers in
		// flight (measured: 27 of 40), so a warm endpoint is left alone.
		return nil
	}
	return ep.gate.Ready(forModel(ctx, model))
}

// forModel tells the gate which model a wait is for: a probe loads it, and one
// that finds it missing fails those who asked for it only.
func forModel(ctx context.Context, model string) context.Context {
	return coldstart.With(ctx, &coldstart.Options{Model: model})
}

// here makes an error of a redirect to another origin, which nothing of the
// request follows. It looks at the client's own requests only: one that came
// through HTTPClient says nothing of the others, and net/http deals with it.
func (ep *endpoint) here(resp *http.Response, err error) (*http.Response, error) {
	if err != nil || resp.StatusCode/100 != 3 {
		return resp, err
	}
	to, err := resp.Location()
	if err != nil || to.Host == "" || sameOrigin(to, ep.base) {
		return resp, nil
	}
	_ = resp.Body.Close()
	f := &fault.Error{Kind: fault.Invalid, Status: resp.StatusCode, Field: "Config.Endpoint",
		Message: fmt.Sprintf("%s redirects to %s, where neither token nor key nor prompt goes", origin(ep.base), fault.Clip(origin(to))),
		Hint:    "if that is the service, give its URL as Config.Endpoint"}
	if to.Hostname() == "accounts.google.com" {
		f.Hint = "the service is behind a sign-in for browsers (Identity-Aware Proxy): set Config.Audience to its OAuth client's id"
	}
	return nil, f
}

// do sends one request of the client's own through the gate.
func (ep *endpoint) do(req *http.Request) (*http.Response, error) {
	return ep.here(ep.gate.RoundTrip(req))
}

func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host)
}
