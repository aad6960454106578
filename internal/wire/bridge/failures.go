// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package bridge

import (
	"crypto/rand"
	"strings"
	"sync"

	"github.com/gemma-go/sdk/internal/fault"
)

// failures remembers the errors of broken streams for the moment between the
// end of the body and the SDK's next request, which follows at once. The SDK
// repeats that request up to four times, so taking does not forget; the ring's
// size bounds what stays, and an error that fell out of it loses its details.
type failures struct {
	mu   sync.Mutex
	ring [256]failure
	next int
}

const tokenPrefix = "failure:"

type failure struct {
	token string
	err   error
}

func (f *failures) keep(err error) (token string) {
	token = tokenPrefix + rand.Text()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ring[f.next] = failure{token, err}
	f.next = (f.next + 1) % len(f.ring)
	return token
}

// take returns the error with this token, or nil for a token that is none of
// keep's.
func (f *failures) take(token string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.ring {
		if f.ring[i].token == token {
			return f.ring[i].err
		}
	}
	if strings.HasPrefix(token, tokenPrefix) {
		return &fault.Error{Kind: fault.Interrupted, Message: "the answer broke off, at the same moment as hundreds of others"}
	}
	return nil
}
