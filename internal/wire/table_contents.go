// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import "google.golang.org/genai"

var content = []row[genai.Content]{
	{name: "parts", asks: func(c *genai.Content) bool { return len(c.Parts) > 0 }, cells: whole()},
	{name: "role", asks: func(c *genai.Content) bool { return c.Role != "" },
		cells: every(depends(Carried, "user (or none), model; function is taken as user"))},
}

var part = []row[genai.Part]{
	{name: "mediaResolution", asks: func(p *genai.Part) bool { return p.MediaResolution != nil },
		cells: hosted("the server scales images as the model needs them")},
	{name: "codeExecutionResult", asks: func(p *genai.Part) bool { return p.CodeExecutionResult != nil },
		cells: hosted("a private model server runs no code")},
	{name: "executableCode", asks: func(p *genai.Part) bool { return p.ExecutableCode != nil },
		cells: hosted("a private model server runs no code")},
	{name: "fileData", asks: func(p *genai.Part) bool { return p.FileData != nil },
		cells: cells(no("the container replaces it by an empty text"), yes, no(notFetched), no(notFetched),
			depends(Carried|Refused, "images by http(s), which vLLM fetches itself; not gs://"), no(notFetched))},
	{name: "functionCall", asks: func(p *genai.Part) bool { return p.FunctionCall != nil }, cells: toolCells},
	{name: "functionResponse", asks: func(p *genai.Part) bool { return p.FunctionResponse != nil }, cells: toolCells},
	{name: "inlineData", asks: func(p *genai.Part) bool { return p.InlineData != nil },
		cells: cells(no("the container replaces it by an empty text"), yes,
			depends(Carried|Emulated|Refused, "jpeg, png, webp, for models that see; the first picture of a gif is sent as png; images come before the text of their turn"),
			depends(Carried|Emulated|Refused, "jpeg, png, webp, for models that see; the first picture of a gif is sent as png"),
			depends(Carried|Refused, "jpeg, png, webp, gif, for models that see; wav and mp3, for models that hear"),
			depends(Carried|Refused, "jpeg, png, webp, gif, for models that see"))},
	{name: "text", asks: func(p *genai.Part) bool { return p.Text != "" }, cells: whole()},
	{name: "thought", asks: func(p *genai.Part) bool { return p.Thought },
		cells: cells(leftOut, yes, yes, leftOut, leftOut, leftOut)},
	{name: "thoughtSignature", asks: func(p *genai.Part) bool { return len(p.ThoughtSignature) > 0 },
		cells: hosted("only the hosted API that signed a thought can read it")},
	{name: "videoMetadata", asks: func(p *genai.Part) bool { return p.VideoMetadata != nil },
		cells: hosted("the model servers take no video")},
	{name: "toolCall", asks: func(p *genai.Part) bool { return p.ToolCall != nil },
		cells: hosted("a private model server runs no tools itself")},
	{name: "toolResponse", asks: func(p *genai.Part) bool { return p.ToolResponse != nil },
		cells: hosted("a private model server runs no tools itself")},
	{name: "partMetadata", asks: func(p *genai.Part) bool { return len(p.PartMetadata) > 0 },
		cells: hosted("no model server reads it")},
	{name: "audioTranscription", asks: func(p *genai.Part) bool { return p.AudioTranscription != nil },
		cells: hosted("no model server reads it")},
	{name: "mediaProcessing", asks: func(p *genai.Part) bool {
		return p.MediaProcessing != "" && p.MediaProcessing != genai.MediaProcessingUnspecified
	}, cells: hosted("no model server reads it")},
	{name: "speechMetadata", asks: func(p *genai.Part) bool { return p.SpeechMetadata != nil },
		cells: hosted("the model servers take no speech data")},
}

const notFetched = "the server fetches no files: send the bytes as inlineData"

// leftOut: Gemma's own templates never show a model its earlier thoughts.
var leftOut = emulated("left out of the history, as Gemma's own templates do")

var blob = []row[genai.Blob]{
	{name: "data", asks: func(b *genai.Blob) bool { return len(b.Data) > 0 }, cells: media},
	{name: "displayName", asks: func(b *genai.Blob) bool { return b.DisplayName != "" },
		cells: every(no("no model server shows the model a name of the data: say it in the text"))},
	{name: "mimeType", asks: func(b *genai.Blob) bool { return b.MIMEType != "" }, cells: media},
}

var media = cells(no("the container replaces it by an empty text"), yes, depends(Carried|Emulated|Refused, "see parts.inlineData"),
	depends(Carried|Emulated|Refused, "see parts.inlineData"), depends(Carried|Refused, "see parts.inlineData"),
	depends(Carried|Refused, "see parts.inlineData"))

var file = []row[genai.FileData]{
	{name: "displayName", asks: func(f *genai.FileData) bool { return f.DisplayName != "" },
		cells: every(no("no model server shows the model a name of the data: say it in the text"))},
	{name: "fileUri", asks: func(f *genai.FileData) bool { return f.FileURI != "" }, cells: fetched},
	{name: "mimeType", asks: func(f *genai.FileData) bool { return f.MIMEType != "" }, cells: fetched},
}

var fetched = cells(no("the container replaces it by an empty text"), yes, no(notFetched), no(notFetched),
	depends(Carried|Refused, "images by http(s)"), no(notFetched))

var call = []row[genai.FunctionCall]{
	{name: "id", asks: func(f *genai.FunctionCall) bool { return f.ID != "" }, cells: toolCells},
	{name: "args", asks: func(f *genai.FunctionCall) bool { return len(f.Args) > 0 }, cells: toolCells},
	{name: "name", asks: func(f *genai.FunctionCall) bool { return f.Name != "" }, cells: toolCells},
	{name: "partialArgs", asks: func(f *genai.FunctionCall) bool { return len(f.PartialArgs) > 0 },
		cells: hosted("send whole calls")},
	{name: "willContinue", asks: func(f *genai.FunctionCall) bool { return f.WillContinue != nil && *f.WillContinue },
		cells: hosted("send whole calls")},
}

var response = []row[genai.FunctionResponse]{
	{name: "willContinue", asks: func(f *genai.FunctionResponse) bool { return f.WillContinue != nil && *f.WillContinue },
		cells: hosted("send whole results")},
	{name: "scheduling", asks: func(f *genai.FunctionResponse) bool {
		return f.Scheduling != "" && f.Scheduling != genai.FunctionResponseSchedulingUnspecified
	}, cells: hosted("the model waits for each result: there is no live connection")},
	{name: "parts", asks: func(f *genai.FunctionResponse) bool { return len(f.Parts) > 0 },
		cells: hosted("results are JSON only: send media as parts of the turn")},
	{name: "id", asks: func(f *genai.FunctionResponse) bool { return f.ID != "" }, cells: toolCells},
	{name: "name", asks: func(f *genai.FunctionResponse) bool { return f.Name != "" }, cells: toolCells},
	{name: "response", asks: func(f *genai.FunctionResponse) bool { return f.Response != nil }, cells: toolCells},
}
