// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package reply

import (
	"errors"
	"io"
	"strings"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire/frame"
)

// Broken makes a fault of the way a body ended without its end marker. begun
// says whether a response was handed out before.
func Broken(err error, begun bool) error {
	if errors.Is(err, frame.ErrTooLong) {
		return &fault.Error{Kind: fault.Server, Message: "the server sent more than can be one piece of an answer", Err: err}
	}
	if f := fault.Of(err); f != nil { // the client's own reader gave up: idle for too long
		return err
	}
	f := &fault.Error{Kind: fault.Interrupted, Message: "the answer broke off", Err: err}
	if err == io.EOF {
		f.Message = "the answer ended without its end marker"
		if !begun {
			f.Message = "the answer was empty"
		}
		f.Err = io.ErrUnexpectedEOF
	}
	f.Retry = !begun
	return f
}

// Foreign makes a fault of bytes that are no answer of this protocol.
func Foreign(data []byte, begun bool) error {
	text := string(data)
	switch {
	case begun && strings.HasPrefix(text, "stream read error"):
		// The prebuilt container's proxy writes the end of its own source's
		// error into the answer.
		return &fault.Error{Kind: fault.Interrupted, Message: "the answer broke off", Err: errors.New(fault.Clip(text))}
	case IsHTML(data):
		return &fault.Error{Kind: fault.Server, Message: "a web page instead of an answer", Retry: !begun}
	}
	// What it is instead is not quoted: it may be another caller's answer.
	return &fault.Error{Kind: fault.Server, Message: "what the server sent is no piece of an answer", Retry: !begun}
}

// WrongProtocol is the fault of an answer in another protocol's shape. The
// prebuilt container mixes up concurrent requests when anybody uses its Gemini
// route.
func WrongProtocol(got string, begun bool) error {
	return &fault.Error{
		Kind:    fault.Server,
		Message: "the answer has the shape of " + got,
		Hint:    "the container mixes up concurrent requests while its Gemini route is in use: use ProtocolOllama everywhere",
		Retry:   !begun,
	}
}
