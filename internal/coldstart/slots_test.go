// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/internal/fault"
)

func TestFirstComeFirstServed(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		c := &cloud{startFor: 10 * time.Second, status: 429, slots: 1, work: time.Second}
		cfg.Base, cfg.Concurrency = c, 1
		g := New(cfg)
		var mu sync.Mutex
		var order []int
		var wg sync.WaitGroup
		for i := range 40 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * time.Millisecond)
				if _, err := get(t.Context(), g); err != nil {
					t.Error(err)
				}
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
			})
		}
		wg.Wait()
		if !slices.IsSorted(order) {
			t.Errorf("served in the order %v", order)
		}
	})
}

func TestSlotIsHeldUntilTheBodyEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &cloud{}
		g := New(Config{Base: c, Concurrency: 1})
		first, err := open(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		_, err = get(ctx, g)
		if e := fault.Of(err); e == nil || e.Kind != fault.Overloaded || e.Attempts != 0 || time.Since(began) != time.Minute {
			t.Errorf("with the slot taken: %+v after %v", err, time.Since(began))
		}
		_ = first.Close()
		_ = first.Close() // gives one slot back, not two
		if s := g.State(); s.InUse != 0 {
			t.Errorf("%d in use", s.InUse)
		}
		second, err := open(t.Context(), g)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := second.Read(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		_, _ = second.Read(make([]byte, 10)) // to its end
		if _, err := get(t.Context(), g); err != nil {
			t.Error(err)
		}
		_ = second.Close()
		if s := g.State(); s.InUse != 0 {
			t.Errorf("%d in use", s.InUse)
		}
	})
}

// TestOthersUseTheEndpointToo: half of the slots belong to somebody else. All
// calls succeed, and the gate settles on what is left.
func TestOthersUseTheEndpointToo(t *testing.T) {
	for _, told := range []int{0, 8} {
		synctest.Test(t, func(t *testing.T) {
			c := &cloud{startFor: 5 * time.Second, status: 429, slots: 8, work: 2 * time.Second}
			g := New(Config{Base: c, Probe: ping, Concurrency: told})
			if err := g.Ready(t.Context()); err != nil {
				t.Fatal(err)
			}
			c.mu.Lock()
			c.slots = 4 // others have come
			c.requests = 0
			c.mu.Unlock()
			began := time.Now()
			for _, err := range crowd(t.Context(), g, 100) {
				if err != nil {
					t.Fatal(err)
				}
			}
			sent, took := float64(c.requests)/100, time.Since(began)
			t.Logf("told %d: %.2f requests a success, %v (ideal 50s), limit %d", told, sent, took, g.State().Limit)
			if sent > 1.6 || took > 75*time.Second {
				t.Errorf("told %d: %.2f requests a success, %v", told, sent, took)
			}
			c.mu.Lock()
			c.slots = 8 // and gone
			c.requests = 0
			c.mu.Unlock()
			began = time.Now()
			crowd(t.Context(), g, 200)
			if took := time.Since(began); took > 75*time.Second || c.requests > 250 {
				t.Errorf("told %d: %v and %d requests after the others left", told, took, c.requests)
			}
		})
	}
}

// TestOllamaBusy: the model server's own queue is full, which is overload and
// no start, whenever it is said.
func TestOllamaBusy(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		n := 0
		c := &cloud{before: func(*http.Request, time.Duration) (*http.Response, error) {
			if n++; n <= 3 {
				return reply(503, js, `{"error":"server busy, please try again.  maximum pending requests exceeded"}`), nil
			}
			return nil, nil
		}}
		var mu sync.Mutex
		var said []string
		cfg.Base = c
		cfg.OnEvent = func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			said = append(said, e.Type.String())
		}
		g := New(cfg)
		began := time.Now()
		if _, err := get(t.Context(), g); err != nil || time.Since(began) > 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		synctest.Wait()
		if all := strings.Join(said, " "); strings.Contains(all, "cold") || !strings.Contains(all, "overloaded") {
			t.Errorf("said %s", all)
		}
	})
}

func TestBudget(t *testing.T) {
	now := time.Unix(0, 0)
	var b budget
	for i := range int(budgetMax) {
		if _, ok := b.take(now); !ok {
			t.Fatalf("empty after %d", i)
		}
	}
	wait, ok := b.take(now)
	if ok || wait != 2*time.Second {
		t.Errorf("empty: %v, %v", wait, ok)
	}
	if _, ok := b.take(now.Add(wait)); !ok {
		t.Error("still empty after the wait it asked for")
	}
	for range 6 {
		b.answered()
	}
	if _, ok := b.take(now.Add(wait)); !ok {
		t.Error("six good answers earn nothing")
	}
}

func TestQueueKeepsTheOrderOfArrival(t *testing.T) {
	var q queue
	calls := map[uint64]*call{}
	for _, seq := range []uint64{5, 7, 9, 6, 1, 8, 10, 2} {
		calls[seq] = &call{seq: seq, ch: make(chan struct{})}
		q.add(calls[seq])
	}
	q.remove(calls[7])
	q.remove(calls[7])
	q.remove(calls[10])
	q.remove(calls[1])
	var got []uint64
	for c := q.head; c != nil; c = c.next {
		got = append(got, c.seq)
		if c.next == nil && q.tail != c || c.next != nil && c.next.prev != c {
			t.Fatal("the list is broken")
		}
	}
	if !slices.Equal(got, []uint64{2, 5, 6, 8, 9}) || q.n != 5 {
		t.Errorf("%v, %d", got, q.n)
	}
}
