// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gemma-go/sdk/internal/models"
)

// engine is the model behind an emulated server: it loads, it takes so many
// calls at once, it counts tokens, and it answers as Config.Reply says.
type engine struct {
	cfg *Config

	mu       sync.Mutex
	born     time.Time // of the container
	calls    int
	loaded   map[string]int // context window of each loaded model
	loading  map[string]*load
	loads    int
	aborted  int
	waiting  int
	maxWait  int
	running  int
	inLine   int
	turn     sync.Cond // a call ended
	maxPlays int
}

type load struct{ done chan struct{} }

func newEngine(cfg *Config) *engine {
	e := &engine{cfg: cfg, loading: make(map[string]*load)}
	e.turn.L = &e.mu
	e.restart(time.Now())
	return e
}

// restart is a new container: nothing is loaded. Where loading takes no time
// the model counts as loaded from the start.
func (e *engine) restart(ready time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.born = ready
	e.loaded = make(map[string]int)
	if e.cfg.LoadTime <= 0 {
		e.loaded[e.cfg.ollamaNames()[0]] = e.cfg.context()
	}
}

// load waits until a model is loaded with a context window. It reports false
// if the client gave up; the client whose call began the load then takes the
// load with it (measured on Ollama v0.6.5 and v0.24.0), and another that waits
// begins anew.
func (e *engine) load(ctx context.Context, model string, window int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if w, ok := e.loaded[model]; ok && w == window {
		return true
	}
	e.waiting++
	e.maxWait = max(e.maxWait, e.waiting)
	defer func() { e.waiting-- }()
	for {
		if w, ok := e.loaded[model]; ok && w == window {
			return true
		}
		if l := e.loading[model]; l != nil {
			e.mu.Unlock()
			select {
			case <-l.done:
			case <-ctx.Done():
			}
			e.mu.Lock()
			if ctx.Err() != nil {
				return false
			}
			continue
		}
		l := &load{done: make(chan struct{})}
		e.loading[model] = l
		e.loads++
		delete(e.loaded, model)
		e.mu.Unlock()
		ok := sleep(ctx, e.cfg.LoadTime)
		e.mu.Lock()
		delete(e.loading, model)
		close(l.done)
		if !ok {
			e.aborted++
			return false
		}
		e.loaded[model] = window
	}
}

func (e *engine) unload(model string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.loaded, model)
}

func (e *engine) isLoaded(model string) (window int, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	window, ok = e.loaded[model]
	return window, ok
}

// enter waits for one of Config.Parallel places and reports false when
// Config.MaxQueue others wait already. The caller leaves afterwards.
func (e *engine) enter(ctx context.Context) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cfg.Parallel > 0 {
		stop := context.AfterFunc(ctx, func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.turn.Broadcast()
		})
		defer stop()
		if e.running >= e.cfg.Parallel && e.inLine >= e.cfg.maxQueue() {
			return false
		}
		e.inLine++
		for e.running >= e.cfg.Parallel && ctx.Err() == nil {
			e.turn.Wait()
		}
		e.inLine--
	}
	e.running++
	e.maxPlays = max(e.maxPlays, e.running)
	return true
}

func (e *engine) leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.running--
	e.turn.Broadcast()
}

// reply asks the script.
func (e *engine) reply(c *Call) Reply {
	e.mu.Lock()
	e.calls++
	c.N = e.calls
	e.mu.Unlock()
	script := e.cfg.Reply
	if script == nil {
		script = DefaultReply
	}
	r := script(*c)
	if r.FirstToken == 0 {
		r.FirstToken = e.cfg.FirstToken
	}
	if r.Pace == 0 {
		r.Pace = e.cfg.Pace
	}
	if r.PromptTokens == 0 {
		r.PromptTokens = c.Prompt
	}
	return r
}

// fit counts the prompt and cuts what is longer than the context window, the
// oldest turns first, as Ollama does without a word. System turns and the last
// turn stay, the last one cut to its end if need be.
func (c *Call) fit() {
	total := promptTokens(c.Messages)
	for promptTokens(c.Messages) > c.Context && len(c.Messages) > 1 {
		i := 0
		for i < len(c.Messages)-1 && c.Messages[i].Role == "system" {
			i++
		}
		if i == len(c.Messages)-1 {
			break
		}
		c.Messages = append(c.Messages[:i:i], c.Messages[i+1:]...)
	}
	c.Prompt = promptTokens(c.Messages)
	if c.Prompt > c.Context {
		last := &c.Messages[len(c.Messages)-1]
		words := strings.Fields(last.Text)
		drop := min(c.Prompt-c.Context, len(words))
		last.Text = strings.Join(words[drop:], " ")
		c.Prompt = c.Context
	}
	c.Cut = total - c.Prompt
}

// modelInfo is what is known of a served model.
func modelInfo(name string) models.Model {
	m, _ := models.Lookup(name)
	return m
}

func writeJSON(w http.ResponseWriter, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	w.Write(body) // a client that has gone is no one's fault here
}

func now() string { return time.Now().UTC().Format(time.RFC3339Nano) }
