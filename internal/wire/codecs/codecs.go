// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package codecs makes the codec of a protocol. It is a package of its own
// because the codecs import package wire.
package codecs

import (
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/gemini"
	"github.com/gemma-go/sdk/internal/wire/ollama"
	"github.com/gemma-go/sdk/internal/wire/openai"
)

// New returns the codec of p, or nil for [wire.Auto], which is not yet a
// protocol.
func New(p wire.Protocol) wire.Codec {
	switch p {
	case wire.Gemini:
		return gemini.Codec{}
	case wire.Ollama:
		return ollama.Codec{}
	case wire.OpenAI:
		return openai.Codec{}
	}
	return nil
}
