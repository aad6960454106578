// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package function

import (
	"context"
	"sync"
)

// lazy makes a value once, when it is first needed. Unlike a sync.Once it does
// not keep a failure: the next call tries again.
type lazy[T any] struct {
	make func(context.Context) (T, error)

	mu    sync.Mutex
	made  bool
	value T
}

func (l *lazy[T]) get(ctx context.Context) (T, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made {
		return l.value, nil
	}
	v, err := l.make(ctx)
	if err != nil {
		return v, err
	}
	l.value, l.made = v, true
	return v, nil
}
