// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"net/http"
	"strconv"
	"strings"
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

// String returns the name of what runs in the container, such as "ollama".
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
	// Version is the server's own; "" means 0.6.5 for Ollama and 0.11.0 for
	// vLLM. From 0.9 on the emulated Ollama behaves as recorded from v0.24.0.
	// vLLM before 0.10 has errors without the "error" object around them, and
	// from 0.12 on its thoughts are called reasoning, not reasoning_content.
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
	// calls apart, as some versions of its public source do. Without it, as
	// measured, the answer to a call is written in the format of whichever
	// request came last.
	NoMixUp bool

	// LoadTime is how long the model takes to load once the container runs. 0
	// means that it is loaded from the start. Ollama loads on the first call;
	// llama.cpp's server by itself, and refuses calls meanwhile; vLLM before it
	// listens, so that there it makes the start longer. A GeminiServer has it
	// loaded.
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
type Abilities struct{ Tools, Vision, Audio, Thinking bool }

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
	return Abilities{Tools: m.Tools, Vision: m.Vision, Audio: m.Audio, Thinking: m.Thinking}
}

func (c *Config) tools() bool  { return c.abilities().Tools }
func (c *Config) vision() bool { return c.abilities().Vision }
