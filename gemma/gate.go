// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gemma-go/sdk/internal/coldstart"
)

// notify tells the caller of an event.
func (ep *endpoint) notify(e Event) {
	ep.logEvent(e)
	if ep.cfg.OnEvent != nil {
		ep.cfg.OnEvent(e)
	}
}

var gateEvents = [...]EventType{
	coldstart.EventCold: EventCold, coldstart.EventProbe: EventProbe, coldstart.EventReady: EventReady,
	coldstart.EventRetry: EventRetry, coldstart.EventOverloaded: EventOverloaded, coldstart.EventGaveUp: EventGaveUp,
}

// onGate passes on what happened at the gate.
func (ep *endpoint) onGate(e coldstart.Event) {
	ep.notify(Event{
		Type: gateEvents[e.Type], Model: ep.cfg.Model, Waited: e.Waited, Expected: e.Expected, Attempts: e.Attempts, Status: e.Status,
		Reason: e.Reason, Next: e.Next, InUse: e.InUse, Slots: e.Limit, Waiting: e.Waiting,
	})
}

// tokenWatch sits below the identity's transport and tells when another token
// than before goes out. It reads the token's public claims, never its text.
type tokenWatch struct {
	base   http.RoundTripper
	notify func(Event)
	last   atomic.Pointer[string]
}

func (w *tokenWatch) RoundTrip(req *http.Request) (*http.Response, error) {
	h := req.Header.Get("X-Serverless-Authorization")
	if h == "" {
		h = req.Header.Get("Authorization")
	}
	if token, ok := strings.CutPrefix(h, "Bearer "); ok {
		if old := w.last.Load(); (old == nil || *old != token) && w.last.CompareAndSwap(old, &token) {
			w.notify(tokenEvent(token))
		}
	}
	return w.base.RoundTrip(req)
}

func tokenEvent(token string) Event {
	e := Event{Type: EventToken}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return e // an opaque token
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return e
	}
	var claims struct {
		Aud   any    `json:"aud"` // a string, or a list of them
		Email string `json:"email"`
		Sub   string `json:"sub"`
		Exp   int64  `json:"exp"`
	}
	if json.Unmarshal(raw, &claims) != nil {
		return e
	}
	e.Audience, _ = claims.Aud.(string)
	e.Principal = claims.Email
	if e.Principal == "" {
		e.Principal = claims.Sub
	}
	if claims.Exp > 0 {
		e.Expiry = time.Unix(claims.Exp, 0)
	}
	return e
}
