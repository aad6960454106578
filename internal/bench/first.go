// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/http/httptest"
	"time"
)

// pairs are the times that one client's first tokens took to reach its caller,
// in nanoseconds, each with the time of a net/http call made just before.
type pairs struct{ client, floor []float64 }

// added returns the median difference.
func (p pairs) added() float64 {
	d := make([]float64, len(p.client))
	for i := range d {
		d[i] = p.client[i] - p.floor[i]
	}
	return median(d)
}

// firstTokens measures every client over warm connections on loopback. Each has
// its turns with net/http alone, so that no other client's garbage is collected
// in its time.
func firstTokens(ctx context.Context, calls int) (map[who]pairs, error) {
	server := httptest.NewServer(newAnswer(ollama, short))
	defer server.Close()
	t := newTransport()
	defer t.CloseIdleConnections()
	bare := askBare(server.URL, t)
	found := map[who]pairs{}
	for _, p := range protocols {
		server := httptest.NewServer(newAnswer(p, short))
		defer server.Close()
		t := newTransport()
		defer t.CloseIdleConnections()
		askers, err := newAskers(ctx, p, server.URL, t)
		if err != nil {
			return nil, err
		}
		for _, a := range askers {
			var got pairs
			for i := range calls + warmUp {
				floor, err := firstToken(ctx, bare)
				if err != nil {
					return nil, err
				}
				client, err := firstToken(ctx, a)
				if err != nil {
					return nil, err
				}
				if i >= warmUp {
					got.client, got.floor = append(got.client, client), append(got.floor, floor)
				}
			}
			found[who{a.name, p}] = got
		}
	}
	return found, nil
}

// warmUp is how many calls are made before any is counted.
const warmUp = 50

func firstToken(ctx context.Context, a asker) (ns float64, err error) {
	begun := time.Now()
	err = a.stream(ctx, func(string) {
		if ns == 0 {
			ns = float64(time.Since(begun))
		}
	})
	return ns, err
}
