// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetryAfter clamps what a server may make a caller wait. A start is
// rarely so predictable that a longer order would be right, and the caller's
// deadline goes first anyway.
const maxRetryAfter = 30 * time.Second

// retryAfter reads the header (RFC 9110, section 10.2.3: seconds or a date),
// clamped. It returns 0 for a header that is missing, past or unreadable.
func retryAfter(h http.Header, now time.Time) time.Duration {
	s := strings.TrimSpace(h.Get("Retry-After"))
	if s == "" {
		return 0
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		if n <= 0 {
			return 0
		}
		return time.Duration(min(n, int64(maxRetryAfter/time.Second))) * time.Second
	}
	if at, err := http.ParseTime(s); err == nil {
		return min(max(0, at.Sub(now)), maxRetryAfter)
	}
	return 0
}
