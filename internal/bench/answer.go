// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// protocol is one of the three that model servers speak.
type protocol string

const (
	ollama protocol = "Ollama"
	openAI protocol = "OpenAI"
	gemini protocol = "Gemini"
)

var protocols = []protocol{ollama, openAI, gemini}

// model is the model's name as the protocol's servers spell it.
func (p protocol) model() string {
	switch p {
	case ollama:
		return "gemma3:4b"
	case openAI:
		return "google/gemma-3-4b-it"
	}
	return "gemma-3-4b-it"
}

// words are the tokens of the answers: plain ones, and some that JSON escapes.
var words = []string{" the", " sky", " is", ` "blue"`, ",", " because", " short", "er", " waves", " scatter\n", " größer"}

// answer is one answer in one protocol, as a server sends it: streamed, one
// flush for each token, or whole.
type answer struct {
	p        protocol
	text     string
	streamed [][]byte // one element for each flush
	whole    []byte
}

// newAnswer returns the answer of so many tokens. Its text is the same in every
// protocol. The chunks have the members, and the order of members, that were
// recorded from Ollama v0.6.5 and vLLM; those of the Gemini API are the JSON of
// Google's prebuilt container in the frames of the hosted API.
func newAnswer(p protocol, tokens int) *answer {
	a := &answer{p: p}
	for i := range tokens {
		word := words[i%len(words)]
		a.text += word
		a.streamed = append(a.streamed, chunk(p, word))
	}
	a.streamed = append(a.streamed, end(p, tokens)...)
	a.whole = whole(p, a.text, tokens)
	return a
}

// chunk is what brings one token.
func chunk(p protocol, text string) []byte {
	switch p {
	case ollama:
		return fmt.Appendf(nil, `{"model":"gemma3:4b","created_at":"2026-11-23T09:18:29.806985612Z","message":{"role":"assistant","content":%s},"done":false}`+"\n", quote(text))
	case openAI:
		return fmt.Appendf(nil, `data: {"id":"chatcmpl-5f0d7a3e9c1b4e62","object":"chat.completion.chunk","created":1795425509,"model":"google/gemma-3-4b-it","choices":[{"index":0,"delta":{"content":%s},"logprobs":null,"finish_reason":null}]}`+"\n\n", quote(text))
	}
	return fmt.Appendf(nil, `data: {"candidates":[{"index":0,"content":{"parts":[{"text":%s}],"role":"model"}}],"usageMetadata":{},"modelVersion":"gemma-3-4b-it"}`+"\n\n", quote(text))
}

// end is what follows the last token.
func end(p protocol, tokens int) [][]byte {
	switch p {
	case ollama:
		return [][]byte{fmt.Appendf(nil, `{"model":"gemma3:4b","created_at":"2026-11-23T09:18:30.806985612Z","message":{"role":"assistant","content":""},"done_reason":"stop","done":true,"total_duration":30169702,"load_duration":1736817,"prompt_eval_count":22,"prompt_eval_duration":13545671,"eval_count":%d,"eval_duration":14059319}`+"\n", tokens)}
	case openAI:
		head := `data: {"id":"chatcmpl-5f0d7a3e9c1b4e62","object":"chat.completion.chunk","created":1795425509,"model":"google/gemma-3-4b-it","choices":`
		return [][]byte{
			[]byte(head + `[{"index":0,"delta":{"content":""},"logprobs":null,"finish_reason":"stop","stop_reason":null}]}` + "\n\n"),
			fmt.Appendf(nil, `%s[],"usage":{"prompt_tokens":22,"total_tokens":%d,"completion_tokens":%d}}`+"\n\n", head, 22+tokens, tokens),
			[]byte("data: [DONE]\n\n"),
		}
	}
	return [][]byte{fmt.Appendf(nil, `data: {"candidates":[{"index":0,"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":22,"candidatesTokenCount":%d,"totalTokenCount":%d},"modelVersion":"gemma-3-4b-it"}`+"\n\n", tokens, 22+tokens)}
}

// whole is the same answer to a request that asked for no stream.
func whole(p protocol, text string, tokens int) []byte {
	switch p {
	case ollama:
		return fmt.Appendf(nil, `{"model":"gemma3:4b","created_at":"2026-11-23T09:18:30.806985612Z","message":{"role":"assistant","content":%s},"done_reason":"stop","done":true,"total_duration":30169702,"load_duration":1736817,"prompt_eval_count":22,"prompt_eval_duration":13545671,"eval_count":%d,"eval_duration":14059319}`, quote(text), tokens)
	case openAI:
		return fmt.Appendf(nil, `{"id":"chatcmpl-5f0d7a3e9c1b4e62","object":"chat.completion","created":1795425509,"model":"google/gemma-3-4b-it","choices":[{"index":0,"message":{"role":"assistant","content":%s,"refusal":null,"tool_calls":[]},"logprobs":null,"finish_reason":"stop","stop_reason":null}],"usage":{"prompt_tokens":22,"total_tokens":%d,"completion_tokens":%d}}`, quote(text), 22+tokens, tokens)
	}
	return fmt.Appendf(nil, `{"candidates":[{"index":0,"content":{"parts":[{"text":%s}],"role":"model"},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":22,"candidatesTokenCount":%d,"totalTokenCount":%d},"modelVersion":"gemma-3-4b-it"}`, quote(text), tokens, 22+tokens)
}

func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // of a string: never
	}
	return b
}

// find returns what the server sends to a request: flushes, or one document.
// Besides the answer it knows what clients ask before: which models there are,
// and to load one.
func (a *answer) find(path string, body []byte) (flushes [][]byte, contentType string) {
	switch {
	case path == "/api/generate":
		return [][]byte{[]byte(`{"model":"gemma3:4b","created_at":"2026-11-23T09:18:29Z","response":"","done":true,"done_reason":"load"}`)}, "application/json"
	case path == "/v1/models":
		return [][]byte{[]byte(`{"object":"list","data":[{"id":"google/gemma-3-4b-it","object":"model","owned_by":"vllm","max_model_len":8192}]}`)}, "application/json"
	case path == "/v1beta/models":
		return [][]byte{[]byte(`{"models":[{"name":"models/gemma-3-4b-it"}]}`)}, "application/json"
	case strings.Contains(path, ":generateContent"), a.p != gemini && !bytes.Contains(body, []byte(`"stream":true`)):
		return [][]byte{a.whole}, "application/json"
	case a.p == ollama:
		return a.streamed, "application/x-ndjson"
	}
	return a.streamed, "text/event-stream"
}

// RoundTrip answers from memory: what is measured over it is the client alone.
func (a *answer) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		var err error
		if body, err = io.ReadAll(req.Body); err != nil {
			return nil, err
		}
		if err := req.Body.Close(); err != nil {
			return nil, err
		}
	}
	flushes, contentType := a.find(req.URL.Path, body)
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {contentType}}, Body: &flushed{rest: flushes}, ContentLength: -1, Request: req,
	}, nil
}

// flushed is a body of which each Read returns one flush at most, as the body
// of an answer that is generated token by token does.
type flushed struct {
	now  []byte
	rest [][]byte
}

func (f *flushed) Read(p []byte) (int, error) {
	if len(f.now) == 0 {
		if len(f.rest) == 0 {
			return 0, io.EOF
		}
		f.now, f.rest = f.rest[0], f.rest[1:]
	}
	n := copy(p, f.now)
	f.now = f.now[n:]
	return n, nil
}

func (f *flushed) Close() error { return nil }

// ServeHTTP answers over a socket.
func (a *answer) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	flushes, contentType := a.find(req.URL.Path, body)
	w.Header().Set("Content-Type", contentType)
	for _, b := range flushes {
		if _, err := w.Write(b); err != nil {
			return
		}
		w.(http.Flusher).Flush()
	}
}
