// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package ollama runs a real Ollama for tests: built from source, on a free
// loopback port, with two tiny random-weight Gemma 3 models in a directory of
// its own. It neither reads nor writes an Ollama that the machine may have.
//
//	srv := ollama.Start(t, ollama.Options{})
//	resp, err := http.Post(srv.URL+"/api/chat", …) // Small is loaded by the first request
//
// The server and all its processes end with the test, also if the test binary
// is killed.
package ollama

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The names of the models, as Ollama spells them.
const (
	Small = "gemma3:1b" // hundreds of tokens a second, an answer ends after some 30
	Large = "gemma3:4b" // some 30 tokens a second, an answer never ends
)

// Options says how Ollama runs; zero values are the right defaults.
type Options struct {
	Large    bool     // also make the model Large, which takes a second
	Parallel int      // OLLAMA_NUM_PARALLEL, requests generating at once; 0 = 4
	Queue    int      // OLLAMA_MAX_QUEUE, requests waiting; 0 = Ollama's own 512
	Env      []string // more of the environment, as in "OLLAMA_CONTEXT_LENGTH=4096"
}

// Server is a running Ollama. Its methods may be called by any goroutine, but
// Kill, Restart and Close by one at a time.
type Server struct {
	// URL is the address, without a slash at the end. It survives Restart.
	URL string

	binary string
	models string // OLLAMA_MODELS
	opts   Options

	mu   sync.Mutex
	proc *process // nil after Close
	log  bytes.Buffer
}

// Start starts an Ollama that ends with the test. It skips the test if Ollama
// can't be built on this machine for want of a compiler, unless the
// environment variable GEMMA_INTEGRATION is "required", which makes that a
// failure as CI has to; it also skips if the variable is "off".
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	if os.Getenv("GEMMA_INTEGRATION") == "off" {
		tb.Skip("GEMMA_INTEGRATION=off")
	}
	s, err := Run(context.Background(), o)
	if errors.Is(err, ErrCannotBuild) && os.Getenv("GEMMA_INTEGRATION") != "required" {
		tb.Skipf("NOT RUN against a real Ollama: %v", err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		s.Close()
		if tb.Failed() {
			tb.Logf("the end of Ollama's log:\n%s", tail(s.Log(), 30))
		}
	})
	return s
}

// Run starts an Ollama outside of a test. The caller closes it.
func Run(ctx context.Context, o Options) (_ *Server, err error) {
	s := &Server{opts: o}
	if s.binary, err = Binary(ctx); err != nil {
		return nil, err
	}
	if s.models, err = os.MkdirTemp("", "gemma-ollama-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if err = s.start(ctx, "127.0.0.1:0"); err != nil {
		return nil, err
	}
	if err = s.createModels(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// start runs `ollama serve` at addr and returns when it answers.
func (s *Server) start(ctx context.Context, addr string) error {
	p, err := startProcess(s.binary, s.environment(addr), s.note)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.proc = p
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	select {
	case at := <-p.listening:
		s.URL = "http://" + at
	case <-p.done:
		return fmt.Errorf("ollama serve ended at once:\n%s", tail(s.Log(), 20))
	case <-ctx.Done():
		return fmt.Errorf("ollama serve does not listen: %w\n%s", ctx.Err(), tail(s.Log(), 20))
	}
	return s.call(ctx, http.MethodGet, "/api/version", nil, nil)
}

func (s *Server) environment(addr string) []string {
	var env []string
	for _, kv := range os.Environ() {
		// The settings of an Ollama that the user runs are not ours.
		if !strings.HasPrefix(kv, "OLLAMA_") {
			env = append(env, kv)
		}
	}
	parallel := s.opts.Parallel
	if parallel == 0 {
		parallel = 4
	}
	env = append(env,
		"OLLAMA_HOST="+addr,
		"OLLAMA_MODELS="+s.models,
		"OLLAMA_KEEP_ALIVE=-1", // a model stays until Unload
		"OLLAMA_NUM_PARALLEL="+fmt.Sprint(parallel),
		"HOME="+s.models, // where it keeps a key pair
	)
	if s.opts.Queue > 0 {
		env = append(env, "OLLAMA_MAX_QUEUE="+fmt.Sprint(s.opts.Queue))
	}
	return append(env, s.opts.Env...)
}

// Close ends the server and all its processes, and removes its models. It may
// be called again.
func (s *Server) Close() {
	s.mu.Lock()
	p := s.proc
	s.proc = nil
	s.mu.Unlock()
	if p != nil {
		p.end()
	}
	os.RemoveAll(s.models)
}

// Kill kills `ollama serve`, and nothing else, as a crash of the container's
// main process would: answers break off in the middle of a chunk and nothing
// listens any more. Restart brings it back.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc.kill()
}

// KillRunners kills the processes in which models run, as the machine does
// when memory is short: `ollama serve` goes on and reports an error inside the
// answers, or nothing at all. The next request loads the model again.
func (s *Server) KillRunners() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc.killChildren()
}

// Restart ends the server if it still runs and starts it again at the same
// URL, with the same models, none of them loaded.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	p := s.proc
	s.mu.Unlock()
	p.end()
	return s.start(ctx, strings.TrimPrefix(s.URL, "http://"))
}

// Load loads a model without generating and returns when it is in memory.
func (s *Server) Load(ctx context.Context, model string) error {
	return s.call(ctx, http.MethodPost, "/api/generate", map[string]any{"model": model, "stream": false}, nil)
}

// Unload removes a model from memory and returns when it is gone, which is
// some time after Ollama says so.
func (s *Server) Unload(ctx context.Context, model string) error {
	err := s.call(ctx, http.MethodPost, "/api/generate", map[string]any{"model": model, "stream": false, "keep_alive": 0}, nil)
	for err == nil {
		var loaded []string
		if loaded, err = s.Loaded(ctx); err == nil && !slices.Contains(loaded, model) {
			return nil
		}
		select {
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-time.After(5 * time.Millisecond):
		}
	}
	return err
}

// Loaded returns the names of the models in memory.
func (s *Server) Loaded(ctx context.Context) ([]string, error) {
	var ps struct{ Models []struct{ Name string } }
	if err := s.call(ctx, http.MethodGet, "/api/ps", nil, &ps); err != nil {
		return nil, err
	}
	var names []string
	for _, m := range ps.Models {
		names = append(names, m.Name)
	}
	return names, nil
}

// Loads returns how many times a model load was begun, by all requests since
// the server was made. An aborted load counts.
func (s *Server) Loads() int {
	return strings.Count(s.Log(), `msg="starting llama server"`)
}

// Log returns what the server has printed so far.
func (s *Server) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

func (s *Server) note(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Write(line)
}

// call sends body as JSON and decodes the answer into out; both may be nil.
func (s *Server) call(ctx context.Context, method, path string, body, out any) error {
	var send io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		send = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.URL+path, send)
	if err != nil {
		return err
	}
	return do(req, out)
}

func do(req *http.Request, out any) error {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("ollama: %s %s: %s: %s", req.Method, req.URL.Path, resp.Status, b)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(b, out)
}
