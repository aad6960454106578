// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// machine describes where the figures were made.
func machine() string {
	name := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if k, v, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(k) == "model name" {
				name = strings.TrimSpace(v)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, load %s", name, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, load())
}

// load is how many tasks the machine has had at work over the last minute.
func load() string {
	if b, err := os.ReadFile("/proc/loadavg"); err == nil {
		first, _, _ := strings.Cut(string(b), " ")
		return first
	}
	return "unknown"
}

// versions names the compiler and everybody who takes part.
func versions() string {
	v := runtime.Version()
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	for _, name := range []string{"google.golang.org/genai", "github.com/openai/openai-go/v3", "github.com/ollama/ollama"} {
		for _, m := range info.Deps {
			if m.Path == name {
				v += ", " + strings.TrimPrefix(m.Path, "github.com/") + " " + m.Version
			}
		}
	}
	return v
}
