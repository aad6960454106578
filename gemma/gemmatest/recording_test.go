// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// recording is an answer of a real server, as curl -i printed it.
type recording struct {
	status  string
	headers []string // names
	length  string   // Content-Length, "" if there is none
	kind    string   // Content-Type
	body    string
}

// recordings reads the sections of a file, each under "### name".
func recordings(t *testing.T, file string) map[string]recording {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]recording)
	for section := range strings.SplitSeq("\n"+string(b), "\n### ") {
		name, rest, ok := strings.Cut(section, "\n")
		if !ok || !strings.HasPrefix(rest, "HTTP/1.1 ") {
			continue
		}
		rest, _, _ = strings.Cut(rest, "\n=====") // a heading within the file
		head, body, _ := strings.Cut(rest, "\n\n")
		r := recording{body: body}
		lines := strings.Split(head, "\n")
		r.status = strings.TrimPrefix(lines[0], "HTTP/1.1 ")
		for _, l := range lines[1:] {
			key, value, _ := strings.Cut(l, ": ")
			switch key {
			case "Content-Length":
				r.length = value
			case "Content-Type":
				r.kind = value
			}
			r.headers = append(r.headers, key)
		}
		out[name] = r
	}
	return out
}

// volatile is what differs from run to run: times, ids, durations, digests.
var volatile = []struct {
	re *regexp.Regexp
	to string
}{
	{regexp.MustCompile(`"created_at":"[^"]*"`), `"created_at":"T"`},
	{regexp.MustCompile(`"(created)":\d+`), `"$1":0`},
	{regexp.MustCompile(`_duration":\d+`), `_duration":0`},
	{regexp.MustCompile(`"id":"chatcmpl-\d+"`), `"id":"I"`},
	{regexp.MustCompile(`"context":\[[\d,]*\]`), `"context":[]`},
	{regexp.MustCompile(`"(modified_at|expires_at|digest|parameter_size|quantization_level)":"[^"]*"`), `"$1":""`},
	{regexp.MustCompile(`"(size|size_vram)":\d+`), `"$1":0`},
	{regexp.MustCompile(`"version":"[^"]*"`), `"version":""`},
}

func normal(s string) string {
	for _, v := range volatile {
		s = v.re.ReplaceAllString(s, v.to)
	}
	return strings.TrimRight(s, "\n")
}

// compare holds an answer against a recording. The curl output of the
// recordings ends bodies with line feeds of its own, so the ends are compared by
// Content-Length where there is one and nothing volatile changes it.
func compare(t *testing.T, rec recording, resp *http.Response, body string) {
	t.Helper()
	if resp.Status != rec.status {
		t.Errorf("status %q, recorded %q", resp.Status, rec.status)
	}
	if got := resp.Header.Get("Content-Type"); got != rec.kind {
		t.Errorf("content type %q, recorded %q", got, rec.kind)
	}
	chunked := slices.Contains(resp.TransferEncoding, "chunked")
	if want := slices.Contains(rec.headers, "Transfer-Encoding"); chunked != want {
		t.Errorf("chunked %v, recorded %v", chunked, want)
	}
	for name := range resp.Header {
		if !slices.Contains(rec.headers, name) {
			t.Errorf("header %s is not in the recording", name)
		}
	}
	for _, name := range rec.headers {
		if name != "Transfer-Encoding" && resp.Header.Get(name) == "" {
			t.Errorf("header %s of the recording is missing", name)
		}
	}
	if head, tail, cut := strings.Cut(rec.body, "...\n"); cut { // the recording leaves out the middle
		if got, want := normal(body), normal(head); !strings.HasPrefix(got, want) {
			t.Errorf("body begins\n%.600s\nrecorded\n%.600s", got, want)
		}
		if got, want := normal(body), normal(tail); !strings.HasSuffix(got, strings.TrimLeft(want, "\n")) {
			t.Errorf("body ends\n%s\nrecorded\n%s", got, want)
		}
		return
	}
	if got, want := normal(body), normal(rec.body); got != want {
		t.Errorf("body\n%s\nrecorded\n%s", got, want)
	}
	if rec.length != "" && body == strings.TrimRight(rec.body, "\n")+body[len(strings.TrimRight(body, "\n")):] {
		if got := resp.Header.Get("Content-Length"); got != rec.length {
			t.Errorf("Content-Length %s, recorded %s", got, rec.length)
		}
	}
}

// ask sends one request to a server without a front end.
func ask(t *testing.T, s *Server, method, path, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("reading the body: %v", err)
	}
	return resp, string(b)
}

type recorded struct {
	name   string // of the section; "newer: " before it takes it from v0.24.0 alone
	method string // "" is POST
	path   string
	body   string
	reply  Reply
}

var six = Reply{Chunks: []string{"Can", " under", " north", " can", " finds", " write"}, Finish: "length", PromptTokens: 22}

const (
	hi       = `"messages":[{"role":"user","content":"hi"}]`
	model1b  = `"model":"gemma3:1b"`
	chat1b   = "{" + model1b + "," + hi
	imageB64 = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

var nativeRecordings = []recorded{
	{name: "/api/chat stream", path: "/api/chat", body: chat1b + `}`, reply: six},
	{name: "/api/chat non-stream", path: "/api/chat", body: chat1b + `,"stream":false}`, reply: six},
	{name: "/api/generate stream", path: "/api/generate", body: `{` + model1b + `,"prompt":"hi"}`, reply: six},
	{name: "/api/generate non-stream", path: "/api/generate", body: `{` + model1b + `,"prompt":"hi","stream":false}`, reply: six},
	{name: "/v1/chat/completions stream + include_usage", path: "/v1/chat/completions", body: chat1b + `,"stream":true,"stream_options":{"include_usage":true}}`,
		reply: Reply{Chunks: []string{"Word", " answer"}}},
	{name: "/v1/chat/completions stream, no usage", path: "/v1/chat/completions", body: chat1b + `,"stream":true}`,
		reply: Reply{Chunks: []string{"Word", " answer"}}},
	{name: "/v1/chat/completions non-stream", path: "/v1/chat/completions", body: chat1b + `}`,
		reply: Reply{Chunks: tokens("Word answer keep takes prompt over"), Finish: "length", PromptTokens: 22}},
	{name: "/api/tags", method: "GET", path: "/api/tags"},
	{name: "/api/ps", method: "GET", path: "/api/ps"},
	{name: "/api/version", method: "GET", path: "/api/version"},
	{name: "/v1/models", method: "GET", path: "/v1/models"},
	{name: "load only: /api/chat with empty messages", path: "/api/chat", body: `{` + model1b + `,"messages":[]}`},
	{name: "load only: /api/generate without prompt", path: "/api/generate", body: `{` + model1b + `}`},
	{name: "unload: keep_alive 0", path: "/api/generate", body: `{` + model1b + `,"keep_alive":0}`},
	{name: "/api/embed", path: "/api/embed", body: `{` + model1b + `,"input":"hi"}`},
	{name: "/v1/embeddings", path: "/v1/embeddings", body: `{` + model1b + `,"input":"hi"}`},

	{name: "chat unknown model", path: "/api/chat", body: `{"model":"nope",` + hi + `}`},
	{name: "chat gemini name", path: "/api/chat", body: `{"model":"gemma-3-1b-it",` + hi + `}`},
	{name: "generate unknown model", path: "/api/generate", body: `{"model":"nope","prompt":"hi"}`},
	{name: "openai unknown model", path: "/v1/chat/completions", body: `{"model":"nope",` + hi + `}`},
	{name: "openai unknown model stream", path: "/v1/chat/completions", body: `{"model":"nope","stream":true,` + hi + `}`},
	{name: "openai gemini name", path: "/v1/chat/completions", body: `{"model":"gemma-3-1b-it",` + hi + `}`},
	{name: "show unknown model", path: "/api/show", body: `{"model":"nope"}`},
	{name: "chat bad JSON", path: "/api/chat", body: `{"model":`},
	{name: "chat empty body", path: "/api/chat", body: ``},
	{name: "chat wrong type", path: "/api/chat", body: `{` + model1b + `,"messages":"hi"}`},
	{name: "openai bad JSON", path: "/v1/chat/completions", body: `{"model":`},
	{name: "chat invalid role", path: "/api/chat", body: `{` + model1b + `,"stream":false,"messages":[{"role":"wizard","content":"hi"}]}`,
		reply: Reply{Chunks: []string{" prompt", " over", "."}, PromptTokens: 1, Tokens: 4}},
	{name: "chat no model", path: "/api/chat", body: `{` + hi + `}`},
	{name: "chat bad option type", path: "/api/chat", body: chat1b + `,"options":{"num_predict":"many"}}`},
	{name: "chat unknown option", path: "/api/chat", body: chat1b + `,"stream":false,"options":{"nonsense":1}}`},
	{name: "chat unknown top-level field", path: "/api/chat", body: chat1b + `,"stream":false,"nonsense":1}`},
	{name: "chat bad format", path: "/api/chat", body: chat1b + `,"stream":false,"format":"xml"}`},
	{name: "chat bad schema", path: "/api/chat", body: chat1b + `,"stream":false,"format":{"type":"nonsense"}}`},
	{name: "chat tools (template without tools)", path: "/api/chat", body: chat1b + `,"tools":[{"type":"function","function":{"name":"f"}}]}`},
	{name: "openai tools (template without tools)", path: "/v1/chat/completions", body: chat1b + `,"tools":[{"type":"function","function":{"name":"f"}}]}`},
	{name: "chat think:true", path: "/api/chat", body: chat1b + `,"stream":false,"think":true}`, reply: Reply{Chunks: []string{"Morning", " bright"}, Finish: "length", PromptTokens: 22}},
	{name: "chat image on a text-only model", path: "/api/chat", body: `{` + model1b + `,"stream":false,"messages":[{"role":"user","content":"hi","images":["` + imageB64 + `"]}]}`},
	{name: "chat image on a text-only model, stream", path: "/api/chat", body: `{` + model1b + `,"messages":[{"role":"user","content":"hi","images":["` + imageB64 + `"]}]}`},
	{name: "chat image bad base64", path: "/api/chat", body: `{` + model1b + `,"messages":[{"role":"user","content":"hi","images":["!!"]}]}`},
	{name: "openai image_url data", path: "/v1/chat/completions", body: `{` + model1b + `,"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + imageB64 + `"}}]}]}`},
	{name: "openai image_url http", path: "/v1/chat/completions", body: `{` + model1b + `,"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://example.com/x.png"}}]}]}`},
	{name: "openai content parts text", path: "/v1/chat/completions", body: `{` + model1b + `,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`,
		reply: Reply{Chunks: []string{"There", "."}, Finish: "length", PromptTokens: 19}},
	{name: "GET /api/chat", method: "GET", path: "/api/chat"},
	{name: "unknown /api/foo", method: "GET", path: "/api/foo"},
}

func TestOllamaAgainstRecordings(t *testing.T) {
	for _, version := range []string{"0.6.5", "0.24.0"} {
		recs := recordings(t, "native-"+version+".txt")
		for _, c := range nativeRecordings {
			t.Run(version+"/"+c.name, func(t *testing.T) {
				rec, ok := recs[c.name]
				if !ok {
					t.Fatal("no such recording")
				}
				reply := c.reply
				if strings.Contains(rec.body, `"House can"`) {
					reply = Reply{Chunks: []string{"House", " can"}, Finish: "length", PromptTokens: 22}
				} else if strings.Contains(rec.body, `"Slow."`) {
					reply = Reply{Chunks: []string{"Slow", "."}, Finish: "length", PromptTokens: 22}
				} else if strings.Contains(rec.body, `"Shows gemma"`) {
					reply = Reply{Chunks: []string{"Shows", " gemma"}, Finish: "length", PromptTokens: 22}
				}
				s := NewServer(Config{Kind: Ollama, Model: "gemma3:1b", Also: []string{"gemma3:4b"}, Version: version, Local: true, InMemory: true,
					Reply: func(Call) Reply { return reply }})
				defer s.Close()
				method := c.method
				if method == "" {
					method = "POST"
				}
				resp, body := ask(t, s, method, c.path, c.body)
				compare(t, rec, resp, body)
			})
		}
	}
}
