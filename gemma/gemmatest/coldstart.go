// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"context"
	"math"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Phase is the state of the endpoint's instance.
type Phase uint8

const (
	Cold     Phase = iota // scaled to zero: no instance
	Starting              // an instance starts, and does not listen yet
	Ready                 // the container takes requests
)

// String returns the phase in words: cold, starting or ready.
func (p Phase) String() string { return [...]string{"cold", "starting", "ready"}[p] }

// Start is one start of an instance.
type Start struct {
	At    time.Time // when the request that woke it arrived
	Ready time.Time // when it took, or will take, requests
}

// Forever as a Hold or Queue keeps a request for as long as its client waits.
const Forever time.Duration = math.MaxInt64

// instance is what scales from zero to one and back: the service's capacity as
// a whole, for the front end hides how many containers make it up. Its state
// is a function of time, brought up to date whenever somebody looks, so that
// no goroutine has to live beside it.
type instance struct {
	cfg *FrontEndConfig

	mu       sync.Mutex
	life     *life // nil while scaled to zero
	queue    []*pending
	starts   []Start
	lastIdle time.Time // since when nothing is in flight
	shed     map[int]int
	arrived  [3]int
	maxIn    int // most requests in flight to a ready instance
	maxEarly int // most requests held at once while not ready
}

// life is one container's, from its start to its end.
type life struct {
	ready    time.Time
	inFlight int
	ctx      context.Context // ends when the container does
	end      context.CancelFunc
}

// pending is a request that the front end keeps.
type pending struct {
	admitted chan struct{}
	life     *life // set with admitted
	broken   int   // set with admitted: the status that answers it instead
}

func newInstance(cfg *FrontEndConfig) *instance {
	in := &instance{cfg: cfg, shed: make(map[int]int)}
	if !cfg.cold() {
		in.life = newLife(time.Now())
		in.lastIdle = in.life.ready
	}
	return in
}

func newLife(ready time.Time) *life {
	l := &life{ready: ready}
	l.ctx, l.end = context.WithCancel(context.Background())
	return l
}

// admit keeps a request until the container may have it. Exactly one of its
// first and last result is set.
func (in *instance) admit(ctx context.Context, path string) (*life, Phase, *Page) {
	in.mu.Lock()
	defer in.mu.Unlock()
	now := time.Now()
	in.settle(now)
	phase := in.phase(now)
	in.arrived[phase]++
	if status := in.cfg.Broken; status != 0 {
		in.shed[status]++
		return nil, phase, FrontEndPage(status, path)
	}
	patience := in.cfg.Queue
	if phase != Ready {
		patience = in.hold()
	}
	p := &pending{admitted: make(chan struct{})}
	in.queue = append(in.queue, p)
	in.advance(now)
	if p.life == nil && in.phase(now) != Ready {
		in.maxEarly = max(in.maxEarly, len(in.queue))
	}
	arrived := now
	for p.life == nil {
		if p.broken != 0 {
			in.shed[p.broken]++
			return nil, phase, FrontEndPage(p.broken, path)
		}
		left := patience - now.Sub(arrived) // never overflows, for patience is the larger
		if patience < 0 || left <= 0 {
			in.leave(p)
			return nil, phase, in.refuse(now, path)
		}
		if in.life != nil && now.Before(in.life.ready) {
			left = min(left, in.life.ready.Sub(now))
		}
		if !in.sleep(ctx, p, left) && p.life == nil {
			in.leave(p)
			return nil, phase, FrontEndPage(499, path) // nobody reads it
		}
		now = time.Now()
		in.advance(now)
	}
	if ctx.Err() != nil { // admitted in the moment in which it gave up
		in.releaseLocked(p.life)
		return nil, phase, FrontEndPage(499, path)
	}
	return p.life, phase, nil
}

// sleep waits without the lock and reports whether the client is still there.
func (in *instance) sleep(ctx context.Context, p *pending, d time.Duration) bool {
	in.mu.Unlock()
	defer in.mu.Lock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.admitted:
	case <-timer.C:
	case <-ctx.Done():
		return false
	}
	return true
}

// advance starts an instance if one is wanted, and gives the ready one the
// requests that it has room for, first come first served.
func (in *instance) advance(now time.Time) {
	if len(in.queue) > 0 && in.life == nil {
		in.start(now)
	}
	for len(in.queue) > 0 && !now.Before(in.life.ready) && (in.cfg.Slots <= 0 || in.life.inFlight < in.cfg.Slots) {
		p := in.queue[0]
		in.queue = in.queue[1:]
		p.life = in.life
		p.life.inFlight++
		in.maxIn = max(in.maxIn, p.life.inFlight)
		close(p.admitted)
	}
}

func (in *instance) start(now time.Time) {
	n := len(in.starts) + 1
	ready := now.Add(in.cfg.startTime(n))
	in.life = newLife(ready)
	in.lastIdle = ready
	in.starts = append(in.starts, Start{At: now, Ready: ready})
	if in.cfg.began != nil {
		in.cfg.began(ready)
	}
	if in.cfg.OnStart != nil {
		in.cfg.OnStart(n)
	}
}

func (in *instance) release(l *life) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.releaseLocked(l)
}

func (in *instance) releaseLocked(l *life) {
	now := time.Now()
	l.inFlight--
	if l == in.life {
		in.lastIdle = now
	}
	in.advance(now)
}

func (in *instance) leave(p *pending) {
	if i := slices.Index(in.queue, p); i >= 0 {
		in.queue = slices.Delete(in.queue, i, i+1)
	}
}

// refuse is the page for a request that was kept for long enough.
func (in *instance) refuse(now time.Time, path string) *Page {
	status := http.StatusTooManyRequests
	if in.phase(now) != Ready && in.cfg.ShedStatus != 0 {
		status = in.cfg.ShedStatus
	}
	in.shed[status]++
	page := FrontEndPage(status, path)
	if in.cfg.RetryAfter > 0 {
		page.Header = http.Header{"Retry-After": {retryAfter(in.cfg.RetryAfter)}}
	}
	return page
}

// settle takes the instance away when it was idle for long enough.
func (in *instance) settle(now time.Time) {
	idle := in.cfg.idle()
	if l := in.life; l != nil && idle > 0 && l.inFlight == 0 && len(in.queue) == 0 && now.Sub(in.lastIdle) >= idle {
		in.stop()
	}
}

func (in *instance) stop() {
	if in.life != nil {
		in.life.end()
		in.life = nil
	}
}

// setBroken also answers those who wait.
func (in *instance) setBroken(status int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.cfg.Broken = status
	if status == 0 {
		return
	}
	for _, p := range in.queue {
		p.broken = status
		close(p.admitted)
	}
	in.queue = nil
}

func (in *instance) phase(now time.Time) Phase {
	switch {
	case in.life == nil:
		return Cold
	case now.Before(in.life.ready):
		return Starting
	}
	return Ready
}

// hold is how long a request is kept while no instance is ready.
func (in *instance) hold() time.Duration {
	if in.cfg.Hold != 0 {
		return in.cfg.Hold
	}
	// The container contract: "up to 3.5 times average startup time of
	// container instances of this service, or 10 seconds, whichever is greater".
	var sum time.Duration
	n := 0
	for _, s := range in.starts {
		if !s.Ready.After(time.Now()) {
			sum += s.Ready.Sub(s.At)
			n++
		}
	}
	if n == 0 {
		return 10 * time.Second
	}
	return max(10*time.Second, sum/time.Duration(n)*7/2)
}
