// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
	"github.com/gemma-go/sdk/integration/ollama"
)

// Many callers at once on a model that is not in memory, behind a service
// with four slots that refuses what is beyond: the model is loaded once and
// everybody gets an answer.
func TestManyCallersLoadOnce(t *testing.T) {
	srv := ollama.Start(t, ollama.Options{})
	for name, slots := range map[string]int{"slots known": 4, "slots learned": 0} {
		t.Run(name, func(t *testing.T) {
			e := serve(t, srv, gemmatest.FrontEndConfig{Slots: 4}, nil)
			c := e.client(t, gemma.Config{Concurrency: slots})
			if err := srv.Unload(t.Context(), ollama.Small); err != nil {
				t.Fatal(err)
			}
			loads := srv.Loads()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			const callers = 50
			errs := make([]error, callers)
			var wg sync.WaitGroup
			for i := range callers {
				wg.Go(func() {
					r, err := c.Generate(ctx, sky, seeded(int32(i), 20))
					if errs[i] = err; err == nil && text(r) == "" {
						t.Errorf("caller %d got no text", i)
					}
				})
			}
			wg.Wait()
			for i, err := range errs {
				if err != nil {
					t.Errorf("caller %d: %v", i, err)
				}
			}
			if n := srv.Loads() - loads; n != 1 {
				t.Errorf("%d loads", n)
			}
			t.Logf("%d requests for %d answers", len(e.Requests()), callers)
		})
	}
}

// Ready alone brings the model into memory, and asks for no token.
func TestReadyLoads(t *testing.T) {
	srv := ollama.Start(t, ollama.Options{})
	e := serve(t, srv, gemmatest.FrontEndConfig{Slots: 4}, nil)
	c := e.client(t, gemma.Config{})
	for range 2 { // the second time it is one cheap request
		if err := c.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	loaded, err := srv.Loaded(t.Context())
	if err != nil || !slices.Contains(loaded, ollama.Small) || srv.Loads() != 1 {
		t.Errorf("loaded: %v, %d loads, error %v", loaded, srv.Loads(), err)
	}
	if n := e.sent("/api/chat"); n != 0 {
		t.Errorf("%d generations", n)
	}
}

// Ollama stops a load whose only caller gives up. The client's probe belongs
// to all who wait, so that a caller in a hurry costs the others nothing.
func TestShortDeadlineLeavesTheLoadAlone(t *testing.T) {
	srv := ollama.Start(t, ollama.Options{})
	e := serve(t, srv, gemmatest.FrontEndConfig{Slots: 4}, nil)
	c := e.client(t, gemma.Config{Protocol: gemma.ProtocolOllama})
	hurried, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()

	var wg sync.WaitGroup
	late := make(chan struct{})
	wg.Go(func() {
		if _, err := c.Generate(hurried, sky, greedy(5)); err == nil {
			t.Error("the model was loaded within 60 ms: this test shows nothing")
		}
	})
	wg.Go(func() {
		defer close(late)
		time.Sleep(5 * time.Millisecond) // behind the one in a hurry
		if _, err := c.Generate(t.Context(), sky, greedy(5)); err != nil {
			t.Error(err)
		}
	})
	<-late
	for range 8 {
		wg.Go(func() {
			if _, err := c.Generate(t.Context(), sky, greedy(5)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := srv.Loads(); n != 1 {
		t.Errorf("%d loads", n)
	}
}
