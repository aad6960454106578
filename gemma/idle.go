// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma

import (
	"context"
	"errors"
	"io"
	"time"
)

var errIdle = errors.New("idle timeout")

// idleBody ends a request whose answer stays silent for too long. Only time
// spent inside Read counts: a caller that takes its time is not a silent server.
// A server that sends its headers before it has worked off its queue may be
// silent for as long as a start may take, until the first byte.
type idleBody struct {
	io.ReadCloser
	first, after time.Duration
	begun        bool
	timer        *time.Timer
}

func newIdleBody(rc io.ReadCloser, first, after time.Duration, cancel context.CancelCauseFunc) io.ReadCloser {
	if after <= 0 {
		return rc
	}
	timer := time.AfterFunc(after, func() { cancel(errIdle) })
	timer.Stop()
	return &idleBody{ReadCloser: rc, first: max(first, after), after: after, timer: timer}
}

func (b *idleBody) Read(p []byte) (int, error) {
	d := b.after
	if !b.begun {
		d = b.first
	}
	b.timer.Reset(d)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	b.begun = b.begun || n > 0
	return n, err
}

func (b *idleBody) Close() error {
	b.timer.Stop()
	return b.ReadCloser.Close()
}
