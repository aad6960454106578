// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestCachedRenewsInTime(t *testing.T) {
	for _, lifetime := range []time.Duration{600 * time.Second, time.Hour} {
		t.Run(lifetime.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				src := &counter{lifetime: lifetime, delay: 2 * time.Second}
				c := Cached(src)
				begun := time.Now()
				slow := 0
				for time.Since(begun) < 4*time.Hour {
					before := time.Now()
					tok, err := c.Token(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					if time.Since(before) > 0 {
						slow++
					}
					if left := time.Until(tok.Expiry); left < 60*time.Second {
						t.Fatalf("after %s: a token with %s left", time.Since(begun), left)
					}
					time.Sleep(5 * time.Second)
				}
				if slow != 1 {
					t.Errorf("%d calls waited for a token, want the first only", slow)
				}
				// Renewed between half its life and 5–6 minutes before its end.
				most := int64(4*time.Hour/(lifetime-min(lifetime*6/10, 6*time.Minute))) + 2
				if n := src.calls.Load(); n > most {
					t.Errorf("%d tokens in 4 hours, want at most %d", n, most)
				}
			})
		})
	}
}

// The metadata server hands out the token it has until shortly before its end.
func TestCachedSourceThatKeepsItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		kept := ""
		c := Cached(SourceFunc(func(context.Context) (Token, error) {
			calls++
			if p, ok := parseClaims(kept); !ok || time.Until(p.expiry()) < 4*time.Minute {
				kept = unsigned(time.Hour)
			}
			// The expiry that Google's libraries assume, which is wrong.
			return Token{Value: kept, Expiry: time.Now().Add(time.Hour)}, nil
		}))
		for range 10 * 60 {
			tok, err := c.Token(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if left := time.Until(tok.Expiry); left <= 0 {
				t.Fatalf("a token that ended %s ago", -left)
			}
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		if calls > 35 {
			t.Errorf("asked %d times in 10 hours", calls)
		}
	})
}

func TestCachedOneFetchForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &counter{lifetime: time.Hour, delay: time.Second}
		c := Cached(src)
		var wg sync.WaitGroup
		for range 10_000 {
			wg.Go(func() {
				if _, err := c.Token(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := src.calls.Load(); n != 1 {
			t.Errorf("10,000 callers cost %d fetches", n)
		}
	})
}

func TestCachedWaiterLeavesAtItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &counter{lifetime: time.Hour, delay: 3 * time.Second}
		c := Cached(src)
		why := errors.New("the user went away")
		ctx, cancel := context.WithTimeoutCause(t.Context(), 500*time.Millisecond, why)
		defer cancel()
		begun := time.Now()
		_, err := c.Token(ctx)
		if d := time.Since(begun); d != 500*time.Millisecond {
			t.Errorf("waited %s", d)
		}
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, why) {
			t.Errorf("error %v", err)
		}
		if _, err := c.Token(t.Context()); err != nil { // the same fetch serves the next
			t.Error(err)
		}
		if d := time.Since(begun); d != 3*time.Second || src.calls.Load() != 1 {
			t.Errorf("second caller after %s, %d fetches", d, src.calls.Load())
		}
	})
}

func TestCachedCallerThatIsDoneStartsNothing(t *testing.T) {
	src := &counter{lifetime: time.Hour}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Cached(src).Token(ctx); !errors.Is(err, context.Canceled) || src.calls.Load() != 0 {
		t.Errorf("%v after %d fetches", err, src.calls.Load())
	}
}

func TestCachedHidesFailuresWhileValid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		src := &counter{lifetime: time.Hour, delay: 100 * time.Millisecond}
		failed := 0
		src.fail = func(int64) error { // from minute 5 to 58:30
			if d := time.Since(begun); d > 5*time.Minute && d < 58*time.Minute+30*time.Second {
				failed++
				return &Error{Message: "IAM answered 503", Retry: true}
			}
			return nil
		}
		c := Cached(src)
		for time.Since(begun) < 2*time.Hour {
			tok, err := c.Token(t.Context())
			if err != nil {
				t.Fatalf("after %s: %v", time.Since(begun), err)
			}
			if !time.Now().Before(tok.Expiry) {
				t.Fatalf("after %s: a token that has ended", time.Since(begun))
			}
			time.Sleep(time.Second)
		}
		if failed < 3 || failed > 20 {
			t.Errorf("%d tries while the server was down, want some at a growing pace", failed)
		}
	})
}

func TestCachedKeepsOnTryingForWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &counter{lifetime: time.Hour, fail: func(n int64) error {
			if n < 4 {
				return errors.New("connection reset")
			}
			return nil
		}}
		if _, err := Cached(src).Token(t.Context()); err != nil {
			t.Error(err)
		}
		src = &counter{fail: func(int64) error { return errors.New("connection reset") }}
		c := Cached(src)
		begun := time.Now()
		_, err := c.Token(t.Context())
		if d := time.Since(begun); d > patience || d < patience/4 {
			t.Errorf("gave up after %s", d)
		}
		if e, ok := errors.AsType[*Error](err); !ok || !e.Retryable() || !strings.Contains(err.Error(), "connection reset") {
			t.Errorf("error %v", err)
		}
		n := src.calls.Load()
		for range 100 {
			c.Token(t.Context())
		}
		if src.calls.Load() != n {
			t.Error("calls within the breather asked the source")
		}
		time.Sleep(breather)
		c.Token(t.Context())
		if src.calls.Load() == n {
			t.Error("the source was not asked again")
		}
	})
}

func TestCachedDoesNotHammerWhatCannotHeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &counter{lifetime: time.Hour}
		broken := true
		src.fail = func(int64) error {
			if broken {
				return &Error{Message: "no permission"}
			}
			return nil
		}
		c := Cached(src)
		for range 600 {
			if _, err := c.Token(t.Context()); err == nil || retryable(err) {
				t.Fatalf("error %v", err)
			}
			time.Sleep(time.Second)
		}
		if n := src.calls.Load(); n < 8 || n > 20 {
			t.Errorf("%d tries in ten minutes", n)
		}
		broken = false // somebody granted the role
		time.Sleep(75 * time.Second)
		if _, err := c.Token(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestCachedAfterAFreeze(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &counter{lifetime: time.Hour}
		c := Cached(src)
		first, err := c.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // nothing ran meanwhile, no timer either
		second, err := c.Token(t.Context())
		if err != nil || second.Value == first.Value {
			t.Fatalf("after an hour: the same token, %v", err)
		}
		e := c.(*cached).cur.Load()
		if e.invalid != second.Expiry.Add(-invalidAhead).UnixNano() {
			t.Error("the token's end is not kept by the wall clock")
		}
	})
}

// A fetch whose connection died while the CPU was frozen does not hold up
// those who come after.
func TestCachedGivesUpAHangingFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &counter{lifetime: time.Hour, delay: 2 * time.Minute, stubborn: true}
		c := Cached(src)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		c.Token(ctx)
		time.Sleep(fetchTimeout)
		begun := time.Now()
		if _, err := c.Token(t.Context()); err != nil || time.Since(begun) != 0 {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
		time.Sleep(2 * time.Minute) // the late one changes nothing
		tok, _ := c.Token(t.Context())
		if src.calls.Load() != 2 || time.Until(tok.Expiry) > 58*time.Minute {
			t.Errorf("%d fetches, %s left", src.calls.Load(), time.Until(tok.Expiry))
		}
	})
}

func TestCachedRefusesBadTokens(t *testing.T) {
	for _, tc := range []struct{ name, value, want string }{
		{"empty", "", "empty token"},
		{"line break", "a.b.c\n", "no header can carry"},
		{"expired", unsigned(-time.Minute), "clock"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				value := tc.value
				if tc.name == "expired" {
					value = unsigned(-time.Minute)
				}
				_, err := Cached(SourceFunc(func(context.Context) (Token, error) { return Token{Value: value}, nil })).Token(t.Context())
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("error %v", err)
				}
			})
		})
	}
	if _, err := Cached(nil).Token(t.Context()); err == nil {
		t.Error("a nil source gave a token")
	}
}

func TestCachedSourceThatEndsItsGoroutine(t *testing.T) {
	c := Cached(SourceFunc(func(context.Context) (Token, error) {
		runtime.Goexit() // as t.Fatal in a fake does
		return Token{}, nil
	}))
	done := make(chan error, 1)
	go func() {
		_, err := c.Token(context.Background())
		done <- err
	}()
	if err := <-done; err == nil {
		t.Error("no error")
	}
}

func TestCachedInvalidate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &counter{lifetime: time.Hour}
		c := Cached(src).(Invalidator)
		first, _ := c.Token(t.Context())
		for range 100 { // as many requests get the same refusal
			c.Invalidate(first)
		}
		second, _ := c.Token(t.Context())
		if second.Value == first.Value || src.calls.Load() != 2 {
			t.Fatalf("%d fetches", src.calls.Load())
		}
		c.Invalidate(first)
		if third, _ := c.Token(t.Context()); third.Value != second.Value {
			t.Error("a refusal of an old token dropped the new one")
		}
		for range 60 { // an endpoint that refuses whatever it gets
			tok, _ := c.Token(t.Context())
			c.Invalidate(tok)
			time.Sleep(time.Second)
		}
		if n := src.calls.Load(); n > 12 {
			t.Errorf("%d tokens for an endpoint that refuses them all", n)
		}
	})
}

func TestCachedInvalidatePassesOn(t *testing.T) {
	inner := Cached(&counter{lifetime: time.Hour}).(Invalidator)
	outer := Cached(struct{ Invalidator }{inner}).(Invalidator)
	first, _ := outer.Token(t.Context())
	outer.Invalidate(first)
	if second, _ := outer.Token(t.Context()); second.Value == first.Value {
		t.Error("the inner source kept the refused token")
	}
}

func TestCachedIsIdempotent(t *testing.T) {
	c := Cached(&counter{})
	if Cached(c) != c {
		t.Error("wrapped twice")
	}
}

func TestCachedTokenAllocatesNothing(t *testing.T) {
	c := Cached(&counter{lifetime: time.Hour})
	ctx := t.Context()
	c.Token(ctx)
	if n := testing.AllocsPerRun(1000, func() { c.Token(ctx) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkCachedToken(b *testing.B) {
	c := Cached(&counter{lifetime: time.Hour})
	ctx := b.Context()
	c.Token(ctx)
	b.Run("goroutines=1", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c.Token(ctx)
		}
	})
	b.Run("goroutines=64", func(b *testing.B) {
		b.ReportAllocs()
		b.SetParallelism(64) // times GOMAXPROCS: at least 64
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				c.Token(ctx)
			}
		})
	})
}
