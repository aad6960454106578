// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package coldstart

// grant is what a waiter waits for.
type grant uint8

const (
	grantNone  grant = iota
	grantSlot        // the endpoint is ready and a slot is yours
	grantLead        // the endpoint is not ready and your request is the probe
	grantReady       // the endpoint is ready; no slot was asked for
	grantFail        // call.err
)

// queue is the first-come-first-served list of waiters.
type queue struct {
	head, tail *call
	n          int
}

// add puts w where its seq belongs: at the end for a new call, further ahead
// for one that lost its slot and is older than those who wait.
func (q *queue) add(w *call) {
	after := q.tail
	if q.head != nil && w.seq < q.head.seq {
		after = nil // the common case of a call that comes back
	}
	for after != nil && after.seq > w.seq {
		after = after.prev
	}
	w.prev = after
	if after == nil {
		w.next, q.head = q.head, w
	} else {
		w.next, after.next = after.next, w
	}
	if w.next == nil {
		q.tail = w
	} else {
		w.next.prev = w
	}
	w.queued = true
	q.n++
}

func (q *queue) remove(w *call) {
	if !w.queued {
		return
	}
	if w.prev == nil {
		q.head = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.tail = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.next, w.prev, w.queued = nil, nil, false
	q.n--
}

// give takes w out of the queue and hands it what it waits for.
func (q *queue) give(w *call, what grant, err error) {
	q.remove(w)
	w.grant, w.err = what, err
	close(w.ch)
}
