// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package reply

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/gemma-go/sdk/internal/fault"
)

// errorBodyAtMost bounds what is read of an error's body: the longest one of a
// server measured is 2 KiB.
const errorBodyAtMost = 64 << 10

// Fault reads a response that is not 2xx. It closes the body.
func Fault(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, errorBodyAtMost))
	resp.Body.Close()
	return FromBody(resp.StatusCode, resp.Header, body)
}

// FromBody reads the body of an answer with an error status. Bodies seen:
// Ollama's {"error":"text"}, OpenAI's {"error":{"message":…}} (also with a null
// code: the status is what counts), vLLM's older {"object":"error","message":…},
// plain text of a proxy, and HTML, which only ever comes from a front end.
func FromBody(status int, header http.Header, body []byte) *fault.Error {
	text, structured := Message(body)
	f := classify(status, text)
	f.Status = status
	f.Err = nil
	switch {
	case !structured && isHTML(header, body):
		frontEnd(f, status)
		f.Message = title(body, status)
	case !structured && (strings.HasPrefix(text, "Rate exceeded") || strings.HasPrefix(text, "upstream request timeout")):
		frontEnd(f, status)
	}
	if f.Message == "" {
		f.Message = strings.ToLower(http.StatusText(status))
	}
	return f
}

// InStream makes a fault of an error object inside of a 2xx stream. begun says
// whether a response was handed out before: then nothing can be sent again.
func InStream(frame []byte, begun bool) *fault.Error {
	text, _ := Message(frame)
	if text == "" {
		text = "the server broke the answer off without saying why"
	}
	f := classify(0, text)
	f.Retry = !begun && (f.Retry || f.Kind == fault.Server)
	return f
}

// Message returns the text of an error's body, made fit for an error, and
// whether it was one of the known JSON shapes.
func Message(body []byte) (text string, structured bool) {
	var doc struct {
		Error   json.RawMessage
		Message string
		Detail  json.RawMessage // FastAPI's, before vLLM's own handlers are asked
	}
	// Gemini's server wraps the object of a stream's error into an array.
	trimmed := strings.TrimSpace(string(body))
	trimmed = strings.TrimSpace(strings.TrimPrefix(trimmed, "["))
	if json.NewDecoder(strings.NewReader(trimmed)).Decode(&doc) != nil {
		return fault.Clip(string(body)), false
	}
	var s string
	var obj struct{ Message string }
	switch {
	case json.Unmarshal(doc.Error, &s) == nil && s != "":
		return fault.Clip(s), true
	case json.Unmarshal(doc.Error, &obj) == nil && obj.Message != "":
		return fault.Clip(obj.Message), true
	case doc.Message != "":
		return fault.Clip(doc.Message), true
	case json.Unmarshal(doc.Detail, &s) == nil && s != "":
		return fault.Clip(s), true
	}
	return fault.Clip(string(body)), len(doc.Error) > 0
}

// texts are the messages of the servers that say more than their status.
// Sources: Ollama v0.6.5 and v0.24.0, the prebuilt container's proxy, and
// llama.cpp's server as measured; vLLM's from its sources. The first match counts;
// all words of has must occur, compared without case.
var texts = []struct {
	has    []string
	status int // 0 = any
	f      fault.Error
}{
	{has: []string{"does not support tools"}, f: fault.Error{Kind: fault.Unsupported, Field: "config.tools"}},
	{has: []string{"enable-auto-tool-choice"}, f: fault.Error{Kind: fault.Unsupported, Field: "config.tools",
		Hint: "start the server with --enable-auto-tool-choice and --tool-call-parser"}},
	{has: []string{"does not support thinking"}, f: fault.Error{Kind: fault.Unsupported, Field: "config.thinkingConfig"}},
	{has: []string{"does not support embeddings"}, f: fault.Error{Kind: fault.Unsupported, Hint: "use an embedding model, such as embeddinggemma"}},
	{has: []string{"data required for image input"}, f: fault.Error{Kind: fault.Unsupported, Field: "contents.parts.inlineData",
		Hint: "this model takes no images"}},
	{has: []string{"not a multimodal model"}, f: fault.Error{Kind: fault.Unsupported, Field: "contents.parts.inlineData"}},
	{has: []string{"does not support image"}, f: fault.Error{Kind: fault.Unsupported, Field: "contents.parts.inlineData"}},
	{has: []string{"loading model"}, f: fault.Error{Kind: fault.Cold, Retry: true}},
	{has: []string{"server busy"}, f: fault.Error{Kind: fault.Overloaded, Retry: true}},
	{has: []string{"maximum pending requests"}, f: fault.Error{Kind: fault.Overloaded, Retry: true}},
	{has: []string{"exceeds the context length"}, f: tooLong},
	{has: []string{"maximum context length"}, f: tooLong},
	{has: []string{"longer than the maximum model length"}, f: tooLong},
	{has: []string{"exceeds the available context size"}, f: tooLong},
	{has: []string{"invalid api key"}, f: badKey},
	{has: []string{"incorrect api key"}, f: badKey},
	{has: []string{"unauthorized"}, status: 401, f: badKey},
	{has: []string{"model", "not found"}, f: noModel},
	{has: []string{"model", "does not exist"}, f: noModel},
	{has: []string{"connection refused"}, status: 502, f: fault.Error{Kind: fault.Cold, Retry: true,
		Hint: "the container answers, but the model server in it does not run yet"}},
	{has: []string{"proxy error"}, status: 502, f: fault.Error{Kind: fault.Server, Retry: true}},
	{has: []string{"must be of type"}, f: fault.Error{Kind: fault.Invalid}},
	{has: []string{"invalid json schema in format"}, f: badSchema},
	{has: []string{"vocabulary required for format"}, f: badSchema},
	{has: []string{"failed to convert request for target"}, f: fault.Error{Kind: fault.Invalid,
		Hint: "the prebuilt container's Gemini route knows few fields: use ProtocolOllama"}},
	{has: []string{"failed to read request path"}, f: fault.Error{Kind: fault.NotFound,
		Hint: "the prebuilt container's Gemini route only generates: use ProtocolOllama"}},
}

var (
	tooLong   = fault.Error{Kind: fault.Invalid, Field: "contents", Hint: "send a shorter prompt, or raise the context window"}
	badKey    = fault.Error{Kind: fault.Forbidden, Hint: "the container asks for its own key: set Config.APIKey"}
	noModel   = fault.Error{Kind: fault.NotFound, Hint: "Client.Models lists what the endpoint serves"}
	badSchema = fault.Error{Kind: fault.Invalid, Field: "config.responseJsonSchema", Hint: "the server can't compile this schema"}
)

// classify makes a fault of a status (0 inside of a stream) and a text.
func classify(status int, text string) *fault.Error {
	low := strings.ToLower(text)
next:
	for i := range texts {
		t := &texts[i]
		if t.status != 0 && t.status != status {
			continue
		}
		for _, w := range t.has {
			if !strings.Contains(low, w) {
				continue next
			}
		}
		f := t.f
		f.Message = text
		return &f
	}
	f := &fault.Error{Message: text}
	switch status {
	case 401:
		f.Kind, f.Hint = fault.Forbidden, badKey.Hint
	case 403:
		f.Kind = fault.Forbidden
	case 404, 405:
		f.Kind = fault.NotFound
	case 408, 504:
		f.Kind, f.Retry = fault.Cold, true
	case 429, 503:
		f.Kind, f.Retry = fault.Overloaded, true
	case 501:
		f.Kind = fault.Unsupported
	case 502:
		f.Kind, f.Retry = fault.Server, true
	default:
		f.Kind = fault.Server
		if status >= 400 && status < 500 {
			f.Kind = fault.Invalid
		}
	}
	return f
}

// frontEnd corrects a fault that Cloud Run's front end, and no model server,
// answered.
func frontEnd(f *fault.Error, status int) {
	f.FrontEnd = true
	f.Field, f.Hint = "", ""
	switch status {
	case 401:
		f.Kind, f.Retry = fault.Unauthenticated, false
		f.Hint = "the identity token was refused: check its audience and expiry"
	case 403:
		f.Kind, f.Retry = fault.Forbidden, false
		f.Hint = "the caller needs roles/run.invoker on the service"
	case 404:
		f.Kind, f.Retry = fault.NotFound, false
		f.Hint = "no service at this URL, or its ingress does not let this network in"
	case 429:
		f.Kind, f.Retry = fault.Overloaded, true
	case 500, 502, 503, 504:
		f.Kind, f.Retry = fault.Cold, true
	}
}

func isHTML(header http.Header, body []byte) bool {
	if strings.HasPrefix(header.Get("Content-Type"), "text/html") {
		return true
	}
	return IsHTML(body)
}

// IsHTML reports whether text begins like a web page.
func IsHTML(text []byte) bool {
	head := strings.ToLower(strings.TrimSpace(string(text[:min(len(text), 64)])))
	return strings.HasPrefix(head, "<html") || strings.HasPrefix(head, "<!doctype")
}

// title returns a page's title.
func title(page []byte, status int) string {
	_, rest, ok := strings.Cut(string(page), "<title>")
	if !ok {
		return "a web page instead of an answer"
	}
	t, _, _ := strings.Cut(rest, "</title>")
	return fault.Clip(strings.TrimSpace(t))
}
