// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package tinygemma

import (
	"fmt"
	"slices"
	"strings"
)

// A class is what tokens have in common when the next token is chosen; see
// transitions.
type class int

const (
	other        class = iota // specials, rare characters, the beginnings of words
	raw                       // a byte, for what has no token
	newline                   // "\n", which ends "<start_of_turn>model"
	start                     // a capital word that begins an answer
	capital                   // a capital word that begins a later sentence
	verb                      // in the middle of a sentence, with the space before it, as are
	linker                    // what stands between a verb and a noun
	noun                      // what a sentence may end with
	red                       // " red", which repeats for ever
	period                    // the end of a sentence
	comma                     // in a sentence and in JSON
	space                     // a space alone: between the words of a JSON string
	plain                     // a word without a space: in a JSON string
	quote                     // "
	openBrace                 // {
	closeBrace                // }
	openBracket               // [
	closeBracket              // ]
	colon                     // :
	digit                     // 0 to 9
	letter                    // a to z, alone
	endOfTurn                 // <end_of_turn>
	classes
)

// The ids that a Gemma 3 vocabulary has to have in their places: the first 109
// are laid out as Google's are. Ollama takes 1 and 106 for the end of an
// answer whatever the metadata says (measured on Ollama v0.6.5).
const (
	padID     = 0
	eosID     = 1
	bosID     = 2
	unkID     = 3
	turnID    = 105 // <start_of_turn>
	endID     = 106 // <end_of_turn>
	newlineID = 107
)

// The token types of the format.
const (
	typeNormal  = 1
	typeUnknown = 2
	typeControl = 3
	typeByte    = 6
)

const (
	starters = `Can House Word Morning Keep Cold Bird Token Slow Answer Stop Two Every Light Rain Never`
	verbs    = `is has was will can may must finds keeps takes makes holds shows brings writes reads runs stops
		starts waits falls grows turns needs loads`
	linkers = `the a and of to with under over from into after before slow quick bright dark cold warm open small
		large old new quiet private remote green blue white every many few some two three never always only again
		often still here there naïve über`
	nouns = `north south east west river stone bird fish tree garden house window door road bridge letter word
		line name story song question answer reply prompt token model morning evening night winter summer rain
		snow wind light fire water bread salt apple user café señor 東京 смысл`
	unspaced = `amber basil cedar delta ember fable grove hazel iris jade kelp lotus maple nectar olive pearl
		quartz raven sage thyme umber velvet willow zephyr`
)

// mark stands for a space inside a token, as in every SentencePiece vocabulary.
const mark = "▁"

// vocabulary is the tokens of one model.
type vocabulary struct {
	tokens  []string
	scores  []float32
	types   []int32
	classes []class
	ids     map[string]int
}

// newVocabulary lays out the tokens: Gemma's first 109, the 256 bytes, the
// printable ASCII characters, and the words, each after all of its beginnings.
//
// The beginnings are there for the tokenizer, which joins two neighbours at a
// time and so only finds a word when it finds each beginning of it: with them,
// a text that the model wrote is read back as the very tokens it was written
// with, and an answer can be continued as if it had never been interrupted.
func newVocabulary() *vocabulary {
	v := &vocabulary{ids: map[string]int{}}
	for _, t := range []string{"<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "[multimodal]"} {
		v.add(t, typeControl, other)
	}
	v.types[unkID] = typeUnknown
	for i := range 99 {
		v.add(fmt.Sprintf("<unused%d>", i), typeControl, other)
	}
	v.add("<start_of_turn>", typeControl, other)
	v.add("<end_of_turn>", typeControl, endOfTurn)
	v.add("\n", typeNormal, newline)
	v.add("\n\n", typeNormal, newline)
	for i := range 256 {
		v.add(fmt.Sprintf("<0x%02X>", i), typeByte, raw)
	}
	for c := ' '; c <= '~'; c++ {
		v.add(strings.ReplaceAll(string(c), " ", mark), typeNormal, characterClass(c))
	}
	for w := range strings.FieldsSeq(starters) {
		v.addWord(w, start)
		v.addWord(mark+w, capital)
	}
	for _, words := range []struct {
		text string
		class
	}{{verbs, verb}, {linkers, linker}, {nouns, noun}, {"red", red}} {
		for w := range strings.FieldsSeq(words.text) {
			v.addWord(mark+w, words.class)
		}
	}
	for w := range strings.FieldsSeq(unspaced) {
		v.add(w, typeNormal, plain)
	}
	return v
}

func characterClass(c rune) class {
	switch {
	case c == '.':
		return period
	case c == ',':
		return comma
	case c == ' ':
		return space
	case c == '"':
		return quote
	case c == '{':
		return openBrace
	case c == '}':
		return closeBrace
	case c == '[':
		return openBracket
	case c == ']':
		return closeBracket
	case c == ':':
		return colon
	case '0' <= c && c <= '9':
		return digit
	case 'a' <= c && c <= 'z':
		return letter
	}
	return other
}

// add appends a token unless it is there already; a word that is also the
// beginning of another takes the place of that beginning.
func (v *vocabulary) add(token string, kind int32, c class) {
	if id, ok := v.ids[token]; ok {
		if c != other {
			v.classes[id] = c
		}
		return
	}
	v.ids[token] = len(v.tokens)
	v.tokens = append(v.tokens, token)
	v.types = append(v.types, kind)
	v.classes = append(v.classes, c)
	v.scores = append(v.scores, score(token, kind))
}

// addWord appends w after each of its beginnings of two or more characters.
func (v *vocabulary) addWord(w string, c class) {
	runes := []rune(w)
	for n := 2; n < len(runes); n++ {
		v.add(string(runes[:n]), typeNormal, other)
	}
	v.add(w, typeNormal, c)
}

// score ranks the tokenizer's merges. A space joins the word after it before
// that word's own letters join, or " Can" would become " " and "Can".
func score(token string, kind int32) float32 {
	switch {
	case kind != typeNormal:
		return 0
	case strings.HasPrefix(token, mark):
		return -1
	}
	return -2
}

// of returns the ids of the tokens of some classes, in order.
func (v *vocabulary) of(some ...class) []int {
	var ids []int
	for id, c := range v.classes {
		if slices.Contains(some, c) {
			ids = append(ids, id)
		}
	}
	return ids
}
