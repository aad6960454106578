// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth

import "context"

// FetchHook is told when a token is fetched. It returns the context for the
// source, and a function that is called once with the outcome.
type FetchHook = func(context.Context) (_ context.Context, done func(error))

type fetchHookKey struct{}

// WithFetchHook returns a context under which hook is told of each request for
// a token that [Cached] makes of its source: a tracer can so tell the time that
// a call spent on its identity. Of the calls that wait for one token, the hook
// is that of the one that came first. A token that is kept already is not
// fetched. The hook never sees a token.
func WithFetchHook(ctx context.Context, hook FetchHook) context.Context {
	return context.WithValue(ctx, fetchHookKey{}, hook)
}

// mint asks the source, under the eyes of the context's hook.
func (c *cached) mint(ctx context.Context) (_ Token, err error) {
	hook, _ := ctx.Value(fetchHookKey{}).(FetchHook)
	if hook == nil {
		return c.src.Token(ctx)
	}
	ctx, done := hook(ctx)
	err = errGone // stays if the source panics or calls runtime.Goexit
	defer func() { done(err) }()
	return c.src.Token(ctx)
}

var errGone = &Error{Message: "the token source ended its goroutine"}
