// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package auth_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gemma-go/sdk/auth"
)

// TestFetchHook: the hook hears of a fetch and of how it ended, not of a token
// that is kept, and the source gets the hook's context.
func TestFetchHook(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		down := &auth.Error{Message: "down for good"}
		var fail error
		src := auth.Cached(auth.SourceFunc(func(ctx context.Context) (auth.Token, error) {
			if ctx.Value(key{}) != "hook" {
				t.Error("the source did not get the hook's context")
			}
			if fail != nil {
				return auth.Token{}, fail
			}
			return auth.Token{Value: "a", Expiry: time.Now().Add(time.Hour)}, nil
		}))
		var began int
		var outcomes []error
		ctx := auth.WithFetchHook(t.Context(), func(ctx context.Context) (context.Context, func(error)) {
			began++
			return context.WithValue(ctx, key{}, "hook"), func(err error) { outcomes = append(outcomes, err) }
		})
		for range 3 {
			if _, err := src.Token(ctx); err != nil {
				t.Fatal(err)
			}
		}
		if began != 1 || len(outcomes) != 1 || outcomes[0] != nil {
			t.Errorf("%d fetches told, outcomes %v; want one that succeeded", began, outcomes)
		}

		fail = down
		time.Sleep(2 * time.Hour)
		if _, err := src.Token(ctx); err == nil {
			t.Error("a token from a source that is down")
		}
		if len(outcomes) != 2 || !errors.Is(outcomes[1], down) {
			t.Errorf("outcomes %v: the failure was not told", outcomes)
		}
	})
}
