// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package reply

import (
	"path"
	"slices"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/models"
	"github.com/gemma-go/sdk/internal/wire"
)

// Models compares the models that the responses of one answer name with the
// one asked, each name once: they repeat it in every chunk. The zero value is
// ready.
type Models struct{ checked string }

// Check returns CheckModel's verdict on a name, which it gave before for nearly
// every chunk.
func (m *Models) Check(r *wire.Request, answered string) error {
	if answered == "" || answered == m.checked {
		return nil
	}
	if err := CheckModel(r, answered); err != nil {
		return err
	}
	m.checked = answered
	return nil
}

// CheckModel compares the model that answered with the one asked: an answer by
// another model is another caller's answer, or a server that took a default.
//
// Servers that name what they serve themselves (llama.cpp: a file; a hosted
// Gemini API: a dated version) are believed unless both names are known models
// and differ. An empty name says nothing.
func CheckModel(r *wire.Request, answered string) error {
	if answered == "" || r.Model == "" || answered == r.Model || models.Same(answered, r.Model) ||
		slices.Contains(r.Server.Served, answered) {
		return nil
	}
	_, a := models.Lookup(answered)
	_, b := models.Lookup(r.Model)
	if !(a && b) {
		switch r.Server.Software {
		case wire.LlamaCpp, wire.FullGemini:
			return nil
		case wire.UnknownSoftware:
			if len(r.Server.Served) == 0 || path.Base(answered) == path.Base(r.Model) {
				return nil
			}
		case wire.VLLM:
			// A model served from a path or a bucket may be named by it.
			if path.Base(answered) == path.Base(r.Model) {
				return nil
			}
		}
	}
	return &fault.Error{
		Kind:    fault.Server,
		Message: "asked for the model " + fault.Clip(r.Model) + ", but " + fault.Clip(answered) + " answered",
		Hint:    "the server may have mixed up concurrent requests, or serves other models than it lists",
		Retry:   true,
	}
}
