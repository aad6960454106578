// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"math"
	"testing"
)

// TestCost holds the shapes of the guides against amounts worked out by hand
// from the price table.
func TestCost(t *testing.T) {
	for _, tc := range []struct {
		name        string
		change      func(*Service)
		hour, month float64
	}{
		{"guide", func(*Service) {}, 1.421, 1037},
		{"zonal redundancy", func(s *Service) { s.ZonalRedundancy = true }, 1.796, 1311},
		{"smallest L4", func(s *Service) { s.CPU, s.Memory = 4, "16Gi" }, 1.047, 764},
		{"RTX", func(s *Service) { s.Model = "gemma-4-31b-it" }, 3.187, 2326},
		{"RTX, zonal redundancy", func(s *Service) { s.Model, s.ZonalRedundancy = "gemma-4-31b-it", true }, 3.921, 2862},
	} {
		s := guide()
		tc.change(&s)
		c := s.Cost()
		if !c.Known || c.PricesAsOf != "2026-08" || math.Abs(c.PerHour-tc.hour) > 0.001 || math.Abs(c.PerMonthMax-tc.month) > 1 {
			t.Errorf("%s: %+v, want $%.3f/h and $%.0f", tc.name, c, tc.hour, tc.month)
		}
		if c.PerMonthIdle != 0 {
			t.Errorf("%s: scales to zero, yet costs %.2f idle", tc.name, c.PerMonthIdle)
		}
	}
	s := guide()
	s.MinInstances, s.MaxInstances, s.Region = 1, new(3), "asia-southeast1"
	if c := s.Cost(); !c.Approximate || math.Abs(c.PerHour-1.421*1.2) > 0.001 || math.Abs(c.PerMonthIdle*3-c.PerMonthMax) > 0.01 {
		t.Errorf("tier 2, one warm of three: %+v", c)
	}
	s.GPU, s.CPU, s.Memory = "nvidia-h100-80gb", 20, "80Gi"
	if c := s.Cost(); c.Known || c.GPUPerHour != 0 {
		t.Errorf("a GPU without a price: %+v", c)
	}
}

func ExampleService_Cost() {
	s := Service{Project: "my-project", Region: "europe-west1", Name: "gemma"}
	fmt.Println(s.Cost())
	// Output: $1.42 per hour and warm instance; $0 a month idle, at most $1037; about $0.24 per wake-up (prices of 2026-08)
}
