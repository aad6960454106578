// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

// SetIAMEndpoint makes impersonation by name use another server than Google's.
func (o *GoogleOptions) SetIAMEndpoint(url string) { o.iamEndpoint = url }

// Uncached returns the source under a cached one: its errors are not tried
// again.
func Uncached(s Source) Source { return s.(*cached).src }
