// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package ollama

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Version is the Ollama that the tests run against.
const Version = "v0.6.5"

// module is what `go install` builds.
const module = "github.com/ollama/ollama"

// ErrCannotBuild is the error of a machine that has not what it takes to build
// Ollama: the go command, a C and a C++ compiler.
var ErrCannotBuild = errors.New("building Ollama is impossible on this machine")

// Binary returns the path of an Ollama executable. That is the one named by
// the environment variable GEMMA_OLLAMA, if it is set; else Version, built
// from its source with the ordinary go command and kept in the user's cache
// directory. The first call on a machine takes minutes of CPU time, later ones
// microseconds. The source comes from the Go module proxy.
//
// An error that wraps [ErrCannotBuild] says what is missing.
func Binary(ctx context.Context) (string, error) {
	if path := os.Getenv("GEMMA_OLLAMA"); path != "" {
		return path, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no place to keep Ollama: %w", err)
	}
	kept := filepath.Join(cache, "gemma-go-sdk", "ollama-"+Version+"-"+runtime.GOOS+"-"+runtime.GOARCH, "ollama")
	if _, err := os.Stat(kept); err == nil {
		return kept, nil
	}
	if err := build(ctx, kept); err != nil {
		return "", err
	}
	return kept, nil
}

// build leaves the executable at path, or nothing: two processes that build at
// the same time do not see each other's half.
func build(ctx context.Context, path string) error {
	if err := canBuild(ctx); err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)

	cmd := exec.CommandContext(ctx, "go", "install", "-trimpath",
		// The source says 0.0.0; a released Ollama says its version.
		"-ldflags", "-s -w -X "+module+"/version.Version="+strings.TrimPrefix(Version, "v"),
		module+"@"+Version)
	cmd.Dir = tmp // outside any module, and so with Ollama's own dependencies
	cmd.Env = append(os.Environ(), "GOBIN="+tmp, "CGO_ENABLED=1", "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building Ollama %s: %w\n%s", Version, err, tail(string(out), 40))
	}
	return os.Rename(filepath.Join(tmp, filepath.Base(path)), path)
}

// canBuild asks for the compilers that cgo would use.
func canBuild(ctx context.Context) error {
	if runtime.GOOS == "windows" {
		return fmt.Errorf("%w: the tests need Unix process groups", ErrCannotBuild)
	}
	out, err := exec.CommandContext(ctx, "go", "env", "CC", "CXX").Output()
	if err != nil {
		return fmt.Errorf("%w: the go command: %w", ErrCannotBuild, err)
	}
	for cc := range strings.Lines(string(out)) {
		name, _, _ := strings.Cut(strings.TrimSpace(cc), " ")
		if _, err := exec.LookPath(name); err != nil {
			return fmt.Errorf("%w: no C compiler %q (install gcc and g++)", ErrCannotBuild, name)
		}
	}
	return nil
}

// tail returns the last n lines of s.
func tail(s string, n int) string {
	lines := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
