// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package stream is what a caller does with the responses of a model while
// they arrive: show the text, decode typed JSON that is still being written,
// run function calls, collect everything, measure it.
//
//	for text, err := range stream.Text(client.Stream(ctx, genai.Text("Why is the sky blue?"), nil)) {
//		if err != nil {
//			return err
//		}
//		fmt.Print(text)
//	}
//
// The functions take a [Seq]: what gemma.Client.Stream returns, and just as
// well what GenerateContentStream of the Gen AI SDK returns. They import
// nothing of package gemma.
//
// # Contract
//
// Every sequence that this package returns keeps these promises:
//
//  1. Lazy. Nothing is asked of the sequence inside before the first range
//     over the one outside.
//  2. Single use. A second range yields [ErrUsed] and asks nothing of the
//     sequence inside.
//  3. A value comes with a nil error. An error comes once, last, with the zero
//     value; after it nothing more is asked of the sequence inside. An error of
//     the sequence inside arrives unchanged.
//  4. Breaking out of the loop ends the sequence inside at once, and with it the
//     request. There is no goroutine and nothing to close.
//  5. The end is checked. A sequence that ends although a candidate never said
//     why it finished ends with [ErrTruncated]: a broken connection must not pass for
//     a short answer.
//  6. They compose. What takes a Seq and returns one, such as [Measure], fits
//     inside every other function here.
//
// A sequence is for one goroutine at a time. The values may be kept for ever
// and handed to other goroutines.
//
// [Text], [Thoughts], [JSON], [Elements] and [FunctionCalls] follow the first candidate,
// the one with index 0; [Candidate] chooses another. Thoughts (parts with Thought
// set) are not part of the answer's text: only [Thoughts] and [Collect] show them.
//
// # Errors
//
// [ErrTruncated], [ErrBlocked] and [ErrUsed] are found with errors.Is;
// [*JSONError] with errors.AsType. Every other error is the one of the
// sequence inside: of gemma.Client always a *gemma.Error.
package stream
