// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// Call is one generation that a model server was asked for, whatever the
// protocol: what the model sees after the server has dropped what it drops.
type Call struct {
	N        int    // the how-manieth generation of this server, from 1
	Route    string // /api/chat, /api/generate, /v1/chat/completions or the Gemini API's method
	Model    string // as asked
	Messages []Message
	Stream   bool

	MaxTokens   int // 0 means no limit
	Temperature *float64
	TopP, TopK  *float64
	MinP        *float64
	Presence    *float64 // penalties: read, and without effect
	Frequency   *float64
	Seed        *int
	Candidates  int // n; 0 is 1
	Logprobs    bool
	TopLogprobs int
	Stop        []string
	Format      json.RawMessage // a JSON Schema, or the string "json" for any JSON; nil for text
	Tools       []Tool
	ToolChoice  string // "", auto, none, required, or a function's name
	Think       bool

	Context int // the context window in tokens; what is longer was cut
	Prompt  int // tokens of the prompt, after the cut
	Cut     int // tokens that the cut took away

	Header http.Header // of the request, without its secrets
	Body   []byte      // of the request
}

// Message is one turn of a call.
type Message struct {
	Role   string // system, user, assistant or tool
	Text   string
	Images int
	Audio  int
	Calls  []ToolCall
	Name   string // of the tool that a tool turn answers for
	CallID string
}

// Tool is a function that the model may call.
type Tool struct {
	Name, Description string
	Parameters        json.RawMessage // JSON Schema
}

// ToolCall is a call that the model makes.
type ToolCall struct {
	ID   string // "" makes one up where the protocol has ids
	Name string
	Args json.RawMessage // a JSON object; nil means {}
}

// Reply is what the model, or the fault, does with a call. The zero value is
// an empty answer that ends well.
type Reply struct {
	Thoughts []string // sent before the text
	Chunks   []string // the text, as it is cut into events; a chunk counts as one token
	Calls    []ToolCall
	// Finish is why the answer ends: stop, length, tool_calls … in the words
	// of the OpenAI API. "" means tool_calls if there are any, else stop.
	Finish string
	// PromptTokens and Tokens are the usage; 0 counts.
	PromptTokens, Tokens int

	FirstToken time.Duration // before the first event; 0 means the server's own
	Pace       time.Duration // between events; 0 means the server's own, negative none

	// Status and Error, if Status is not zero, refuse the call in the
	// protocol's own shape. They come instead of everything else.
	Status int
	Error  string

	// Fault breaks the answer just before the event with the index At,
	// thoughts and calls counted. At or beyond the last event it comes just
	// before the end marker.
	Fault     Fault
	At        int
	FaultText string // what [Garbage], [ErrorLine] and [HTML] write; "" means the usual
}

// Text is the reply that streams s word by word.
func Text(s string) Reply { return Reply{Chunks: tokens(s)} }

// Script answers one call after the other with the given replies, and then as
// [DefaultReply] does. It is for one server: the calls are counted by
// [Call.N].
func Script(replies ...Reply) func(Call) Reply {
	return func(c Call) Reply {
		if c.N <= len(replies) {
			return replies[c.N-1]
		}
		return DefaultReply(c)
	}
}

// CallTools is a model that uses its tools: it calls each declared function
// once, one a turn and in their order, with the least arguments that its
// schema allows, and then answers with the results. For Config.Reply.
func CallTools(c Call) Reply {
	if c.ToolChoice != "none" {
		called := make(map[string]bool)
		for _, m := range c.Messages {
			for _, tc := range m.Calls {
				called[tc.Name] = true
			}
			if m.Role == "tool" {
				called[m.Name] = true
			}
		}
		for _, t := range c.Tools {
			if !called[t.Name] {
				return Reply{Calls: []ToolCall{{Name: t.Name, Args: json.RawMessage(Instance(t.Parameters))}}}
			}
		}
	}
	var results []string
	for _, m := range c.Messages {
		if m.Role == "tool" {
			results = append(results, m.Text)
		}
	}
	if len(results) == 0 {
		return DefaultReply(c)
	}
	return Text("The tools say: " + strings.Join(results, "; ") + ".")
}

// DefaultReply is the model that a server has unless Config.Reply says
// otherwise. Its answer is a fixed sequence of words for a prompt and a seed,
// so that tests can know it: [Answer] gives it. It honours the token limit
// (a word is a token), stop sequences and the format (with the least instance of
// a schema). A tool choice that demands a call gets one; else it answers in
// words ([CallTools] is a model that uses its tools). If the last turn is the assistant's and begins that answer, the
// reply goes on exactly after it, as a model that continues an open turn.
func DefaultReply(c Call) Reply {
	var r Reply
	if call, ok := forced(c); ok {
		r.Calls = []ToolCall{call}
		return r
	}
	text := Answer(c)
	if n := len(c.Messages); n > 0 && c.Messages[n-1].Role == "assistant" {
		text, _ = strings.CutPrefix(text, c.Messages[n-1].Text)
	}
	if c.Think {
		r.Thoughts = tokens("The question is about " + topic(c.Messages) + ".")
	}
	r.Chunks = tokens(text)
	r.Chunks, r.Finish = limit(r.Chunks, c)
	return r
}

// forced is the call that the tool choice leaves no way around.
func forced(c Call) (ToolCall, bool) {
	switch c.ToolChoice {
	case "", "auto", "none":
		return ToolCall{}, false
	}
	for _, t := range c.Tools {
		if c.ToolChoice == "required" || t.Name == c.ToolChoice {
			return ToolCall{Name: t.Name, Args: json.RawMessage(Instance(t.Parameters))}, true
		}
	}
	return ToolCall{}, false
}

// Answer is the whole text that [DefaultReply] gives to a call, before limits
// and stop sequences, as if the last turn were the user's.
func Answer(c Call) string {
	if len(c.Format) > 0 {
		if string(c.Format) == `"json"` {
			return `{"answer": "` + strings.ReplaceAll(firstSentence(compose(c)), `"`, `'`) + `"}`
		}
		return Instance(c.Format)
	}
	return compose(c)
}

// limit applies stop sequences and the token limit.
func limit(chunks []string, c Call) ([]string, string) {
	finish := "stop"
	text := strings.Join(chunks, "")
	cut := len(text)
	for _, s := range c.Stop {
		if i := strings.Index(text, s); s != "" && i >= 0 && i < cut {
			cut = i
		}
	}
	if cut < len(text) {
		chunks = tokens(text[:cut])
	}
	if c.MaxTokens > 0 && len(chunks) > c.MaxTokens {
		chunks, finish = chunks[:c.MaxTokens], "length"
	}
	return chunks, finish
}

// tokens cuts a text into words with the space before them. Joined they are
// the text again.
func tokens(s string) []string {
	var out []string
	for len(s) > 0 {
		i := 0
		for i < len(s) && isSpace(s[i]) {
			i++
		}
		for i < len(s) && !isSpace(s[i]) {
			i++
		}
		out = append(out, s[:i])
		s = s[i:]
	}
	return out
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\t' || b == '\r' }

// promptTokens counts a prompt as the emulated servers do: its words, and four
// for the marks around each turn.
func promptTokens(messages []Message) int {
	n := 1
	for i, m := range messages {
		n += len(strings.Fields(m.Text)) + 256*m.Images
		// A turn's marks cost some tokens. The model's open turn, which a
		// resumed answer goes on with, has them in every prompt.
		if i < len(messages)-1 || m.Role != "assistant" {
			n += 4
		}
	}
	return n
}
