// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// cloud simulates Cloud Run's front end and one service behind it, in the time
// of a synctest bubble: the first request starts the instance, which is ready
// after startFor; until then, and while every slot is taken, requests are held
// for hold and then shed with status.
type cloud struct {
	startFor time.Duration // of the next start
	hold     time.Duration
	status   int
	slots    int
	work     time.Duration                                              // of one answer
	answer   func(*http.Request) *http.Response                         // nil: 200
	before   func(*http.Request, time.Duration) (*http.Response, error) // comes first, with the time since the start began; nil, nil: go on

	mu       sync.Mutex
	woken    time.Time // when the start began; zero: asleep
	requests int
	cold     int // requests that arrived before the instance was ready
	coldNow  int // of them, those in flight
	coldMost int
	inUse    int
	served   int
	first    time.Time // when the first request was let in
	aborted  int       // requests given up by their sender
	bodies   []string
	freed    chan struct{}
}

func (c *cloud) readyAt() time.Time { return c.woken.Add(c.startFor) }

// sleep scales the service to zero.
func (c *cloud) sleep(next time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.woken, c.first, c.startFor = time.Time{}, time.Time{}, next
	c.requests, c.cold, c.coldMost, c.served, c.bodies = 0, 0, 0, 0, nil
}

func reply(status int, ctype, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {ctype}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

func (c *cloud) shed() *http.Response {
	switch c.status {
	case 500:
		return reply(500, "text/html; charset=UTF-8", "<html><head><title>500 Server Error</title></head><body><h1>Error: Server Error</h1></body></html>")
	case 503:
		return reply(503, "text/plain", "Service Unavailable")
	}
	return reply(429, "text/plain", "Rate exceeded.")
}

func (c *cloud) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		body, _ = io.ReadAll(req.Body)
		_ = req.Body.Close()
	}
	ctx := req.Context()
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	defer func() {
		if ctx.Err() != nil {
			c.mu.Lock()
			c.aborted++
			c.mu.Unlock()
		}
	}()
	now := time.Now()
	c.mu.Lock()
	c.bodies = append(c.bodies, string(body))
	if c.before != nil {
		if resp, err := c.before(req, now.Sub(c.woken)); resp != nil || err != nil {
			c.requests++
			if c.woken.IsZero() {
				c.woken = now
			}
			c.mu.Unlock()
			return resp, err
		}
	}
	c.requests++
	if c.freed == nil {
		c.freed = make(chan struct{}, 1)
	}
	if c.woken.IsZero() {
		c.woken = now
	}
	ready, hold := c.readyAt(), c.hold
	c.mu.Unlock()
	if now.Before(ready) {
		c.mu.Lock()
		c.cold++
		c.coldNow++
		c.coldMost = max(c.coldMost, c.coldNow)
		c.mu.Unlock()
		wait := min(hold, ready.Sub(now))
		err := nap(ctx, wait)
		c.mu.Lock()
		c.coldNow--
		c.mu.Unlock()
		if err != nil {
			return nil, err
		}
		if time.Now().Before(ready) {
			return c.shed(), nil
		}
	}
	if !c.enter(ctx, now.Add(hold)) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		return c.shed(), nil
	}
	defer c.exit()
	if err := nap(ctx, c.work); err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.served++
	c.mu.Unlock()
	if c.answer != nil {
		return c.answer(req), nil
	}
	return reply(200, "application/json", "{}"), nil
}

func (c *cloud) enter(ctx context.Context, until time.Time) bool {
	for {
		c.mu.Lock()
		if c.first.IsZero() {
			c.first = time.Now()
		}
		if c.slots == 0 || c.inUse < c.slots {
			c.inUse++
			c.mu.Unlock()
			return true
		}
		c.mu.Unlock()
		left := time.Until(until)
		if left <= 0 {
			return false
		}
		t := time.NewTimer(left)
		select {
		case <-ctx.Done():
			t.Stop()
			return false
		case <-t.C:
		case <-c.freed:
			t.Stop()
		}
	}
}

func (c *cloud) exit() {
	c.mu.Lock()
	c.inUse--
	c.mu.Unlock()
	select {
	case c.freed <- struct{}{}:
	default:
	}
}

func nap(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// ping is a probe: one cheap request.
func ping(ctx context.Context, send func(*http.Request) (*http.Response, error)) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, "POST", "http://gemma.test/api/generate", strings.NewReader(`{"model":"m"}`))
	if err != nil {
		return nil, err
	}
	return send(req)
}

// get sends one request through rt and reads the answer.
func get(ctx context.Context, rt http.RoundTripper) (int, error) {
	req, err := http.NewRequestWithContext(ctx, "POST", "http://gemma.test/api/chat", strings.NewReader(`{"model":"m"}`))
	if err != nil {
		return 0, err
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}
