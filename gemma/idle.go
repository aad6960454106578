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
type idleBody struct {
	io.ReadCloser
	after time.Duration
	timer *time.Timer
}

func newIdleBody(rc io.ReadCloser, after time.Duration, cancel context.CancelCauseFunc) io.ReadCloser {
	if after <= 0 {
		return rc
	}
	timer := time.AfterFunc(after, func() { cancel(errIdle) })
	timer.Stop()
	return &idleBody{rc, after, timer}
}

func (b *idleBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.after)
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	return n, err
}

func (b *idleBody) Close() error {
	b.timer.Stop()
	return b.ReadCloser.Close()
}
