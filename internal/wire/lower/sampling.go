// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package lower

import (
	"math"
	"slices"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
)

// sampling checks the numbers: a server's answer to a bad one is often a 500,
// or nothing.
func (p *Plan) sampling() error {
	c := p.Config
	switch {
	case bad(c.Temperature, 0, 100):
		return fault.Bad("config.temperature", "%v is not a temperature", *c.Temperature)
	case bad(c.TopP, 0, 1):
		return fault.Bad("config.topP", "%v is not between 0 and 1", *c.TopP)
	case bad(c.TopK, 0, math.MaxInt32) || c.TopK != nil && *c.TopK != float32(math.Trunc(float64(*c.TopK))):
		return fault.Bad("config.topK", "%v is not a number of tokens", *c.TopK)
	case bad(c.PresencePenalty, -2, 2):
		return fault.Bad("config.presencePenalty", "%v is not between -2 and 2", *c.PresencePenalty)
	case bad(c.FrequencyPenalty, -2, 2):
		return fault.Bad("config.frequencyPenalty", "%v is not between -2 and 2", *c.FrequencyPenalty)
	case c.MaxOutputTokens < 0:
		return fault.Bad("config.maxOutputTokens", "%d is not a number of tokens", c.MaxOutputTokens)
	case c.CandidateCount < 0:
		return fault.Bad("config.candidateCount", "%d is not a number of answers", c.CandidateCount)
	case c.Logprobs != nil && !c.ResponseLogprobs:
		return fault.Bad("config.logprobs", "needs config.responseLogprobs")
	case c.Logprobs != nil && (*c.Logprobs < 0 || *c.Logprobs > 20):
		return fault.Bad("config.logprobs", "%d is not between 0 and 20", *c.Logprobs)
	}
	if p.col == wire.ColPrebuilt && c.Temperature != nil && *c.Temperature == 0 {
		p.emulate("config.temperature", "0 is sent as 0.0001, because the container drops a zero")
	}
	if slices.Contains(c.StopSequences, "") {
		return fault.Bad("config.stopSequences", "an empty string would stop every answer")
	}
	return nil
}

func bad(v *float32, low, high float32) bool { return v != nil && !(*v >= low && *v <= high) }

// thinking reads the switch for thoughts.
func (p *Plan) thinking() error {
	t := p.Config.ThinkingConfig
	if t == nil || p.col == wire.ColGemini {
		return nil
	}
	p.Thoughts = t.IncludeThoughts
	field := "config.thinkingConfig.includeThoughts"
	if t.IncludeThoughts {
		p.Think = new(true)
	}
	if b := t.ThinkingBudget; b != nil {
		switch {
		case *b == 0:
			p.Think = new(false)
		case *b == -1:
			p.Think, field = new(true), "config.thinkingConfig.thinkingBudget"
		default:
			return fault.Refuse("config.thinkingConfig.thinkingBudget",
				"the server has no budget for thoughts: 0 turns them off, -1 leaves them to the model")
		}
	}
	if p.Think == nil {
		return nil
	}
	thinks := p.req.Info.ID == "" || p.req.Info.Thinking
	if p.req.Server.Known {
		thinks = p.req.Server.Thinking
	}
	if !thinks {
		if !*p.Think {
			p.Think = nil // it never thinks: off is how it is
			return nil
		}
		return fault.Refuse(field, "this model does not think")
	}
	return nil
}

// MaxTokens returns the limit of the answer, or 0 for none.
func (p *Plan) MaxTokens() int32 { return p.Config.MaxOutputTokens }

// Candidates returns the number of answers asked for.
func (p *Plan) Candidates() int { return max(1, int(p.Config.CandidateCount)) }

// Logprobs returns whether log probabilities were asked for, and of how many
// alternatives for each token.
func (p *Plan) Logprobs() (alternatives int, asked bool) {
	c := p.Config
	if c.Logprobs != nil {
		alternatives = int(*c.Logprobs)
	}
	return alternatives, c.ResponseLogprobs
}

// nearZero is as good as greedy, and not zero.
const nearZero = 0.0001

// Temperature returns the temperature to send. The prebuilt container's Gemini
// route drops a zero.
func (p *Plan) Temperature() *float32 {
	if t := p.Config.Temperature; t == nil || *t != 0 || p.col != wire.ColPrebuilt {
		return t
	}
	return new(float32(nearZero))
}
