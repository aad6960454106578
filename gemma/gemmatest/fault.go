// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"
)

// Fault is a way for an answer to go wrong.
type Fault uint8

const (
	NoFault     Fault = iota
	ClosedEarly       // the connection is closed in the middle of the body
	EndEarly          // the body ends well, but without the protocol's end marker
	Reset             // the connection is reset
	Stall             // nothing more comes, and the connection stays open
	Garbage           // a line that is no JSON, after which the answer goes on
	HTML              // a page of HTML in place of the rest
	HugeLine          // 2 MiB of text in one event, after which the answer goes on
	ErrorLine         // the protocol's own error event, then a good end of the body
	Crash             // the process that runs the model dies, as each route shows it
	Foreign           // an event in another protocol's shape, then a good end of the body
	OtherModel        // from here on the answer names another model
)

const (
	hugeText    = 2 << 20
	garbageText = "\x00\x15gar{bage"
	crashText   = "an error was encountered while running the model: unexpected EOF"
	htmlText    = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n<body><h1>Bad Gateway</h1></body></html>\n"
)

// protocol writes the events of one answer in the shape of one route.
type protocol interface {
	contentType() string
	thought(s string) []byte
	text(s string) []byte
	call(i int, c ToolCall) []byte
	end(finish string, tokens int) []byte
	fail(message string) []byte // an error after the headers have been sent
	crash() (line []byte, abort bool)
	foreign() []byte
	rename(model string)
	line(s string) []byte // s as one line of the framing
	asked(prompt int)     // tokens of the prompt, for the usage
}

// play streams a reply.
func play(w http.ResponseWriter, r *http.Request, reply Reply, p protocol) {
	pl := player{w: w, ctx: r.Context(), p: p}
	events := pl.events(reply)
	p.asked(reply.PromptTokens)
	wait := reply.FirstToken
	for i := 0; i <= len(events); i++ {
		if !sleep(pl.ctx, wait) {
			panic(http.ErrAbortHandler)
		}
		wait = reply.Pace
		if reply.Fault != NoFault && (i == reply.At || i == len(events) && reply.At > i) {
			if pl.fault(reply) {
				return
			}
		}
		if i < len(events) {
			pl.send(events[i]())
		}
	}
	pl.send(p.end(reply.finish(), reply.tokenCount()))
}

// finish is the reason that a reply gives, in the OpenAI API's words.
func (r *Reply) finish() string {
	switch {
	case r.Finish != "":
		return r.Finish
	case len(r.Calls) > 0:
		return "tool_calls"
	}
	return "stop"
}

func (r *Reply) tokenCount() int {
	if r.Tokens != 0 {
		return r.Tokens
	}
	return len(r.Thoughts) + len(r.Chunks) + 8*len(r.Calls)
}

type player struct {
	w    http.ResponseWriter
	ctx  context.Context
	p    protocol
	sent bool
}

// events are functions, for a fault may change what later ones say.
func (pl *player) events(r Reply) []func() []byte {
	var out []func() []byte
	for _, s := range r.Thoughts {
		out = append(out, func() []byte { return pl.p.thought(s) })
	}
	for _, s := range r.Chunks {
		out = append(out, func() []byte { return pl.p.text(s) })
	}
	for i, c := range r.Calls {
		out = append(out, func() []byte { return pl.p.call(i, c) })
	}
	return out
}

// send writes and flushes. Headers go out with the first event, as on the real
// servers: nothing is sent before the first token.
func (pl *player) send(b []byte) {
	if !pl.sent {
		pl.sent = true
		pl.w.Header().Set("Content-Type", pl.p.contentType())
		pl.w.WriteHeader(http.StatusOK)
	}
	if len(b) > 0 {
		if _, err := pl.w.Write(b); err != nil {
			panic(http.ErrAbortHandler)
		}
	}
	http.NewResponseController(pl.w).Flush()
}

// fault does what the reply's fault does here and reports whether the answer
// is over.
func (pl *player) fault(r Reply) (over bool) {
	say := func(usual string) string {
		if r.FaultText != "" {
			return r.FaultText
		}
		return usual
	}
	switch r.Fault {
	case ClosedEarly:
		panic(http.ErrAbortHandler)
	case EndEarly:
		pl.send(nil)
		return true
	case Reset:
		if pl.sent {
			resetConn(pl.w)
		}
		panic(http.ErrAbortHandler)
	case Stall:
		pl.send(nil)
		<-pl.ctx.Done()
		panic(http.ErrAbortHandler)
	case Garbage:
		pl.send(pl.p.line(say(garbageText)))
	case HTML:
		if !pl.sent {
			pl.sent = true
			pl.w.Header().Set("Content-Type", "text/html; charset=UTF-8")
		}
		pl.send([]byte(say(htmlText)))
		return true
	case HugeLine:
		pl.send(pl.p.text(strings.Repeat("huge ", hugeText/5)))
	case ErrorLine:
		pl.send(pl.p.fail(say(crashText)))
		return true
	case Crash:
		line, abort := pl.p.crash()
		pl.send(line)
		if abort {
			panic(http.ErrAbortHandler)
		}
		return true
	case Foreign:
		pl.send(pl.p.foreign())
		return true
	case OtherModel:
		pl.p.rename("someone-elses-model")
	}
	return false
}

// resetConn breaks the client's connection as a TCP reset.
func resetConn(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // no connection to be had: the caller's abort must do
	}
	inner := conn
	if t, ok := conn.(*trackedConn); ok {
		inner = t.Conn
	}
	switch c := inner.(type) {
	case *memConn:
		c.reset()
	case *net.TCPConn:
		c.SetLinger(0)
	}
	conn.Close()
}

// sleep waits and reports whether the context is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
