// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FrontEndConfig says how Cloud Run's front end behaves. Its zero value is a
// private service with an instance that is always there.
type FrontEndConfig struct {
	// URL is the service's URL, which is the audience of its callers' tokens.
	// "" means the scheme and host that each request was sent to. [NewServer]
	// fills it in.
	URL string
	// Audiences are custom audiences, accepted besides URL.
	Audiences []string
	// Public lets everyone in, as an IAM binding for allUsers does.
	Public bool
	// Invokers are the principals (emails) that have roles/run.invoker; nil
	// means all, and an empty slice none.
	Invokers []string

	// StartTime is how long the n-th start (from 1) takes. If it is nil, every
	// start takes Start; and if that is zero too, the service never scales to
	// zero.
	StartTime func(n int) time.Duration
	Start     time.Duration
	// Hold is how long a request is kept while no instance is ready. 0 means
	// Cloud Run's rule: 3.5 times the average start seen so far, but at least
	// 10 s. Negative means not at all; [Forever] means until it is.
	Hold time.Duration
	// ShedStatus answers requests that were held for long enough; 0 means 429.
	// Cloud Run uses 429, 500 and 503.
	ShedStatus int
	// RetryAfter, if positive, is sent with every shed request. Cloud Run sends
	// none.
	RetryAfter time.Duration
	// Slots are the requests served at once: concurrency × max instances. 0
	// means no limit.
	Slots int
	// Queue is how long a request that finds all slots of a ready instance
	// taken is kept before it gets 429; 0 means not at all.
	Queue time.Duration
	// Idle is how long an unused instance lives. 0 means 10 minutes, as for
	// Cloud Run's GPU instances; negative means for ever.
	Idle time.Duration
	// Timeout is the longest a request may take from the moment the container
	// has it: 504 before the headers, a cut connection after. 0 means 600 s, as
	// in the guide's command; negative means none.
	Timeout time.Duration
	// MaxBody is the largest request; 0 means Cloud Run's 32 MiB.
	MaxBody int64

	// Broken, if not zero, is the status that answers everything that IAM lets
	// in: 503 is what an image that never starts gives, 404 a deleted service.
	Broken int
	// Redirect, if set, answers every request with 307 to this origin.
	Redirect string
	// Intercept, if set, may answer a request in the front end's place before
	// anything is checked. It returns nil for those it lets through.
	Intercept func(*http.Request) *Page
	// OnStart is called when the n-th start begins. It must not call back into
	// the front end.
	OnStart func(n int)

	// began tells the emulated container that it is new, and when it will take
	// requests.
	began func(ready time.Time)
}

func (c *FrontEndConfig) cold() bool { return c.StartTime != nil || c.Start > 0 }

func (c *FrontEndConfig) startTime(n int) time.Duration {
	if c.StartTime != nil {
		return c.StartTime(n)
	}
	return c.Start
}

func (c *FrontEndConfig) idle() time.Duration {
	switch {
	case c.Idle != 0:
		return c.Idle
	case c.cold():
		return 10 * time.Minute
	}
	return 0
}

// FrontEnd is Cloud Run's front end before one service: it checks identity
// tokens, starts an instance when there is none, keeps and sheds requests, and
// cuts those that take too long. It is safe for concurrent use.
//
// It differs from the real one: it speaks HTTP/1.1 only, it knows one service,
// its instance starts exactly when it says, it reads a request's whole body
// before it passes it on, and it checks a token's expiry with 10 s of leeway.
type FrontEnd struct {
	cfg     FrontEndConfig
	backend http.Handler
	in      *instance
	log     *recorder
}

// NewFrontEnd puts Cloud Run's front end before a handler, such as a reverse
// proxy to a real model server. The handler is a [*FrontEnd], for its
// statistics.
func NewFrontEnd(c FrontEndConfig, backend http.Handler) http.Handler {
	return newFrontEnd(c, backend)
}

func newFrontEnd(c FrontEndConfig, backend http.Handler) *FrontEnd {
	f := &FrontEnd{cfg: c, backend: backend, log: &recorder{}}
	f.cfg.Audiences = slices.Clone(c.Audiences)
	f.cfg.Invokers = slices.Clone(c.Invokers)
	f.in = newInstance(&f.cfg)
	return f
}

// ServeHTTP implements [http.Handler].
func (f *FrontEnd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	entry := f.log.arrive(r)
	f.log.phase(entry, f.Phase())
	page := f.serve(w, r, entry)
	if page != nil {
		f.log.answered(entry, page.Status)
		page.write(w)
	}
}

// serve returns the page that answers the request, or nil if the container
// answered it.
func (f *FrontEnd) serve(w http.ResponseWriter, r *http.Request, entry *entry) *Page {
	path := r.URL.Path
	if f.cfg.Intercept != nil {
		if page := f.cfg.Intercept(r); page != nil {
			return page
		}
	}
	if r.Method == http.MethodPost && r.ContentLength == 0 && r.Header.Get("Content-Length") == "" {
		return FrontEndPage(http.StatusLengthRequired, path)
	}
	body, page := f.readBody(r)
	if page != nil {
		return page
	}
	f.log.body(entry, body)
	if f.cfg.Redirect != "" {
		return &Page{Status: http.StatusTemporaryRedirect, Header: http.Header{
			"Location": {strings.TrimSuffix(f.cfg.Redirect, "/") + r.URL.RequestURI()}}}
	}
	forwarded := r.Clone(r.Context())
	forwarded.Body = io.NopCloser(bytes.NewReader(body))
	if !f.cfg.Public {
		if page := f.authorize(forwarded, entry); page != nil {
			return page
		}
	}
	life, phase, page := f.in.admit(r.Context(), path)
	f.log.phase(entry, phase)
	if page != nil {
		return page
	}
	defer f.in.release(life)
	return f.run(w, forwarded, life, entry)
}

// readBody reads the request to its end. Only then does net/http notice a
// client that gives up.
func (f *FrontEnd) readBody(r *http.Request) ([]byte, *Page) {
	limit := f.cfg.MaxBody
	if limit <= 0 {
		limit = 32 << 20
	}
	tooLarge := FrontEndPage(http.StatusRequestEntityTooLarge, r.URL.Path)
	if r.ContentLength > limit {
		return nil, tooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	switch {
	case err != nil:
		return nil, FrontEndPage(http.StatusBadRequest, r.URL.Path)
	case int64(len(body)) > limit:
		return nil, tooLarge
	}
	return body, nil
}

// run lets the container answer.
func (f *FrontEnd) run(w http.ResponseWriter, r *http.Request, life *life, entry *entry) (page *Page) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	cw := &cutWriter{ResponseWriter: w, cancel: cancel, told: func(status int) { f.log.answered(entry, status) }}
	stop := context.AfterFunc(life.ctx, func() { cw.cut(http.StatusServiceUnavailable) })
	defer stop()
	if d := cmpTimeout(f.cfg.Timeout); d > 0 {
		timer := time.AfterFunc(d, func() { cw.cut(http.StatusGatewayTimeout) })
		defer timer.Stop()
	}
	defer func() {
		thrown := recover()
		if err, ok := thrown.(error); thrown != nil && !(ok && errors.Is(err, http.ErrAbortHandler)) {
			panic(thrown)
		}
		page = cw.finish(thrown != nil, r.URL.Path)
		f.log.answered(entry, cw.status)
	}()
	f.backend.ServeHTTP(cw, r.WithContext(ctx))
	return nil
}

func cmpTimeout(d time.Duration) time.Duration {
	if d == 0 {
		return 600 * time.Second
	}
	return d
}

func retryAfter(d time.Duration) string {
	return strconv.Itoa(int((d + time.Second - 1) / time.Second))
}

// Requests returns what has arrived so far, oldest first.
func (f *FrontEnd) Requests() []Request { return f.log.requests() }

// Starts returns the starts so far, oldest first.
func (f *FrontEnd) Starts() []Start {
	f.in.mu.Lock()
	defer f.in.mu.Unlock()
	return slices.Clone(f.in.starts)
}

// Phase returns the state that the instance is in now.
func (f *FrontEnd) Phase() Phase {
	f.in.mu.Lock()
	defer f.in.mu.Unlock()
	now := time.Now()
	f.in.settle(now)
	return f.in.phase(now)
}

// Kill ends the instance at once, as a crash or a reclaimed machine does: what
// it was answering is cut. The next request starts a new one. A service that
// never scales to zero gets its new instance at once.
func (f *FrontEnd) Kill() {
	f.in.mu.Lock()
	defer f.in.mu.Unlock()
	f.in.stop()
	now := time.Now()
	if !f.cfg.cold() {
		f.in.life = newLife(now)
		if f.cfg.began != nil {
			f.cfg.began(now)
		}
	}
	f.in.advance(now)
}

// SetBroken changes [FrontEndConfig.Broken] from now on; requests that are
// being held are answered with it too.
func (f *FrontEnd) SetBroken(status int) { f.in.setBroken(status) }
