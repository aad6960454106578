// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"cmp"
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

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
		ConnState:   countConns(&s.serving),
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
	if load := s.cfg.LoadTime; s.cfg.Kind == VLLM && load > 0 && fe.cold() {
		asked := fe
		fe.StartTime = func(n int) time.Duration { return asked.startTime(n) + load }
	}
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

// countConns lets a Close wait for connections to be done with: net/http tells
// of a new one before its Serve returns, and of its end after its last handler,
// unless that has taken the connection over.
func countConns(wg *sync.WaitGroup) func(net.Conn, http.ConnState) {
	return func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			wg.Add(1)
		case http.StateClosed, http.StateHijacked:
			wg.Done()
		}
	}
}

// track lets Close wait for handlers that have taken their connection over.
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
		sw := &statusWriter{ResponseWriter: w, told: func(status int) { s.log.answered(e, status) }}
		defer func() { sw.told(cmp.Or(sw.status, http.StatusOK)) }()
		h.ServeHTTP(sw, r)
	})
}

type statusWriter struct {
	http.ResponseWriter
	told   func(status int) // called before the client is told
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		w.told(status)
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
		w.told(w.status)
	}
	return w.ResponseWriter.Write(b)
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

// Starts returns the starts of instances so far, oldest first.
func (s *Server) Starts() []Start {
	if s.front == nil {
		return nil
	}
	return s.front.Starts()
}

// Requests returns what has arrived so far, oldest first.
func (s *Server) Requests() []Request { return s.log.requests() }

// Stats returns the counts so far.
func (s *Server) Stats() Stats {
	st := Stats{Requests: s.log.count(), OpenConns: int(s.open.Load()), Conns: int(s.conns.Load())}
	if s.front != nil {
		s.front.in.stats(&st)
	}
	s.engine.stats(&st)
	return st
}
