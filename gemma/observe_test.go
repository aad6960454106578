// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

// logbook collects what a client logs, one JSON object a line.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logbook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logbook) config(level slog.Level) func(*gemma.Config) {
	return func(c *gemma.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(b, &slog.HandlerOptions{Level: level}))
	}
}

// lines returns the lines of a message, with time, level and message taken out.
func (b *logbook) lines(t *testing.T, level, msg string) []map[string]any {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []map[string]any
	for line := range strings.Lines(b.text.String()) {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatal(err)
		}
		if m["level"] == level && m["msg"] == msg {
			delete(m, "time")
			delete(m, "level")
			delete(m, "msg")
			found = append(found, m)
		}
	}
	return found
}

// TestLogOneLine: a call in which something unusual happened leaves one line at
// Info that says what, one in which nothing did leaves none there, and one at
// Debug.
func TestLogOneLine(t *testing.T) {
	broken := words(6)
	broken.Fault, broken.At = gemmatest.EndEarly, 3
	for _, c := range []struct {
		name   string
		server gemmatest.Config
		change func(*gemma.Config)
		ask    *genai.GenerateContentConfig
		want   string // fields besides endpoint, model, requests, took and the tokens; "" = no line
		fails  bool
	}{
		{name: "nothing unusual"},
		{
			name:   "nothing unusual, though the first question takes a while",
			server: gemmatest.Config{Kind: gemmatest.Ollama, LoadTime: 900 * time.Millisecond},
		},
		{
			name:   "cold start",
			server: gemmatest.Config{Kind: gemmatest.Ollama, FrontEnd: gemmatest.FrontEndConfig{Start: 20 * time.Second, Hold: gemmatest.Forever}},
			want:   "protocol=ollama waited=20s",
		},
		{
			name:   "cold start, protocol known",
			server: gemmatest.Config{Kind: gemmatest.Ollama, FrontEnd: gemmatest.FrontEndConfig{Start: 20 * time.Second, Hold: gemmatest.Forever}},
			change: func(c *gemma.Config) { c.Model, c.Protocol = "gemma-3-4b-it", gemma.ProtocolOllama },
			want:   "protocol=ollama waited=20s",
		},
		{
			name:   "retry",
			server: gemmatest.Config{Kind: gemmatest.Ollama, Reply: gemmatest.Script(gemmatest.Reply{Fault: gemmatest.EndEarly}, words(3))},
			want:   "protocol=ollama retries=1",
		},
		{
			name:   "resume",
			server: gemmatest.Config{Kind: gemmatest.Ollama, Reply: gemmatest.Script(broken, words(3))},
			change: func(c *gemma.Config) { c.Resume = 1 },
			want:   "protocol=ollama resumed=1",
		},
		{
			name:   "emulation",
			server: gemmatest.Config{Kind: gemmatest.Prebuilt},
			change: func(c *gemma.Config) { c.Model, c.Protocol = "gemma-3-4b-it", gemma.ProtocolGemini },
			ask:    &genai.GenerateContentConfig{SystemInstruction: genai.NewContentFromText("Be brief.", genai.RoleUser)},
			want:   "emulated=[config.systemInstruction] protocol=gemini",
		},
		{
			name:   "failure",
			server: gemmatest.Config{FrontEnd: gemmatest.FrontEndConfig{Invokers: []string{}}},
			want:   "error=forbidden status=403", fails: true,
		},
		{
			name:   "broken answer",
			server: gemmatest.Config{Kind: gemmatest.Ollama, Reply: always(broken)},
			want:   "error=interrupted protocol=ollama status=0", fails: true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, c.server, func(t *testing.T, srv *gemmatest.Server) {
				var book logbook
				configs := []func(*gemma.Config){book.config(slog.LevelDebug)}
				if c.change != nil {
					configs = append(configs, c.change)
				}
				client := dial(t, srv, configs...)
				_, err := text(client.Stream(t.Context(), hi, c.ask))
				if (err != nil) != c.fails {
					t.Fatal(err)
				}
				info, debug := book.lines(t, "INFO", "gemma call"), book.lines(t, "DEBUG", "gemma call")
				if len(info)+len(debug) != 1 || (len(info) == 1) != (c.want != "") {
					t.Fatalf("%d lines at Info and %d at Debug:\n%s", len(info), len(debug), book.text.String())
				}
				if c.want == "" {
					return
				}
				var fields []string
				for _, k := range slices.Sorted(maps.Keys(info[0])) {
					switch k {
					case "endpoint", "model", "requests", "took", "prompt_tokens", "output_tokens":
					case "waited":
						fields = append(fields, fmt.Sprintf("waited=%v", time.Duration(info[0][k].(float64))))
					default:
						fields = append(fields, fmt.Sprintf("%s=%v", k, info[0][k]))
					}
				}
				if got := strings.Join(fields, " "); got != c.want {
					t.Errorf("logged %s, want %s", got, c.want)
				}
			})
		})
	}
}

// TestLogSilence: without a logger nothing is logged, and at Info nothing but
// what is unusual.
func TestLogSilence(t *testing.T) {
	bubble(t, gemmatest.Config{}, func(t *testing.T, srv *gemmatest.Server) {
		global := globalLog(t)
		var book logbook
		for _, client := range []*gemma.Client{dial(t, srv), dial(t, srv, book.config(slog.LevelInfo))} {
			if _, err := text(client.Stream(t.Context(), hi, nil)); err != nil {
				t.Fatal(err)
			}
		}
		if global.Len() > 0 || book.text.Len() > 0 {
			t.Errorf("logged: %s%s", global, book.text.String())
		}
	})
}

// TestLogAllowList: at Debug the events of a cold start are told, and every
// line has only fields of the list.
func TestLogAllowList(t *testing.T) {
	allowed := strings.Fields(`time level msg
		endpoint model took requests protocol waited retries resumed emulated prompt_tokens output_tokens error status
		event expected next in_use slots waiting feature reason audience principal expiry`)
	broken := words(6)
	broken.Fault, broken.At = gemmatest.EndEarly, 3
	echo := gemmatest.Reply{Fault: gemmatest.ErrorLine, FaultText: "cannot answer: " + secretPrompt + ", worda"}
	bubble(t, gemmatest.Config{
		Kind: gemmatest.Ollama, APIKey: secretKey, FrontEnd: gemmatest.FrontEndConfig{Start: 30 * time.Second},
		Reply: gemmatest.Script(words(3), broken, words(3), echo, echo, echo, echo, echo, echo),
	}, func(t *testing.T, srv *gemmatest.Server) {
		var book logbook
		client := dial(t, srv, book.config(slog.LevelDebug), func(c *gemma.Config) {
			c.APIKey, c.Resume = secretKey, 1
			c.OnEvent = func(gemma.Event) {} // and so the token's event
		})
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			_, _ = text(client.Stream(ctx, genai.Text(secretPrompt), &genai.GenerateContentConfig{SystemInstruction: genai.NewContentFromText("worda", genai.RoleUser)}))
			cancel()
		}
		logged := book.text.String()
		for line := range strings.Lines(logged) {
			var m map[string]any
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatal(err)
			}
			for k := range m {
				if !slices.Contains(allowed, k) {
					t.Errorf("the field %s is not on the list: %s", k, line)
				}
			}
		}
		for _, event := range []string{"token", "cold", "probe", "ready", "retry", "resume", "protocol"} {
			if !strings.Contains(logged, `"event":"`+event+`"`) {
				t.Errorf("the event %s is not told", event)
			}
		}
		for _, s := range []string{secretPrompt, secretKey, "worda", "eyJ"} {
			if strings.Contains(logged, s) {
				t.Errorf("the log holds %q:\n%s", s, logged)
			}
		}
		if t.Failed() {
			t.Log(logged)
		}
	})
}
