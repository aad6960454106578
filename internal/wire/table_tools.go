// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import "google.golang.org/genai"

const noService = "a private model server has no such service behind it"

var tool = []row[genai.Tool]{
	{name: "retrieval", asks: func(t *genai.Tool) bool { return t.Retrieval != nil }, cells: hosted(noService)},
	{name: "computerUse", asks: func(t *genai.Tool) bool { return t.ComputerUse != nil }, cells: hosted(noService)},
	{name: "fileSearch", asks: func(t *genai.Tool) bool { return t.FileSearch != nil }, cells: hosted(noService)},
	{name: "googleSearch", asks: func(t *genai.Tool) bool { return t.GoogleSearch != nil }, cells: hosted(noService)},
	{name: "googleMaps", asks: func(t *genai.Tool) bool { return t.GoogleMaps != nil }, cells: hosted(noService)},
	{name: "codeExecution", asks: func(t *genai.Tool) bool { return t.CodeExecution != nil }, cells: hosted(noService)},
	{name: "enterpriseWebSearch", asks: func(t *genai.Tool) bool { return t.EnterpriseWebSearch != nil }, cells: hosted(noService)},
	{name: "functionDeclarations", asks: func(t *genai.Tool) bool { return len(t.FunctionDeclarations) > 0 }, cells: toolCells},
	{name: "googleSearchRetrieval", asks: func(t *genai.Tool) bool { return t.GoogleSearchRetrieval != nil }, cells: hosted(noService)},
	{name: "parallelAiSearch", asks: func(t *genai.Tool) bool { return t.ParallelAISearch != nil }, cells: hosted(noService)},
	{name: "urlContext", asks: func(t *genai.Tool) bool { return t.URLContext != nil }, cells: hosted(noService)},
	{name: "mcpServers", asks: func(t *genai.Tool) bool { return len(t.MCPServers) > 0 }, cells: hosted(noService)},
	{name: "exaAiSearch", asks: func(t *genai.Tool) bool { return t.ExaAISearch != nil }, cells: hosted(noService)},
}

var declaration = []row[genai.FunctionDeclaration]{
	{name: "description", asks: func(d *genai.FunctionDeclaration) bool { return d.Description != "" }, cells: toolCells},
	{name: "name", asks: func(d *genai.FunctionDeclaration) bool { return d.Name != "" }, cells: toolCells},
	{name: "parameters", asks: func(d *genai.FunctionDeclaration) bool { return d.Parameters != nil }, cells: toolCells},
	{name: "parametersJsonSchema", asks: func(d *genai.FunctionDeclaration) bool { return d.ParametersJsonSchema != nil }, cells: toolCells},
	{name: "response", asks: func(d *genai.FunctionDeclaration) bool { return d.Response != nil }, cells: told},
	{name: "responseJsonSchema", asks: func(d *genai.FunctionDeclaration) bool { return d.ResponseJsonSchema != nil }, cells: told},
	{name: "behavior", asks: func(d *genai.FunctionDeclaration) bool {
		return d.Behavior != "" && d.Behavior != genai.BehaviorUnspecified && d.Behavior != genai.BehaviorBlocking
	}, cells: hosted("the model waits for each result: there is no live connection")},
}

// told: no protocol but Gemini's has a place for what a function returns.
var told = func() [NumColumns]Cell {
	c := every(emulated("told to the model in the function's description"))
	c[ColGemini] = yes
	return c
}()

var toolConfig = []row[genai.ToolConfig]{
	{name: "retrievalConfig", asks: func(t *genai.ToolConfig) bool { return t.RetrievalConfig != nil }, cells: hosted(noService)},
	{name: "functionCallingConfig", asks: func(t *genai.ToolConfig) bool {
		return asksToolConfig(&genai.ToolConfig{FunctionCallingConfig: t.FunctionCallingConfig})
	}, cells: modeCells},
	{name: "includeServerSideToolInvocations", asks: func(t *genai.ToolConfig) bool {
		return t.IncludeServerSideToolInvocations != nil && *t.IncludeServerSideToolInvocations
	}, cells: hosted("a private model server runs no tools itself")},
}

var calling = []row[genai.FunctionCallingConfig]{
	{name: "allowedFunctionNames", asks: func(f *genai.FunctionCallingConfig) bool { return len(f.AllowedFunctionNames) > 0 },
		cells: cells(emulated("only those are declared"), yes, emulated("only those are declared"),
			emulated("only those are declared"), emulated("only those are declared"), emulated("only those are declared"))},
	{name: "mode", asks: func(f *genai.FunctionCallingConfig) bool {
		return f.Mode != "" && f.Mode != genai.FunctionCallingConfigModeUnspecified && f.Mode != genai.FunctionCallingConfigModeAuto
	}, cells: modeCells},
	{name: "streamFunctionCallArguments", asks: func(f *genai.FunctionCallingConfig) bool {
		return f.StreamFunctionCallArguments != nil && *f.StreamFunctionCallArguments
	}, cells: hosted("calls are handed out whole")},
}

var thinking = []row[genai.ThinkingConfig]{
	{name: "includeThoughts", asks: func(t *genai.ThinkingConfig) bool { return t.IncludeThoughts }, cells: thinkingCells},
	{name: "thinkingBudget", asks: func(t *genai.ThinkingConfig) bool { return t.ThinkingBudget != nil },
		cells: cells(no(chokes), yes,
			depends(Carried|Refused, "0 (off) and -1 (the model decides) only: the server has no budget"),
			no("Ollama's OpenAI route has no switch for it"),
			depends(Carried|Refused, "0 (off) and -1 (the model decides) only: the server has no budget"),
			no("the OpenAI API has no switch for a model's thoughts"))},
	{name: "thinkingLevel", asks: func(t *genai.ThinkingConfig) bool {
		return t.ThinkingLevel != "" && t.ThinkingLevel != genai.ThinkingLevelUnspecified
	}, cells: hosted("Gemma thinks or does not: there are no levels")},
}
