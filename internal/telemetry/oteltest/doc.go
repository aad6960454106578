// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package oteltest holds the client's telemetry against OpenTelemetry's SDK:
// the trace of a cold call in testdata/cold.txt, the metrics, and that nothing
// is told twice under a caller's own GenAI span. It is a module of its own
// because only tests need the SDK.
package oteltest
