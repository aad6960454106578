// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package tinygemma

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestVocabularyLayout(t *testing.T) {
	v := newVocabulary()
	for id, want := range map[int]string{
		padID: "<pad>", eosID: "<eos>", bosID: "<bos>", unkID: "<unk>", 6: "<unused0>", 104: "<unused98>",
		turnID: "<start_of_turn>", endID: "<end_of_turn>", newlineID: "\n", 108: "\n\n", 109: "<0x00>", 364: "<0xFF>",
	} {
		if v.tokens[id] != want {
			t.Errorf("token %d is %q, want %q", id, v.tokens[id], want)
		}
	}
	for token, id := range v.ids {
		if v.tokens[id] != token {
			t.Errorf("%q has id %d, which is %q", token, id, v.tokens[id])
		}
	}
}

// tokenize joins neighbours, best score first, until no two neighbours make a
// token: what a SentencePiece tokenizer does, in the plainest way.
func (v *vocabulary) tokenize(text string) []int {
	parts := strings.Split(strings.ReplaceAll(text, " ", mark), "")
	for {
		best := -1
		for i := range len(parts) - 1 {
			id, ok := v.ids[parts[i]+parts[i+1]]
			if ok && (best < 0 || v.scores[id] > v.scores[v.ids[parts[best]+parts[best+1]]]) {
				best = i
			}
		}
		if best < 0 {
			break
		}
		parts = slices.Replace(parts, best, best+2, parts[best]+parts[best+1])
	}
	var ids []int
	for _, p := range parts {
		if id, ok := v.ids[p]; ok {
			ids = append(ids, id)
			continue
		}
		for _, b := range []byte(p) {
			ids = append(ids, v.ids[fmt.Sprintf("<0x%02X>", b)])
		}
	}
	return ids
}

// A text that the model can write is read back as the tokens it was written
// with, wherever it is cut.
func TestTextIsReadBackAsWritten(t *testing.T) {
	v := newVocabulary()
	r := rand.New(rand.NewPCG(1, 2))
	follow := map[class][]class{
		newline: {start}, start: {verb}, capital: {verb}, verb: {linker, noun}, linker: {noun},
		noun: {linker, comma, period}, period: {capital}, comma: {verb},
	}
	for range 200 {
		var ids []int
		last := newline
		for range 40 {
			last = follow[last][r.IntN(len(follow[last]))]
			some := v.of(last)
			ids = append(ids, some[r.IntN(len(some))])
		}
		cut := ids[:1+r.IntN(len(ids))]
		var text strings.Builder
		for _, id := range cut {
			text.WriteString(v.tokens[id])
		}
		if got := v.tokenize(strings.ReplaceAll(text.String(), mark, " ")); !slices.Equal(got, cut) {
			t.Fatalf("%q was written as %v and read as %v", text.String(), cut, got)
		}
	}
	if got := v.tokenize("ß"); !slices.Equal(got, []int{109 + 0xc3, 109 + 0x9f}) {
		t.Errorf("a character without a token is %v", got)
	}
}

func TestSameBytesEachTime(t *testing.T) {
	var a, b bytes.Buffer
	if err := Write(&a, Small); err != nil {
		t.Fatal(err)
	}
	if err := Write(&b, Small); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two files of one size differ")
	}
	if mb := float64(a.Len()) / 1e6; mb > 3 {
		t.Errorf("the small model has %.1f MB", mb)
	}
}

// The tensors and their shapes, as a Gemma 3 of this size has them.
func TestTensors(t *testing.T) {
	g := build(Small)
	if got := len(g.Tensors); got != 3+13*Small.Layers {
		t.Errorf("%d tensors", got)
	}
	n := len(newVocabulary().tokens)
	shapes := map[string]string{
		"token_embd.weight": fmt.Sprint([]int{128, n}), "output.weight": fmt.Sprint([]int{128, n}), "output_norm.weight": "[128]",
		"blk.5.attn_q.weight": "[128 128]", "blk.5.attn_k.weight": "[128 64]", "blk.5.attn_output.weight": "[128 128]",
		"blk.5.attn_q_norm.weight": "[64]", "blk.5.ffn_gate.weight": "[128 256]", "blk.5.ffn_down.weight": "[256 128]",
	}
	for _, x := range g.Tensors {
		if want, ok := shapes[x.Name]; ok && fmt.Sprint(x.Dims) != want {
			t.Errorf("%s has %v, want %s", x.Name, x.Dims, want)
		}
		delete(shapes, x.Name)
		if x.Half != (len(x.Dims) == 2) {
			t.Errorf("%s: a matrix has 16-bit floats, a norm 32-bit ones", x.Name)
		}
	}
	if len(shapes) > 0 {
		t.Errorf("missing: %v", shapes)
	}
}
