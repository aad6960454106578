// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// crowdPlan says how large the crowd is and what it gets.
type crowdPlan struct {
	rounds    int
	streams   int // of the client that is measured
	witnesses int // of net/http beside it, in the same seconds
	paced     int // chunks for each stream, one after the other
	rate      int // paced chunks a second, over all streams
	flood     int // chunks for each stream, as fast as they go
}

// crowded is what a crowd of one client showed.
type crowded struct {
	Heap   float64   `json:"heap_bytes_per_stream"` // live after a collection, all streams open and idle
	Stack  float64   `json:"stack_bytes_per_stream"`
	Rate   float64   `json:"chunks_per_second"` // in the flood, all streams together
	Lost   int       `json:"chunks_lost"`
	Delays []float64 `json:"-"` // from the server's write to the caller's loop, paced chunks
	Floor  []float64 `json:"-"` // the same of the witnesses
}

// crowd opens the streams of one client, weighs them, and has them served.
func crowd(ctx context.Context, plan crowdPlan, client func(base string) (asker, error)) (*crowded, error) {
	base, stop, err := startCrowdServer()
	if err != nil {
		return nil, err
	}
	defer stop()
	a, err := client(base)
	if err != nil {
		return nil, err
	}
	before := weigh()
	measured := newMembers(plan, plan.streams)
	if err := measured.open(ctx, a); err != nil {
		return nil, err
	}
	after := weigh()
	c := &crowded{
		Heap:  float64(after.HeapAlloc-before.HeapAlloc) / float64(plan.streams),
		Stack: (float64(after.StackInuse) - float64(before.StackInuse)) / float64(plan.streams),
	}
	witnesses := newMembers(plan, plan.witnesses)
	if err := witnesses.open(ctx, askBare(base, newTransport())); err != nil {
		return nil, err
	}
	flooded, err := start(ctx, base, plan)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(measured.wait(), witnesses.wait()); err != nil {
		return nil, err
	}
	last := time.Unix(0, max(measured.last.Load(), witnesses.last.Load()))
	c.Rate = float64((plan.streams+plan.witnesses)*plan.flood) / last.Sub(flooded).Seconds()
	c.Lost = measured.lost() + witnesses.lost()
	c.Delays, c.Floor = measured.delays(), witnesses.delays()
	return c, nil
}

// newTransport is net/http's own, without limits that would be in the way.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.DisableCompression = 0, true
	return t
}

func weigh() (m runtime.MemStats) {
	runtime.GC()
	runtime.GC() // what had a finalizer or sat in a pool
	runtime.ReadMemStats(&m)
	return m
}

// start gives the server its orders, and returns when the flood began.
func start(ctx context.Context, base string, plan crowdPlan) (flooded time.Time, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet,
		fmt.Sprintf("%s/go?paced=%d&rate=%d&flood=%d", base, plan.paced, plan.rate, plan.flood), nil)
	if err != nil {
		return flooded, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return flooded, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return flooded, err
	}
	ns, err := strconv.ParseInt(string(text), 10, 64)
	return time.Unix(0, ns), err
}

// members are the streams of one client.
type members struct {
	plan  crowdPlan
	all   []member
	tasks sync.WaitGroup
	last  atomic.Int64 // when the last chunk of all came
}

// member is one stream. What it will note is allocated before it is weighed.
type member struct {
	next   int // the number of the next chunk
	wrong  int
	err    error
	delays []int64
}

func newMembers(plan crowdPlan, n int) *members {
	m := &members{plan: plan, all: make([]member, n)}
	for i := range m.all {
		m.all[i].delays = make([]int64, 0, plan.paced)
	}
	return m
}

// openAtOnce bounds how many connections are made at a time: the listener's
// queue is finite.
const openAtOnce = 128

// open opens the streams, and returns when each has its first chunk.
func (m *members) open(ctx context.Context, a asker) error {
	free := make(chan struct{}, openAtOnce)
	failed := make(chan error, len(m.all))
	for i := range m.all {
		s := &m.all[i]
		select {
		case free <- struct{}{}:
		case err := <-failed:
			return err
		}
		m.tasks.Go(func() {
			s.err = a.stream(ctx, func(text string) {
				now := time.Now().UnixNano()
				if s.next == 0 {
					<-free
				}
				s.saw(text, now, m.plan.paced)
				if s.next == m.total() {
					m.arrived(now)
				}
			})
			if s.next == 0 { // it never had a chunk
				failed <- whyNone(s.err)
				<-free
			}
		})
	}
	for range openAtOnce { // all have let go
		free <- struct{}{}
	}
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

func whyNone(err error) error {
	if err == nil {
		return errors.New("an answer without a chunk")
	}
	return err
}

// total is the number of chunks of one stream.
func (m *members) total() int { return 1 + m.plan.paced + m.plan.flood }

// saw notes one chunk. Chunk 0 and those of the flood are not timed.
func (s *member) saw(text string, now int64, paced int) {
	seq, written, _ := strings.Cut(text, " ")
	if n, err := strconv.Atoi(seq); err != nil || n != s.next {
		s.wrong++
	}
	if s.next > 0 && s.next <= paced {
		if at, err := strconv.ParseInt(written, 10, 64); err == nil {
			s.delays = append(s.delays, now-at)
		}
	}
	s.next++
}

func (m *members) arrived(now int64) {
	for {
		last := m.last.Load()
		if now <= last || m.last.CompareAndSwap(last, now) {
			return
		}
	}
}

func (m *members) wait() error {
	m.tasks.Wait()
	for i := range m.all {
		if err := m.all[i].err; err != nil {
			return err
		}
	}
	return nil
}

// lost counts the chunks that did not come, or came out of turn.
func (m *members) lost() (n int) {
	for i := range m.all {
		n += m.total() - m.all[i].next + m.all[i].wrong
	}
	return n
}

func (m *members) delays() []float64 {
	var all []float64
	for i := range m.all {
		for _, d := range m.all[i].delays {
			all = append(all, float64(d))
		}
	}
	return all
}
