// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
)

func TestDefaultReplyIsDeterministic(t *testing.T) {
	user := func(s string) Call { return Call{Messages: []Message{{Role: "user", Text: s}}} }
	a, b := Answer(user("Tell me of rivers")), Answer(user("Tell me of rivers"))
	if a != b || len(strings.Fields(a)) < 20 {
		t.Errorf("%q\n%q", a, b)
	}
	if c := Answer(user("Tell me of lakes")); c == a {
		t.Error("two prompts, one answer")
	}
	one, two := user("Tell me of rivers"), user("Tell me of rivers")
	one.Seed, two.Seed = new(1), new(2)
	if Answer(one) == Answer(two) {
		t.Error("two seeds, one answer")
	}
	if s := Answer(user("Why is the sky blue?")); !strings.Contains(s, "Rayleigh") {
		t.Errorf("%q", s)
	}
}

func TestDefaultReplyHonours(t *testing.T) {
	c := Call{Messages: []Message{{Role: "user", Text: "Why is the sky blue?"}}}
	whole := Answer(c)
	words := tokens(whole)
	if strings.Join(words, "") != whole {
		t.Fatal("the tokens are not the text")
	}
	for _, n := range []int{1, 7, len(words), len(words) + 1} {
		c.MaxTokens = n
		r := DefaultReply(c)
		want := "length"
		if n >= len(words) {
			want = "stop"
		}
		if len(r.Chunks) != min(n, len(words)) || r.Finish != want {
			t.Errorf("limit %d: %d tokens, %s", n, len(r.Chunks), r.Finish)
		}
	}
	c.MaxTokens = 0
	c.Stop = []string{"never said", " far more"}
	if r := DefaultReply(c); strings.Join(r.Chunks, "") != "The sky looks blue because air scatters blue light" || r.Finish != "stop" {
		t.Errorf("%q %s", r.Chunks, r.Finish)
	}
}

// TestContinuation: at whatever byte an answer is broken off, the model that is
// given what came as its own open turn goes on exactly there.
func TestContinuation(t *testing.T) {
	c := Call{Messages: []Message{{Role: "user", Text: "Why is the sky blue?"}}}
	whole := Answer(c)
	for i := range len(whole) {
		c.Messages = append(c.Messages[:1], Message{Role: "assistant", Text: whole[:i]})
		if got := whole[:i] + strings.Join(DefaultReply(c).Chunks, ""); got != whole {
			t.Fatalf("broken at %d: %q", i, got)
		}
	}
}

// TestContinuationOverTheWire does the same through each route that can.
func TestContinuationOverTheWire(t *testing.T) {
	whole := Answer(Call{Messages: []Message{{Role: "user", Text: sky}}})
	part := whole[:100]
	turns := fmt.Sprintf(`"messages":[{"role":"user","content":%q},{"role":"assistant","content":%q}]`, sky, part)
	for _, c := range []struct {
		kind       Kind
		path, body string
	}{
		{Ollama, "/api/chat", `{"model":"gemma3:4b",` + turns + `}`},
		{Ollama, "/v1/chat/completions", `{"model":"gemma3:4b","stream":true,` + turns + `}`},
		{VLLM, "/v1/chat/completions", `{"model":"google/gemma-4-E4B-it","stream":true,"continue_final_message":true,"add_generation_prompt":false,` + turns + `}`},
		{GeminiServer, "/v1beta/models/gemma-3-4b-it:streamGenerateContent?alt=sse",
			fmt.Sprintf(`{"contents":[{"role":"user","parts":[{"text":%q}]},{"role":"model","parts":[{"text":%q}]}]}`, sky, part)},
	} {
		s := NewServer(Config{InMemory: true, Kind: c.kind})
		_, body, err := get(s, c.path, c.body)
		if text := textOf(body); err != nil || part+text != whole {
			t.Errorf("%v %s: %v %q\n%.200s", c.kind, c.path, err, text, body)
		}
		s.Close()
	}
	// Without continue_final_message vLLM opens a new turn.
	s := NewServer(Config{InMemory: true, Kind: VLLM})
	defer s.Close()
	_, body, _ := get(s, "/v1/chat/completions", `{"stream":true,`+turns+`}`)
	if text := textOf(body); part+text == whole || text == "" {
		t.Errorf("a closed turn was continued: %q", text)
	}
	if got, body, _ := get(s, "/v1/chat/completions", `{"continue_final_message":true,`+turns+`}`); got != 400 {
		t.Errorf("%d %s", got, body)
	}
}

// textOf joins the texts of a streamed body of any protocol.
func textOf(body string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(body, "\n") {
		line = strings.TrimPrefix(strings.TrimSpace(line), "data: ")
		var e struct {
			Message    struct{ Content string }
			Choices    []struct{ Delta struct{ Content string } }
			Candidates []struct {
				Content struct{ Parts []struct{ Text string } }
			}
		}
		if json.Unmarshal([]byte(line), &e) != nil {
			continue
		}
		b.WriteString(e.Message.Content)
		for _, c := range e.Choices {
			b.WriteString(c.Delta.Content)
		}
		for _, c := range e.Candidates {
			for _, p := range c.Content.Parts {
				b.WriteString(p.Text)
			}
		}
	}
	return b.String()
}

func TestInstance(t *testing.T) {
	for _, s := range []string{
		`{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":18,"maximum":20}},"required":["age","name"]}`,
		`{"type":"object","properties":{"b":{"type":"boolean"},"a":{"type":"array","items":{"type":"number"},"minItems":3}}}`,
		`{"type":"array","items":{"type":"object","properties":{"x":{"enum":["p","q"]}},"required":["x"]},"maxItems":1}`,
		`{"type":["null","string"],"minLength":30}`,
		`{"type":"string","maxLength":3}`,
		`{"anyOf":[{"const":7},{"type":"string"}]}`,
		`{"$defs":{"n":{"type":"object","properties":{"next":{"anyOf":[{"type":"null"},{"$ref":"#/$defs/n"}]}},"required":["next"]}},"$ref":"#/$defs/n"}`,
		`{"allOf":[{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]},{"properties":{"b":{"type":"string"}},"required":["b"]}]}`,
		`{"type":"number","exclusiveMinimum":2,"multipleOf":0.5}`,
		`{"type":"string","format":"date-time"}`,
		`{"type":"object","required":["undeclared"]}`,
	} {
		var schema jsonschema.Schema
		if err := json.Unmarshal([]byte(s), &schema); err != nil {
			t.Fatal(err)
		}
		resolved, err := schema.Resolve(nil)
		if err != nil {
			t.Fatal(err)
		}
		out := Instance(json.RawMessage(s))
		var v any
		if err := json.Unmarshal([]byte(out), &v); err != nil {
			t.Errorf("%s: %s: %v", s, out, err)
			continue
		}
		if err := resolved.Validate(v); err != nil {
			t.Errorf("%s: %s: %v", s, out, err)
		}
	}
	if got := Instance(json.RawMessage(`{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}`)); got != `{"a": "some a"}` {
		t.Errorf("genai's spelling: %s", got)
	}
	if got := Instance(nil); got != "{}" {
		t.Errorf("none: %s", got)
	}
}

// TestPace: every chunk is a write of its own, at its own time.
func TestPace(t *testing.T) {
	for _, kind := range []Kind{Prebuilt, Ollama, VLLM, GeminiServer} {
		bubble(t, Config{Kind: kind, FirstToken: 700 * time.Millisecond, Pace: 50 * time.Millisecond}, func(t *testing.T, s *Server) {
			path, body := "/api/chat", chat4b
			switch kind {
			case VLLM:
				path, body = "/v1/chat/completions", `{"stream":true,"messages":[{"role":"user","content":"hi"}]}`
			case GeminiServer, Prebuilt:
				path, body = "/v1beta/models/gemma-3-4b-it:streamGenerateContent?alt=sse", geminiHi
			}
			began := time.Now()
			resp, err := call(t.Context(), s, path, body)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if d := time.Since(began); d != 700*time.Millisecond {
				t.Errorf("%v: headers after %v", kind, d)
			}
			r := bufio.NewReader(resp.Body)
			n := 0
			for {
				line, err := r.ReadString('\n')
				if textOf(line) != "" {
					if want := 700*time.Millisecond + time.Duration(n)*50*time.Millisecond; time.Since(began) != want {
						t.Errorf("%v: chunk %d after %v, want %v", kind, n, time.Since(began), want)
					}
					n++
				}
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if n < 20 {
				t.Errorf("%v: %d chunks", kind, n)
			}
		})
	}
}

func TestScriptAndTools(t *testing.T) {
	f := Script(Text("one"), Reply{Status: 500, Error: "no"})
	if r := f(Call{N: 1}); len(r.Chunks) != 1 {
		t.Errorf("%+v", r)
	}
	if r := f(Call{N: 2}); r.Status != 500 {
		t.Errorf("%+v", r)
	}
	if r := f(Call{N: 3, Messages: []Message{{Role: "user", Text: "x"}}}); len(r.Chunks) < 5 {
		t.Errorf("%+v", r)
	}
	tools := []Tool{{Name: "weather", Parameters: json.RawMessage(`{"type":"object","properties":{"city":{"type":"string"}}}`)}, {Name: "time"}}
	turns := []Message{{Role: "user", Text: "go"}}
	var names []string
	for range 3 {
		r := CallTools(Call{Tools: tools, Messages: turns})
		for _, c := range r.Calls {
			names = append(names, c.Name+string(c.Args))
			turns = append(turns, Message{Role: "assistant", Calls: r.Calls}, Message{Role: "tool", Name: c.Name, Text: "42 " + c.Name})
		}
		if len(r.Calls) == 0 {
			names = append(names, strings.Join(r.Chunks, ""))
		}
	}
	want := `[weather{"city": "some city"} time{} The tools say: 42 weather; 42 time.]`
	if fmt.Sprint(names) != want {
		t.Errorf("%v", names)
	}
}
