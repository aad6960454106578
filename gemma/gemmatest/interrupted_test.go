// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// interruption is one section of the recording of broken answers.
type interruption struct {
	status    string // "200"
	truncated bool   // curl saw the body end before its end
	kind      string
	tail      string // the last that came
}

func interruptions(t *testing.T) map[string]interruption {
	t.Helper()
	b, err := os.ReadFile("testdata/interrupted-0.6.5.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]interruption)
	for section := range strings.SplitSeq("\n"+string(b), "\n=== ") {
		name, rest, ok := strings.Cut(section, "\n")
		if !ok {
			continue
		}
		var i interruption
		i.truncated = strings.Contains(rest, "curl rc=18")
		_, s, _ := strings.Cut(rest, "http=")
		i.status, _, _ = strings.Cut(s, " ")
		_, s, _ = strings.Cut(rest, "Content-Type: ")
		i.kind, _, _ = strings.Cut(s, "\n")
		body, _, _ := strings.Cut(rest, "proxy log tail:")
		_, body, _ = strings.Cut(body, "...\n")
		// Undo cat -v -e, then the chunks' framing.
		body = strings.NewReplacer("^M$\n", "\r\n", "$\n", "\n").Replace(body)
		body = strings.TrimSuffix(body, "0\r\n\r\n")
		body = chunkSize.ReplaceAllString(body, "")
		if _, after, ok := strings.Cut(body, "\r\n\r\n"); ok && !strings.HasPrefix(i.status, "200") {
			body = after // what is left of the headers
		}
		i.tail = strings.TrimRight(body, "\r\n")
		out[name] = i
	}
	return out
}

func TestInterruptedAgainstRecordings(t *testing.T) {
	recs := interruptions(t)
	chat := `{"model":"gemma3:4b","messages":[{"role":"user","content":"hi"}]`
	routes := []struct{ name, path, body string }{
		{"native /api/chat stream via proxy", "/api/chat", chat + `}`},
		{"native /api/chat nonstream via proxy", "/api/chat", chat + `,"stream":false}`},
		{"native /api/generate stream via proxy", "/api/generate", `{"model":"gemma3:4b","prompt":"hi"}`},
		{"openai stream via proxy", "/v1/chat/completions", chat + `,"stream":true}`},
		{"openai nonstream via proxy", "/v1/chat/completions", chat + `}`},
		{"gemini stream", "/v1beta/models/gemma-3-4b-it:streamGenerateContent?alt=sse", geminiHi},
		{"gemini nonstream", "/v1beta/models/gemma-3-4b-it:generateContent", geminiHi},
	}
	for _, kill := range []struct {
		name  string
		fault Fault
	}{{"kill serve", ClosedEarly}, {"kill runner", Crash}} {
		for _, route := range routes {
			name := route.name + " / " + kill.name
			t.Run(name, func(t *testing.T) {
				rec, ok := recs[name]
				if !ok {
					t.Fatal("no such recording")
				}
				s := newPrebuilt(t, Config{Model: "gemma-3-4b-it", Reply: func(Call) Reply {
					return Reply{Chunks: []string{"Word", " "}, Fault: kill.fault, At: 2}
				}})
				req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+route.path, strings.NewReader(route.body))
				if err != nil {
					t.Fatal(err)
				}
				resp, err := s.Transport().RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				body, err := io.ReadAll(resp.Body)
				if got := err != nil; got != rec.truncated {
					t.Errorf("body ended with %v, recorded as truncated: %v", err, rec.truncated)
				}
				if got := resp.Status[:3]; got != rec.status {
					t.Errorf("status %s, recorded %s", got, rec.status)
				}
				if got := resp.Header.Get("Content-Type"); got != rec.kind {
					t.Errorf("content type %q, recorded %q", got, rec.kind)
				}
				last := func(s string) string {
					lines := strings.FieldsFunc(normal(s), func(r rune) bool { return r == '\n' || r == '\r' })
					if len(lines) == 0 {
						return ""
					}
					return lines[len(lines)-1]
				}
				got, want := last(string(body)), last(rec.tail)
				want = strings.ReplaceAll(want, `"content":" night"`, `"content":" "`)
				want = strings.ReplaceAll(want, `"response":" night"`, `"response":" "`)
				if got != want {
					t.Errorf("ends\n%s\nrecorded\n%s", got, want)
				}
			})
		}
	}
}

// TestRunaway: an answer of the runaway guard ends well and without a mark, on
// every route.
func TestRunaway(t *testing.T) {
	chat := `{"model":"gemma3:4b","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":" red"}]`
	for _, c := range []struct{ path, body, must, mustNot string }{
		{"/api/chat", chat + `}`, `"content":" red"`, `"done":true`},
		{"/api/chat", chat + `,"stream":false}`, `"done":false}`, `eval_count`},
		{"/v1/chat/completions", chat + `,"stream":true}`, `"content":" red"`, `[DONE]`},
		{"/v1/chat/completions", chat + `}`, `"finish_reason":null}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}`, `"stop"`},
		{"/v1beta/models/gemma-3-4b-it:streamGenerateContent", geminiHi, `" red"`, `finishReason`},
		{"/v1beta/models/gemma-3-4b-it:generateContent", geminiHi, `"usageMetadata":{}`, `finishReason`},
	} {
		s := newPrebuilt(t, Config{Model: "gemma-3-4b-it", Reply: func(Call) Reply {
			return Reply{Chunks: tokens(strings.Repeat(" red", 31)), Fault: EndEarly, At: 99}
		}})
		resp, body := ask(t, s, "POST", c.path, c.body) // fails if the body does not end well
		if resp.StatusCode != 200 || !strings.Contains(body, c.must) || strings.Contains(body, c.mustNot) {
			t.Errorf("%s %s: %s %.200s", c.path, c.body, resp.Status, body)
		}
	}
}
