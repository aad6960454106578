// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package models is the one table of Gemma models: how each protocol spells a
// name, which prebuilt image serves it, and what the model can do.
//
// Sources: the Gemma model cards (context, modalities, tools), the Ollama
// library's tags, and the prebuilt images of the gemma-cookbook's Cloud Run
// demo.
package models

import "strings"

// Family is a generation of Gemma: the models of one family share their prompt
// format and abilities.
type Family uint8

const (
	Unknown Family = iota
	Gemma3
	Gemma3n
	Gemma4
	FunctionGemma
	EmbeddingGemma
)

var families = [...]string{"unknown", "Gemma 3", "Gemma 3n", "Gemma 4", "FunctionGemma", "EmbeddingGemma"}

func (f Family) String() string { return families[f] }

// Model is one row of the table. The zero Model is what is known of a custom
// model: nothing.
type Model struct {
	ID       string // the Gemini API's spelling and the key of the table: gemma-3-4b-it
	Family   Family
	Ollama   string  // Ollama's tag: gemma3:4b
	HF       string  // Hugging Face and vLLM id: google/gemma-3-4b-it
	Image    string  // prebuilt Cloud Run image; "" if there is none
	Params   float64 // parameters to load, in billions (a mixture of experts loads them all)
	Context  int     // tokens the model was trained for; 0 = not published
	Vision   bool    // takes images
	Audio    bool    // takes audio
	Tools    bool    // has tokens of its own for tool calls
	Thinking bool    // has a thinking channel
	System   bool    // has a system role of its own; otherwise instructions join the first user turn
}

const imagePrefix = "us-docker.pkg.dev/cloudrun/container/gemma/"

// table is ordered by family, then by size. It is never written to.
var table = [...]Model{
	{ID: "gemma-3-270m-it", Family: Gemma3, Ollama: "gemma3:270m", HF: "google/gemma-3-270m-it", Params: 0.27, Context: 32 << 10},
	{ID: "gemma-3-1b-it", Family: Gemma3, Ollama: "gemma3:1b", HF: "google/gemma-3-1b-it", Image: imagePrefix + "gemma3-1b", Params: 1, Context: 32 << 10},
	{ID: "gemma-3-4b-it", Family: Gemma3, Ollama: "gemma3:4b", HF: "google/gemma-3-4b-it", Image: imagePrefix + "gemma3-4b", Params: 4.3, Context: 128 << 10, Vision: true},
	{ID: "gemma-3-12b-it", Family: Gemma3, Ollama: "gemma3:12b", HF: "google/gemma-3-12b-it", Image: imagePrefix + "gemma3-12b", Params: 12.2, Context: 128 << 10, Vision: true},
	{ID: "gemma-3-27b-it", Family: Gemma3, Ollama: "gemma3:27b", HF: "google/gemma-3-27b-it", Image: imagePrefix + "gemma3-27b", Params: 27.4, Context: 128 << 10, Vision: true},
	{ID: "gemma-3n-e2b-it", Family: Gemma3n, Ollama: "gemma3n:e2b", HF: "google/gemma-3n-E2B-it", Image: imagePrefix + "gemma3n-e2b", Params: 4.5, Context: 32 << 10},
	{ID: "gemma-3n-e4b-it", Family: Gemma3n, Ollama: "gemma3n:e4b", HF: "google/gemma-3n-E4B-it", Image: imagePrefix + "gemma3n-e4b", Params: 6.9, Context: 32 << 10},
	{ID: "gemma-4-e2b-it", Family: Gemma4, Ollama: "gemma4:e2b", HF: "google/gemma-4-E2B-it", Params: 5.1, Context: 128 << 10, Vision: true, Audio: true, Tools: true, Thinking: true, System: true},
	{ID: "gemma-4-e4b-it", Family: Gemma4, Ollama: "gemma4:e4b", HF: "google/gemma-4-E4B-it", Params: 8, Context: 128 << 10, Vision: true, Audio: true, Tools: true, Thinking: true, System: true},
	{ID: "gemma-4-12b-it", Family: Gemma4, Ollama: "gemma4:12b", HF: "google/gemma-4-12B-it", Params: 12, Vision: true, Tools: true, Thinking: true, System: true},
	{ID: "gemma-4-26b-a4b-it", Family: Gemma4, Ollama: "gemma4:26b", HF: "google/gemma-4-26B-A4B-it", Params: 26, Context: 256 << 10, Vision: true, Tools: true, Thinking: true, System: true},
	{ID: "gemma-4-31b-it", Family: Gemma4, Ollama: "gemma4:31b", HF: "google/gemma-4-31B-it", Params: 31, Context: 256 << 10, Vision: true, Tools: true, Thinking: true, System: true},
	{ID: "functiongemma-270m-it", Family: FunctionGemma, Ollama: "functiongemma:270m", HF: "google/functiongemma-270m-it", Params: 0.27, Context: 32 << 10, Tools: true},
	{ID: "embeddinggemma-300m", Family: EmbeddingGemma, Ollama: "embeddinggemma:300m", HF: "google/embeddinggemma-300m", Params: 0.3, Context: 2 << 10},
}

// All returns a copy of the table.
func All() []Model { return append([]Model(nil), table[:]...) }

// Lookup finds a model by any of its spellings, in any case: the Gemini API's
// (gemma-3-4b-it, models/gemma-3-4b-it), Ollama's (gemma3:4b, also with a
// quantisation suffix such as gemma3:4b-it-q4_K_M), Hugging Face's
// (google/gemma-3-4b-it) or the prebuilt image's (gemma3-4b). It reports false
// for a name it does not know, which may still be a custom model's good name.
func Lookup(name string) (Model, bool) {
	key := normal(name)
	if key == "" {
		return Model{}, false
	}
	for _, m := range table {
		if key == normal(m.ID) {
			return m, true
		}
	}
	return Model{}, false
}

// Same reports whether two spellings name one model. Two unknown names are the
// same if they are equal, Ollama's implied ":latest" aside.
func Same(a, b string) bool {
	ma, oka := Lookup(a)
	mb, okb := Lookup(b)
	if oka && okb {
		return ma.ID == mb.ID
	}
	return strings.TrimSuffix(a, ":latest") == strings.TrimSuffix(b, ":latest")
}

// normal reduces a spelling to what all spellings of one model share:
// "gemma3 4b". Path prefixes, punctuation, the instruction-tuned mark, a
// quantisation suffix and the active-parameters mark of a mixture of experts
// all fall away.
func normal(name string) string {
	s := strings.ToLower(strings.TrimSpace(name))
	if i := strings.LastIndexByte(s, '/'); i >= 0 {
		s = s[i+1:]
	}
	s = strings.TrimSuffix(s, ":latest")
	// FunctionGemma and EmbeddingGemma come in one size each, which Ollama's
	// bare name implies.
	switch s {
	case "functiongemma":
		s = "functiongemma:270m"
	case "embeddinggemma":
		s = "embeddinggemma:300m"
	}
	fields := strings.FieldsFunc(s, func(r rune) bool { return r == '-' || r == ':' })
	if len(fields) == 0 {
		return ""
	}
	family, rest := fields[0], fields[1:]
	if family == "gemma" && len(rest) > 0 { // gemma-3-4b-it
		family, rest = "gemma"+rest[0], rest[1:]
	}
	if len(rest) == 0 {
		return ""
	}
	size, rest := rest[0], rest[1:]
	for _, f := range rest {
		switch {
		case f == "it", f == "a4b", f == "qat", quantisation(f):
		case f == "pt": // a pretrained base is another model
			return ""
		default:
			return ""
		}
	}
	return family + " " + size
}

// quantisation reports whether a name's part says only how the weights are
// stored (q4_0, q4_k_m, fp16, bf16, fp8 …), not which model it is.
func quantisation(f string) bool {
	switch f {
	case "f16", "fp16", "bf16", "fp8", "int4", "int8", "nvfp4", "mxfp8", "mxfp4":
		return true
	}
	return len(f) >= 2 && f[0] == 'q' && f[1] >= '2' && f[1] <= '8'
}
