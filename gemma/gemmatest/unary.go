// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"net/http"
	"strings"
	"time"
)

// unaryProtocol writes a whole answer as one body.
type unaryProtocol interface {
	unaryType() string
	unary(r Reply, finish string) []byte // finish "" is an answer that never ended
	foreignUnary() []byte
	rename(model string)
	asked(prompt int)
	refuse(w http.ResponseWriter, status int, message string)
}

// playUnary answers with one body, after the time that streaming it would
// take. Faults come when their event would: those that break a body show half
// of it.
func playUnary(w http.ResponseWriter, r *http.Request, reply Reply, p unaryProtocol) {
	p.asked(reply.PromptTokens)
	n := len(reply.Thoughts) + len(reply.Chunks) + len(reply.Calls)
	if reply.Fault != NoFault {
		n = min(n, reply.At)
	}
	wait := reply.FirstToken
	if reply.Pace > 0 {
		wait += time.Duration(n) * reply.Pace
	}
	if !sleep(r.Context(), wait) {
		panic(http.ErrAbortHandler)
	}
	finish, text := reply.finish(), reply.FaultText
	body := func() []byte { return p.unary(reply, finish) }
	send := func(contentType string, b []byte) {
		writeJSON(w, http.StatusOK, contentType, b)
	}
	half := func() {
		b := body()
		send(p.unaryType(), b[:len(b)/2])
		http.NewResponseController(w).Flush()
	}
	switch reply.Fault {
	case ClosedEarly:
		panic(http.ErrAbortHandler)
	case EndEarly:
		finish = ""
		send(p.unaryType(), body())
	case Reset:
		half()
		resetConn(w)
		panic(http.ErrAbortHandler)
	case Stall:
		half()
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case Garbage:
		if text == "" {
			text = garbageText
		}
		b := body()
		send(p.unaryType(), append(b[:len(b)/2:len(b)/2], text...))
	case HTML:
		if text == "" {
			text = htmlText
		}
		send("text/html; charset=UTF-8", []byte(text))
	case HugeLine:
		reply.Chunks = append(reply.Chunks[:len(reply.Chunks):len(reply.Chunks)], strings.Repeat("huge ", hugeText/5))
		send(p.unaryType(), body())
	case ErrorLine, Crash:
		if text == "" {
			text = crashText
		}
		p.refuse(w, http.StatusInternalServerError, text)
	case Foreign:
		send("application/json", p.foreignUnary())
	default:
		if reply.Fault == OtherModel {
			p.rename("someone-elses-model")
		}
		send(p.unaryType(), body())
	}
}
