// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
)

// newPrebuilt is the container alone, as it was when it was recorded.
func newPrebuilt(t *testing.T, c Config) *Server {
	c.Kind, c.Local, c.InMemory = Prebuilt, true, true
	if c.Model == "" {
		c.Model, c.Also = "gemma-3-1b-it", []string{"gemma-3-4b-it"}
	}
	s := NewServer(c)
	t.Cleanup(s.Close)
	return s
}

const generate1b = "/v1beta/models/gemma-3-1b-it:generateContent"

var geminiRouteRecordings = []recorded{
	{name: "generateContent unknown model", path: "/v1beta/models/nope:generateContent", body: geminiHi},
	{name: "streamGenerateContent unknown model", path: "/v1beta/models/nope:streamGenerateContent?alt=sse", body: geminiHi},
	{name: "generateContent bad JSON", path: generate1b, body: `{"contents":`},
	{name: "generateContent empty body", path: generate1b},
	{name: "generateContent {}", path: generate1b, body: `{}`},
	{name: "generateContent unknown field", path: generate1b, body: `{"contents":[],"nonsense":1}`},
	{name: "generateContent GET", method: "GET", path: generate1b},
	{name: "generateContent snake_case generation_config", path: generate1b, body: `{"contents":[{"parts":[{"text":"hi"}]}],"generation_config":{"stop_sequences":[" every"]}}`,
		reply: Reply{Chunks: []string{"Morning", " bright"}, PromptTokens: 22, Tokens: 3}},
	{name: "countTokens", path: "/v1beta/models/gemma-3-1b-it:countTokens", body: geminiHi},
	{name: "embedContent", path: "/v1beta/models/gemma-3-1b-it:embedContent", body: `{}`},
	{name: "batchEmbedContents", path: "/v1beta/models/gemma-3-1b-it:batchEmbedContents", body: `{}`},
	{name: "generateAnswer", path: "/v1beta/models/gemma-3-1b-it:generateAnswer", body: geminiHi},
	{name: "v1alpha generateContent", path: "/v1alpha/models/gemma-3-1b-it:generateContent", body: geminiHi},
	{name: "models.list v1beta", method: "GET", path: "/v1beta/models"},
	{name: "models.get v1beta", method: "GET", path: "/v1beta/models/gemma-3-1b-it"},
	{name: "v1/models", method: "GET", path: "/v1/models"},
	{name: "v1/models/gemma3:1b", method: "GET", path: "/v1/models/gemma3:1b"},
	{name: "v1/models/gemma-3-1b-it", method: "GET", path: "/v1/models/gemma-3-1b-it"},
	{name: "model name with slash", path: "/v1beta/models/google/gemma-3-1b-it:generateContent", body: geminiHi},
	{name: "raw ollama name escaped", path: "/v1beta/models/gemma3%3A1b:generateContent", body: geminiHi,
		reply: Reply{Chunks: tokens("Cold answer keep takes night garden bird."), PromptTokens: 18, Tokens: 9}},
	{name: "double slash base", path: "//v1beta/models/gemma-3-1b-it:generateContent", body: geminiHi},
	{name: "root GET /", method: "GET", path: "/"},
	{name: "root HEAD /", method: "HEAD", path: "/"},
	{name: "unknown path", method: "GET", path: "/nonsense"},
	{name: "healthz", method: "GET", path: "/healthz"},
}

const geminiHi = `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`

func TestGeminiRouteErrorsAgainstRecordings(t *testing.T) {
	recs := recordings(t, "gemini-errors-0.6.5.txt")
	for _, c := range geminiRouteRecordings {
		t.Run(c.name, func(t *testing.T) {
			rec, ok := recs[c.name]
			if !ok {
				t.Fatal("no such recording")
			}
			s := newPrebuilt(t, Config{Reply: func(Call) Reply { return c.reply }})
			method := c.method
			if method == "" {
				method = http.MethodPost
			}
			resp, body := ask(t, s, method, c.path, c.body)
			compare(t, rec, resp, body)
		})
	}
}

// wire is one exchange of a recording made with cat -v -e: every byte shows.
func wire(t *testing.T, file, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "# "+name+"\n")
	if !ok {
		t.Fatalf("no recording %q", name)
	}
	rest, _, _ = strings.Cut(rest, "\n# ")
	var out strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(rest, "\n"), "\n") {
		if cr, ok := strings.CutSuffix(line, "^M$"); ok {
			out.WriteString(cr + "\r\n")
		} else if full, ok := strings.CutSuffix(line, "$"); ok {
			out.WriteString(full + "\n")
		} else {
			out.WriteString(strings.TrimSuffix(line, "^M"))
		}
	}
	return out.String()
}

// overWire sends a request over a connection of its own and returns every byte
// of the answer.
func overWire(t *testing.T, s *Server, path, body string) string {
	t.Helper()
	conn, err := s.mem.dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
	var b strings.Builder
	if _, err := bufio.NewReader(conn).WriteTo(&b); err != nil {
		t.Logf("connection: %v", err)
	}
	return b.String()
}

// chunkSize is left out of comparisons of bodies with times in them, as is
// where one write ends and the next begins.
var (
	chunkSize = regexp.MustCompile(`(?m)^[0-9a-f]{1,5}\r\n`)
	date      = regexp.MustCompile(`Date: [^\r\n]*`)
)

func TestFramingAgainstRecordings(t *testing.T) {
	morning := Reply{Chunks: []string{"Morning"}, PromptTokens: 18, Tokens: 2}
	one := Reply{Chunks: []string{"Morning"}, PromptTokens: 18, Tokens: 1, Finish: "length"}
	const ask = `{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}`
	for _, c := range []struct {
		name, path, body string
		reply            Reply
		exact            bool // chunk sizes too
	}{
		{"a. generateContent", generate1b, ask, morning, true},
		{"b. streamGenerateContent", "/v1beta/models/gemma-3-1b-it:streamGenerateContent", ask, morning, true},
		{"c. streamGenerateContent?alt=sse", "/v1beta/models/gemma-3-1b-it:streamGenerateContent?alt=sse", ask, morning, true},
		{"/api/chat stream", "/api/chat", chat1b + `}`, one, false},
		{"openai stream", "/v1/chat/completions", chat1b + `,"stream":true,"stream_options":{"include_usage":true}}`, one, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newPrebuilt(t, Config{Reply: func(Call) Reply { return c.reply }})
			tidy := func(s string) string {
				head, body, _ := strings.Cut(date.ReplaceAllString(s, "Date: D"), "\r\n\r\n")
				if !c.exact {
					body = strings.ReplaceAll(normal(chunkSize.ReplaceAllString(body, "")), "\r\n", "")
				}
				return sorted(head) + "\r\n\r\n" + body
			}
			got, want := tidy(overWire(t, s, c.path, c.body)), tidy(wire(t, "gemini-route.txt", c.name))
			if got != want {
				t.Errorf("got\n%q\nrecorded\n%q", got, want)
			}
		})
	}
}

// sorted puts header lines in order: proxies and servers differ in theirs.
func sorted(head string) string {
	lines := strings.Split(head, "\r\n")
	rest := lines[1:]
	for i := range rest {
		for j := i; j > 0 && rest[j] < rest[j-1]; j-- {
			rest[j], rest[j-1] = rest[j-1], rest[j]
		}
	}
	return strings.Join(lines, "\r\n")
}

// TestDroppedFields holds the body that Ollama is sent for each option against
// the recorded one.
func TestDroppedFields(t *testing.T) {
	b, err := os.ReadFile("testdata/gemini-route-upstream.txt")
	if err != nil {
		t.Fatal(err)
	}
	upstream := make(map[string]string) // by line number
	for line := range strings.SplitSeq(string(b), "\n") {
		if n, body, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			upstream[n] = body
		}
	}
	sky := func(config string) string {
		return `{"contents":[{"role":"user","parts":[{"text":"Why is the sky blue?"}]}]` + config + `}`
	}
	for _, c := range []struct{ name, body, want string }{
		{"nothing", sky(""), "1"},
		{"maxOutputTokens", sky(`,"generationConfig":{"maxOutputTokens":2}`), "2"},
		{"temperature zero", sky(`,"generationConfig":{"temperature":0}`), "3"},
		{"temperature", sky(`,"generationConfig":{"temperature":0.5}`), "4"},
		{"topP", sky(`,"generationConfig":{"topP":0.1}`), "5"},
		{"topK", sky(`,"generationConfig":{"topK":1}`), "6"},
		{"stopSequences", sky(`,"generationConfig":{"stopSequences":["e","o"]}`), "7"},
		{"presencePenalty", sky(`,"generationConfig":{"presencePenalty":0.5}`), "8"},
		{"frequencyPenalty", sky(`,"generationConfig":{"frequencyPenalty":0.5}`), "9"},
		{"json", sky(`,"generationConfig":{"responseMimeType":"application/json"}`), "10"},
		{"json with schema", sky(`,"generationConfig":{"responseMimeType":"application/json","responseSchema":{"type":"OBJECT"}}`), "11"},
		{"enum", sky(`,"generationConfig":{"responseMimeType":"text/x.enum","responseSchema":{"type":"STRING","enum":["a"]}}`), "12"},
		{"systemInstruction", sky(`,"systemInstruction":{"parts":[{"text":"Talk like a pirate."}]}`), "13"},
		{"safetySettings", sky(`,"safetySettings":[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_NONE"}]`), "14"},
		{"tools", sky(`,"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}`), "15"},
		{"image", `{"contents":[{"role":"user","parts":[{"text":"what is this"},{"inlineData":{"mimeType":"image/png","data":"` + imageB64 + `"}}]}]}`, "23"},
		{"only a file", `{"contents":[{"role":"user","parts":[{"fileData":{"fileUri":"gs://b/x.png","mimeType":"image/png"}}]}]}`, "24"},
		{"two parts", `{"contents":[{"role":"user","parts":[{"text":"part one"},{"text":"part two"}]}]}`, "26"},
		{"turns", `{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"hello there"}]},{"role":"user","parts":[{"text":"and?"}]}]}`, "27"},
		{"system role", `{"contents":[{"role":"system","parts":[{"text":"sys"}]},{"role":"user","parts":[{"text":"hi"}]}]}`, "28"},
		{"no role", `{"contents":[{"parts":[{"text":"hi"}]}]}`, "29"},
		{"function call and response", `{"contents":[{"role":"user","parts":[{"text":"w?"}]},{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}]}`, "30"},
		{"prefill", `{"contents":[{"role":"user","parts":[{"text":"w?"}]},{"role":"model","parts":[{"text":" Question"}]}]}`, "31"},
		{"unicode", `{"contents":[{"role":"user","parts":[{"text":"héllo 世界 🙂"}]}]}`, "34"},
		{"no contents", `{}`, "37"},
		{"temperature and stop", `{"contents":[{"role":"user","parts":[{"text":"Tell me"}]}],"generation_config":{"temperature":0.0001,"stop_sequences":[" every"]}}`, "38"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := convertRequest([]byte(c.body), "gemma-3-1b-it", false)
			if err != nil {
				t.Fatal(err)
			}
			// The proxy marshals its Messages and Temperature as any JSON would.
			want, ok := upstream[c.want]
			if !ok {
				t.Fatalf("no line %s", c.want)
			}
			if string(got) != want {
				t.Errorf("sent     %s\nrecorded %s", got, want)
			}
		})
	}
	for _, field := range []string{`"generationConfig":{"seed":1}`, `"generationConfig":{"thinkingConfig":{}}`,
		`"generationConfig":{"responseJsonSchema":{}}`, `"generationConfig":{"mediaResolution":"MEDIA_RESOLUTION_LOW"}`,
		`"contents":[{"parts":[{"text":"x","thought":true}]}]`, `"contents":[{"parts":[{"text":"x","thoughtSignature":"eA=="}]}]`,
		`"tools":[{"functionDeclarations":[{"name":"f","parametersJsonSchema":{}}]}]`, `"nonsense":1`} {
		if _, err := convertRequest([]byte("{"+field+"}"), "gemma-3-1b-it", true); err == nil {
			t.Errorf("%s is not refused", field)
		}
	}
}

// TestDroppedFieldsChangeNothing shows the losses in what the model sees.
func TestDroppedFieldsChangeNothing(t *testing.T) {
	var seen Call
	s := newPrebuilt(t, Config{Reply: func(c Call) Reply { seen = c; return DefaultReply(c) }})
	_, body := ask(t, s, "POST", generate1b, `{"contents":[{"role":"user","parts":[{"text":"Tell me of rivers"}]}],`+
		`"systemInstruction":{"parts":[{"text":"Be brief"}]},"generationConfig":{"maxOutputTokens":1,"temperature":0,"topP":0.5,"topK":3,"responseMimeType":"application/json"}}`)
	var answer struct {
		Candidates []struct {
			FinishReason string
			Content      struct{ Parts []struct{ Text string } }
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatal(err)
	}
	c := answer.Candidates[0]
	if words := strings.Fields(c.Content.Parts[0].Text); len(words) < 5 || c.FinishReason != "STOP" || strings.HasPrefix(words[0], "{") {
		t.Errorf("limit or format came through: %s", body)
	}
	if len(seen.Messages) != 1 || seen.MaxTokens != 0 || *seen.Temperature != 1 || *seen.TopP != 1 || seen.TopK != nil || seen.Format != nil {
		t.Errorf("the model saw %+v", seen)
	}
}

func TestContainerKeys(t *testing.T) {
	s := newPrebuilt(t, Config{APIKey: "KEY"})
	gen := generate1b
	for _, c := range []struct {
		name, path string
		header     [2]string
		want       int
	}{
		{"gemini, header", gen, [2]string{"X-Goog-Api-Key", "KEY"}, 200},
		{"gemini, query", gen + "?key=KEY", [2]string{}, 200},
		{"gemini, wrong header hides right query", gen + "?key=KEY", [2]string{"X-Goog-Api-Key", "no"}, 403},
		{"gemini, Authorization is ignored", gen, [2]string{"Authorization", "Bearer KEY"}, 403},
		{"gemini, none", gen, [2]string{}, 403},
		{"bad path comes before the key", "/v1beta/models/gemma-3-1b-it:countTokens", [2]string{}, 404},
		{"native, bearer", "/api/chat", [2]string{"Authorization", "Bearer KEY"}, 200},
		{"native, lower-case bearer", "/api/chat", [2]string{"Authorization", "bearer KEY"}, 403},
		{"native, query", "/api/chat?key=KEY", [2]string{}, 200},
		{"native, Authorization hides right query", "/api/chat?key=KEY", [2]string{"Authorization", "Bearer no"}, 403},
		{"native, goog key", "/api/chat", [2]string{"X-Goog-Api-Key", "KEY"}, 403},
		{"native, an identity token in the way", "/api/chat", [2]string{"Authorization", "Bearer " + Mint(MintOptions{})}, 403},
		{"openai, bearer", "/v1/chat/completions", [2]string{"Authorization", "Bearer KEY"}, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := chat1b + `}`
			if strings.HasPrefix(c.path, "/v1beta") {
				body = geminiHi
			}
			req, err := http.NewRequestWithContext(t.Context(), "POST", s.URL+c.path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			if c.header[0] != "" {
				req.Header.Set(c.header[0], c.header[1])
			}
			resp, err := s.Transport().RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != c.want {
				t.Errorf("status %d, want %d", resp.StatusCode, c.want)
			}
			if c.want == 403 && resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("content type %q", resp.Header.Get("Content-Type"))
			}
		})
	}
	for _, r := range s.Requests() {
		for _, values := range r.Header {
			if strings.Contains(strings.Join(values, " "), "KEY") {
				t.Errorf("a key is in the record: %v", r.Header)
			}
		}
		if r.Query.Get("key") == "KEY" {
			t.Errorf("a key is in the record: %v", r.Query)
		}
	}
}
