// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package sdk is the overview of a Go client for private Gemma endpoints: a
// Gemma model on a Cloud Run GPU service that is closed to the public and
// scaled to zero when idle. It has no code of its own.
//
// Start with gemma.NewClient:
//
//	client, err := gemma.NewClient(ctx, gemma.Config{
//		Endpoint: "https://gemma-abc-ew.a.run.app",
//		Model:    "gemma-3-4b-it",
//	})
//	…
//	for text, err := range stream.Text(client.Stream(ctx, genai.Text("Why is the sky blue?"), nil)) {
//		…
//	}
//
// The packages:
//
//   - gemma: the client. It speaks Ollama's, the OpenAI-compatible and the
//     Gemini API, in the Gen AI SDK's types, and lets the Gen AI SDK and ADK
//     themselves run over the endpoint.
//   - stream: what to do with an answer while it arrives: text, typed JSON,
//     function calls, collecting, measuring.
//   - auth: identity tokens for Cloud Run from every kind of credential, kept
//     fresh and given to one origin; useful without the rest.
//   - deploy: creates, watches, grants and deletes the GPU service.
//   - gemma/gemmatest: a private endpoint in a box, for tests without a cloud.
//
// Three promises set it apart from pointing the Gen AI SDK at a URL. Nothing of
// a request is lost silently: it is carried, emulated or refused by name. A cold
// endpoint is a state, not a failure: calls wait as long as their deadline allows,
// and any number of them cost the starting instance one probe. A token goes to
// one origin, and to no log.
package sdk

// Version is the version of this module, as CHANGELOG.md heads it.
const Version = "0.1.0"
