// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package tinygemma makes Gemma 3 models of a few megabytes for tests: right
// in every key, tensor and token that a model server looks at, random in what
// they say. A real Ollama loads them and generates from them (measured on
// Ollama v0.6.5).
//
// Random weights alone would give noise that never ends. So the output matrix
// holds a table of which word may follow which, and the layers only decide
// between those: an answer is made of readable words and sentences, depends on
// the whole conversation and on the seed, ends by itself, and closes its
// strings and brackets when the server constrains it to JSON. The words mean
// nothing.
//
// The same [Size] always gives the same bytes.
package tinygemma

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
)

// Size is the shape of a model.
type Size struct {
	Name        string // as in general.name
	Layers      int    // at least 6: every sixth looks at the whole context, the others at a window
	Embedding   int
	FeedForward int
	Heads       int
	KVHeads     int
	HeadDim     int
	Endless     bool // an answer ends only by a limit, a schema or a disconnect
}

// The two sizes. Small writes several hundred tokens a second on one thread
// and ends an answer after some 30 tokens. Large writes some 30 tokens a
// second and never ends: to cut off, to kill and to cancel.
var (
	Small = Size{Name: "gemma3 tiny random", Layers: 6, Embedding: 128, FeedForward: 256, Heads: 2, KVHeads: 1, HeadDim: 64}
	Large = Size{Name: "gemma3 slow random", Layers: 12, Embedding: 512, FeedForward: 2048, Heads: 4, KVHeads: 2, HeadDim: 128, Endless: true}
)

// Template renders a conversation in Gemma's format. It has to be given to
// Ollama along with the file, which else sends the bare prompt (measured on
// Ollama v0.6.5). A last turn that is the model's stays open, so that the
// model goes on with it.
const Template = `{{- range $i, $_ := .Messages }}
{{- $last := eq (len (slice $.Messages $i)) 1 }}
{{- if or (eq .Role "user") (eq .Role "system") }}<start_of_turn>user
{{ .Content }}<end_of_turn>
{{ if $last }}<start_of_turn>model
{{ end }}
{{- else if eq .Role "assistant" }}<start_of_turn>model
{{ .Content }}{{ if not $last }}<end_of_turn>
{{ end }}
{{- end }}
{{- end }}`

// Parameters are the defaults that Gemma 3 has in Ollama's library, and one
// thread: two threads that wait for each other beside another busy process
// generate some fifty times slower (measured on two cores).
func Parameters() map[string]any {
	return map[string]any{
		"stop":        []string{"<end_of_turn>"},
		"temperature": 1.0,
		"top_k":       64,
		"top_p":       0.95,
		"num_thread":  1,
	}
}

// Write writes the model of the given size as a GGUF file.
func Write(w io.Writer, s Size) error {
	_, err := build(s).WriteTo(w)
	return err
}

// contextLength is what the metadata promises; a server may allow less.
const contextLength = 8192

func build(s Size) *GGUF {
	v := newVocabulary()
	return &GGUF{Meta: metadata(s, v), Tensors: tensors(s, v)}
}

func metadata(s Size, v *vocabulary) []KV {
	return []KV{
		{"general.architecture", "gemma3"},
		{"general.name", s.Name},
		{"general.file_type", uint32(1)}, // mostly 16-bit floats
		{"gemma3.block_count", uint32(s.Layers)},
		{"gemma3.context_length", uint32(contextLength)},
		{"gemma3.embedding_length", uint32(s.Embedding)},
		{"gemma3.feed_forward_length", uint32(s.FeedForward)},
		{"gemma3.attention.head_count", uint32(s.Heads)},
		{"gemma3.attention.head_count_kv", uint32(s.KVHeads)},
		{"gemma3.attention.key_length", uint32(s.HeadDim)},
		{"gemma3.attention.value_length", uint32(s.HeadDim)},
		{"gemma3.attention.layer_norm_rms_epsilon", float32(1e-6)},
		{"gemma3.attention.sliding_window", uint32(512)},
		{"gemma3.rope.freq_base", float32(1e6)},
		{"gemma3.rope.global.freq_base", float32(1e6)},
		{"gemma3.rope.local.freq_base", float32(1e4)},
		{"tokenizer.ggml.model", "llama"},
		{"tokenizer.ggml.pre", "default"},
		{"tokenizer.ggml.tokens", v.tokens},
		{"tokenizer.ggml.scores", v.scores},
		{"tokenizer.ggml.token_type", v.types},
		{"tokenizer.ggml.bos_token_id", uint32(bosID)},
		{"tokenizer.ggml.eos_token_id", uint32(eosID)},
		{"tokenizer.ggml.unknown_token_id", uint32(unkID)},
		{"tokenizer.ggml.padding_token_id", uint32(padID)},
		{"tokenizer.ggml.add_bos_token", true},
		{"tokenizer.ggml.add_eos_token", false},
		{"tokenizer.ggml.add_space_prefix", false},
	}
}

// influence is how much of a token's final state comes from the layers, per
// dimension, against 1 for the token itself: enough that the conversation
// decides which of the likely words follows, too little to make an unlikely
// word follow.
const influence = 0.35

func tensors(s Size, v *vocabulary) []Tensor {
	r := rand.New(rand.NewPCG(3, uint64(s.Embedding)))
	embedding, output := words(s, v, r)
	t := []Tensor{
		matrix("token_embd", s.Embedding, len(v.tokens), embedding),
		vector("output_norm", ones(s.Embedding)),
		matrix("output", s.Embedding, len(v.tokens), output),
	}
	// What a layer adds must leave the class dimensions alone, or a class
	// would no longer tell what may follow.
	added := make([]float32, s.Embedding)
	for i := int(classes); i < len(added); i++ {
		added[i] = float32(influence / math.Sqrt(float64(2*s.Layers)))
	}
	for l := range s.Layers {
		name := func(part string) string { return fmt.Sprintf("blk.%d.%s", l, part) }
		random := func(part string, in, out int) Tensor { return matrix(name(part), in, out, normal(r, in, out)) }
		t = append(t,
			vector(name("attn_norm"), ones(s.Embedding)),
			random("attn_q", s.Embedding, s.Heads*s.HeadDim),
			random("attn_k", s.Embedding, s.KVHeads*s.HeadDim),
			random("attn_v", s.Embedding, s.KVHeads*s.HeadDim),
			random("attn_output", s.Heads*s.HeadDim, s.Embedding),
			vector(name("attn_q_norm"), ones(s.HeadDim)),
			vector(name("attn_k_norm"), ones(s.HeadDim)),
			vector(name("post_attention_norm"), added),
			vector(name("ffn_norm"), ones(s.Embedding)),
			random("ffn_gate", s.Embedding, s.FeedForward),
			random("ffn_up", s.Embedding, s.FeedForward),
			random("ffn_down", s.FeedForward, s.Embedding),
			vector(name("post_ffw_norm"), added),
		)
	}
	return t
}

func matrix(name string, in, out int, data []float32) Tensor {
	return Tensor{Name: name + ".weight", Dims: []int{in, out}, Half: true, Data: data}
}

func vector(name string, data []float32) Tensor {
	return Tensor{Name: name + ".weight", Dims: []int{len(data)}, Data: data}
}

// normal returns a matrix that keeps the size of what goes through it.
func normal(r *rand.Rand, in, out int) []float32 {
	scale := 1 / math.Sqrt(float64(in))
	data := make([]float32, in*out)
	for i := range data {
		data[i] = float32(r.NormFloat64() * scale)
	}
	return data
}

// ones is a norm weight that changes nothing. Gemma's +1 is already in the
// weights of a GGUF file.
func ones(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = 1
	}
	return v
}
