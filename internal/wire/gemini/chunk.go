// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemini

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/wire/jsonscan"
	"github.com/gemma-go/sdk/internal/wire/reply"
)

const (
	kCandidates = 1 << iota
	kUsage
	kVersion
	kID
	kIndex
	kContent
	kFinish
	kParts
	kRole
)

// fields are what the fast path found; they point into the frame.
type fields struct {
	text    jsonscan.Raw
	hasText bool // there is a part
	thought bool
	finish  []byte
	version []byte
	id      []byte
	index   int32
	usage   usage
	counted bool
}

type usage struct{ prompt, answer, total, thoughts, cached int32 }

// fast reads a response with one candidate of at most one text part.
func (f *fields) fast(frame []byte) bool {
	s := jsonscan.New(frame)
	if !s.Byte('{') {
		return false
	}
	seen := 0
	for more, ok := true, true; more; {
		key, kok := s.CamelKey()
		if !kok {
			return false
		}
		var bit int
		switch string(key) {
		case "candidates":
			bit = kCandidates
			if !s.Byte('[') || !f.candidate(&s) || !s.Byte(']') {
				return false
			}
		case "usageMetadata":
			bit = kUsage
			if !f.counts(&s) {
				return false
			}
		case "modelVersion", "responseId":
			raw, sok := s.Str()
			if !sok || raw.Escaped {
				return false
			}
			if key[0] == 'm' {
				bit, f.version = kVersion, raw.B
			} else {
				bit, f.id = kID, raw.B
			}
		default:
			return false
		}
		if seen&bit != 0 {
			return false
		}
		seen |= bit
		if more, ok = s.More('}'); !ok {
			return false
		}
	}
	return seen&kCandidates != 0 && s.End()
}

func (f *fields) candidate(s *jsonscan.Scanner) bool {
	if !s.Byte('{') {
		return false
	}
	seen := 0
	for more, ok := true, true; more; {
		key, kok := s.CamelKey()
		if !kok {
			return false
		}
		var bit int
		switch string(key) {
		case "index":
			bit = kIndex
			if f.index, ok = s.Int(); !ok {
				return false
			}
		case "content":
			bit = kContent
			if !f.content(s) {
				return false
			}
		case "finishReason":
			raw, sok := s.Str()
			if !sok || raw.Escaped {
				return false
			}
			bit, f.finish = kFinish, raw.B
		default:
			return false
		}
		if seen&bit != 0 {
			return false
		}
		seen |= bit
		if more, ok = s.More('}'); !ok {
			return false
		}
	}
	return seen&kContent != 0
}

func (f *fields) content(s *jsonscan.Scanner) bool {
	if !s.Byte('{') {
		return false
	}
	seen := 0
	for more, ok := true, true; more; {
		key, kok := s.CamelKey()
		if !kok {
			return false
		}
		var bit int
		switch string(key) {
		case "role":
			raw, sok := s.Str()
			if !sok || !raw.Is(genai.RoleModel) {
				return false
			}
			bit = kRole
		case "parts":
			bit = kParts
			if !s.Byte('[') || !f.part(s) || !s.Byte(']') {
				return false
			}
		default:
			return false
		}
		if seen&bit != 0 {
			return false
		}
		seen |= bit
		if more, ok = s.More('}'); !ok {
			return false
		}
	}
	return seen&(kParts|kRole) == kParts|kRole
}

func (f *fields) part(s *jsonscan.Scanner) bool {
	if !s.Byte('{') {
		return false
	}
	for more, ok := true, true; more; {
		key, kok := s.CamelKey()
		if !kok {
			return false
		}
		switch {
		case string(key) == "text" && !f.hasText:
			if f.text, f.hasText = s.Str(); !f.hasText {
				return false
			}
		case string(key) == "thought" && !f.thought:
			if f.thought, ok = s.Bool(); !ok {
				return false
			}
		default:
			return false
		}
		if more, ok = s.More('}'); !ok {
			return false
		}
	}
	return f.hasText
}

func (f *fields) counts(s *jsonscan.Scanner) bool {
	if !s.Byte('{') {
		return false
	}
	if s.Byte('}') {
		return true
	}
	f.counted = true
	seen := 0
	for more, ok := true, true; more; {
		key, kok := s.CamelKey()
		if !kok {
			return false
		}
		var into *int32
		var bit int
		switch string(key) {
		case "promptTokenCount":
			bit, into = 1, &f.usage.prompt
		case "candidatesTokenCount":
			bit, into = 2, &f.usage.answer
		case "totalTokenCount":
			bit, into = 4, &f.usage.total
		case "thoughtsTokenCount":
			bit, into = 8, &f.usage.thoughts
		case "cachedContentTokenCount":
			bit, into = 16, &f.usage.cached
		default:
			return false
		}
		if seen&bit != 0 {
			return false
		}
		seen |= bit
		if *into, ok = s.Int(); !ok {
			return false
		}
		if more, ok = s.More('}'); !ok {
			return false
		}
	}
	return true
}

var errNotAResponse = errors.New("no response of the Gemini API")

// names keeps the strings that each response repeats.
type names struct{ version, id reply.Name }

// parse reads a frame: fast if it has the shape that is sent once per token,
// else by encoding/json. foreign names another protocol, if it is one's.
func (n *names) parse(frame []byte) (resp *genai.GenerateContentResponse, foreign string, failed bool, err error) {
	var f fields
	if f.fast(frame) {
		return f.response(n), "", false, nil
	}
	var tell struct {
		Error, Choices, Message, Done json.RawMessage
	}
	if json.Unmarshal(frame, &tell) != nil {
		return nil, "", false, errNotAResponse
	}
	switch {
	case len(tell.Error) > 0 && string(tell.Error) != "null":
		return nil, "", true, nil
	case len(tell.Choices) > 0:
		return nil, "the OpenAI API", false, nil
	case len(tell.Message) > 0 || len(tell.Done) > 0:
		return nil, "Ollama's API", false, nil
	}
	resp, err = slow(frame)
	return resp, "", false, err
}

// slow reads a response by the Gen AI SDK's own types.
func slow(frame []byte) (*genai.GenerateContentResponse, error) {
	resp := new(genai.GenerateContentResponse)
	if json.Unmarshal(frame, resp) != nil {
		return nil, errNotAResponse
	}
	if u := resp.UsageMetadata; u != nil && u.TotalTokenCount == 0 && u.PromptTokenCount == 0 && u.CandidatesTokenCount == 0 {
		resp.UsageMetadata = nil // {}: the prebuilt container counts nothing in a stream
	}
	for _, c := range resp.Candidates {
		if c == nil || c.Content == nil {
			continue
		}
		c.Content.Parts = slices.DeleteFunc(c.Content.Parts, func(p *genai.Part) bool { return p == nil }) // nobody looks for them
		if len(c.Content.Parts) == 1 && reflect.ValueOf(*c.Content.Parts[0]).IsZero() {
			c.Content.Parts = nil // the container's last part: an empty text
		}
	}
	return resp, nil
}

func (f *fields) response(n *names) *genai.GenerateContentResponse {
	resp := reply.Text(f.text.String(), f.thought, n.version.Of(f.version))
	resp.ResponseID = n.id.Of(f.id)
	candidate := resp.Candidates[0]
	candidate.Index = f.index
	candidate.FinishReason = finish(f.finish)
	if u := f.usage; f.counted && (u.prompt != 0 || u.answer != 0 || u.total != 0) {
		resp.UsageMetadata = &genai.GenerateContentResponseUsageMetadata{
			PromptTokenCount: u.prompt, CandidatesTokenCount: u.answer, TotalTokenCount: u.total,
			ThoughtsTokenCount: u.thoughts, CachedContentTokenCount: u.cached,
		}
	}
	return resp
}

func finish(b []byte) genai.FinishReason {
	switch string(b) {
	case "":
		return ""
	case string(genai.FinishReasonStop):
		return genai.FinishReasonStop
	}
	return genai.FinishReason(b)
}
