// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"math/rand/v2"
	"strings"
)

// compose writes the words for a prompt: always the same for the same turns
// (an open assistant turn at the end aside) and seed.
func compose(c Call) string {
	messages := c.Messages
	if n := len(messages); n > 0 && messages[n-1].Role == "assistant" {
		messages = messages[:n-1]
	}
	var all strings.Builder
	for _, m := range messages {
		all.WriteString(m.Role + "\x00" + m.Text + "\x00")
	}
	last := strings.ToLower(lastText(messages))
	if strings.Contains(last, "sky") && strings.Contains(last, "blue") && c.Seed == nil {
		return skyAnswer
	}
	seed := crcOf(all.String())
	var second uint64
	if c.Seed != nil {
		second = uint64(*c.Seed) + 1
	}
	rng := rand.New(rand.NewPCG(seed, second))
	about := topic(messages)
	var out []string
	for _, i := range rng.Perm(len(sentences))[:4] {
		out = append(out, strings.ReplaceAll(sentences[i], "%", about))
	}
	return strings.Join(out, " ")
}

const skyAnswer = "The sky looks blue because air scatters blue light far more than red light. " +
	"Sunlight is a mixture of all colours. On its way through the atmosphere it meets molecules of nitrogen and oxygen, " +
	"which are much smaller than its wavelength, and the shorter the wave, the more strongly they throw it aside: " +
	"blue light about four times as much as red. This is called Rayleigh scattering.\n\n" +
	"So blue reaches your eyes from every part of the sky, while the other colours mostly pass straight on. " +
	"At sunset the light crosses much more air, most of the blue is gone before it arrives, and red and orange are left."

// sentences are what an emulated model knows; % stands for the topic.
var sentences = [...]string{
	"There is more to % than meets the eye.",
	"The short answer about % is that small causes add up over time.",
	"Think of % as a river: it follows the easiest way and shapes it as it goes.",
	"Most people who study % start with what can be measured.",
	"In practice % depends on where you stand and what you compare it with.",
	"A good example of % is found in any kitchen, if you look closely.",
	"What surprises many is how quickly % changes once the conditions are right.",
	"Early accounts of % were wrong in the details but right in the outline.",
	"To understand % it helps to draw a picture and label its parts.",
	"The hardest part of % is knowing which questions to leave for later.",
	"Two things matter for %: how much there is, and how evenly it is spread.",
	"If you want to try % yourself, begin small and write down what happens.",
}

// topic is the longest word of the last question.
func topic(messages []Message) string {
	best := ""
	for w := range strings.FieldsSeq(lastText(messages)) {
		w = strings.Trim(w, ".,:;!?\"'()[]{}<>`*")
		if len(w) > len(best) && len(w) <= 24 && !strings.ContainsAny(w, "\"\\") {
			best = w
		}
	}
	if best == "" {
		return "this"
	}
	return best
}

func lastText(messages []Message) string {
	for i := len(messages) - 1; i >= 0; i-- {
		if m := messages[i]; m.Text != "" && m.Role != "assistant" {
			return m.Text
		}
	}
	return ""
}

func firstSentence(s string) string {
	if i := strings.IndexByte(s, '.'); i >= 0 {
		return s[:i+1]
	}
	return s
}
