// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package schema turns the schemas that a request may hold into standard JSON
// Schema, checks answers against them, and cuts them down to what a server can
// decode under.
//
// Three things are done with one schema, and each has its own form:
//
//   - [FromGenai] makes JSON Schema of a [genai.Schema]; it loses nothing that
//     constrains a value. This is what a server or a prompt is shown.
//   - [Compile] makes a [Validator] of either. What it reports says where and by
//     which keyword a value fails, and never holds the value itself: answers
//     are the caller's data, and errors end up in logs.
//   - [Relax] makes a looser schema that grammar-constrained decoding
//     understands. Every value that fits the schema fits its relaxed form; the
//     reverse does not hold, so an answer is validated all the same.
//
// All functions are safe for concurrent use and leave their arguments as they are.
package schema
