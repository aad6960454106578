// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// How a token ages. It is fresh at first; stale from a few minutes before its
// end, when the next call starts a refresh and goes on with the token it has;
// and invalid shortly before its end, when calls wait for a new one.
const (
	// refreshAhead is how long before its end a token is renewed. Google's
	// metadata server begins to hand out a new one some four to five minutes
	// before the end of the old one, so asking much earlier is in vain.
	refreshAhead = 5 * time.Minute

	// invalidAhead covers a request's way to the endpoint and clocks that
	// differ a little: a token is not sent in its last seconds.
	invalidAhead = 10 * time.Second

	// leastAge keeps a source that hands out nearly finished tokens from being
	// asked with every call.
	leastAge = 5 * time.Second

	// fetchTimeout bounds one fetch, which no caller's deadline does. A fetch
	// that is older, by the wall clock, is given up: its source hangs, or the
	// CPU was frozen and the connection is long dead.
	fetchTimeout = 30 * time.Second

	// patience is how long one fetch goes on trying, when callers wait for it.
	patience = 10 * time.Second

	// breather is the time between two such fetches that failed, when there is
	// no token to go on with: calls meanwhile get the last error at once.
	breather = 2 * time.Second
)

// Cached keeps the token of src until shortly before its end. It honours the
// token's own exp claim, asks src once however many calls wait, and lets each
// of them leave at its own deadline while the fetch goes on for the others.
// While a token is valid, no failure to renew it reaches a caller; it is tried
// again with backoff. Errors that cannot heal are remembered for a while
// rather than asked for again.
//
// There is no goroutine but that of a fetch under way: a call that meets a
// stale token starts one. Ages go by the wall clock, so the keeping is right
// after the CPU was frozen or the machine slept.
//
// Cached(Cached(s)) is Cached(s). The result is an [Invalidator].
func Cached(src Source) Source {
	if c, ok := src.(*cached); ok {
		return c
	}
	return &cached{src: src}
}

type cached struct {
	src Source
	cur atomic.Pointer[entry] // the token in use; replaced, never changed

	mu       sync.Mutex
	flight   *flight   // the fetch under way, if there is one
	failures int       // in a row
	err      error     // of the last fetch, if it failed
	endedAt  time.Time // when it failed
	retryAt  time.Time // no refresh before this, after failures

	refusals  int       // tokens refused by the endpoint in a row
	refusedAt time.Time // the last of them
}

// entry is a token with the header value that carries it, both made once.
type entry struct {
	tok     Token
	bearer  string
	stale   int64 // wall clock, Unix nanoseconds
	invalid int64
}

// flight is one fetch. The fields are set before done is closed.
type flight struct {
	begun time.Time
	done  chan struct{}
	entry *entry
	err   error
}

// Token returns the kept token, or waits for a new one until ctx ends.
func (c *cached) Token(ctx context.Context) (Token, error) {
	e, err := c.get(ctx)
	if err != nil {
		return Token{}, err
	}
	return e.tok, nil
}

func (c *cached) get(ctx context.Context) (*entry, error) {
	if e := c.cur.Load(); e != nil && time.Now().UnixNano() < e.stale {
		return e, nil
	}
	return c.slow(ctx)
}

func (c *cached) slow(ctx context.Context) (*entry, error) {
	c.mu.Lock()
	now := time.Now().Round(0)
	if f := c.flight; f != nil && now.Sub(f.begun) > fetchTimeout {
		c.flight = nil
	}
	if e := c.valid(now); e != nil {
		if now.UnixNano() >= e.stale && c.flight == nil && !now.Before(c.retryAt) {
			c.start(ctx, now)
		}
		c.mu.Unlock()
		return e, nil
	}
	f := c.flight
	if f == nil {
		err := c.err
		switch {
		case ctx.Err() != nil:
			c.mu.Unlock()
			return nil, waitError(ctx, err)
		case err != nil && now.Before(c.retryAt) && (!retryable(err) || now.Before(c.endedAt.Add(breather))):
			c.mu.Unlock()
			return nil, err
		}
		f = c.start(ctx, now)
	}
	c.mu.Unlock()

	select {
	case <-f.done:
		return f.entry, f.err
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		return nil, waitError(ctx, c.err)
	}
}

// valid returns the token in use if it can still be sent.
func (c *cached) valid(now time.Time) *entry {
	if e := c.cur.Load(); e != nil && now.UnixNano() < e.invalid {
		return e
	}
	return nil
}

// start begins a fetch. It keeps the values of the caller's context and not
// its end, for the token is everybody's. c.mu is held.
func (c *cached) start(ctx context.Context, now time.Time) *flight {
	f := &flight{begun: now, done: make(chan struct{})}
	c.flight = f
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
		defer cancel()
		err := error(errGone) // stays if src calls runtime.Goexit
		var e *entry
		defer func() { c.finish(f, e, err) }()
		e, err = c.fetch(ctx)
	}()
	return f
}

// fetch asks the source, and goes on asking for a while if calls have nothing
// to go on with and another try can help.
func (c *cached) fetch(ctx context.Context) (*entry, error) {
	begun := time.Now()
	for wait := 250 * time.Millisecond; ; wait *= 2 {
		e, err := c.ask(ctx)
		if err == nil {
			return e, nil
		}
		now := time.Now()
		if !retryable(err) || now.Sub(begun)+wait > patience || ctx.Err() != nil {
			return nil, err
		}
		c.mu.Lock()
		c.err = err // for callers that leave meanwhile
		idle := c.valid(now.Round(0)) != nil
		c.mu.Unlock()
		if idle {
			return nil, err
		}
		select {
		case <-time.After(jitter(wait)):
		case <-ctx.Done():
			return nil, err
		}
	}
}

func (c *cached) ask(ctx context.Context) (*entry, error) {
	if c.src == nil {
		return nil, &Error{Message: "the token source is nil"}
	}
	tok, err := c.mint(ctx)
	if err != nil {
		return nil, asError(err)
	}
	tok = tok.fill()
	now := time.Now().Round(0)
	switch {
	case tok.Value == "":
		return nil, &Error{Message: "the token source gave an empty token"}
	case strings.ContainsFunc(tok.Value, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return nil, &Error{Message: "the token source gave a token with characters that no header can carry",
			Hint: "look for a line break at its end"}
	case !tok.Expiry.IsZero() && !now.Before(tok.Expiry):
		return nil, &Error{
			Message: fmt.Sprintf("the token source gave a token that expired at %s; it is %s here",
				tok.Expiry.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)),
			Hint: "check this machine's clock", Retry: true,
			Audience: tok.Audience, Principal: tok.Principal,
		}
	}
	return newEntry(tok, now), nil
}

func newEntry(tok Token, now time.Time) *entry {
	e := &entry{tok: tok, bearer: "Bearer " + tok.Value, stale: math.MaxInt64, invalid: math.MaxInt64}
	if tok.Expiry.IsZero() {
		return e
	}
	// A token handed out with little time left is renewed halfway to its end.
	// The jitter keeps a fleet that started together from renewing together.
	ahead := min(refreshAhead, tok.Expiry.Sub(now)/2)
	invalid := tok.Expiry.Add(-invalidAhead)
	stale := tok.Expiry.Add(-ahead - rand.N(ahead/5+1))
	if least := now.Add(leastAge); stale.Before(least) {
		stale = least
	}
	if stale.After(invalid) {
		stale = invalid
	}
	e.stale, e.invalid = stale.UnixNano(), invalid.UnixNano()
	return e
}

// finish hands out what a fetch brought.
func (c *cached) finish(f *flight, e *entry, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.entry, f.err = e, err
	defer close(f.done) // last: who waits must find what is kept already there
	if c.flight != f {  // given up; another fetch decides
		return
	}
	c.flight = nil
	if err == nil {
		c.failures, c.err, c.retryAt = 0, nil, time.Time{}
		c.cur.Store(e)
		return
	}
	first := 500 * time.Millisecond
	if !retryable(err) {
		first = 5 * time.Second
	}
	c.err = err
	c.endedAt = time.Now().Round(0)
	c.retryAt = c.endedAt.Add(jitter(min(time.Minute, first<<min(c.failures, 8))))
	c.failures++
}

// Invalidate drops the token in use if it is the refused one: the next call
// gets a new one. When the endpoint refuses one new token after another, they
// are dropped at a growing pace only, so that a misconfigured service does not
// cost a token a request.
func (c *cached) Invalidate(refused Token) {
	c.mu.Lock()
	e := c.cur.Load()
	if e == nil || e.tok.Value != refused.Value {
		c.mu.Unlock()
		return
	}
	now := time.Now().Round(0)
	if now.Sub(c.refusedAt) > time.Minute {
		c.refusals = 0
	}
	if c.refusals > 1 && now.Sub(c.refusedAt) < time.Second<<min(c.refusals, 5) {
		c.mu.Unlock()
		return
	}
	c.refusals++
	c.refusedAt = now
	c.cur.Store(nil)
	c.retryAt = time.Time{}
	c.mu.Unlock()
	if i, ok := c.src.(Invalidator); ok {
		i.Invalidate(refused)
	}
}

// jitter spreads d over ±25 %.
func jitter(d time.Duration) time.Duration { return d*3/4 + rand.N(d/2+1) }
