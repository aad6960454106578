// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package telemetry

import "go.opentelemetry.io/otel/attribute"

// SemConvVersion is the version of OpenTelemetry's semantic conventions that
// the names of the first two groups are taken from. A test compares each with
// that version's Go package.
const SemConvVersion = "1.41.0"

// SchemaURL is what spans and metrics declare.
const SchemaURL = "https://opentelemetry.io/schemas/" + SemConvVersion

// Attributes of the GenAI and general conventions.
const (
	keyOperation         = attribute.Key("gen_ai.operation.name")
	keyProvider          = attribute.Key("gen_ai.provider.name")
	keyRequestModel      = attribute.Key("gen_ai.request.model")
	keyTemperature       = attribute.Key("gen_ai.request.temperature")
	keyTopP              = attribute.Key("gen_ai.request.top_p")
	keyTopK              = attribute.Key("gen_ai.request.top_k")
	keyMaxTokens         = attribute.Key("gen_ai.request.max_tokens")
	keyStopSequences     = attribute.Key("gen_ai.request.stop_sequences")
	keySeed              = attribute.Key("gen_ai.request.seed")
	keyFrequencyPenalty  = attribute.Key("gen_ai.request.frequency_penalty")
	keyPresencePenalty   = attribute.Key("gen_ai.request.presence_penalty")
	keyChoiceCount       = attribute.Key("gen_ai.request.choice.count")
	keyOutputType        = attribute.Key("gen_ai.output.type")
	keyResponseModel     = attribute.Key("gen_ai.response.model")
	keyResponseID        = attribute.Key("gen_ai.response.id")
	keyFinishReasons     = attribute.Key("gen_ai.response.finish_reasons")
	keyTimeToFirstChunk  = attribute.Key("gen_ai.response.time_to_first_chunk")
	keyInputTokens       = attribute.Key("gen_ai.usage.input_tokens")
	keyOutputTokens      = attribute.Key("gen_ai.usage.output_tokens")
	keyReasoningTokens   = attribute.Key("gen_ai.usage.reasoning.output_tokens")
	keyTokenType         = attribute.Key("gen_ai.token.type")
	keyErrorType         = attribute.Key("error.type")
	keyServerAddress     = attribute.Key("server.address")
	keyServerPort        = attribute.Key("server.port")
	keyHTTPMethod        = attribute.Key("http.request.method")
	keyHTTPStatus        = attribute.Key("http.response.status_code")
	keyURLPath           = attribute.Key("url.path")
	metricDuration       = "gen_ai.client.operation.duration"
	metricTokens         = "gen_ai.client.token.usage"
	metricFirstChunk     = "gen_ai.client.operation.time_to_first_chunk"
	metricPerOutputChunk = "gen_ai.client.operation.time_per_output_chunk"
)

// Names of our own, for what no convention knows.
const (
	metricColdStart = "gemma.client.cold_start.wait" // s: how long a call waited for the endpoint to be ready or free
	metricSlots     = "gemma.client.slots.in_use"    // requests at the endpoint whose answer has not ended

	spanAttempt = "gemma attempt"        // one HTTP request, up to its response headers
	spanWait    = "gemma wait"           // the wait for a cold or full endpoint
	spanProbe   = "gemma probe"          // asking on behalf of all who wait; a child of the call that came first
	spanToken   = "gemma identity token" // minting a token

	keyWaited   = attribute.Key("gemma.waited")   // s
	keyAttempts = attribute.Key("gemma.attempts") // requests sent
	keyReason   = attribute.Key("gemma.reason")
	keyFeature  = attribute.Key("gemma.feature")
)

// providerName is what gen_ai.provider.name says. The conventions name no
// provider for a model that one serves oneself, and allow a name of one's own.
const providerName = "gemma"

// scope is the instrumentation scope.
const scope = "github.com/gemma-go/sdk/gemma"
