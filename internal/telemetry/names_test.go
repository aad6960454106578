// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package telemetry

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/semconv/v1.41.0/genaiconv"
)

// conventions are the attributes of names.go that a convention names, by the
// name of their constant there.
var conventions = map[string][2]attribute.Key{
	"keyOperation":        {keyOperation, semconv.GenAIOperationNameKey},
	"keyProvider":         {keyProvider, semconv.GenAIProviderNameKey},
	"keyRequestModel":     {keyRequestModel, semconv.GenAIRequestModelKey},
	"keyTemperature":      {keyTemperature, semconv.GenAIRequestTemperatureKey},
	"keyTopP":             {keyTopP, semconv.GenAIRequestTopPKey},
	"keyTopK":             {keyTopK, semconv.GenAIRequestTopKKey},
	"keyMaxTokens":        {keyMaxTokens, semconv.GenAIRequestMaxTokensKey},
	"keyStopSequences":    {keyStopSequences, semconv.GenAIRequestStopSequencesKey},
	"keySeed":             {keySeed, semconv.GenAIRequestSeedKey},
	"keyFrequencyPenalty": {keyFrequencyPenalty, semconv.GenAIRequestFrequencyPenaltyKey},
	"keyPresencePenalty":  {keyPresencePenalty, semconv.GenAIRequestPresencePenaltyKey},
	"keyChoiceCount":      {keyChoiceCount, semconv.GenAIRequestChoiceCountKey},
	"keyOutputType":       {keyOutputType, semconv.GenAIOutputTypeKey},
	"keyResponseModel":    {keyResponseModel, semconv.GenAIResponseModelKey},
	"keyResponseID":       {keyResponseID, semconv.GenAIResponseIDKey},
	"keyFinishReasons":    {keyFinishReasons, semconv.GenAIResponseFinishReasonsKey},
	"keyTimeToFirstChunk": {keyTimeToFirstChunk, semconv.GenAIResponseTimeToFirstChunkKey},
	"keyInputTokens":      {keyInputTokens, semconv.GenAIUsageInputTokensKey},
	"keyOutputTokens":     {keyOutputTokens, semconv.GenAIUsageOutputTokensKey},
	"keyReasoningTokens":  {keyReasoningTokens, semconv.GenAIUsageReasoningOutputTokensKey},
	"keyTokenType":        {keyTokenType, semconv.GenAITokenTypeKey},
	"keyErrorType":        {keyErrorType, semconv.ErrorTypeKey},
	"keyServerAddress":    {keyServerAddress, semconv.ServerAddressKey},
	"keyServerPort":       {keyServerPort, semconv.ServerPortKey},
	"keyHTTPMethod":       {keyHTTPMethod, semconv.HTTPRequestMethodKey},
	"keyHTTPStatus":       {keyHTTPStatus, semconv.HTTPResponseStatusCodeKey},
	"keyURLPath":          {keyURLPath, semconv.URLPathKey},

	"metricDuration":       {metricDuration, attribute.Key(genaiconv.ClientOperationDuration{}.Name())},
	"metricTokens":         {metricTokens, attribute.Key(genaiconv.ClientTokenUsage{}.Name())},
	"metricFirstChunk":     {metricFirstChunk, attribute.Key(genaiconv.ClientOperationTimeToFirstChunk{}.Name())},
	"metricPerOutputChunk": {metricPerOutputChunk, attribute.Key(genaiconv.ClientOperationTimePerOutputChunk{}.Name())},
}

// TestNames holds each name that the conventions know to their Go package, and
// the list to be whole: a name added to the first group of names.go must be
// added here.
func TestNames(t *testing.T) {
	for name, is := range conventions {
		if is[0] != is[1] {
			t.Errorf("%s is %q, version %s says %q", name, is[0], SemConvVersion, is[1])
		}
	}
	if SchemaURL != semconv.SchemaURL {
		t.Errorf("the schema is %s, the conventions' package says %s", SchemaURL, semconv.SchemaURL)
	}
	if op := semconv.GenAIOperationNameGenerateContent.Value.AsString(); Operation != op {
		t.Errorf("the operation is %q, the conventions say %q", Operation, op)
	}
	for _, chat := range []string{semconv.GenAIOperationNameChat.Value.AsString(), semconv.GenAIOperationNameGenerateContent.Value.AsString()} {
		if !modelCall(chat) {
			t.Errorf("%s is not taken for a call of a model", chat)
		}
	}
	if modelCall(semconv.GenAIOperationNameInvokeAgent.Value.AsString()) {
		t.Error("an agent's run is taken for a call of a model")
	}

	file, err := parser.ParseFile(token.NewFileSet(), "names.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, d := range file.Decls {
		group, ok := d.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST || !group.Lparen.IsValid() {
			continue
		}
		for _, spec := range group.Specs {
			name := spec.(*ast.ValueSpec).Names[0].Name
			if _, ok := conventions[name]; !ok {
				t.Errorf("%s is not compared with the conventions", name)
			}
			found++
		}
		break // the second group's names are our own
	}
	if found != len(conventions) {
		t.Errorf("names.go has %d names of the conventions, the test compares %d", found, len(conventions))
	}
}
