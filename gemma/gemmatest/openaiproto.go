// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// openAI writes the OpenAI API's messages: as Ollama does, or as vLLM does
// (llama.cpp's server is close enough to vLLM to share it).
type openAI struct {
	ollama bool
	newer  bool // of Ollama
	llama  bool // llama.cpp's errors
	flat   bool // errors as vLLM wrote them before 0.10
	reason bool // vLLM's thoughts as "reasoning", since 0.12, not "reasoning_content"
	id     string
	model  string
	usage  bool // stream_options.include_usage
	n      int  // candidates; 0 is 1
	logs   logprobs
	prompt int
	begun  bool // vLLM: the role has been sent
	calls  int
}

func (p *openAI) begin(string, time.Time, time.Time) {}

func (p *openAI) asked(prompt int) { p.prompt = prompt }

func (p *openAI) contentType() string {
	if p.ollama {
		return "text/event-stream"
	}
	return "text/event-stream; charset=utf-8"
}

// chunk is one event with a delta and a finish reason (null if "").
func (p *openAI) chunk(delta, finish string) []byte { return p.choice(0, delta, finish, "") }

// choice is a chunk of one candidate; logs is its logprobs, null if "".
func (p *openAI) choice(index int, delta, finish, logs string) []byte {
	reason := "null"
	if finish != "" {
		reason = quote(finish)
	}
	if p.ollama {
		if logs != "" {
			logs = `,"logprobs":{"content":` + logs + `}`
		}
		return fmt.Appendf(nil, `data: {"id":%s,"object":"chat.completion.chunk","created":%s,"model":%s,"system_fingerprint":"fp_ollama",`+
			`"choices":[{"index":0,"delta":%s,"finish_reason":%s%s}]}`+"\n\n", quote(p.id), unix(), quote(p.model), delta, reason, logs)
	}
	stop := ""
	if finish != "" {
		stop = `,"stop_reason":null`
	}
	if logs == "" {
		logs = "null"
	} else {
		logs = `{"content":` + logs + `}`
	}
	var first []byte
	if !p.begun {
		p.begun = true
		for i := range max(p.n, 1) {
			first = append(first, p.choice(i, `{"role":"assistant","content":""}`, "", "")...)
		}
	}
	return fmt.Appendf(first, `data: {"id":%s,"object":"chat.completion.chunk","created":%s,"model":%s,`+
		`"choices":[{"index":%d,"delta":%s,"logprobs":%s,"finish_reason":%s%s}]}`+"\n\n", quote(p.id), unix(), quote(p.model), index, delta, logs, reason, stop)
}

func (p *openAI) thought(s string) []byte {
	if p.ollama {
		return p.chunk(`{"role":"assistant","content":"","reasoning":`+quote(s)+`}`, "")
	}
	return p.chunk(`{`+p.reasoning()+`:`+quote(s)+`}`, "")
}

func (p *openAI) reasoning() string {
	if p.reason {
		return `"reasoning"`
	}
	return `"reasoning_content"`
}

// text is one event for each candidate. Further candidates say the same in
// capitals.
func (p *openAI) text(s string) []byte {
	logs := func(s string) string {
		if !p.logs.on {
			return ""
		}
		return p.logs.list(s)
	}
	if p.ollama {
		return p.choice(0, `{"role":"assistant","content":`+quote(s)+`}`, "", logs(s))
	}
	out := p.choice(0, `{"content":`+quote(s)+`}`, "", logs(s))
	for i := 1; i < p.n; i++ {
		up := strings.ToUpper(s)
		out = append(out, p.choice(i, `{"content":`+quote(up)+`}`, "", logs(up))...)
	}
	return out
}

// call is one event on Ollama. On vLLM the name comes first and the arguments
// in pieces.
func (p *openAI) call(i int, c ToolCall) []byte {
	p.calls++
	if p.ollama {
		return p.chunk(`{"role":"assistant","content":"","tool_calls":[`+p.toolCall(i, c)+`]}`, "")
	}
	out := p.chunk(fmt.Sprintf(`{"tool_calls":[{"id":%s,"type":"function","index":%d,"function":{"name":%s}}]}`,
		quote(callID("chatcmpl-tool-", i, c)), i, quote(c.Name)), "")
	for _, piece := range pieces(arguments(c), 7) {
		out = append(out, p.chunk(fmt.Sprintf(`{"tool_calls":[{"index":%d,"function":{"arguments":%s}}]}`, i, quote(piece)), "")...)
	}
	return out
}

func (p *openAI) toolCall(i int, c ToolCall) string {
	if p.ollama {
		return fmt.Sprintf(`{"id":%s,"index":%d,"type":"function","function":{"name":%s,"arguments":%s}}`,
			quote(callID("call_", i, c)), i, quote(c.Name), quote(arguments(c)))
	}
	return fmt.Sprintf(`{"id":%s,"type":"function","function":{"name":%s,"arguments":%s}}`,
		quote(callID("chatcmpl-tool-", i, c)), quote(c.Name), quote(arguments(c)))
}

// pieces cuts a string after every n runes.
func pieces(s string, n int) []string {
	var out []string
	r := []rune(s)
	for len(r) > n {
		out = append(out, string(r[:n]))
		r = r[n:]
	}
	return append(out, string(r))
}

func (p *openAI) end(finish string, tokens int) []byte {
	var out []byte
	if p.ollama {
		out = p.chunk(`{"role":"assistant","content":""}`, finish)
	} else {
		for i := range max(p.n, 1) {
			out = append(out, p.choice(i, `{"content":""}`, finish, "")...)
		}
	}
	if p.usage {
		fingerprint := ""
		if p.ollama {
			fingerprint = `"system_fingerprint":"fp_ollama",`
		}
		out = fmt.Appendf(out, `data: {"id":%s,"object":"chat.completion.chunk","created":%s,"model":%s,%s"choices":[],"usage":%s}`+"\n\n",
			quote(p.id), unix(), quote(p.model), fingerprint, p.counts(tokens))
	}
	return append(out, "data: [DONE]\n\n"...)
}

// counts is the usage; vLLM writes the total before the completion.
func (p *openAI) counts(tokens int) string {
	tokens *= max(p.n, 1)
	if p.ollama {
		return fmt.Sprintf(`{"prompt_tokens":%d,"completion_tokens":%d,"total_tokens":%d}`, p.prompt, tokens, p.prompt+tokens)
	}
	return fmt.Sprintf(`{"prompt_tokens":%d,"total_tokens":%d,"completion_tokens":%d}`, p.prompt, p.prompt+tokens, tokens)
}

func (p *openAI) bare(string) []byte { return nil } // no route leads here

// fail is vLLM's error in the middle of a stream. Ollama's layer has none: it
// swallows the error.
func (p *openAI) fail(message string) []byte {
	if p.ollama {
		return []byte("data: " + `{"error":{"message":` + quote(message) + `,"type":"api_error","param":null,"code":null}}` + "\n\n")
	}
	return []byte("data: " + `{"error":{"message":` + quote(message) + `,"type":"InternalServerError","param":null,"code":500}}` + "\n\ndata: [DONE]\n\n")
}

// crash on Ollama is an empty chunk of no model, and no [DONE]: the error is
// lost (recorded from v0.6.5 and v0.24.0). vLLM's engine takes the server with
// it.
func (p *openAI) crash() ([]byte, bool) {
	if !p.ollama {
		return nil, true
	}
	p.model = ""
	return p.chunk(`{"role":"assistant","content":""}`, ""), false
}

func (p *openAI) foreign() []byte {
	return []byte(`{"model":` + quote(p.model) + `,"created_at":"` + now() + `","message":{"role":"assistant","content":"foreign"},"done":false}` + "\n")
}

func (p *openAI) rename(model string) { p.model = model }

func (p *openAI) line(s string) []byte { return []byte("data: " + s + "\n\n") }

func (p *openAI) unaryType() string { return "application/json" }

func (p *openAI) unary(r Reply, finish string) []byte {
	reason, counts := quote(finish), p.counts(r.tokenCount())
	if finish == "" {
		reason, counts = "null", `{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}`
	}
	if p.ollama {
		logs := ""
		if p.logs.on {
			logs = `,"logprobs":{"content":` + p.logs.list(r.Chunks...) + `}`
		}
		return fmt.Appendf(nil, `{"id":%s,"object":"chat.completion","created":%s,"model":%s,"system_fingerprint":"fp_ollama",`+
			`"choices":[{"index":0,"message":%s,"finish_reason":%s%s}],"usage":%s}`+"\n",
			quote(p.id), unix(), quote(p.model), p.message(r), reason, logs, counts)
	}
	var choices []string
	for i := range max(p.n, 1) {
		if i == 1 {
			r.Chunks = slices.Clone(r.Chunks)
			for k := range r.Chunks {
				r.Chunks[k] = strings.ToUpper(r.Chunks[k])
			}
		}
		logs := "null"
		if p.logs.on {
			logs = `{"content":` + p.logs.list(r.Chunks...) + `}`
		}
		choices = append(choices, fmt.Sprintf(`{"index":%d,"message":%s,"logprobs":%s,"finish_reason":%s,"stop_reason":null}`, i, p.message(r), logs, reason))
	}
	return fmt.Appendf(nil, `{"id":%s,"object":"chat.completion","created":%s,"model":%s,"choices":[%s],"usage":%s,"prompt_logprobs":null}`,
		quote(p.id), unix(), quote(p.model), strings.Join(choices, ","), counts)
}

// message is the whole answer of one candidate.
func (p *openAI) message(r Reply) string {
	message := `{"role":"assistant"`
	thoughts, text := strings.Join(r.Thoughts, ""), strings.Join(r.Chunks, "")
	if !p.ollama && thoughts != "" {
		message += `,` + p.reasoning() + `:` + quote(thoughts)
	}
	message += `,"content":` + quote(text)
	if p.ollama && thoughts != "" {
		message += `,"reasoning":` + quote(thoughts)
	}
	if len(r.Calls) > 0 {
		calls := make([]string, len(r.Calls))
		for i, c := range r.Calls {
			calls[i] = p.toolCall(i, c)
		}
		message += `,"tool_calls":[` + strings.Join(calls, ",") + `]`
	}
	return message + "}"
}

func (p *openAI) foreignUnary() []byte {
	return []byte(`{"model":` + quote(p.model) + `,"created_at":"` + now() +
		`","message":{"role":"assistant","content":"foreign"},"done_reason":"stop","done":true,"eval_count":1}`)
}

// refuse answers with an error. v0.6.5 calls every error that comes from
// below its OpenAI layer an api_error.
func (p *openAI) refuse(w http.ResponseWriter, status int, message string) {
	kind, code := "api_error", ""
	switch {
	case p.llama:
		kind = "invalid_request_error"
		if status >= 500 {
			kind = "server_error"
		}
		writeJSON(w, status, "application/json; charset=utf-8",
			fmt.Appendf(nil, `{"error":{"code":%d,"message":%s,"type":%s}}`, status, quote(message), quote(kind)))
		return
	case p.flat:
		writeJSON(w, status, "application/json",
			fmt.Appendf(nil, `{"object":"error","message":%s,"type":%s,"param":null,"code":%d}`, quote(message), quote(vllmErrorType(status)), status))
		return
	case p.ollama && !p.newer:
	case p.ollama && status == http.StatusBadRequest:
		kind = "invalid_request_error"
	case p.ollama && status == http.StatusNotFound:
		kind = "not_found_error"
	case !p.ollama:
		kind, code = vllmErrorType(status), fmt.Sprint(status)
	}
	p.refuseType(w, status, "application/json", message, kind, code)
}

func (p *openAI) refuseType(w http.ResponseWriter, status int, contentType, message, kind, code string) {
	end := ""
	if p.ollama && !strings.Contains(contentType, "charset") { // written by another encoder
		end = "\n"
	}
	if code == "" {
		code = "null"
	}
	writeJSON(w, status, contentType, fmt.Appendf(nil, `{"error":{"message":%s,"type":%s,"param":null,"code":%s}}%s`, quote(message), quote(kind), code, end))
}
