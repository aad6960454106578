// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"slices"
	"strings"

	"google.golang.org/genai"
)

// The prebuilt container's Gemini route decodes the whole request and sends
// on the text, the temperature and the stop sequences alone; as measured on the
// image of March 2026. Ollama's penalties had no effect on v0.6.5 and v0.24.0; its
// OpenAI route ignores top_k, n and penalties on both.
const (
	drops     = "the container drops it silently"
	chokes    = "the container answers it with an error"
	ignores   = "Ollama accepts it and ignores it"
	notOpenAI = "not part of the OpenAI API: a server may ignore it"
	onlyAsked = "carried where the answer proves it; an older server that ignores it ends in an error"
)

var config = []row[genai.GenerateContentConfig]{
	{name: "httpOptions", client: true, asks: func(c *genai.GenerateContentConfig) bool { return asksHTTP(c.HTTPOptions) },
		cells: every(depends(Carried, "by the client: headers and timeout; the rest is refused by name"))},
	{name: "systemInstruction", asks: func(c *genai.GenerateContentConfig) bool { return asksContent(c.SystemInstruction) },
		cells: cells(folded, yes, foldedFor3, foldedFor3, depends(Carried, "the model's own template places it"), foldedFor3)},
	{name: "temperature", asks: func(c *genai.GenerateContentConfig) bool { return c.Temperature != nil },
		cells: cells(depends(Carried|Emulated, "0 is sent as 0.0001, because the container drops a zero"), yes, yes, unsetIsOne, yes, yes)},
	{name: "topP", asks: func(c *genai.GenerateContentConfig) bool { return c.TopP != nil },
		cells: cells(no(drops), yes, yes, unsetIsOne, yes, yes)},
	{name: "topK", asks: func(c *genai.GenerateContentConfig) bool { return c.TopK != nil },
		cells: cells(no(drops), yes, yes, no(ignores), yes, no(notOpenAI))},
	{name: "candidateCount", asks: func(c *genai.GenerateContentConfig) bool { return c.CandidateCount > 1 },
		cells: cells(no(drops), yes, no("Ollama gives one answer"), no(ignores), yes, no("a server may ignore it"))},
	{name: "maxOutputTokens", asks: func(c *genai.GenerateContentConfig) bool { return c.MaxOutputTokens != 0 },
		cells: cells(no(drops), yes, yes, yes, yes, yes)},
	{name: "stopSequences", asks: func(c *genai.GenerateContentConfig) bool { return len(c.StopSequences) > 0 },
		cells: whole()},
	{name: "responseLogprobs", asks: func(c *genai.GenerateContentConfig) bool { return c.ResponseLogprobs },
		cells: cells(no(drops), yes, depends(Carried, onlyAsked), depends(Carried, onlyAsked), yes, depends(Carried, onlyAsked))},
	{name: "logprobs", asks: func(c *genai.GenerateContentConfig) bool { return c.Logprobs != nil },
		cells: cells(no(drops), yes, depends(Carried, onlyAsked), depends(Carried, onlyAsked), yes, depends(Carried, onlyAsked))},
	{name: "presencePenalty", asks: func(c *genai.GenerateContentConfig) bool { return nonZero(c.PresencePenalty) },
		cells: cells(no(drops), yes, no(ignores), no(ignores), yes, yes)},
	{name: "frequencyPenalty", asks: func(c *genai.GenerateContentConfig) bool { return nonZero(c.FrequencyPenalty) },
		cells: cells(no(drops), yes, no(ignores), no(ignores), yes, yes)},
	{name: "seed", asks: func(c *genai.GenerateContentConfig) bool { return c.Seed != nil },
		cells: cells(no(chokes), yes, yes, yes, yes, yes)},
	{name: "responseMimeType", asks: func(c *genai.GenerateContentConfig) bool {
		return c.ResponseMIMEType != "" && c.ResponseMIMEType != "text/plain"
	}, cells: cells(byPrompt, yes, yes, yes, yes, yes)},
	{name: "responseSchema", asks: func(c *genai.GenerateContentConfig) bool { return c.ResponseSchema != nil },
		cells: cells(byPrompt, yes, yes, yes, yes, yes)},
	{name: "responseJsonSchema", asks: func(c *genai.GenerateContentConfig) bool { return c.ResponseJsonSchema != nil },
		cells: cells(byPrompt, yes, yes, yes, yes, yes)},
	{name: "routingConfig", asks: func(c *genai.GenerateContentConfig) bool { return c.RoutingConfig != nil },
		cells: vertex("a private endpoint serves the model it has: nothing routes")},
	{name: "modelSelectionConfig", asks: func(c *genai.GenerateContentConfig) bool { return c.ModelSelectionConfig != nil },
		cells: vertex("a private endpoint serves the model it has: nothing selects")},
	{name: "safetySettings", asks: func(c *genai.GenerateContentConfig) bool { return slices.ContainsFunc(c.SafetySettings, asksSafety) },
		cells: hosted("a private model server has no safety filter; OFF and BLOCK_NONE are let through")},
	{name: "tools", asks: func(c *genai.GenerateContentConfig) bool { return len(c.Tools) > 0 }, cells: toolCells},
	{name: "toolConfig", asks: func(c *genai.GenerateContentConfig) bool { return asksToolConfig(c.ToolConfig) }, cells: modeCells},
	{name: "labels", asks: func(c *genai.GenerateContentConfig) bool { return len(c.Labels) > 0 },
		cells: hosted("labels are for the bill of a hosted API")},
	{name: "cachedContent", asks: func(c *genai.GenerateContentConfig) bool { return c.CachedContent != "" },
		cells: hosted("a private model server has no content cache of the Gemini API")},
	{name: "responseModalities", asks: func(c *genai.GenerateContentConfig) bool {
		return slices.ContainsFunc(c.ResponseModalities, func(m string) bool { return !strings.EqualFold(m, "TEXT") })
	}, cells: hosted("Gemma writes text only")},
	{name: "mediaResolution", asks: func(c *genai.GenerateContentConfig) bool {
		return c.MediaResolution != "" && c.MediaResolution != genai.MediaResolutionUnspecified
	}, cells: hosted("the server scales images as the model needs them")},
	{name: "speechConfig", asks: func(c *genai.GenerateContentConfig) bool { return c.SpeechConfig != nil },
		cells: hosted("Gemma writes text only")},
	{name: "audioTimestamp", asks: func(c *genai.GenerateContentConfig) bool { return c.AudioTimestamp },
		cells: vertex("the model servers have no time stamps for audio")},
	{name: "thinkingConfig", asks: func(c *genai.GenerateContentConfig) bool { return asksThinking(c.ThinkingConfig) },
		cells: thinkingCells},
	{name: "imageConfig", asks: func(c *genai.GenerateContentConfig) bool { return c.ImageConfig != nil },
		cells: hosted("Gemma writes text only")},
	{name: "enableEnhancedCivicAnswers", asks: func(c *genai.GenerateContentConfig) bool {
		return c.EnableEnhancedCivicAnswers != nil && *c.EnableEnhancedCivicAnswers
	}, cells: hosted("a feature of the hosted Gemini API")},
	{name: "modelArmorConfig", asks: func(c *genai.GenerateContentConfig) bool { return c.ModelArmorConfig != nil },
		cells: vertex("Model Armor is not in front of a private endpoint")},
	{name: "serviceTier", asks: func(c *genai.GenerateContentConfig) bool {
		return c.ServiceTier != "" && c.ServiceTier != genai.ServiceTierUnspecified
	}, cells: hosted("a private endpoint has one tier")},
	{name: "audioTranscriptionConfig", asks: func(c *genai.GenerateContentConfig) bool { return c.AudioTranscriptionConfig != nil },
		cells: hosted("the model servers have no transcription beside the answer")},
	{name: "continuationToken", asks: func(c *genai.GenerateContentConfig) bool { return len(c.ContinuationToken) > 0 },
		cells: hosted("no private model server gives such a token out")},
	{name: "automaticContinuation", asks: func(c *genai.GenerateContentConfig) bool { return c.AutomaticContinuation != nil },
		cells: every(depends(Carried, "no private model server ends with CONTINUATION, so there is nothing to go on with"))},
	{name: "generationOutputConfig", asks: func(c *genai.GenerateContentConfig) bool { return c.GenerationOutputConfig != nil },
		cells: vertex("a private endpoint writes to no storage")},
	{name: "store", asks: func(c *genai.GenerateContentConfig) bool { return c.Store != nil },
		cells: hosted("what the container logs can't be set by a request")},
}

var (
	folded     = emulated("folded into the first user turn")
	foldedFor3 = depends(Carried|Emulated, "folded into the first user turn for models without a system role (Gemma 3, 3n, FunctionGemma)")
	unsetIsOne = depends(Carried, "unset, the route takes 1.0 instead of the model's own default")
	byPrompt   = emulated("asked for in the prompt, checked, and repaired once")

	toolCells = cells(
		emulated("declared in the prompt; calls are read from the text"),
		yes,
		depends(Carried|Emulated, "by prompt and constrained decoding where the model takes no tools (Gemma 3, 3n)"),
		depends(Carried|Emulated, "by prompt and constrained decoding where the model takes no tools (Gemma 3, 3n)"),
		depends(Carried|Emulated, "by prompt and constrained decoding where the model or the server takes no tools"),
		depends(Carried|Emulated, "by prompt and constrained decoding where the model takes no tools (Gemma 3, 3n)"),
	)
	// Ollama has no tool choice: neither of its APIs reads one.
	modeCells = cells(
		depends(Carried|Emulated, "NONE sends no tools; ANY and VALIDATED by prompt, and the calls are checked"),
		yes,
		depends(Carried|Emulated, "NONE sends no tools; ANY and VALIDATED by constrained decoding, since Ollama has no tool choice"),
		depends(Carried|Emulated, "NONE sends no tools; ANY and VALIDATED by constrained decoding, since Ollama has no tool choice"),
		depends(Carried|Emulated, "tool_choice; VALIDATED, and models that take no tools, by constrained decoding"),
		depends(Carried|Emulated, "tool_choice; VALIDATED, and models that take no tools, by constrained decoding"),
	)
	thinkingCells = cells(no(chokes), yes,
		depends(Carried|Refused, "refused for models that don't think"),
		no("Ollama's OpenAI route ignores it on some versions and refuses it on others"),
		depends(Carried|Refused, "refused for models that don't think"),
		no("the OpenAI API has no switch for a model's thoughts"))
)

func nonZero(p *float32) bool { return p != nil && *p != 0 }

func asksHTTP(h *genai.HTTPOptions) bool {
	return h != nil && (h.BaseURL != "" || h.BaseURLResourceScope != "" || h.APIVersion != "" || len(h.Headers) > 0 ||
		h.Timeout != nil || len(h.ExtraBody) > 0 || h.ExtrasRequestProvider != nil || h.RetryOptions != nil)
}

func asksContent(c *genai.Content) bool { return c != nil && len(c.Parts) > 0 }

func asksSafety(s *genai.SafetySetting) bool {
	return s != nil && s.Threshold != genai.HarmBlockThresholdOff && s.Threshold != genai.HarmBlockThresholdBlockNone
}

func asksToolConfig(t *genai.ToolConfig) bool {
	if t == nil {
		return false
	}
	f := t.FunctionCallingConfig
	return t.RetrievalConfig != nil || t.IncludeServerSideToolInvocations != nil ||
		f != nil && (f.Mode != "" && f.Mode != genai.FunctionCallingConfigModeUnspecified && f.Mode != genai.FunctionCallingConfigModeAuto ||
			len(f.AllowedFunctionNames) > 0 || f.StreamFunctionCallArguments != nil)
}

func asksThinking(t *genai.ThinkingConfig) bool {
	return t != nil && (t.IncludeThoughts || t.ThinkingBudget != nil ||
		t.ThinkingLevel != "" && t.ThinkingLevel != genai.ThinkingLevelUnspecified)
}
