// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// shape is what protojson knows of a message: its fields in camelCase, and
// for those that are messages themselves their shape. A nil shape is any
// value.
type shape map[string]shape

// geminiShape is the request message of the proxy's generated code. What came
// to the Gemini API later is missing: seed, thinkingConfig, responseJsonSchema,
// mediaResolution, parametersJsonSchema, thought and thoughtSignature.
var geminiShape = func() shape {
	schema := shape{"type": nil, "format": nil, "description": nil, "nullable": nil, "enum": nil,
		"maxItems": nil, "minItems": nil, "properties": nil, "required": nil, "items": nil}
	part := shape{"text": nil, "inlineData": {"mimeType": nil, "data": nil}, "functionCall": {"name": nil, "args": nil},
		"functionResponse": {"name": nil, "response": nil}, "fileData": {"mimeType": nil, "fileUri": nil},
		"executableCode": {"language": nil, "code": nil}, "codeExecutionResult": {"outcome": nil, "output": nil}}
	content := shape{"parts": part, "role": nil}
	return shape{
		"model": nil, "contents": content, "systemInstruction": content, "cachedContent": nil,
		"tools": {"functionDeclarations": {"name": nil, "description": nil, "parameters": schema, "response": schema},
			"codeExecution": nil, "googleSearch": nil, "googleSearchRetrieval": nil},
		"toolConfig":     {"functionCallingConfig": {"mode": nil, "allowedFunctionNames": nil}},
		"safetySettings": {"category": nil, "threshold": nil},
		"generationConfig": {"candidateCount": nil, "stopSequences": nil, "maxOutputTokens": nil, "temperature": nil, "topP": nil, "topK": nil,
			"responseMimeType": nil, "responseSchema": schema, "presencePenalty": nil, "frequencyPenalty": nil,
			"responseLogprobs": nil, "logprobs": nil, "enableEnhancedCivicAnswers": nil, "responseModalities": nil, "speechConfig": nil},
	}
}()

// check refuses fields that a message hasn't, and returns the value with its
// names in camelCase, for protojson takes snake_case too.
func (s shape) check(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		for i := range v {
			var err error
			if v[i], err = s.check(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		if s == nil {
			return v, nil
		}
		out := make(map[string]any, len(v))
		for name, value := range v {
			key := camel(name)
			sub, ok := s[key]
			if !ok {
				return nil, fmt.Errorf("proto: unknown field %q", name)
			}
			checked, err := sub.check(value)
			if err != nil {
				return nil, err
			}
			out[key] = checked
		}
		return out, nil
	}
	return v, nil
}

func camel(s string) string {
	var b strings.Builder
	up := false
	for _, r := range s {
		switch {
		case r == '_':
			up = true
		case up:
			b.WriteRune(unicode.ToUpper(r))
			up = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// convertRequest is the proxy's: a Gemini request becomes a chat completion
// request, whose field names lack their underscores, so that Ollama reads only
// Model, Messages, Stream, Temperature and Stop of it.
func convertRequest(body []byte, model string, stream bool) ([]byte, error) {
	var raw any
	dec := json.NewDecoder(bytes.NewReader(body))
	if err := dec.Decode(&raw); err != nil {
		return nil, err
	}
	if _, ok := raw.(map[string]any); !ok {
		return nil, errors.New("proto: not an object")
	}
	checked, err := geminiShape.check(raw)
	if err != nil {
		return nil, err
	}
	again, err := json.Marshal(checked)
	if err != nil {
		return nil, err
	}
	var req struct {
		Contents []struct {
			Role  string
			Parts []struct{ Text string }
		}
		GenerationConfig struct {
			MaxOutputTokens                                      int
			Temperature, TopP, PresencePenalty, FrequencyPenalty float32
			StopSequences                                        []string
			ResponseMimeType                                     string
		}
	}
	if err := json.Unmarshal(again, &req); err != nil {
		return nil, err
	}
	type message struct {
		Content string `json:"content"`
		Role    string `json:"role"`
	}
	var messages []message
	for _, c := range req.Contents {
		role := "user"
		if c.Role == "model" {
			role = "assistant"
		}
		for _, part := range c.Parts { // one message for each part; what isn't text is empty
			messages = append(messages, message{part.Text, role})
		}
	}
	type options struct {
		IncludeUsage bool `json:"include_usage,omitempty"`
	}
	type format struct {
		Type string `json:"type"`
	}
	cfg := req.GenerationConfig
	if m := modelInfo(model); m.Ollama != "" && m.ID == model {
		model = m.Ollama
	}
	out := struct {
		Stream           bool
		StreamOptions    options
		Model            string
		Messages         []message
		MaxTokens        *int
		Temperature      *float64
		TopP             *float64
		PresencePenalty  *float64
		FrequencyPenalty *float64
		ResponseFormat   *format
		Stop             []string
	}{stream, options{stream}, model, messages, nonZero(cfg.MaxOutputTokens), widen(cfg.Temperature), widen(cfg.TopP),
		widen(cfg.PresencePenalty), widen(cfg.FrequencyPenalty), nil, cfg.StopSequences}
	if cfg.ResponseMimeType == "application/json" {
		out.ResponseFormat = &format{"json_object"}
	}
	return json.Marshal(out)
}

// nonZero and widen lose a zero, which becomes null.
func nonZero(v int) *int {
	if v == 0 {
		return nil
	}
	return &v
}

func widen(v float32) *float64 {
	if v == 0 {
		return nil
	}
	return new(float64(v))
}

// chatAnswer is a chat completion or a chunk of one.
type chatAnswer struct {
	Model   string
	Choices []struct {
		Index          int
		Message, Delta struct{ Content string }
		FinishReason   string `json:"finish_reason"`
	}
	Usage struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Total      int `json:"total_tokens"`
	}
}

// gemini is the answer as the proxy writes it. protojson leaves out what is
// zero.
func (a *chatAnswer) gemini() []byte {
	var fields []string
	var candidates []string
	for _, c := range a.Choices {
		reason := ""
		switch c.FinishReason {
		case "stop":
			reason = `,"finishReason":"STOP"`
		case "length":
			reason = `,"finishReason":"MAX_TOKENS"`
		}
		candidates = append(candidates, fmt.Sprintf(`{"index":%d,"content":{"parts":[{"text":%s}],"role":"model"}%s}`,
			c.Index, plainQuote(c.Message.Content+c.Delta.Content), reason))
	}
	if len(candidates) > 0 {
		fields = append(fields, `"candidates":[`+strings.Join(candidates, ",")+`]`)
	}
	var usage []string
	for _, u := range []struct {
		name string
		n    int
	}{{"promptTokenCount", a.Usage.Prompt}, {"candidatesTokenCount", a.Usage.Completion}, {"totalTokenCount", a.Usage.Total}} {
		if u.n != 0 {
			usage = append(usage, fmt.Sprintf(`"%s":%d`, u.name, u.n))
		}
	}
	fields = append(fields, `"usageMetadata":{`+strings.Join(usage, ",")+`}`)
	if a.Model != "" {
		version := a.Model
		if m := modelInfo(version); m.Ollama == version {
			version = m.ID
		}
		fields = append(fields, `"modelVersion":`+plainQuote(version))
	}
	return []byte("{" + strings.Join(fields, ",") + "}")
}

// plainQuote writes a JSON string without escaping HTML, as protojson does.
func plainQuote(s string) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
