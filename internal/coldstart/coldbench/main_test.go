// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

// TestGateAmongItsPeers holds the shape of the table on a few starts: the gate
// always succeeds, and nobody that sends no more finds out sooner.
func TestGateAmongItsPeers(t *testing.T) {
	*processes, *starts = 3, 6
	for _, s := range scenarios()[:3] {
		results := map[string]result{}
		for _, c := range clients() {
			r := measure(t, s, c)
			t.Logf("%s, %s: success %.0f %%, waste %.2f s, %.1f requests", s.name, c.name, 100*r.Success, r.Waste, r.Requests)
			results[c.name] = r
		}
		ours := results[gateName]
		if ours.Success < 1 || ours.Part > 0.1 || ours.Requests > 16 {
			t.Errorf("%s: %+v", s.name, ours)
		}
		for name, r := range results {
			if name != gateName && r.Success >= ours.Success && r.Waste <= ours.Waste {
				t.Errorf("%s: %s wastes %.2f s, the gate %.2f s", s.name, name, r.Waste, ours.Waste)
			}
		}
	}
}
