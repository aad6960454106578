// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package tinygemma

import (
	"math"
	"math/rand/v2"
)

// floor is the logit of what must not follow: far below everything that may,
// yet finite, so that a grammar that allows nothing else still gets it. A byte
// lies lower still, because a grammar takes it for the character of that code,
// of which there is a better token.
const (
	floor    = -12
	rawFloor = -30
)

// transitions are the logits with which a class of tokens follows another, for
// each token of the class; what is not listed has a floor. They hold for
// ordinary text and for text constrained to JSON: in JSON the grammar takes
// away what may not follow there, and what remains leads to the end of the
// string or of the object within a few tokens.
var transitions = [classes]map[class]float64{
	other:        {linker: 4, noun: 4, digit: 2, quote: 2},
	raw:          {linker: 4, noun: 4},
	newline:      {start: 2},
	start:        {verb: 0},
	capital:      {verb: 0},
	verb:         {linker: 0, noun: 0},
	linker:       {noun: 0},
	noun:         {linker: 0, comma: 8.6, period: 9.2},
	red:          {red: 30},
	period:       {capital: 2, endOfTurn: 8.4},
	comma:        {verb: 0, quote: 2, digit: 1, openBrace: 2, openBracket: 1},
	space:        {plain: 6.5},
	plain:        {quote: 7, space: 6.5},
	quote:        {plain: 6.5, quote: 2, colon: 5, comma: 5, closeBrace: 5, closeBracket: 5, endOfTurn: 5},
	openBrace:    {quote: 9, closeBrace: 5},
	closeBrace:   {comma: 8, closeBrace: 8, closeBracket: 8, endOfTurn: 9},
	openBracket:  {quote: 8, digit: 5, openBrace: 7, closeBracket: 4},
	closeBracket: {comma: 8, closeBrace: 8, closeBracket: 8, endOfTurn: 9},
	colon:        {quote: 8, digit: 6, openBrace: 6, openBracket: 6, letter: 4},
	digit:        {comma: 8, closeBrace: 8, closeBracket: 8, digit: 5, quote: 3, endOfTurn: 8},
	letter:       {linker: 4, noun: 4, quote: 4, comma: 4, closeBrace: 4, closeBracket: 4, letter: 2, endOfTurn: 4},
	endOfTurn:    {},
}

// successors are the classes whose tokens each prefer n tokens of another, by
// a logit between least and most on top of the transition's own. This is what
// makes a text of one word differ from that of another.
var successors = []struct {
	from, to    class
	n           int
	least, most float64
}{
	{newline, start, 12, 5, 5.3},
	{start, verb, 6, 8, 9.5},
	{capital, verb, 6, 8, 9.5},
	{verb, linker, 5, 8, 9.5},
	{verb, noun, 2, 7.5, 8.5},
	{linker, noun, 6, 8, 9.5},
	{noun, linker, 2, 7, 8},
	{comma, verb, 12, 8, 9},
	{period, capital, 6, 5.7, 6},
}

// words returns the embedding and the output matrix, row by row.
//
// Of the dimensions, the first are one for each class and the rest are random,
// each half as strong as the other. An output row reads the class of the last
// token from the first (transitions) and the last token itself from the rest
// (successors); the layers only write to the rest.
func words(s Size, v *vocabulary, r *rand.Rand) (embedding, output []float32) {
	d := s.Embedding
	// Gemma multiplies an embedding by the root of its dimension, and the
	// final norm divides by the root of the mean square. With both halves this
	// strong, what comes out of the norm is as strong as the embedding was,
	// but for what the layers added.
	strength := math.Sqrt(float64(d) / 2)
	grown := math.Sqrt(1 + influence*influence*float64(d-int(classes))/float64(d))

	embedding = make([]float32, d*len(v.tokens))
	output = make([]float32, d*len(v.tokens))
	unit := make([][]float64, len(v.tokens))
	for id, c := range v.classes {
		unit[id] = direction(r, d-int(classes))
		row := embedding[id*d:][:d]
		row[c] = float32(strength / math.Sqrt(float64(d)))
		for i, x := range unit[id] {
			row[int(classes)+i] = float32(x * strength / math.Sqrt(float64(d)))
		}
	}
	for id, c := range v.classes {
		row := output[id*d:][:d]
		for from := range classes {
			row[from] = float32(s.transition(from, c) * grown / strength)
		}
	}
	prefer := func(to int, weight []float64, logit float64) {
		row := output[to*d+int(classes):][:d-int(classes)]
		for j, x := range weight {
			row[j] += float32(x * logit * grown / strength)
		}
	}
	for _, k := range successors {
		deck := &deck{cards: v.of(k.to), r: r}
		for _, from := range v.of(k.from) {
			for n := range k.n {
				prefer(deck.next(), unit[from], k.least+(k.most-k.least)*float64(n)/float64(k.n-1))
			}
		}
	}
	// Which word begins a sentence, and whether there is another sentence, is
	// for the layers to say, or the likeliest answer would be the same for every
	// conversation and end either after its first sentence or never.
	for id, c := range v.classes {
		switch c {
		case start:
			prefer(id, whim(r, unit[newlineID]), 2*strength)
		case capital, endOfTurn:
			prefer(id, whim(r, unit[v.ids["."]]), 2*strength)
		}
	}
	return embedding, output
}

// whim returns a random direction that the last token itself does not point in.
func whim(r *rand.Rand, last []float64) []float64 {
	w := direction(r, len(last))
	along := 0.0
	for i := range w {
		along += w[i] * last[i]
	}
	for i := range w {
		w[i] -= along * last[i]
	}
	return w
}

// deck deals cards in random order, each as often as any other.
type deck struct {
	cards []int
	dealt int
	r     *rand.Rand
}

func (d *deck) next() int {
	if d.dealt%len(d.cards) == 0 {
		d.r.Shuffle(len(d.cards), func(i, j int) { d.cards[i], d.cards[j] = d.cards[j], d.cards[i] })
	}
	d.dealt++
	return d.cards[(d.dealt-1)%len(d.cards)]
}

func (s Size) transition(from, to class) float64 {
	logit, ok := transitions[from][to]
	switch {
	case to == raw:
		return rawFloor
	case !ok, s.Endless && from == period && to == endOfTurn:
		return floor
	}
	return logit
}

// direction returns a random vector of length 1.
func direction(r *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	sum := 0.0
	for i := range v {
		v[i] = r.NormFloat64()
		sum += v[i] * v[i]
	}
	for i := range v {
		v[i] /= math.Sqrt(sum)
	}
	return v
}
