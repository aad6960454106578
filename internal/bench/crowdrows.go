// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
)

// addCrowd measures many streams at once.
func (r *report) addCrowd(ctx context.Context, p plan) error {
	c := p.crowd
	if room := files() - 200; c.streams+c.witnesses > room {
		return fmt.Errorf("this process may open %d files, which is too few for %d streams: raise it (ulimit -n), or use -quick", files(), c.streams+c.witnesses)
	}
	unpaced := c // nobody compares the delays of a crowd of net/http with anything
	unpaced.witnesses, unpaced.paced = 0, 0
	var plain, full []*crowded
	for range c.rounds {
		one, err := crowd(ctx, unpaced, func(base string) (asker, error) { return askBare(base, newTransport()), nil })
		if err != nil {
			return err
		}
		plain = append(plain, one)
		one, err = crowd(ctx, c, func(base string) (asker, error) {
			client, err := newClient(ctx, ollama, base, nil)
			if err != nil {
				return asker{}, err
			}
			return askGemma(ollama, client), nil
		})
		if err != nil {
			return err
		}
		full = append(full, one)
	}
	r.Crowds = map[string][]*crowded{netHTTP: plain, ours: full}
	r.add(fmt.Sprintf("%d streams at once over loopback", c.streams),
		weights("heap of a stream", full, plain, func(c *crowded) float64 { return c.Heap }).goal(mostHeap),
		weights("stack of a stream", full, plain, func(c *crowded) float64 { return c.Stack }),
		lostRow(full),
		rateRow(full, plain),
		delayRow("delay of a chunk, p50", full, 0.50),
		delayRow("delay of a chunk, p99", full, 0.99),
	)
	return nil
}

// medianOf returns the median of one figure of crowds.
func medianOf(cs []*crowded, figure func(*crowded) float64) float64 {
	v := make([]float64, len(cs))
	for i, c := range cs {
		v[i] = figure(c)
	}
	return median(v)
}

func weights(what string, full, plain []*crowded, figure func(*crowded) float64) row {
	a, b := medianOf(full, figure)/1024, medianOf(plain, figure)/1024
	return row{What: what, Unit: "KiB", Ours: a, Peer: netHTTP, Theirs: b, Compare: subtracted, Result: a - b}
}

func lostRow(full []*crowded) row {
	lost := 0
	for _, c := range full {
		lost += c.Lost
	}
	return row{What: "chunks lost", Ours: float64(lost), Compare: alone, Result: float64(lost)}.goal(0)
}

func rateRow(full, plain []*crowded) row {
	v := make([]float64, len(full))
	for i := range full {
		v[i] = full[i].Rate / plain[i].Rate
	}
	rate := func(c *crowded) float64 { return c.Rate }
	return row{What: "chunks a second, all streams", Ours: medianOf(full, rate), Peer: netHTTP, Theirs: medianOf(plain, rate), Compare: divided, Result: median(v)}
}

// delayRow compares a crowd with the witnesses beside it.
func delayRow(what string, full []*crowded, q float64) row {
	ours := func(c *crowded) float64 { return quantile(c.Delays, q) / 1e3 }
	floor := func(c *crowded) float64 { return quantile(c.Floor, q) / 1e3 }
	return row{What: what, Unit: "µs", Ours: medianOf(full, ours), Peer: netHTTP, Theirs: medianOf(full, floor), Compare: subtracted,
		Result: medianOf(full, func(c *crowded) float64 { return ours(c) - floor(c) })}
}
