// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestHoldThenShed(t *testing.T) {
	for _, status := range []int{429, 500, 503} {
		bubble(t, Config{FrontEnd: FrontEndConfig{Start: 25 * time.Second, Hold: 10 * time.Second, ShedStatus: status}}, func(t *testing.T, s *Server) {
			began := time.Now()
			for _, want := range []struct {
				at     time.Duration
				status int
				phase  Phase
			}{{10 * time.Second, status, Cold}, {20 * time.Second, status, Starting}, {25 * time.Second, 200, Starting}} {
				got, _, err := get(s, "/api/version", "")
				if err != nil || got != want.status || time.Since(began) != want.at {
					t.Errorf("%d %v after %v, want %d after %v", got, err, time.Since(began), want.status, want.at)
				}
			}
			for i, r := range s.Requests() {
				if want := []Phase{Cold, Starting, Starting}[i]; r.Phase != want {
					t.Errorf("request %d arrived while %v, want %v", i, r.Phase, want)
				}
			}
			st := s.Stats()
			if st.Shed[status] != 2 || st.Starts != 1 || st.MaxNotReady != 1 || st.ByPhase != [3]int{1, 2, 0} {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestShedAtOnce(t *testing.T) {
	bubble(t, Config{FrontEnd: FrontEndConfig{Start: time.Minute, Hold: -1, RetryAfter: 1500 * time.Millisecond}}, func(t *testing.T, s *Server) {
		began := time.Now()
		resp, err := call(t.Context(), s, "/api/version", "")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 429 || time.Since(began) != 0 || resp.Header.Get("Retry-After") != "2" {
			t.Errorf("%d after %v %v", resp.StatusCode, time.Since(began), resp.Header)
		}
		time.Sleep(time.Minute - 1)
		if s.FrontEnd().Phase() != Starting {
			t.Error("ready too early")
		}
		time.Sleep(time.Nanosecond)
		if got, _, _ := get(s, "/api/version", ""); got != 200 {
			t.Errorf("status %d when ready: the start must go on though nobody waited", got)
		}
		if starts := s.Starts(); len(starts) != 1 || starts[0].Ready.Sub(starts[0].At) != time.Minute {
			t.Errorf("%v", starts)
		}
	})
}

// TestHoldRule: 10 s for a service whose start is not known, then 3.5 times
// the average.
func TestHoldRule(t *testing.T) {
	starts := []time.Duration{12 * time.Second, time.Hour}
	bubble(t, Config{FrontEnd: FrontEndConfig{StartTime: func(n int) time.Duration { return starts[n-1] }}}, func(t *testing.T, s *Server) {
		for _, want := range []time.Duration{10 * time.Second, 42 * time.Second} {
			began := time.Now()
			if got, _, _ := get(s, "/api/version", ""); got != 429 || time.Since(began) != want {
				t.Errorf("%d after %v, want %v", got, time.Since(began), want)
			}
			time.Sleep(11 * time.Minute) // ready, then idle, then gone
		}
	})
}

func TestIdleGoesBackToZero(t *testing.T) {
	bubble(t, Config{FrontEnd: FrontEndConfig{Start: 5 * time.Second}}, func(t *testing.T, s *Server) {
		for i, pause := range []time.Duration{0, 10*time.Minute - time.Second, 10 * time.Minute} {
			time.Sleep(pause)
			get(s, "/api/version", "")
			if got, want := s.Stats().Starts, []int{1, 1, 2}[i]; got != want {
				t.Errorf("after a pause of %v: %d starts, want %d", pause, got, want)
			}
		}
	})
}

// TestReleaseInOrder: those who waited for the start are served first come
// first served, as many at once as there are slots.
func TestReleaseInOrder(t *testing.T) {
	bubble(t, Config{FirstToken: 2 * time.Second, FrontEnd: FrontEndConfig{Start: 8 * time.Second, Hold: Forever, Slots: 4}}, func(t *testing.T, s *Server) {
		began := time.Now()
		var mu sync.Mutex
		var order []int
		var ended []time.Duration
		var wg sync.WaitGroup
		for i := range 10 {
			time.Sleep(time.Millisecond)
			wg.Go(func() {
				resp, err := call(t.Context(), s, "/api/chat", chat4b)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				order = append(order, i)
				ended = append(ended, time.Since(began))
				mu.Unlock()
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			})
		}
		wg.Wait()
		ready := s.Starts()[0].Ready.Sub(began)
		for place, i := range order {
			if i/4 != place/4 {
				t.Errorf("order %v", order)
				break
			}
			if want := ready + time.Duration(place/4+1)*2*time.Second; ended[place] != want {
				t.Errorf("answer %d came at %v, want %v", place, ended[place], want)
			}
		}
		if st := s.Stats(); st.MaxInFlight != 4 || st.MaxNotReady != 10 || len(st.Shed) != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestSlotsAndQueue(t *testing.T) {
	bubble(t, Config{FirstToken: 5 * time.Second, FrontEnd: FrontEndConfig{Slots: 1, Queue: 3 * time.Second}}, func(t *testing.T, s *Server) {
		var wg sync.WaitGroup
		began := time.Now()
		wg.Go(func() { get(s, "/api/chat", chat4b) })
		synctest.Wait()
		got, body, _ := get(s, "/api/chat", chat4b)
		if got != 429 || body != "Rate exceeded." || time.Since(began) != 3*time.Second {
			t.Errorf("%d %q after %v", got, body, time.Since(began))
		}
		if got, _, _ := get(s, "/api/chat", chat4b); got != 200 { // queued at 3 s, served at 5 s
			t.Errorf("status %d", got)
		}
		wg.Wait()
	})
}

// TestGivingUpLeavesTheQueue: a client that leaves takes no slot.
func TestGivingUpLeavesTheQueue(t *testing.T) {
	bubble(t, Config{FrontEnd: FrontEndConfig{Start: 10 * time.Second, Slots: 1}}, func(t *testing.T, s *Server) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := call(ctx, s, "/api/version", ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if got, _, _ := get(s, "/api/version", ""); got != 200 {
			t.Errorf("status %d", got)
		}
		synctest.Wait()
		if n := s.FrontEnd().InFlight(); n != 0 {
			t.Errorf("%d in flight", n)
		}
	})
}
