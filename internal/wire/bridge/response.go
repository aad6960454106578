// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"google.golang.org/genai"
)

// appendResponse appends r as the Gemini API writes it. The shape of nearly
// every chunk (text parts, a finish reason, usage) is written directly; any
// other goes through encoding/json, whose field names are the same.
func appendResponse(b []byte, r *genai.GenerateContentResponse) []byte {
	start := len(b)
	if b, ok := appendPlain(b, r); ok {
		return b
	}
	b = b[:start]
	full, err := json.Marshal(r)
	if err != nil {
		// Only a value that JSON can't hold gets here (a function argument
		// that is NaN): the SDK's reader turns this into an error.
		full, _ = json.Marshal(map[string]any{"error": map[string]any{"code": 500, "status": "INTERNAL", "message": "gemma: the answer cannot be written as JSON"}})
	}
	return append(b, full...)
}

// appendPlain writes r if it has none but the fields known here; a test holds
// them against the SDK's structs.
func appendPlain(b []byte, r *genai.GenerateContentResponse) ([]byte, bool) {
	if r.PromptFeedback != nil || r.ModelStatus != nil || !r.CreateTime.IsZero() {
		return b, false
	}
	b = append(b, '{')
	if len(r.Candidates) > 0 {
		b = append(b, `"candidates":[`...)
		for i, c := range r.Candidates {
			if i > 0 {
				b = append(b, ',')
			}
			var ok bool
			if b, ok = appendCandidate(b, c); !ok {
				return b, false
			}
		}
		b = append(b, `],`...)
	}
	if r.ModelVersion != "" {
		b = append(appendString(append(b, `"modelVersion":`...), r.ModelVersion), ',')
	}
	if r.ResponseID != "" {
		b = append(appendString(append(b, `"responseId":`...), r.ResponseID), ',')
	}
	if u := r.UsageMetadata; u != nil {
		if u.CacheTokensDetails != nil || u.CandidatesTokensDetails != nil || u.PromptTokensDetails != nil || u.ToolUsePromptTokensDetails != nil || u.TrafficType != "" {
			return b, false
		}
		b = append(b, `"usageMetadata":{`...)
		for _, n := range [...]struct {
			key string
			n   int32
		}{
			{`"promptTokenCount":`, u.PromptTokenCount}, {`"candidatesTokenCount":`, u.CandidatesTokenCount},
			{`"totalTokenCount":`, u.TotalTokenCount}, {`"thoughtsTokenCount":`, u.ThoughtsTokenCount},
			{`"cachedContentTokenCount":`, u.CachedContentTokenCount}, {`"toolUsePromptTokenCount":`, u.ToolUsePromptTokenCount},
		} {
			if n.n != 0 {
				b = append(strconv.AppendInt(append(b, n.key...), int64(n.n), 10), ',')
			}
		}
		b = append(closeObject(b), ',')
	}
	return closeObject(b), true
}

func appendCandidate(b []byte, c *genai.Candidate) ([]byte, bool) {
	if c == nil || c.CitationMetadata != nil || c.FinishMessage != "" || c.TokenCount != 0 || c.GroundingMetadata != nil || c.AvgLogprobs != 0 ||
		c.LogprobsResult != nil || c.SafetyRatings != nil || c.URLContextMetadata != nil || c.ContinuationToken != nil {
		return b, false
	}
	b = append(b, '{')
	if c.Index != 0 {
		b = append(strconv.AppendInt(append(b, `"index":`...), int64(c.Index), 10), ',')
	}
	if c.Content != nil {
		b = append(b, `"content":{`...)
		if len(c.Content.Parts) > 0 {
			b = append(b, `"parts":[`...)
			for i, p := range c.Content.Parts {
				if !plainPart(p) {
					return b, false
				}
				if i > 0 {
					b = append(b, ',')
				}
				b = appendString(append(b, `{"text":`...), p.Text)
				if p.Thought {
					b = append(b, `,"thought":true`...)
				}
				b = append(b, '}')
			}
			b = append(b, `],`...)
		}
		if c.Content.Role != "" {
			b = append(appendString(append(b, `"role":`...), c.Content.Role), ',')
		}
		b = append(closeObject(b), ',')
	}
	if c.FinishReason != "" {
		b = append(appendString(append(b, `"finishReason":`...), string(c.FinishReason)), ',')
	}
	return closeObject(b), true
}

// plainPart reports whether p is text and nothing else.
func plainPart(p *genai.Part) bool {
	return p != nil && p.MediaResolution == nil && p.CodeExecutionResult == nil && p.ExecutableCode == nil && p.FileData == nil &&
		p.FunctionCall == nil && p.FunctionResponse == nil && p.InlineData == nil && p.ThoughtSignature == nil && p.VideoMetadata == nil &&
		p.ToolCall == nil && p.ToolResponse == nil && p.PartMetadata == nil && p.AudioTranscription == nil && p.MediaProcessing == "" && p.SpeechMetadata == nil
}

// closeObject ends an object whose last member left a comma.
func closeObject(b []byte) []byte {
	if b[len(b)-1] == ',' {
		b = b[:len(b)-1]
	}
	return append(b, '}')
}

// appendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD, as
// encoding/json does it.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				b = append(append(b, s[start:i]...), "\uFFFD"...)
				start = i + 1
			}
			i += n
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xF])
		}
		i++
		start = i
	}
	return append(append(b, s[start:]...), '"')
}

// wireModel is m in the Gemini API's spelling, which differs from the SDK's
// type in one name.
func wireModel(m *genai.Model) map[string]any {
	w := map[string]any{"name": m.Name}
	set := func(key string, v any, ok bool) {
		if ok {
			w[key] = v
		}
	}
	set("displayName", m.DisplayName, m.DisplayName != "")
	set("description", m.Description, m.Description != "")
	set("version", m.Version, m.Version != "")
	set("inputTokenLimit", m.InputTokenLimit, m.InputTokenLimit != 0)
	set("outputTokenLimit", m.OutputTokenLimit, m.OutputTokenLimit != 0)
	set("supportedGenerationMethods", m.SupportedActions, m.SupportedActions != nil)
	set("thinking", m.Thinking, m.Thinking)
	return w
}
