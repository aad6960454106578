// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"time"
)

type model struct{ prior time.Duration }

func newModel(prior, expected time.Duration) model {
	if expected > 0 {
		prior = expected
	}
	if prior <= 0 {
		prior = 30 * time.Second
	}
	return model{prior}
}

type plan struct{}

func (g *Gate) gap(s *start, now time.Time) time.Duration {
	return max(now.Sub(s.began)/10, time.Second)
}
func (g *Gate) learn(s *start, sent, now time.Time) {}
func (g *Gate) remaining(now time.Time) time.Duration {
	if g.start == nil {
		return g.model.prior
	}
	return max(g.model.prior-now.Sub(g.start.began), 0)
}
func (g *Gate) soonest(now time.Time) time.Duration { return g.remaining(now) / 4 }
