// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package coldstart

const raceEnabled = false
