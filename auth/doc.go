// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package auth gives calls of a private Cloud Run service their identity: it
// gets identity tokens with any kind of Google credential, keeps them fresh,
// hands them to one origin only, and says what is wrong when the service
// refuses them.
package auth
