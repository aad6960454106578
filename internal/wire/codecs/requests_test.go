// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package codecs_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image/png"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/models"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/codecs"
)

// TestCut: an older Ollama cuts a prompt silently; the count gives it away.
func TestCut(t *testing.T) {
	for _, tt := range []struct {
		window, count int
		version       string
		cut           bool
	}{
		{0, 2048, "0.6.5", true}, {0, 2048, "0.0.0", true}, {0, 2047, "0.6.5", false}, {0, 3000, "0.6.5", false}, {0, 2048, "0.24.0", false},
		{512, 512, "0.6.5", true}, {512, 511, "0.24.0", false}, {4096, 2048, "0.6.5", false},
	} {
		_, x := ask(t, wire.ColOllama, "gemma3:1b", func(r *wire.Request) { r.ContextWindow, r.Server.Version = tt.window, tt.version })
		b := body(t, x)
		if b["truncate"] != false || b["shift"] != false {
			t.Errorf("truncate %v, shift %v", b["truncate"], b["shift"])
		}
		if n, _ := b["options"].(map[string]any)["num_ctx"].(float64); int(n) != tt.window {
			t.Errorf("num_ctx %v", n)
		}
		_, _, err := answer(x, "gemma3:1b", strings.Replace(say(wire.Ollama, "stop", "a"), `"prompt_eval_count":9`, fmt.Sprintf(`"prompt_eval_count":%d`, tt.count), 1))
		if f := fault.Of(err); (f != nil) != tt.cut || f != nil && (f.Kind != fault.Invalid || !strings.Contains(f.Error(), fmt.Sprint(tt.count))) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// TestCutOnTheOpenAIRoute: the same route on another server counts what it likes.
func TestCutOnTheOpenAIRoute(t *testing.T) {
	for _, tt := range []struct {
		col   wire.Column
		count int
		cut   bool
	}{
		{wire.ColOllamaOpenAI, 2048, true}, {wire.ColOllamaOpenAI, 4096, true}, {wire.ColOllamaOpenAI, 2047, false}, {wire.ColOllamaOpenAI, 3000, false},
		{wire.ColVLLM, 2048, false},
	} {
		_, x := ask(t, tt.col, "gemma3:1b", func(*wire.Request) {})
		usage := strings.Replace(openAIUsage, `"prompt_tokens":22`, fmt.Sprintf(`"prompt_tokens":%d`, tt.count), 1)
		_, _, err := answer(x, "gemma3:1b", openAIHead+openAIFinish+usage+openAIDone)
		f := fault.Of(err)
		if (err != nil) != tt.cut || tt.cut && (f == nil || f.Kind != fault.Invalid || !strings.Contains(f.Error(), fmt.Sprint(tt.count))) {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}

// TestPartsThatAreNone: nobody above looks for a part that is null.
func TestPartsThatAreNone(t *testing.T) {
	_, x := ask(t, wire.ColGemini, "gemma3:1b", func(*wire.Request) {})
	_, _, err := answer(x, "gemma3:1b", `data: {"candidates":[{"content":{"role":"model","parts":[{"text":"a"},null]},"finishReason":"STOP"}],"modelVersion":"gemma3:1b"}`+"\n\n")
	if err != nil {
		t.Error(err)
	}
	d := x.Open(http.Header{}, strings.NewReader(`data: {"candidates":[{"content":{"role":"model","parts":[null,{"text":"a"},null]},"finishReason":"STOP"}]}`+"\n\n"))
	r, err := d.Next()
	if err != nil || len(r.Candidates[0].Content.Parts) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestTooBig: 32 MiB is what the front end takes.
func TestTooBig(t *testing.T) {
	r := request(wire.Ollama)
	r.Model, r.Info = "gemma3:4b", models.Model{}
	r.Contents = []*genai.Content{{Parts: []*genai.Part{{InlineData: &genai.Blob{MIMEType: "image/png", Data: make([]byte, 24<<20)}}}}}
	_, err := codecs.New(wire.Ollama).Encode(t.Context(), r)
	if f := fault.Of(err); f == nil || f.Kind != fault.Invalid || !strings.Contains(f.Message, "32 MiB") {
		t.Errorf("%v", err)
	}
}

// TestPrefix: each server's way to go on with an open turn.
func TestPrefix(t *testing.T) {
	for col, want := range map[wire.Column]string{wire.ColOllama: "", wire.ColVLLM: "continue_final_message", wire.ColOllamaOpenAI: ""} {
		_, x := ask(t, col, "gemma3:1b", func(r *wire.Request) { r.Prefix = "The sky" })
		b := body(t, x)
		m := b["messages"].([]any)
		if last := m[len(m)-1].(map[string]any); last["role"] != "assistant" || last["content"] != "The sky" {
			t.Errorf("%v: %v", col, last)
		}
		if want != "" && (b[want] != true || b["add_generation_prompt"] != false) {
			t.Errorf("%v: %v", col, b)
		}
		if !x.Resumable {
			t.Errorf("%v is not resumable", col)
		}
	}
	r := request(wire.OpenAI)
	r.Server.Software, r.Prefix = wire.UnknownSoftware, "The sky"
	if _, err := codecs.New(wire.OpenAI).Encode(t.Context(), r); fault.Of(err) == nil {
		t.Error("an unknown server was believed to go on")
	}
}

// TestTurns: model turns in a row are one, parts of a turn are one message.
func TestTurns(t *testing.T) {
	_, x := ask(t, wire.ColOllama, "gemma3:1b", func(r *wire.Request) {
		r.Contents = []*genai.Content{genai.NewContentFromText("hi", "user"), genai.NewContentFromText("a", "model"), genai.NewContentFromText("b", "model"),
			{Role: "user", Parts: []*genai.Part{{Text: "c"}, {Text: "d"}}}}
		r.Config.SystemInstruction = genai.NewContentFromText("S", "")
	})
	got := fmt.Sprint(body(t, x)["messages"])
	if want := "[map[content:S\n\nhi role:user] map[content:ab role:assistant] map[content:cd role:user]]"; got != want {
		t.Errorf("%s", got)
	}
	for name, bad := range map[string][]*genai.Content{"no contents": nil, "empty": {{Role: "user"}}, "system": {genai.NewContentFromText("x", "system")}, "odd": {genai.NewContentFromText("x", "me")}} {
		r := request(wire.Ollama)
		r.Contents = bad
		if _, err := codecs.New(wire.Ollama).Encode(t.Context(), r); fault.Of(err) == nil || fault.Of(err).Kind != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestParametersWhole: Ollama drops most of a schema's keywords, so that the
// model is told of them in words; vLLM gets the schema alone.
func TestParametersWhole(t *testing.T) {
	nested := map[string]any{"type": "object", "properties": map[string]any{"n": map[string]any{"type": "integer", "minimum": 1}}}
	for _, tt := range []struct {
		col    wire.Column
		schema any
		told   bool
	}{{wire.ColOllama, nested, true}, {wire.ColOllamaOpenAI, nested, true}, {wire.ColVLLM, nested, false}, {wire.ColOllama, object, false}} {
		_, x := ask(t, tt.col, "gemma-4-e4b-it", declare(genai.FunctionDeclaration{Description: "D", ParametersJsonSchema: tt.schema}))
		f := body(t, x)["tools"].([]any)[0].(map[string]any)["function"].(map[string]any)
		if told := strings.Contains(f["description"].(string), "minimum"); told != tt.told || len(x.Emulated) > 0 != tt.told {
			t.Errorf("%v: %v, emulated %v", tt.col, f, x.Emulated)
		}
	}
}

// TestGif: Ollama's engine knows no gif; its first picture goes out as png.
func TestGif(t *testing.T) {
	set := func(data []byte) func(*wire.Request) {
		return parts(&genai.Part{InlineData: &genai.Blob{MIMEType: "image/gif", Data: data}})
	}
	_, x := ask(t, wire.ColOllama, "gemma-3-4b-it", set(dot()))
	m := body(t, x)["messages"].([]any)
	data, err := base64.StdEncoding.DecodeString(m[len(m)-1].(map[string]any)["images"].([]any)[0].(string))
	if err != nil {
		t.Fatal(err)
	}
	if img, err := png.Decode(bytes.NewReader(data)); err != nil || img.Bounds().Dx() != 1 || len(x.Emulated) != 1 {
		t.Errorf("%v, %v, %v", img, err, x.Emulated)
	}
	r := request(wire.Ollama)
	r.Info = models.Model{}
	huge := dot()
	copy(huge[6:10], "\xff\xff\xff\xff") // 65535 × 65535
	for name, data := range map[string][]byte{"garbage": []byte("GIF"), "a bomb": huge} {
		r.Contents = genai.Text("hi")
		set(data)(r)
		if _, err := codecs.New(wire.Ollama).Encode(t.Context(), r); fault.Of(err) == nil || fault.Of(err).Kind != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
