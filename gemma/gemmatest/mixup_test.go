// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// outcome is what a client of one route got.
type outcome string

const (
	good    outcome = "good"
	empty   outcome = "empty 200"
	openAI1 outcome = "OpenAI JSON"
	openAIS outcome = "OpenAI SSE"
	gem     outcome = "Gemini"
	eof     outcome = "EOF"
	others  outcome = "another's answer"
)

// mixRoutes are the routes of the measurement; id is the prompt's, and comes
// back in the answer.
var mixRoutes = map[string]struct {
	path, body string
	own        func(string) bool
}{
	"gen": {"/v1beta/models/gemma-3-4b-it:generateContent", `{"contents":[{"parts":[{"text":"ID"}]}]}`,
		func(b string) bool { return strings.Contains(b, `"finishReason":"STOP"`) }},
	"stream": {"/v1beta/models/gemma-3-4b-it:streamGenerateContent?alt=sse", `{"contents":[{"parts":[{"text":"ID"}]}]}`,
		func(b string) bool {
			return strings.HasPrefix(b, `{"candidates"`) && strings.Contains(b, `"finishReason":"STOP"`)
		}},
	"chat": {"/api/chat", `{"model":"gemma3:4b","messages":[{"role":"user","content":"ID"}]}`,
		func(b string) bool { return strings.Contains(b, `"done":true`) }},
	"openai": {"/v1/chat/completions", `{"model":"gemma3:4b","messages":[{"role":"user","content":"ID"}]}`,
		func(b string) bool { return strings.Contains(b, `"finish_reason":"stop"`) }},
}

func classify(route, id, body string, err error) outcome {
	switch {
	case err != nil:
		return eof
	case body == "":
		return empty
	case mixRoutes[route].own(body) && strings.Contains(body, id):
		return good
	case mixRoutes[route].own(body):
		return others
	case strings.HasPrefix(body, "data: "):
		return openAIS
	case strings.HasPrefix(body, `{"id":"chatcmpl`):
		return openAI1
	case strings.HasPrefix(body, `{"candidates"`), strings.HasPrefix(body, `{"usageMetadata"`):
		return gem
	}
	return outcome(fmt.Sprintf("unknown: %.80s", body))
}

// mix runs n calls over the routes, c at a time, with answers that take 50 to
// 250 ms, as the measurement did.
func mix(t *testing.T, cfg Config, n, c int, routes ...string) map[string]map[outcome]int {
	t.Helper()
	cfg.Reply = func(call Call) Reply {
		word := call.Messages[0].Text
		return Reply{Chunks: []string{word, " done"}, FirstToken: time.Duration(50+crcOf(word)%200) * time.Millisecond}
	}
	s := newPrebuilt(t, cfg)
	got := make(map[string]map[outcome]int)
	var mu sync.Mutex
	var wg sync.WaitGroup
	work := make(chan int)
	for range c {
		wg.Go(func() {
			for i := range work {
				route := routes[i%len(routes)]
				id := fmt.Sprintf("q%dq", i)
				m := mixRoutes[route]
				req, err := http.NewRequest("POST", s.URL+m.path, strings.NewReader(strings.ReplaceAll(m.body, "ID", id)))
				if err != nil {
					t.Error(err)
					return
				}
				var body []byte
				resp, err := s.Transport().RoundTrip(req)
				if err == nil {
					body, err = io.ReadAll(resp.Body)
					resp.Body.Close()
				}
				o := classify(route, id, string(body), err)
				mu.Lock()
				if got[route] == nil {
					got[route] = make(map[outcome]int)
				}
				got[route][o]++
				mu.Unlock()
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	wg.Wait()
	s.Close()
	return got
}

func wrong(got map[string]map[outcome]int) (n int) {
	for _, m := range got {
		for o, count := range m {
			if o != good {
				n += count
			}
		}
	}
	return n
}

// TestMixUp reproduces what was measured on the real proxy with 200 calls at
// four at a time: which kinds of wrong answer come, and about how many.
func TestMixUp(t *testing.T) {
	for _, c := range []struct {
		routes   []string
		measured int // wrong of 200
		kinds    map[string][]outcome
	}{
		{[]string{"gen", "stream", "chat"}, 136, map[string][]outcome{"gen": {empty, openAI1}, "stream": {openAIS, eof}, "chat": {empty, eof}}},
		{[]string{"gen", "stream"}, 97, map[string][]outcome{"gen": {empty}, "stream": {eof}}},
		{[]string{"gen", "chat"}, 89, map[string][]outcome{"gen": {openAI1}, "chat": {eof}}},
		{[]string{"stream", "chat"}, 100, map[string][]outcome{"stream": {openAIS}, "chat": {empty}}},
		{[]string{"gen", "openai"}, 110, map[string][]outcome{"gen": {openAI1}, "openai": {gem}}},
	} {
		t.Run(strings.Join(c.routes, "+"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := mix(t, Config{Model: "gemma-3-4b-it"}, 200, 4, c.routes...)
				if n := wrong(got); n < c.measured*6/10 || n > c.measured*14/10 {
					t.Errorf("%d of 200 wrong, measured %d: %v", n, c.measured, got)
				}
				for route, kinds := range c.kinds {
					for _, k := range kinds {
						if got[route][k] == 0 {
							t.Errorf("%s never gave %q: %v", route, k, got[route])
						}
						delete(got[route], k)
					}
					delete(got[route], good)
					if len(got[route]) > 0 {
						t.Errorf("%s gave what was not measured: %v", route, got[route])
					}
				}
			})
		})
	}
}

// TestMixUpOfOneKind: pass-through routes never go wrong; Gemini calls of one
// kind at times get another's answer, in the right format.
func TestMixUpOfOneKind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, routes := range [][]string{{"chat"}, {"chat", "openai"}} {
			if got := mix(t, Config{Model: "gemma-3-4b-it"}, 1000, 4, routes...); wrong(got) != 0 {
				t.Errorf("%v: %v", routes, got)
			}
		}
		for _, routes := range [][]string{{"gen"}, {"stream"}} {
			got := mix(t, Config{Model: "gemma-3-4b-it"}, 2000, 4, routes...)
			n := got[routes[0]][others]
			if n < 2 || n > 14 || wrong(got) != n { // measured: 0.1 to 0.4 %
				t.Errorf("%v: %v", routes, got)
			}
		}
		if got := mix(t, Config{Model: "gemma-3-4b-it"}, 100, 1, "gen", "stream", "chat"); wrong(got) != 0 {
			t.Errorf("one at a time: %v", got)
		}
		if got := mix(t, Config{Model: "gemma-3-4b-it", NoMixUp: true}, 400, 4, "gen", "stream", "chat"); wrong(got) != 0 {
			t.Errorf("NoMixUp: %v", got)
		}
	})
}

// TestPingBreaksGeminiCalls: a health probe on any other route is enough.
func TestPingBreaksGeminiCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newPrebuilt(t, Config{Model: "gemma-3-4b-it", FirstToken: 300 * time.Millisecond})
		done := make(chan struct{})
		var probes sync.WaitGroup
		probes.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-time.After(100 * time.Millisecond):
					ask(t, s, "GET", "/api/version", "")
				}
			}
		})
		broken := 0
		for range 10 {
			_, body := ask(t, s, "POST", mixRoutes["gen"].path, geminiHi)
			var answer struct{ Candidates []any }
			if json.Unmarshal([]byte(body), &answer) != nil || len(answer.Candidates) == 0 {
				broken++
			}
		}
		close(done)
		probes.Wait()
		s.Close()
		if broken == 0 {
			t.Error("no call was broken by probes")
		}
	})
}
