// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package toolcall gives function calling to models that have no tokens for
// it, such as Gemma 3 and 3n: by a prompt, a schema for constrained decoding,
// and a parser of what the model then writes.
//
//	shim, err := toolcall.New(config.Tools, config.ToolConfig)
//	system := shim.Instruction(false) // goes before the conversation
//	scan := shim.NewScanner(false)
//	for text := range chunks {
//		for _, e := range scan.Write(text) { … }
//	}
//	events, err := scan.Close(cut)
//
// # What is a call
//
// A call names a declared function, and stands by itself: a JSON value or a
// Python call on lines of its own, a code block that holds nothing but calls,
// or a span between a model's call tokens. Its arguments fit the function's
// schema, or do so after one of the repairs of [Shim] that can be read in one
// way only. A call that is an attempt at a declared function and fits no way
// is an [*Error] at the end of the answer, so that the model can be asked once
// for a better one.
//
// Everything else is text and comes out as it went in: prose, code, JSON that
// is an answer, a call of a function that was not declared, a call in the
// middle of a sentence, in inline code, in a quotation, in a code block of
// another language, and one whose introduction says that it is an example.
// Where a text can be read either way it is text: running a function that
// nobody asked for is worse than showing a line of JSON.
package toolcall
