// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package gemma calls a private Gemma endpoint: a Gemma model behind Cloud Run
// IAM, on a GPU instance that scales to zero. Give it the service's URL and get
// the Gen AI SDK's own types back, streamed, whatever server is inside the
// container and whatever state the instance is in.
//
//	client, err := gemma.NewClient(ctx, gemma.Config{Endpoint: "https://gemma-abc-ew.a.run.app", Model: "gemma-3-4b-it"})
//	if err != nil {
//		return err
//	}
//	for text, err := range stream.Text(client.Stream(ctx, genai.Text("Why is the sky blue?"), nil)) {
//		if err != nil {
//			return err
//		}
//		fmt.Print(text)
//	}
//
// # What a call promises
//
// Nothing is lost silently. Every field of genai.GenerateContentConfig and
// every part of the contents is carried, or emulated with an [Event] that says
// so, or refused with an [*Error] of [KindUnsupported] that names it. Every
// stream ends with a finish reason or an error.
//
// A cold endpoint is a state, not a failure. A call waits as long as its
// context and [ColdStart] allow, [Config].OnEvent is told why, and any number
// of waiting calls cost the starting instance one probe.
//
// A token goes to one origin. It is minted for the endpoint, kept fresh, never
// follows a redirect elsewhere, and never appears in a log or an error.
//
// # Errors
//
// Every error is an [*Error]; its [Kind] says what it means for the caller and
// whether a retry can help. It is found through the wrapping of the Gen AI SDK,
// ADK and net/http too:
//
//	if e, ok := errors.AsType[*gemma.Error](err); ok && e.Kind == gemma.KindCold {
//		// e.Expected says how much longer the start will probably take
//	}
//
// # The Gen AI SDK and ADK
//
// [Client.GenAI] is the whole Gen AI SDK over the same endpoint, and
// [Client.ClientConfig] is what ADK's gemini.NewModel takes. Both run over the
// same codecs, so they keep the same promises. [Client.HTTPClient] carries any
// other library's requests.
package gemma
