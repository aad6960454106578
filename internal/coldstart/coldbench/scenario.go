// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// scenario is one way in which a service starts and its front end refuses.
type scenario struct {
	name   string
	median float64 // of a start, in seconds
	draw   func(*rand.Rand) float64
	hold   time.Duration // negative: sheds at once
	status int
}

// spread is the standard deviation of the logarithm of the lognormal starts.
const spread = 0.35

func scenarios() []scenario {
	type law struct {
		name   string
		median float64
		draw   func(*rand.Rand) float64
	}
	laws := []law{{"8 s + Exp(12 s)", 8 + 12*math.Ln2, func(r *rand.Rand) float64 { return 8 + 12*r.ExpFloat64() }}}
	for _, m := range []float64{5, 20, 60, 270, 1200} {
		laws = append(laws, law{fmt.Sprintf("median %v", time.Duration(m)*time.Second), m,
			func(r *rand.Rand) float64 { return m * math.Exp(spread*r.NormFloat64()) }})
	}
	var all []scenario
	for _, hold := range []time.Duration{-1, 10 * time.Second} {
		for i, l := range laws {
			status := []int{429, 500, 503}[i%3]
			how := fmt.Sprintf("shed at once (%d)", status)
			if hold > 0 {
				how = fmt.Sprintf("held %v, then %d", hold, status)
			}
			all = append(all, scenario{l.name + ", " + how, l.median, l.draw, hold, status})
		}
	}
	return all
}
