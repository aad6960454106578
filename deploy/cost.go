// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package deploy

import (
	"fmt"
	"slices"
	"time"
)

// Prices is a price table in US dollars per second of one unit, tier 1,
// instance-based billing.
type Prices struct {
	AsOf    string             `json:"asOf"` // year and month
	Source  string             `json:"source"`
	VCPU    float64            `json:"vcpu"`
	GiB     float64            `json:"gib"`
	GPU     map[string]float64 `json:"gpu"`   // without zonal redundancy
	GPUZR   map[string]float64 `json:"gpuZR"` // with
	Tier2   float64            `json:"tier2"` // factor of the dearer regions, an approximation
	Regions []string           `json:"-"`     // tier 2 among the regions with GPUs
}

// DefaultPrices returns the table that [Service.Cost] uses: the Cloud Billing
// SKUs of us-central1 as read in August 2026, which agree with
// https://cloud.google.com/run/pricing.
func DefaultPrices() Prices {
	return Prices{
		AsOf: "2026-08", Source: "Cloud Billing SKUs, us-central1; https://cloud.google.com/run/pricing",
		VCPU: 0.000018, GiB: 0.000002,
		GPU:   map[string]float64{L4: 0.0001867, RTXPro6000: 0.00036522},
		GPUZR: map[string]float64{L4: 0.0002909, RTXPro6000: 0.00056913},
		Tier2: 1.2, Regions: []string{"asia-southeast1", "asia-south2"},
	}
}

// hoursPerMonth is the average that Google's calculator uses.
const hoursPerMonth = 730

// idleTail is how long an idle GPU instance is kept after its last request.
const idleTail = 10 * time.Minute

// Cost is an estimate in US dollars. A GPU instance is billed for all the time
// it exists, requests or not, and there is no free GPU tier.
type Cost struct {
	Known         bool    `json:"known"` // false: the GPU has no price in the table, and it counts as zero
	GPUPerHour    float64 `json:"gpuPerHour"`
	CPUPerHour    float64 `json:"cpuPerHour"`
	MemoryPerHour float64 `json:"memoryPerHour"`
	PerHour       float64 `json:"perHour"`      // one warm instance
	PerMonthIdle  float64 `json:"perMonthIdle"` // MinInstances around the clock; 0 when it scales to zero
	PerMonthMax   float64 `json:"perMonthMax"`  // MaxInstances around the clock: the most it can cost
	PerWakeUp     float64 `json:"perWakeUp"`    // the idle tail after the last request, up to 10 minutes
	PricesAsOf    string  `json:"pricesAsOf"`   // the price table's date
	PricesSource  string  `json:"pricesSource"`
	Approximate   bool    `json:"approximate,omitzero"` // a dearer region, by factor
}

// Cost estimates by [DefaultPrices]. It is pure and needs no valid Service.
func (s Service) Cost() Cost { return s.CostAt(DefaultPrices()) }

// CostAt estimates by a price table of your own.
func (s Service) CostAt(p Prices) Cost {
	r := s.settle()
	table := p.GPU
	if r.ZonalRedundancy {
		table = p.GPUZR
	}
	gpu, known := table[r.GPU]
	mem, _ := memoryBytes(r.Memory)
	factor := 1.0
	tier2 := slices.Contains(p.Regions, r.Region)
	if tier2 {
		factor = p.Tier2
	}
	hour := 3600 * factor
	c := Cost{
		Known: known, PricesAsOf: p.AsOf, PricesSource: p.Source, Approximate: tier2,
		GPUPerHour:    gpu * hour,
		CPUPerHour:    p.VCPU * float64(r.CPU) * hour,
		MemoryPerHour: p.GiB * float64(mem) / (1 << 30) * hour,
	}
	c.PerHour = c.GPUPerHour + c.CPUPerHour + c.MemoryPerHour
	c.PerMonthIdle = c.PerHour * hoursPerMonth * float64(r.MinInstances)
	c.PerMonthMax = c.PerHour * hoursPerMonth * float64(r.max)
	c.PerWakeUp = c.PerHour * idleTail.Hours()
	return c
}

// String is one line for a terminal.
func (c Cost) String() string {
	note := ""
	if c.Approximate {
		note = ", a dearer region by an approximate factor"
	}
	if !c.Known {
		note += ", without the GPU, whose price is not known"
	}
	return fmt.Sprintf("$%.2f per hour and warm instance; $%.0f a month idle, at most $%.0f; about $%.2f per wake-up (prices of %s%s)",
		c.PerHour, c.PerMonthIdle, c.PerMonthMax, c.PerWakeUp, c.PricesAsOf, note)
}
