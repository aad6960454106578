// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import "google.golang.org/genai"

// partial is what an answer has brought so far, kept small: a broken stream
// hands it out, a resumed one continues it. It copies text, so that responses
// themselves may go.
type partial struct {
	answer   []byte // text of the first candidate, without thoughts
	thoughts []byte
	others   []*genai.Part // parts that are not text, in order
	chunks   int32         // responses with text: a token each on the servers that resume (measured on Ollama)
	before   int32         // chunks of the parts before the present one
	several  bool          // more than one candidate was seen
	finish   genai.FinishReason
	model    string
	id       string
	usage    *genai.GenerateContentResponseUsageMetadata
}

func (p *partial) add(r *genai.GenerateContentResponse) {
	if p.model == "" {
		p.model = r.ModelVersion
	}
	if p.id == "" {
		p.id = r.ResponseID
	}
	if r.UsageMetadata != nil {
		p.usage = r.UsageMetadata
	}
	counted := false
	for _, c := range r.Candidates {
		if c.Index != 0 {
			p.several = true
			continue
		}
		if c.FinishReason != "" {
			p.finish = c.FinishReason
		}
		if c.Content == nil {
			continue
		}
		for _, part := range c.Content.Parts {
			switch {
			case part.Text == "" && part.FunctionCall == nil && part.InlineData == nil:
			case part.FunctionCall != nil || part.InlineData != nil:
				p.others = append(p.others, part)
			case part.Thought:
				p.thoughts = append(p.thoughts, part.Text...)
			default:
				p.answer = append(p.answer, part.Text...)
				counted = true
			}
		}
	}
	if counted {
		p.chunks++
	}
}

// plain reports whether the answer so far can be the open turn of the model:
// text and nothing else.
func (p *partial) plain() bool {
	return len(p.answer) > 0 && len(p.thoughts) == 0 && len(p.others) == 0 && !p.several
}

func (p *partial) text() string  { return string(p.answer) }
func (p *partial) tokens() int32 { return p.chunks }

// part marks the seam of a resumed answer.
func (p *partial) part() { p.before = p.chunks }

// addUp makes the usage of the last part that of the whole answer: what came
// before the seam was part of that request's prompt.
func (p *partial) addUp(r *genai.GenerateContentResponse) {
	u := r.UsageMetadata
	if u == nil {
		return
	}
	u.CandidatesTokenCount += p.before
	u.PromptTokenCount = max(0, u.PromptTokenCount-p.before)
	u.TotalTokenCount = u.PromptTokenCount + u.CandidatesTokenCount + u.ThoughtsTokenCount
}

// response is the whole of it, or nil if there is nothing.
func (p *partial) response() *genai.GenerateContentResponse {
	var parts []*genai.Part
	if len(p.thoughts) > 0 {
		parts = append(parts, &genai.Part{Text: string(p.thoughts), Thought: true})
	}
	if len(p.answer) > 0 {
		parts = append(parts, &genai.Part{Text: string(p.answer)})
	}
	parts = append(parts, p.others...)
	if parts == nil {
		return nil
	}
	return &genai.GenerateContentResponse{
		ModelVersion: p.model, ResponseID: p.id, UsageMetadata: p.usage,
		Candidates: []*genai.Candidate{{FinishReason: p.finish, Content: &genai.Content{Role: genai.RoleModel, Parts: parts}}},
	}
}

// maxHeld bounds the text that is kept until it is checked: more than the
// longest context of any Gemma holds.
const maxHeld = 16 << 20

func textBytes(r *genai.GenerateContentResponse) (n int) {
	if r == nil {
		return 0
	}
	for _, c := range r.Candidates {
		if c.Content == nil {
			continue
		}
		for _, p := range c.Content.Parts {
			n += len(p.Text)
		}
	}
	return n
}
