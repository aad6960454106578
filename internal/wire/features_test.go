// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"reflect"
	"strings"
	"testing"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
)

// fill returns a value of t that is not zero, and asks for something wherever
// that can be told from the type.
func fill(t reflect.Type, depth int) reflect.Value {
	v := reflect.New(t).Elem()
	switch t.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		v.Elem().Set(fill(t.Elem(), depth))
	case reflect.Slice:
		v.Set(reflect.Append(v, fill(t.Elem(), depth)))
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
		v.SetMapIndex(fill(t.Key(), depth), fill(t.Elem(), depth))
	case reflect.Struct:
		for i := range t.NumField() {
			if depth > 0 && t.Field(i).IsExported() && t.Field(i).Type != reflect.TypeFor[genai.ExtrasRequestProvider]() {
				v.Field(i).Set(fill(t.Field(i).Type, depth-1))
			}
		}
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(2)
	case reflect.Uint8:
		v.SetUint(2)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Interface:
		if t.NumMethod() == 0 {
			v.Set(reflect.ValueOf("x"))
		}
	}
	return v
}

// known checks that the rows are the type's fields, and that each row asks when
// its own field is set, and only then.
func known[T any](t *testing.T, rows []row[T]) {
	t.Helper()
	typ := reflect.TypeFor[T]()
	t.Run(typ.Name(), func(t *testing.T) {
		byName := map[string]*row[T]{}
		for i := range rows {
			if byName[rows[i].name] != nil {
				t.Errorf("%s has two rows", rows[i].name)
			}
			byName[rows[i].name] = &rows[i]
			if rows[i].asks(new(T)) {
				t.Errorf("%s: the zero value asks for it", rows[i].name)
			}
			for c, cell := range rows[i].cells {
				if cell.Fate == 0 {
					t.Errorf("%s, %v: no fate", rows[i].name, Column(c))
				}
				if cell.Fate&(Emulated|Refused) != 0 && cell.How == "" {
					t.Errorf("%s, %v: %v without a reason", rows[i].name, Column(c), cell.Fate)
				}
			}
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if byName[name] == nil {
				t.Errorf("genai.%s.%s (%s) is not in the fidelity table", typ.Name(), f.Name, name)
				continue
			}
			v := reflect.New(typ)
			v.Elem().Field(i).Set(fill(f.Type, 3))
			for _, r := range byName {
				if asks := r.asks(v.Interface().(*T)); asks != (r.name == name) {
					t.Errorf("with only %s set, the row %s says %v", name, r.name, asks)
				}
			}
			delete(byName, name)
		}
		for name := range byName {
			t.Errorf("the row %s is no field of genai.%s", name, typ.Name())
		}
	})
}

// TestTableKnowsEveryField fails when the Gen AI SDK has a field that nobody
// decided about.
func TestTableKnowsEveryField(t *testing.T) {
	known(t, config)
	known(t, tool)
	known(t, declaration)
	known(t, toolConfig)
	known(t, calling)
	known(t, thinking)
	known(t, content)
	known(t, part)
	known(t, blob)
	known(t, file)
	known(t, call)
	known(t, response)
}

// TestNeutral: what every server does anyway is no request.
func TestNeutral(t *testing.T) {
	r := &Request{
		Contents: []*genai.Content{nil, {Role: "user", Parts: []*genai.Part{nil, {Text: "hi"}}}},
		Config: &genai.GenerateContentConfig{
			HTTPOptions: &genai.HTTPOptions{}, SystemInstruction: &genai.Content{}, CandidateCount: 1, StopSequences: []string{},
			PresencePenalty: new(float32(0)), ResponseMIMEType: "text/plain", ResponseModalities: []string{"TEXT"},
			ThinkingConfig: &genai.ThinkingConfig{}, MediaResolution: genai.MediaResolutionUnspecified, Tools: []*genai.Tool{},
			ToolConfig:     &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: genai.FunctionCallingConfigModeAuto}},
			SafetySettings: []*genai.SafetySetting{{Category: genai.HarmCategoryHarassment, Threshold: genai.HarmBlockThresholdOff}, nil},
			Labels:         map[string]string{}, ServiceTier: genai.ServiceTierUnspecified, EnableEnhancedCivicAnswers: new(false),
		},
	}
	for col := range NumColumns {
		if err := Refuse(r, col); err != nil {
			t.Errorf("%v: %v", col, err)
		}
	}
}

func TestRefuseNames(t *testing.T) {
	r := &Request{Config: &genai.GenerateContentConfig{TopK: new(float32(40))}}
	f := fault.Of(Refuse(r, ColOllamaOpenAI))
	if f == nil || f.Kind != fault.Unsupported || f.Field != "config.topK" || !strings.Contains(f.Hint, "ProtocolOllama") {
		t.Errorf("%+v", f)
	}
	if err := Refuse(r, ColOllama); err != nil {
		t.Error(err)
	}
}

func TestMarkdown(t *testing.T) {
	md := Markdown()
	for _, f := range Features() {
		if !strings.Contains(md, "| `"+f.Field+"` |") {
			t.Errorf("%s is missing", f.Field)
		}
	}
	if strings.Contains(md, "silently dropped") {
		t.Error("something is dropped")
	}
}

func TestColumnOf(t *testing.T) {
	for c, of := range map[Column]Column{
		ColPrebuilt: ColumnOf(Gemini, UnknownSoftware), ColGemini: ColumnOf(Gemini, FullGemini), ColOllama: ColumnOf(Ollama, UnknownSoftware),
		ColOllamaOpenAI: ColumnOf(OpenAI, OllamaServer), ColVLLM: ColumnOf(OpenAI, VLLM), ColOpenAI: ColumnOf(OpenAI, LlamaCpp),
	} {
		if of != c {
			t.Errorf("%v for %v", of, c)
		}
	}
}
