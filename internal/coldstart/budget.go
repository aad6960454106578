// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import "time"

// A sick endpoint must not get its load multiplied by its own clients. Retries
// of what a ready endpoint failed draw from one bucket per gate: a burst of
// budgetMax, then one for every five good answers, and one every two seconds
// so that a quiet client is not locked out.
const (
	budgetMax    = 20.0
	budgetAnswer = 0.2
	budgetSecond = 0.5
)

// budget is the token bucket. Its zero value is full. The gate's lock guards it.
type budget struct {
	spent float64 // tokens missing from a full bucket
	at    time.Time
}

func (b *budget) refill(now time.Time) {
	if !b.at.IsZero() && now.After(b.at) {
		b.spent = max(0, b.spent-now.Sub(b.at).Seconds()*budgetSecond)
	}
	b.at = now
}

// answered gives back what a good answer earns.
func (b *budget) answered() { b.spent = max(0, b.spent-budgetAnswer) }

// take spends one token, or reports how long it takes until there is one.
func (b *budget) take(now time.Time) (wait time.Duration, ok bool) {
	b.refill(now)
	if b.spent+1 <= budgetMax {
		b.spent++
		return 0, true
	}
	missing := b.spent + 1 - budgetMax
	return time.Duration(missing / budgetSecond * float64(time.Second)), false
}
