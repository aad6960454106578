// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package ollama

// process needs Unix process groups; see process_unix.go.
type process struct {
	listening chan string
	done      chan struct{}
}

func startProcess(string, []string, func([]byte)) (*process, error) { return nil, ErrCannotBuild }

func (*process) kill() error         { return ErrCannotBuild }
func (*process) killChildren() error { return ErrCannotBuild }
func (*process) end()                {}
