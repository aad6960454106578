// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package integration holds the tests of the client against a real model
// server: Ollama, built from source, with tiny random-weight Gemma 3 models,
// behind gemmatest's front end.
//
//	go -C integration test ./...
//
// The first run on a machine builds Ollama, for which it needs a C and a C++
// compiler and some minutes. Without them the tests are skipped and say so;
// with GEMMA_INTEGRATION=required in the environment they fail instead, with
// GEMMA_INTEGRATION=off they are skipped at once. GEMMA_OLLAMA may name the
// executable of another Ollama to test against.
package integration
