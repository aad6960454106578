// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// native writes Ollama's own messages, for /api/chat or /api/generate. Fields
// come in the order of the recordings, which differs between versions.
type native struct {
	newer, chat bool
	logs        logprobs

	model           string
	prompt          int
	started, loaded time.Time
	first           time.Time // the first token
}

func (n *native) begin(model string, started, loaded time.Time) {
	n.model, n.started, n.loaded = model, started, loaded
}

func (n *native) asked(prompt int) { n.prompt = prompt }

func (n *native) contentType() string { return "application/x-ndjson" }

func (n *native) thought(s string) []byte {
	if n.chat {
		return n.event(`"message":{"role":"assistant","content":"","thinking":` + quote(s) + `}`)
	}
	return n.event(`"response":"","thinking":` + quote(s))
}

func (n *native) text(s string) []byte {
	if !n.logs.on {
		return n.event(n.content(s))
	}
	b := n.event(n.content(s))
	return append(b[:len(b)-len("}\n")], `,"logprobs":`+n.logs.list(s)+"}\n"...)
}

func (n *native) content(s string) string {
	if n.chat {
		return `"message":{"role":"assistant","content":` + quote(s) + `}`
	}
	return `"response":` + quote(s)
}

func (n *native) call(i int, c ToolCall) []byte {
	return n.event(`"message":{"role":"assistant","content":"","tool_calls":[` + n.toolCall(i, c) + `]}`)
}

func (n *native) toolCall(i int, c ToolCall) string {
	if n.newer {
		return fmt.Sprintf(`{"id":%s,"function":{"index":%d,"name":%s,"arguments":%s}}`, quote(callID("call_", i, c)), i, quote(c.Name), arguments(c))
	}
	return fmt.Sprintf(`{"function":{"index":%d,"name":%s,"arguments":%s}}`, i, quote(c.Name), arguments(c))
}

// event is one line that isn't the last.
func (n *native) event(middle string) []byte {
	if n.first.IsZero() {
		n.first = time.Now()
	}
	return []byte(n.head() + middle + `,"done":false}` + "\n")
}

func (n *native) head() string {
	return `{"model":` + quote(n.model) + `,"created_at":"` + now() + `",`
}

func (n *native) end(finish string, tokens int) []byte {
	return []byte(n.head() + n.content("") + n.done(finish) + n.counts(tokens) + "}\n")
}

func (n *native) done(finish string) string {
	if finish == "tool_calls" {
		finish = "stop"
	}
	if n.chat && !n.newer {
		return `,"done_reason":` + quote(finish) + `,"done":true`
	}
	return `,"done":true,"done_reason":` + quote(finish)
}

func (n *native) counts(tokens int) string {
	end := time.Now()
	if n.first.IsZero() {
		n.first = end
	}
	var ctx string
	if !n.chat {
		ctx = `,"context":[105,450,448,434,107]`
	}
	return fmt.Sprintf(`%s,"total_duration":%d,"load_duration":%d,"prompt_eval_count":%d,"prompt_eval_duration":%d,"eval_count":%d,"eval_duration":%d`,
		ctx, positive(end.Sub(n.started)), positive(n.loaded.Sub(n.started)), n.prompt, positive(n.first.Sub(n.loaded)), tokens, positive(end.Sub(n.first)))
}

// positive keeps virtual time from making a duration that no server has.
func positive(d time.Duration) time.Duration { return max(d, 1) }

func (n *native) bare(reason string) []byte {
	return []byte(n.head() + n.content("") + n.done(reason) + "}")
}

func (n *native) fail(message string) []byte { return []byte(`{"error":` + quote(message) + "}\n") }

func (n *native) crash() ([]byte, bool) { return n.fail(crashText), false }

func (n *native) foreign() []byte {
	return []byte(`data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":` + unix() + `,"model":` + quote(n.model) +
		`,"system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"foreign"},"finish_reason":null}]}` + "\n\n")
}

func (n *native) rename(model string) { n.model = model }

func (n *native) line(s string) []byte { return []byte(s + "\n") }

func (n *native) refuse(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, "application/json; charset=utf-8", []byte(`{"error":`+quote(message)+`}`))
}

func (n *native) unaryType() string { return "application/json; charset=utf-8" }

func (n *native) unary(r Reply, finish string) []byte {
	text := strings.Join(r.Chunks, "")
	message := n.content(text)
	if n.chat {
		message = `"message":{"role":"assistant","content":` + quote(text)
		if len(r.Thoughts) > 0 {
			message += `,"thinking":` + quote(strings.Join(r.Thoughts, ""))
		}
		if len(r.Calls) > 0 {
			calls := make([]string, len(r.Calls))
			for i, c := range r.Calls {
				calls[i] = n.toolCall(i, c)
			}
			message += `,"tool_calls":[` + strings.Join(calls, ",") + `]`
		}
		message += "}"
	}
	if finish == "" { // the runaway guard: no reason and no counters
		return []byte(n.head() + message + `,"done":false}`)
	}
	logs := ""
	if n.logs.on {
		logs = `,"logprobs":` + n.logs.list(r.Chunks...)
	}
	return []byte(n.head() + message + n.done(finish) + logs + n.counts(r.tokenCount()) + "}")
}

func (n *native) foreignUnary() []byte {
	return []byte(`{"id":"chatcmpl-1","object":"chat.completion","created":` + unix() + `,"model":` + quote(n.model) +
		`,"system_fingerprint":"fp_ollama","choices":[{"index":0,"message":{"role":"assistant","content":"foreign"},"finish_reason":"stop"}],` +
		`"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}` + "\n")
}

// quote writes a JSON string as encoding/json does.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return `""`
	}
	return string(b)
}

func unix() string { return fmt.Sprint(time.Now().Unix()) }

func arguments(c ToolCall) string {
	if len(c.Args) == 0 {
		return "{}"
	}
	return string(c.Args)
}

// callID is the call's own id or one made up from its place and name.
func callID(prefix string, i int, c ToolCall) string {
	if c.ID != "" {
		return c.ID
	}
	return fmt.Sprintf("%s%08x", prefix, uint32(crcOf(c.Name+arguments(c)))+uint32(i))
}
