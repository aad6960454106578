// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package gemmatest is a private Gemma endpoint in a box, for tests of programs
// that call one and for trying things out without a cloud project.
//
// A [Server] is Cloud Run's front end before a model server. The front end
// checks real RS256-signed identity tokens, scales from zero with a start time,
// keeps and sheds requests, has so many slots and cuts what takes too long,
// with the status codes, headers and pages of the real one. Behind it is an
// emulated model server that writes its protocol byte by byte as recorded:
// Google's prebuilt Gemma 3 container with its faults, Ollama, vLLM, llama.cpp's
// server, or a server of the whole Gemini API; or any handler of yours.
//
//	srv := gemmatest.NewServer(gemmatest.Config{})
//	defer srv.Close()
//	client, err := gemma.NewClient(ctx, gemma.Config{Endpoint: srv.URL, Auth: srv.Source(), Transport: srv.Transport()})
//
// With Config.InMemory it serves over in-memory connections under an https
// URL, and all its waiting is done with package time, so that it runs in a
// testing/synctest bubble: a start of ten minutes takes no time.
//
// # The model
//
// [DefaultReply] answers a prompt with words that are always the same for it,
// one word a token, and honours limits, stop sequences, schemas and an open
// assistant turn. Config.Reply scripts anything else: what is said, how it is
// cut into events, how fast, how it ends, and how it breaks ([Fault]).
//
// # Differences from the real thing
//
// The front end speaks HTTP/1.1 only. Tokens are signed by a key of this
// process, not by Google's. A word is a token, and a prompt's count is its words
// and four for each turn. Sampling parameters other than the seed are read and
// change nothing. Ollama's keep_alive only unloads (0). What vLLM and
// llama.cpp's server send is taken from their documentation; what Ollama and
// the prebuilt container send was recorded from v0.6.5 and v0.24.0.
package gemmatest
