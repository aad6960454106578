// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package codecs_test

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/gif"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/models"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/codecs"
)

// sample is a request with only one field set, and what of it has to be found
// in the body where the field is carried: by column, or for all of them.
type sample struct {
	name string // of a variant; the field's fates are the union over its samples
	set  func(*wire.Request)
	sent map[wire.Column]string
	all  string
	also string // another field of the sample, which may be refused first
}

// parent is a medium's own field for its parts: their refusals may name each
// other. Any other field stands for itself.
func parent(field string) string {
	if i := strings.LastIndexByte(field, '.'); strings.Count(field, ".") > 2 && strings.HasPrefix(field, "contents.") {
		return field[:i]
	}
	return field
}

type kind = genai.GenerateContentConfig

func config(set func(*kind)) func(*wire.Request) {
	return func(r *wire.Request) { set(r.Config) }
}

func parts(p ...*genai.Part) func(*wire.Request) {
	return func(r *wire.Request) { r.Contents = append(r.Contents, &genai.Content{Role: "user", Parts: p}) }
}

func tools(t *genai.Tool) func(*wire.Request) {
	return config(func(c *kind) { c.Tools = []*genai.Tool{t} })
}

func declare(d genai.FunctionDeclaration) func(*wire.Request) {
	if d.Name == "" {
		d.Name = "weather"
	}
	return tools(&genai.Tool{FunctionDeclarations: []*genai.FunctionDeclaration{&d}})
}

func calling(f genai.FunctionCallingConfig) func(*wire.Request) {
	return func(r *wire.Request) {
		declare(genai.FunctionDeclaration{})(r)
		r.Config.Tools[0].FunctionDeclarations = append(r.Config.Tools[0].FunctionDeclarations, &genai.FunctionDeclaration{Name: "time"})
		r.Config.ToolConfig = &genai.ToolConfig{FunctionCallingConfig: &f}
	}
}

// exchange is a call and its result in the history.
func exchange(c genai.FunctionCall, f genai.FunctionResponse) func(*wire.Request) {
	return func(r *wire.Request) {
		r.Contents = append(r.Contents, &genai.Content{Role: "model", Parts: []*genai.Part{{FunctionCall: &c}}},
			&genai.Content{Role: "user", Parts: []*genai.Part{{FunctionResponse: &f}}})
	}
}

var (
	picture = &genai.Blob{MIMEType: "image/png", Data: []byte("PNG")}
	object  = map[string]any{"type": "object", "properties": map[string]any{"city": map[string]any{"type": "string"}}, "required": []any{"city"}}
	colour  = &genai.Schema{Type: genai.TypeString, Enum: []string{"red", "blue"}}
)

func openAIs(s string) map[wire.Column]string {
	return map[wire.Column]string{wire.ColOllamaOpenAI: s, wire.ColVLLM: s, wire.ColOpenAI: s}
}

func each(gemini, ollama, openAI string) map[wire.Column]string {
	m := openAIs(openAI)
	m[wire.ColGemini], m[wire.ColOllama] = gemini, ollama
	return m
}

func simple(gemini, ollama, openAI string, set func(*kind)) []sample {
	return []sample{{set: config(set), sent: each(gemini, ollama, openAI)}}
}

func samples() map[string][]sample {
	call := func(name string) genai.FunctionCall { return genai.FunctionCall{Name: name} }
	res := func(name string) genai.FunctionResponse {
		return genai.FunctionResponse{Name: name, Response: map[string]any{"sky": "clear"}}
	}
	m := map[string][]sample{
		"config.systemInstruction": simple(`"systemInstruction":{"parts":[{"text":"Be brief."`, `{"role":"system","content":"Be brief."}`, `{"role":"system","content":"Be brief."}`,
			func(c *kind) { c.SystemInstruction = genai.NewContentFromText("Be brief.", "") }),
		"config.temperature": {
			{set: config(func(c *kind) { c.Temperature = new(float32(0.5)) }), all: `"temperature":0.5`},
			{name: "zero", set: config(func(c *kind) { c.Temperature = new(float32(0)) }), all: `"temperature":0,"|"temperature":0}`},
		},
		"config.topP":             simple(`"topP":0.5`, `"top_p":0.5`, `"top_p":0.5`, func(c *kind) { c.TopP = new(float32(0.5)) }),
		"config.topK":             simple(`"topK":40`, `"top_k":40`, `"top_k":40`, func(c *kind) { c.TopK = new(float32(40)) }),
		"config.candidateCount":   simple(`"candidateCount":2`, "", `"n":2`, func(c *kind) { c.CandidateCount = 2 }),
		"config.maxOutputTokens":  simple(`"maxOutputTokens":7`, `"num_predict":7`, `"max_tokens":7`, func(c *kind) { c.MaxOutputTokens = 7 }),
		"config.stopSequences":    {{set: config(func(c *kind) { c.StopSequences = []string{"END"} }), sent: with(each(`"stopSequences":["END"]`, `"stop":["END"]`, `"stop":["END"]`), wire.ColPrebuilt, `"stopSequences":["END"]`)}},
		"config.responseLogprobs": simple(`"responseLogprobs":true`, `"logprobs":true`, `"logprobs":true`, func(c *kind) { c.ResponseLogprobs = true }),
		"config.logprobs":         {{set: config(func(c *kind) { c.ResponseLogprobs, c.Logprobs = true, new(int32(3)) }), sent: each(`"logprobs":3`, `"top_logprobs":3`, `"top_logprobs":3`), also: "config.responseLogprobs"}},
		"config.presencePenalty":  simple(`"presencePenalty":0.5`, "", `"presence_penalty":0.5`, func(c *kind) { c.PresencePenalty = new(float32(0.5)) }),
		"config.frequencyPenalty": simple(`"frequencyPenalty":0.5`, "", `"frequency_penalty":0.5`, func(c *kind) { c.FrequencyPenalty = new(float32(0.5)) }),
		"config.seed":             simple(`"seed":42`, `"seed":42`, `"seed":42`, func(c *kind) { c.Seed = new(int32(42)) }),
		"config.responseMimeType": {
			{set: config(func(c *kind) { c.ResponseMIMEType = "application/json" }), sent: each(`"responseMimeType":"application/json"`, `"format":"json"`, `"response_format":{"type":"json_object"}`)},
			{name: "enum", set: config(func(c *kind) { c.ResponseMIMEType, c.ResponseSchema = "text/x.enum", colour }), sent: each(`"text/x.enum"`, `"enum":["red","blue"]`, `"enum":["red","blue"]`)},
		},
		"config.responseSchema": {{set: config(func(c *kind) { c.ResponseMIMEType, c.ResponseSchema = "application/json", colour }),
			sent: each(`"responseSchema":{"enum":["red","blue"]`, `"format":{"|"enum":["red","blue"]`, `"response_format":{"type":"json_schema","json_schema":{"name":"answer","schema":{`)}},
		"config.responseJsonSchema": {{set: config(func(c *kind) { c.ResponseMIMEType, c.ResponseJsonSchema = "application/json", object }),
			sent: each(`"responseJsonSchema":{`, `"format":{`, `"required":["city"]`)}},
		"config.routingConfig":        simple("", "", "", func(c *kind) { c.RoutingConfig = &genai.GenerationConfigRoutingConfig{} }),
		"config.modelSelectionConfig": simple("", "", "", func(c *kind) { c.ModelSelectionConfig = &genai.ModelSelectionConfig{} }),
		"config.safetySettings": simple(`"BLOCK_ONLY_HIGH"`, "", "", func(c *kind) {
			c.SafetySettings = []*genai.SafetySetting{{Category: genai.HarmCategoryHarassment, Threshold: "BLOCK_ONLY_HIGH"}}
		}),
		"config.labels":                     simple(`"labels":{"a":"b"}`, "", "", func(c *kind) { c.Labels = map[string]string{"a": "b"} }),
		"config.cachedContent":              simple(`"cachedContent":"x"`, "", "", func(c *kind) { c.CachedContent = "x" }),
		"config.responseModalities":         simple(`["AUDIO"]`, "", "", func(c *kind) { c.ResponseModalities = []string{"AUDIO"} }),
		"config.mediaResolution":            simple(`"MEDIA_RESOLUTION_LOW"`, "", "", func(c *kind) { c.MediaResolution = genai.MediaResolutionLow }),
		"config.speechConfig":               simple(`"speechConfig"`, "", "", func(c *kind) { c.SpeechConfig = &genai.SpeechConfig{LanguageCode: "de"} }),
		"config.audioTimestamp":             simple("", "", "", func(c *kind) { c.AudioTimestamp = true }),
		"config.imageConfig":                simple(`"imageConfig":{"aspectRatio":"1:1"}`, "", "", func(c *kind) { c.ImageConfig = &genai.ImageConfig{AspectRatio: "1:1"} }),
		"config.enableEnhancedCivicAnswers": simple(`"enableEnhancedCivicAnswers":true`, "", "", func(c *kind) { c.EnableEnhancedCivicAnswers = new(true) }),
		"config.modelArmorConfig":           simple("", "", "", func(c *kind) { c.ModelArmorConfig = &genai.ModelArmorConfig{} }),
		"config.serviceTier":                simple(`"serviceTier":"flex"`, "", "", func(c *kind) { c.ServiceTier = genai.ServiceTierFlex }),
		"config.audioTranscriptionConfig":   simple(`"audioTranscriptionConfig"`, "", "", func(c *kind) { c.AudioTranscriptionConfig = &genai.AudioTranscriptionConfig{} }),
		"config.continuationToken":          simple(`"continuationToken":"eA=="`, "", "", func(c *kind) { c.ContinuationToken = []byte("x") }),
		"config.generationOutputConfig":     simple("", "", "", func(c *kind) { c.GenerationOutputConfig = &genai.GenerationOutputConfig{} }),
		"config.store":                      simple(`"store":true`, "", "", func(c *kind) { c.Store = new(true) }),

		"config.tools": {{set: declare(genai.FunctionDeclaration{}), sent: each(`"functionDeclarations":[{"name":"weather"}]`, `"tools":[{"type":"function","function":{"name":"weather"`, `"tools":[{"type":"function","function":{"name":"weather"`)}},
		"config.toolConfig": {{set: calling(genai.FunctionCallingConfig{Mode: "ANY"}),
			sent: map[wire.Column]string{wire.ColGemini: `"mode":"ANY"`, wire.ColVLLM: `"tool_choice":"required"`, wire.ColOpenAI: `"tool_choice":"required"`}},
			{name: "none", set: calling(genai.FunctionCallingConfig{Mode: "NONE"}), sent: map[wire.Column]string{wire.ColGemini: `"NONE"`}}},
		"config.thinkingConfig": thinkingSamples(),

		"config.tools.functionDeclarations":                      {{set: declare(genai.FunctionDeclaration{}), all: "weather"}},
		"config.tools.functionDeclarations.description":          {{set: declare(genai.FunctionDeclaration{Description: "tells the sky"}), all: "tells the sky"}},
		"config.tools.functionDeclarations.name":                 {{set: declare(genai.FunctionDeclaration{}), all: "weather"}},
		"config.tools.functionDeclarations.parameters":           {{set: declare(genai.FunctionDeclaration{Parameters: &genai.Schema{Type: "OBJECT", Properties: map[string]*genai.Schema{"place": {Type: "STRING"}}}}), all: "place"}},
		"config.tools.functionDeclarations.parametersJsonSchema": {{set: declare(genai.FunctionDeclaration{ParametersJsonSchema: object}), all: "city"}},
		"config.tools.functionDeclarations.response":             {{set: declare(genai.FunctionDeclaration{Response: &genai.Schema{Type: "OBJECT", Properties: map[string]*genai.Schema{"celsius": {Type: "NUMBER"}}}}), all: "celsius"}},
		"config.tools.functionDeclarations.responseJsonSchema":   {{set: declare(genai.FunctionDeclaration{ResponseJsonSchema: object}), all: "city"}},
		"config.tools.functionDeclarations.behavior":             {{set: declare(genai.FunctionDeclaration{Behavior: genai.BehaviorNonBlocking}), all: `"behavior":"NON_BLOCKING"`}},

		"config.toolConfig.retrievalConfig": {{set: config(func(c *kind) {
			c.ToolConfig = &genai.ToolConfig{RetrievalConfig: &genai.RetrievalConfig{LanguageCode: "de"}}
		}), all: "retrievalConfig"}},
		"config.toolConfig.functionCallingConfig": {{set: calling(genai.FunctionCallingConfig{Mode: "ANY"}), sent: map[wire.Column]string{wire.ColGemini: `"mode":"ANY"`, wire.ColVLLM: `"required"`, wire.ColOpenAI: `"required"`}},
			{name: "none", set: calling(genai.FunctionCallingConfig{Mode: "NONE"})}},
		"config.toolConfig.includeServerSideToolInvocations":                  {{set: config(func(c *kind) { c.ToolConfig = &genai.ToolConfig{IncludeServerSideToolInvocations: new(true)} }), all: "includeServerSideToolInvocations"}},
		"config.toolConfig.functionCallingConfig.allowedFunctionNames":        {{set: calling(genai.FunctionCallingConfig{Mode: "ANY", AllowedFunctionNames: []string{"time"}}), all: "time"}},
		"config.toolConfig.functionCallingConfig.mode":                        {{set: calling(genai.FunctionCallingConfig{Mode: "ANY"}), sent: map[wire.Column]string{wire.ColVLLM: `"required"`, wire.ColOpenAI: `"required"`}}, {name: "validated", set: calling(genai.FunctionCallingConfig{Mode: "VALIDATED"})}, {name: "none", set: calling(genai.FunctionCallingConfig{Mode: "NONE"})}},
		"config.toolConfig.functionCallingConfig.streamFunctionCallArguments": {{set: calling(genai.FunctionCallingConfig{StreamFunctionCallArguments: new(true)}), all: "streamFunctionCallArguments"}},
		"config.thinkingConfig.includeThoughts":                               thinkingSamples(),
		"config.thinkingConfig.thinkingBudget": {
			{set: config(func(c *kind) { c.ThinkingConfig = &genai.ThinkingConfig{ThinkingBudget: new(int32(-1))} }), sent: map[wire.Column]string{wire.ColGemini: `"thinkingBudget":-1`, wire.ColOllama: `"think":true`, wire.ColVLLM: `"enable_thinking":true`}},
			{name: "many", set: config(func(c *kind) { c.ThinkingConfig = &genai.ThinkingConfig{ThinkingBudget: new(int32(512))} }), all: `"thinkingBudget":512`},
		},
		"config.thinkingConfig.thinkingLevel": simple(`"thinkingLevel":"HIGH"`, "", "", func(c *kind) { c.ThinkingConfig = &genai.ThinkingConfig{ThinkingLevel: "HIGH"} }),

		"contents.parts":                     {{set: parts(&genai.Part{Text: "what now"}), all: "what now"}},
		"contents.role":                      {{set: func(r *wire.Request) { r.Contents = append(r.Contents, genai.NewContentFromText("so it is", "model")) }, sent: with(each(`"role":"model"`, `"role":"assistant","content":"so it is"`, `"role":"assistant","content":"so it is"`), wire.ColPrebuilt, `"role":"model"`)}},
		"contents.parts.text":                {{set: parts(&genai.Part{Text: "what "}, &genai.Part{Text: "now"}), sent: map[wire.Column]string{wire.ColOllama: "what now", wire.ColVLLM: "what now", wire.ColPrebuilt: "what now"}}},
		"contents.parts.mediaResolution":     {{set: parts(&genai.Part{Text: "a", MediaResolution: &genai.PartMediaResolution{Level: "x"}}), all: `"mediaResolution"`}},
		"contents.parts.codeExecutionResult": {{set: parts(&genai.Part{CodeExecutionResult: &genai.CodeExecutionResult{Output: "o"}}), all: `"codeExecutionResult"`}},
		"contents.parts.executableCode":      {{set: parts(&genai.Part{ExecutableCode: &genai.ExecutableCode{Code: "c"}}), all: `"executableCode"`}},
		"contents.parts.videoMetadata":       {{set: parts(&genai.Part{Text: "a", VideoMetadata: &genai.VideoMetadata{FPS: new(1.0)}}), all: `"videoMetadata"`}},
		"contents.parts.toolCall":            {{set: parts(&genai.Part{ToolCall: &genai.ToolCall{ID: "t"}}), all: `"toolCall"`}},
		"contents.parts.toolResponse":        {{set: parts(&genai.Part{ToolResponse: &genai.ToolResponse{ID: "t"}}), all: `"toolResponse"`}},
		"contents.parts.partMetadata":        {{set: parts(&genai.Part{Text: "a", PartMetadata: map[string]any{"k": "v"}}), all: `"partMetadata"`}},
		"contents.parts.audioTranscription":  {{set: parts(&genai.Part{Text: "a", AudioTranscription: &genai.Transcription{Text: "t"}}), all: `"audioTranscription"`}},
		"contents.parts.mediaProcessing":     {{set: parts(&genai.Part{Text: "a", MediaProcessing: genai.MediaProcessingStatic}), all: `"STATIC"`}},
		"contents.parts.speechMetadata":      {{set: parts(&genai.Part{Text: "a", SpeechMetadata: &genai.SpeechMetadata{}}), all: `"speechMetadata"`}},
		"contents.parts.thoughtSignature":    {{set: parts(&genai.Part{Text: "a", ThoughtSignature: []byte("s")}), all: `"thoughtSignature"`}},
		"contents.parts.thought": {{set: func(r *wire.Request) {
			r.Contents = append(r.Contents, &genai.Content{Role: "model", Parts: []*genai.Part{{Text: "hmm", Thought: true}, {Text: "ok"}}}, genai.NewContentFromText("and?", "user"))
		}, sent: map[wire.Column]string{wire.ColGemini: `"thought":true`, wire.ColOllama: `"thinking":"hmm"`}}},
		"contents.parts.fileData": {
			{set: parts(&genai.Part{FileData: &genai.FileData{FileURI: "https://h.example/a.png", MIMEType: "image/png"}}), sent: map[wire.Column]string{wire.ColGemini: `"fileUri":"https://h.example/a.png"`, wire.ColVLLM: `"image_url":{"url":"https://h.example/a.png"}`}},
			{name: "gs", set: parts(&genai.Part{FileData: &genai.FileData{FileURI: "gs://b/a.png"}}), all: "gs://b/a.png"},
		},
		"contents.parts.inlineData": {
			{set: parts(&genai.Part{InlineData: picture}), sent: each(`"inlineData":{"data":"UE5H","mimeType":"image/png"}`, `"images":["UE5H"]`, `"image_url":{"url":"data:image/png;base64,UE5H"}`)},
			{name: "audio", set: parts(&genai.Part{InlineData: &genai.Blob{MIMEType: "audio/wav", Data: []byte("WAV")}}), sent: map[wire.Column]string{wire.ColVLLM: `"input_audio":{"data":"V0FW","format":"wav"}`}},
			{name: "gif", set: parts(&genai.Part{InlineData: &genai.Blob{MIMEType: "image/gif", Data: dot()}}), sent: map[wire.Column]string{wire.ColGemini: "image/gif", wire.ColVLLM: "data:image/gif", wire.ColOpenAI: "data:image/gif"}},
			{name: "pdf", set: parts(&genai.Part{InlineData: &genai.Blob{MIMEType: "application/pdf", Data: []byte("PDF")}})},
		},
		"contents.parts.functionCall":                  {{set: exchange(call("weather"), res("weather")), sent: each(`"functionCall"`, `"tool_calls":[{`, `"tool_calls":[{`)}},
		"contents.parts.functionResponse":              {{set: exchange(call("weather"), res("weather")), sent: each(`"functionResponse"`, `"role":"tool"`, `"role":"tool"`)}},
		"contents.parts.functionCall.id":               {{set: exchange(genai.FunctionCall{ID: "c7", Name: "weather"}, res("weather")), all: "c7"}},
		"contents.parts.functionCall.name":             {{set: exchange(call("weather"), res("weather")), all: "weather"}},
		"contents.parts.functionCall.args":             {{set: exchange(genai.FunctionCall{Name: "weather", Args: map[string]any{"city": "Bonn"}}, res("weather")), all: "Bonn"}},
		"contents.parts.functionCall.partialArgs":      {{set: exchange(genai.FunctionCall{Name: "weather", PartialArgs: []*genai.PartialArg{{JsonPath: "$.a"}}}, res("weather")), all: "partialArgs"}},
		"contents.parts.functionCall.willContinue":     {{set: exchange(genai.FunctionCall{Name: "weather", WillContinue: new(true)}, res("weather")), all: "willContinue"}},
		"contents.parts.functionResponse.willContinue": {{set: exchange(call("weather"), genai.FunctionResponse{Name: "weather", WillContinue: new(true)}), all: "willContinue"}},
		"contents.parts.functionResponse.scheduling":   {{set: exchange(call("weather"), genai.FunctionResponse{Name: "weather", Scheduling: "SILENT"}), all: "SILENT"}},
		"contents.parts.functionResponse.parts":        {{set: exchange(call("weather"), genai.FunctionResponse{Name: "weather", Parts: []*genai.FunctionResponsePart{{}}}), all: `"parts"`}},
		"contents.parts.functionResponse.id":           {{set: exchange(genai.FunctionCall{ID: "c7", Name: "weather"}, genai.FunctionResponse{ID: "c7", Name: "weather"}), all: "c7"}},
		"contents.parts.functionResponse.name":         {{set: exchange(call("weather"), res("weather")), all: "weather"}},
		"contents.parts.functionResponse.response":     {{set: exchange(call("weather"), res("weather")), all: "clear"}},
	}
	for name, t := range map[string]*genai.Tool{
		"retrieval": {Retrieval: &genai.Retrieval{}}, "computerUse": {ComputerUse: &genai.ComputerUse{}}, "fileSearch": {FileSearch: &genai.FileSearch{}},
		"googleSearch": {GoogleSearch: &genai.GoogleSearch{}}, "googleMaps": {GoogleMaps: &genai.GoogleMaps{}}, "codeExecution": {CodeExecution: &genai.ToolCodeExecution{}},
		"enterpriseWebSearch": {EnterpriseWebSearch: &genai.EnterpriseWebSearch{}}, "googleSearchRetrieval": {GoogleSearchRetrieval: &genai.GoogleSearchRetrieval{}},
		"parallelAiSearch": {ParallelAISearch: &genai.ToolParallelAISearch{}}, "urlContext": {URLContext: &genai.URLContext{}},
		"mcpServers": {MCPServers: []*genai.MCPServer{{Name: "m"}}}, "exaAiSearch": {ExaAISearch: &genai.ToolExaAISearch{}},
	} {
		m["config.tools."+name] = []sample{{set: tools(t), all: `"` + name + `"`}}
	}
	for _, f := range []string{"data", "mimeType"} {
		m["contents.parts.inlineData."+f] = m["contents.parts.inlineData"]
	}
	m["contents.parts.inlineData.displayName"] = []sample{{set: parts(&genai.Part{InlineData: &genai.Blob{MIMEType: "image/png", Data: []byte("PNG"), DisplayName: "d"}})}}
	for _, f := range []string{"fileUri", "mimeType"} {
		m["contents.parts.fileData."+f] = m["contents.parts.fileData"]
	}
	m["contents.parts.fileData.displayName"] = []sample{{set: parts(&genai.Part{FileData: &genai.FileData{FileURI: "https://h.example/a.png", DisplayName: "d"}})}}
	return m
}

// dot is a gif of one pixel.
func dot() []byte {
	var b bytes.Buffer
	if err := gif.Encode(&b, image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{color.White}), nil); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func thinkingSamples() []sample {
	return []sample{{set: config(func(c *kind) { c.ThinkingConfig = &genai.ThinkingConfig{IncludeThoughts: true} }),
		sent: map[wire.Column]string{wire.ColGemini: `"includeThoughts":true`, wire.ColOllama: `"think":true`, wire.ColVLLM: `"chat_template_kwargs":{"enable_thinking":true}`}}}
}

func with(m map[wire.Column]string, c wire.Column, s string) map[wire.Column]string {
	m[c] = s
	return m
}

var servers = map[wire.Column]struct {
	p wire.Protocol
	s wire.Software
}{
	wire.ColPrebuilt: {wire.Gemini, wire.Prebuilt}, wire.ColGemini: {wire.Gemini, wire.FullGemini}, wire.ColOllama: {wire.Ollama, wire.OllamaServer},
	wire.ColOllamaOpenAI: {wire.OpenAI, wire.OllamaServer}, wire.ColVLLM: {wire.OpenAI, wire.VLLM}, wire.ColOpenAI: {wire.OpenAI, wire.UnknownSoftware},
}

func encode(t *testing.T, col wire.Column, model string, set func(*wire.Request)) (string, []wire.Emulation, error) {
	t.Helper()
	m, ok := models.Lookup(model)
	if !ok {
		t.Fatal(model)
	}
	r := &wire.Request{Base: &url.URL{Scheme: "https", Host: "h.example"}, Model: m.ID, Info: m, Server: wire.Server{Software: servers[col].s},
		Contents: genai.Text("Why?"), Config: &genai.GenerateContentConfig{}}
	if set != nil {
		set(r)
	}
	before, _ := json.Marshal(r.Config)
	x, err := codecs.New(servers[col].p).Encode(t.Context(), r)
	if after, _ := json.Marshal(r.Config); string(before) != string(after) {
		t.Errorf("Encode changed the caller's config")
	}
	if err != nil {
		return "", nil, err
	}
	rc, err := x.HTTP.GetBody()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(rc)
	return string(raw), x.Emulated, err
}

// fate finds out what becomes of a sample by looking at the wire: refused by
// name, reported as emulated, or a body that differs.
func fate(t *testing.T, field string, s *sample, col wire.Column, model, plain string) wire.Fate {
	t.Helper()
	sent, emulated, err := encode(t, col, model, s.set)
	if err != nil {
		f := fault.Of(err)
		if f == nil || f.Kind != fault.Unsupported {
			t.Errorf("%s: %v is no refusal", model, err)
		} else if !strings.HasPrefix(f.Field, parent(field)) && !strings.HasPrefix(field, f.Field) && f.Field != s.also {
			t.Errorf("%s: the refusal names %q", model, f.Field)
		} else if f.Message == "" {
			t.Errorf("%s: refused without a reason", model)
		}
		return wire.Refused
	}
	for _, e := range emulated {
		// Function calls are emulated as a whole: the declarations, the history.
		if strings.HasPrefix(field, e.Feature) || strings.HasPrefix(e.Feature, field) ||
			strings.Contains(field, "ool") && strings.Contains(e.Feature, "ool") ||
			strings.Contains(field, "parts.function") && strings.Contains(e.Feature, "parts.function") ||
			strings.HasPrefix(field, "config.response") && strings.HasPrefix(e.Feature, "config.response") {
			if e.How == "" {
				t.Errorf("%s: emulated without a word", model)
			}
			return wire.Emulated
		}
	}
	if sent == plain && !strings.Contains(s.name, "none") {
		t.Errorf("%s: silently dropped\n%s", model, sent)
	}
	want := s.sent[col]
	if want == "" {
		want = s.all
	}
	for w := range strings.SplitSeq(want, "|") {
		if strings.Contains(sent, w) {
			return wire.Carried
		}
	}
	t.Errorf("%s: carried without %s\n%s", model, want, sent)
	return wire.Carried
}

// TestFidelity proves every row of the table, for every kind of server, on what
// is sent: over a model without tools, thoughts and ears, one with all of them,
// and one without eyes.
func TestFidelity(t *testing.T) {
	all := samples()
	rows := map[string]bool{}
	for _, f := range wire.Features() {
		rows[f.Field] = true
		if f.Client || f.Field == "config.automaticContinuation" { // nothing to send: see their rows
			continue
		}
		if len(all[f.Field]) == 0 {
			t.Errorf("%s has no sample", f.Field)
			continue
		}
		t.Run(f.Field, func(t *testing.T) {
			for col := range wire.NumColumns {
				t.Run(col.String(), func(t *testing.T) {
					var seen wire.Fate
					for _, model := range []string{"gemma-3-4b-it", "gemma-4-e4b-it", "gemma-3-1b-it"} {
						plain, _, err := encode(t, col, model, nil)
						if err != nil {
							t.Fatal(err)
						}
						for _, s := range all[f.Field] {
							seen |= fate(t, f.Field, &s, col, model, plain)
						}
					}
					if want := f.Cells[col].Fate; seen != want {
						t.Errorf("is %v, but the table says %v", seen, want)
					}
				})
			}
		})
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if !rows[name] {
			t.Errorf("the sample %s has no row", name)
		}
	}
}
