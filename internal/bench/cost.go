// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"runtime"
	"slices"
	"time"
)

// task is one thing to be measured.
type task struct {
	name  string
	units int // the cost is told per unit: the chunks of a run
	run   func() error
}

// cost is what one unit of a task takes.
type cost struct {
	CPU    float64 `json:"cpu_ns"`  // of the whole process, the garbage collector included
	Wall   float64 `json:"wall_ns"` // with whatever else the machine does
	Allocs float64 `json:"allocs"`
	Bytes  float64 `json:"bytes"`
}

// costs measures the tasks in turn, round after round, so that a change in the
// machine's mood hits all of them. The result has one cost for each round, by
// the task's name. A sample takes about the given time on the processor.
func costs(tasks []task, rounds int, sample time.Duration) (map[string][]cost, error) {
	reps := make([]int, len(tasks))
	for i, t := range tasks {
		if err := t.run(); err != nil { // warm: pools, the settled protocol, the open gate
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		before := cpuTime()
		if err := t.run(); err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
		reps[i] = int(min(max(1, sample/max(cpuTime()-before, time.Microsecond)), 1<<14))
	}
	results := map[string][]cost{}
	for range rounds {
		for i, t := range tasks {
			c, err := t.sample(reps[i])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", t.name, err)
			}
			results[t.name] = append(results[t.name], c)
		}
	}
	return results, nil
}

func (t *task) sample(reps int) (cost, error) {
	runtime.GC() // the last task's garbage is not this one's
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	wall, cpu := time.Now(), cpuTime()
	for range reps {
		if err := t.run(); err != nil {
			return cost{}, err
		}
	}
	c := cost{CPU: float64(cpuTime() - cpu), Wall: float64(time.Since(wall))}
	runtime.ReadMemStats(&after)
	c.Allocs, c.Bytes = float64(after.Mallocs-before.Mallocs), float64(after.TotalAlloc-before.TotalAlloc)
	n := float64(reps * t.units)
	return cost{CPU: c.CPU / n, Wall: c.Wall / n, Allocs: c.Allocs / n, Bytes: c.Bytes / n}, nil
}

func cpuOf(c cost) float64    { return c.CPU }
func allocsOf(c cost) float64 { return c.Allocs }

// over returns the median of one figure over the rounds.
func over(cs []cost, figure func(cost) float64) float64 {
	v := make([]float64, len(cs))
	for i, c := range cs {
		v[i] = figure(c)
	}
	return median(v)
}

// ratio returns the median of the ratios within each round.
func ratio(cs, peer []cost, figure func(cost) float64) float64 {
	v := make([]float64, len(cs))
	for i := range cs {
		v[i] = figure(cs[i]) / figure(peer[i])
	}
	return median(v)
}

func median(v []float64) float64 { return quantile(v, 0.5) }

// quantile sorts v and returns its q-quantile, 0 of nothing.
func quantile(v []float64, q float64) float64 {
	if len(v) == 0 {
		return 0
	}
	slices.Sort(v)
	at := q * float64(len(v)-1)
	i := int(at)
	if i+1 == len(v) {
		return v[i]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}
