// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"fmt"
	"net/http"
	"strings"
)

// geminiProto writes the Gemini API's responses: server-sent events, or
// without alt=sse the elements of a JSON array.
type geminiProto struct {
	model, id string
	prompt    int
	tokens    int
	sse       bool
	begun     bool
}

func (p *geminiProto) contentType() string {
	if p.sse {
		return "text/event-stream"
	}
	return "application/json; charset=UTF-8"
}

// event is one response of the stream.
func (p *geminiProto) event(parts, finish string) []byte {
	reason := ""
	if finish != "" {
		reason = `,"finishReason":` + quote(finish)
	}
	return p.line(fmt.Sprintf(`{"candidates":[{"content":{"parts":[%s],"role":"model"}%s,"index":0}],"usageMetadata":%s,"modelVersion":%s,"responseId":%s}`,
		parts, reason, p.usage(p.tokens), quote(p.model), quote(p.id)))
}

func (p *geminiProto) line(s string) []byte {
	if p.sse {
		return []byte("data: " + s + "\r\n\r\n")
	}
	begin := ",\r\n"
	if !p.begun {
		begin = "["
	}
	p.begun = true
	return []byte(begin + s)
}

func (p *geminiProto) usage(tokens int) string {
	return fmt.Sprintf(`{"promptTokenCount":%d,"candidatesTokenCount":%d,"totalTokenCount":%d}`, p.prompt, tokens, p.prompt+tokens)
}

func (p *geminiProto) thought(s string) []byte {
	p.tokens++
	return p.event(`{"text":`+quote(s)+`,"thought":true}`, "")
}

func (p *geminiProto) text(s string) []byte {
	p.tokens++
	return p.event(`{"text":`+quote(s)+`}`, "")
}

func (p *geminiProto) call(i int, c ToolCall) []byte {
	p.tokens += 8
	return p.event(geminiCall(c), "")
}

func geminiCall(c ToolCall) string {
	id := ""
	if c.ID != "" {
		id = `"id":` + quote(c.ID) + `,`
	}
	return fmt.Sprintf(`{"functionCall":{%s"name":%s,"args":%s}}`, id, quote(c.Name), arguments(c))
}

func (p *geminiProto) end(finish string, tokens int) []byte {
	p.tokens = tokens
	out := p.event(`{"text":""}`, geminiFinish(finish))
	if !p.sse {
		out = append(out, "]\n"...)
	}
	return out
}

func geminiFinish(finish string) string {
	switch finish {
	case "length":
		return "MAX_TOKENS"
	case "stop", "tool_calls":
		return "STOP"
	case "content_filter":
		return "SAFETY"
	}
	return strings.ToUpper(finish)
}

func (p *geminiProto) fail(message string) []byte {
	return p.line(`{"error":{"code":500,"message":` + quote(message) + `,"status":"INTERNAL"}}`)
}

func (p *geminiProto) crash() ([]byte, bool) { return nil, true }

func (p *geminiProto) foreign() []byte {
	return []byte(`{"model":` + quote(p.model) + `,"created_at":"` + now() + `","message":{"role":"assistant","content":"foreign"},"done":false}` + "\n")
}

func (p *geminiProto) asked(prompt int) { p.prompt = prompt }

func (p *geminiProto) rename(model string) { p.model = model }

func (p *geminiProto) unaryType() string { return "application/json; charset=UTF-8" }

func (p *geminiProto) unary(r Reply, finish string) []byte {
	var parts []string
	if s := strings.Join(r.Thoughts, ""); s != "" {
		parts = append(parts, `{"text":`+quote(s)+`,"thought":true}`)
	}
	if s := strings.Join(r.Chunks, ""); s != "" || len(r.Calls) == 0 {
		parts = append(parts, `{"text":`+quote(s)+`}`)
	}
	for _, c := range r.Calls {
		parts = append(parts, geminiCall(c))
	}
	reason := ""
	if finish != "" {
		reason = `,"finishReason":` + quote(geminiFinish(finish))
	}
	return fmt.Appendf(nil, `{"candidates":[{"content":{"parts":[%s],"role":"model"}%s,"index":0}],"usageMetadata":%s,"modelVersion":%s,"responseId":%s}`+"\n",
		strings.Join(parts, ","), reason, p.usage(r.tokenCount()), quote(p.model), quote(p.id))
}

func (p *geminiProto) foreignUnary() []byte {
	return []byte(`{"id":"chatcmpl-1","object":"chat.completion","created":` + unix() + `,"model":` + quote(p.model) +
		`,"choices":[{"index":0,"message":{"role":"assistant","content":"foreign"},"finish_reason":"stop"}]}` + "\n")
}

func (p *geminiProto) refuse(w http.ResponseWriter, status int, message string) {
	name := map[int]string{400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
		429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}[status]
	geminiError(w, status, name, message)
}
