// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gemma-go/sdk/internal/models"
)

// Kind is what runs in the container.
type Kind uint8

const (
	Prebuilt     Kind = iota // Google's prebuilt Gemma 3 image: a Go proxy before Ollama, with the proxy's faults
	Ollama                   // Ollama alone
	VLLM                     // vLLM's OpenAI-compatible server
	GeminiServer             // a server that honours the whole Gemini API
	LlamaCpp                 // llama.cpp's server, which listens while it loads
)

func (k Kind) String() string {
	return [...]string{"prebuilt", "ollama", "vllm", "gemini", "llama.cpp"}[k]
}

// Config says what a [Server] is. Its zero value is a warm, private endpoint
// on a loopback port, with the prebuilt container's Gemma 3 4B in it.
type Config struct {
	Kind Kind
	// Model is the model served, in any spelling; "" means gemma-3-4b-it, and
	// gemma-4-e4b-it for VLLM. The server knows it by its own spelling only:
	// Ollama's tag, vLLM's Hugging Face id.
	Model string
	// Also are further models served. Abilities are those of Model.
	Also []string
	// Version is the server's own; "" means 0.6.5 for Ollama. From 0.9 on the
	// emulated Ollama behaves as recorded from v0.24.0.
	Version string
	// Abilities replace those that the model is known for, if not nil.
	Abilities *Abilities
	// APIKey is the key that the container itself asks for; "" means none.
	APIKey string
	// Context is the context window in tokens; 0 means 2048 for Ollama
	// (4096 from 0.9 on) and 32768 for the others.
	Context int
	// Embeddings are the dimensions of the vectors; 0 means none, except for
	// EmbeddingGemma's 768.
	Embeddings int

	// NoMixUp makes the prebuilt container's proxy one that keeps concurrent
	// calls apart. Without it, as measured, the answer to a call is written in
	// the format of whichever request came last.
	NoMixUp bool

	// LoadTime is how long the model takes to load once the container runs. 0
	// means that it is loaded from the start.
	LoadTime time.Duration
	// Parallel is how many calls the model works on at once, and MaxQueue how
	// many wait (0 means 512) before the server says that it is busy. Parallel 0
	// means any number.
	Parallel, MaxQueue int
	// FirstToken and Pace are the times before the first token and between
	// tokens; a Reply may have its own.
	FirstToken, Pace time.Duration
	// Reply is the model; nil means [DefaultReply]. It may be called by several
	// goroutines at once.
	Reply func(Call) Reply

	// Backend, if set, is the container in place of an emulated one: for
	// instance a reverse proxy to a real server, see [Proxy].
	Backend http.Handler

	// FrontEnd is Cloud Run's part. Its URL is filled in if it is "".
	FrontEnd FrontEndConfig
	// Local leaves the front end away: a model server on this machine.
	Local bool
	// InMemory serves over in-memory connections, which work in a
	// testing/synctest bubble, under URL. Clients reach it by
	// [Server.Transport] only.
	InMemory bool
	// URL is the service's URL in memory; "" means
	// https://gemma-abc123-ew.a.run.app. On loopback it is not used.
	URL string
	// TokenLifetime is how long tokens from Source and from the metadata server
	// are still valid when they are given out; 0 means an hour.
	TokenLifetime time.Duration
	// Principal is whom those tokens speak for; "" means [DefaultPrincipal].
	Principal string
	// MetadataFault, if set, may answer a request to the metadata server in its
	// place, with a page of that status; 0 lets it through.
	MetadataFault func(*http.Request) (status int)
}

// Abilities are what a model can do beyond text.
type Abilities struct{ Tools, Vision, Thinking bool }

// DefaultURL is the URL of a server in memory.
const DefaultURL = "https://gemma-abc123-ew.a.run.app"

// Server is a private Gemma endpoint in a box. It is safe for concurrent use.
type Server struct {
	URL string // the service's URL, without a slash at the end

	cfg      Config
	front    *FrontEnd // nil if Config.Local
	log      *recorder
	engine   *engine
	http     *http.Server
	listener net.Listener
	mem      *memListener // nil on loopback
	base     *http.Transport
	meta     metadata
	cancel   context.CancelFunc
	serving  sync.WaitGroup
	open     atomic.Int64
	conns    atomic.Int64
}

// NewServer starts an endpoint. It panics if it can't listen. Close it after
// use; in a synctest bubble before the bubble's function returns.
func NewServer(c Config) *Server {
	s := &Server{cfg: c}
	c = s.cfg
	s.engine = newEngine(&s.cfg)
	if c.InMemory {
		s.URL = strings.TrimSuffix(c.URL, "/")
		if s.URL == "" {
			s.URL = DefaultURL
		}
		s.mem = newMemListener()
		s.listener = s.mem
	} else {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic("gemmatest: " + err.Error())
		}
		s.URL = "http://" + l.Addr().String()
		s.listener = l
	}
	s.base = s.newTransport()
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.http = &http.Server{
		Handler:     s.handler(),
		ErrorLog:    log.New(io.Discard, "", 0), // cut connections are on purpose
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	s.serving.Go(func() { s.http.Serve(&trackedListener{s.listener, s}) })
	return s
}

func (s *Server) handler() http.Handler {
	container := s.cfg.Backend
	if container == nil {
		container = s.container()
	}
	if s.cfg.Local {
		s.log = &recorder{}
		return s.track(s.recorded(container))
	}
	fe := s.cfg.FrontEnd
	if fe.URL == "" {
		fe.URL = s.URL
	}
	fe.began = s.engine.restart
	s.front = newFrontEnd(fe, container)
	s.log = s.front.log
	return s.track(s.front)
}

// container is the emulated model server.
func (s *Server) container() http.Handler {
	switch s.cfg.Kind {
	case Ollama:
		return &ollama{&s.cfg, s.engine}
	case VLLM, LlamaCpp:
		return &vllm{cfg: &s.cfg, engine: s.engine}
	case GeminiServer:
		return &gemini{&s.cfg, s.engine}
	}
	return &prebuilt{cfg: &s.cfg, ollama: &ollama{&s.cfg, s.engine}}
}

// track lets Close wait for what is being served.
func (s *Server) track(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serving.Add(1)
		defer s.serving.Done()
		h.ServeHTTP(w, r)
	})
}

// recorded does for a Local server what the front end does besides its work.
func (s *Server) recorded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e := s.log.arrive(r)
		s.log.phase(e, Ready)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		s.log.body(e, body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() { s.log.answered(e, sw.status) }()
		h.ServeHTTP(sw, r)
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Close stops the endpoint and its metadata server, cuts all connections and
// returns when nothing of them is left. A second Close does nothing.
func (s *Server) Close() {
	s.cancel()
	s.http.Close()
	if s.mem != nil {
		s.mem.Close()
	}
	s.base.CloseIdleConnections()
	s.meta.close()
	s.serving.Wait()
	if s.front != nil {
		s.front.in.close()
	}
}

// FrontEnd returns Cloud Run's part of the endpoint, nil if Config.Local.
func (s *Server) FrontEnd() *FrontEnd { return s.front }

// Requests returns what has arrived so far, oldest first.
func (s *Server) Requests() []Request { return s.log.requests() }

// Stats are counts since the server was made.
type Stats struct {
	Requests int    // all that arrived
	ByPhase  [3]int // of those that IAM let in: by the instance's Phase at arrival
	Shed     map[int]int
	Starts   int // of instances

	InFlight    int // now, with a ready instance
	MaxInFlight int
	// MaxNotReady is the most requests in flight at once to an endpoint that
	// was not ready: held during a start, or waiting for the model to load.
	MaxNotReady int
	MaxRunning  int // most calls that the model worked on at once

	Generations  int // calls that the model was asked for
	ModelLoads   int // begun
	LoadsAborted int // because the client gave up

	OpenConns int // now
	Conns     int // ever
}

// Stats returns the counts so far.
func (s *Server) Stats() Stats {
	st := Stats{Requests: len(s.log.requests()), OpenConns: int(s.open.Load()), Conns: int(s.conns.Load())}
	if s.front != nil {
		s.front.in.stats(&st)
	}
	s.engine.stats(&st)
	return st
}

// Proxy is a reverse proxy to a real model server that streams untouched, for
// Config.Backend and [NewFrontEnd].
func Proxy(target string) (http.Handler, error) {
	return newProxy(target)
}

// trackedListener counts connections.
type trackedListener struct {
	net.Listener
	s *Server
}

func (l *trackedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.s.open.Add(1)
	l.s.conns.Add(1)
	return &trackedConn{Conn: c, s: l.s}, nil
}

type trackedConn struct {
	net.Conn
	s    *Server
	once sync.Once
}

func (c *trackedConn) Close() error {
	c.once.Do(func() { c.s.open.Add(-1) })
	return c.Conn.Close()
}

func newProxy(target string) (*httputil.ReverseProxy, error) {
	u, err := parseOrigin(target)
	if err != nil {
		return nil, err
	}
	return &httputil.ReverseProxy{
		Rewrite:       func(p *httputil.ProxyRequest) { p.SetURL(u) },
		FlushInterval: -1,
		ErrorLog:      log.New(io.Discard, "", 0),
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}, nil
}

// ollamaNames are the served models in Ollama's spelling.
func (c *Config) ollamaNames() []string {
	return c.names(func(m models.Model) string { return m.Ollama })
}

func (c *Config) names(spell func(models.Model) string) []string {
	var out []string
	for _, name := range append([]string{c.model()}, c.Also...) {
		if m, ok := models.Lookup(name); ok && spell(m) != "" {
			name = spell(m)
		}
		out = append(out, name)
	}
	return out
}

func (c *Config) model() string {
	switch {
	case c.Model != "":
		return c.Model
	case c.Kind == VLLM:
		return "gemma-4-e4b-it"
	}
	return "gemma-3-4b-it"
}

// resolve finds a served model by Ollama's spelling.
func (c *Config) resolve(name string) (string, bool) {
	for _, n := range c.ollamaNames() {
		if name == n || name+":latest" == n || name == n+":latest" {
			return n, true
		}
	}
	return "", false
}

func (c *Config) version() string {
	if c.Version != "" {
		return c.Version
	}
	return "0.6.5"
}

// newer reports whether Ollama is of the kind recorded from v0.24.0.
func (c *Config) newer() bool {
	major, rest, _ := strings.Cut(c.version(), ".")
	minor, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(minor)
	return major != "0" || err == nil && n >= 9
}

func (c *Config) context() int {
	switch {
	case c.Context > 0:
		return c.Context
	case c.Kind != Prebuilt && c.Kind != Ollama:
		return 32768
	case c.newer():
		return 4096
	}
	return 2048
}

func (c *Config) maxQueue() int {
	if c.MaxQueue > 0 {
		return c.MaxQueue
	}
	return 512
}

func (c *Config) abilities() Abilities {
	if c.Abilities != nil {
		return *c.Abilities
	}
	m := modelInfo(c.model())
	return Abilities{Tools: m.Tools, Vision: m.Vision, Thinking: m.Thinking}
}

func (c *Config) tools() bool  { return c.abilities().Tools }
func (c *Config) vision() bool { return c.abilities().Vision }
