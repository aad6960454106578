// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !unix

package main

import "time"

var started = time.Now()

// cpuTime falls back to the clock on the wall.
func cpuTime() time.Duration { return time.Since(started) }

// files is how many files and sockets this process may open.
func files() int { return 1 << 16 }
