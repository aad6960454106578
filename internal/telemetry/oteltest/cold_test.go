// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package oteltest

import (
	"context"
	"flag"
	"os"
	"sync"
	"testing"
	"time"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
	"github.com/gemma-go/sdk/gemma/gemmatest"
)

var update = flag.Bool("update", false, "write testdata/cold.txt")

// cold is a service that scaled to zero: 20 s until the container takes
// requests, 5 s for its first answer to load the model, and then 0.2 s to the
// first token and 50 ms between two.
func cold() gemmatest.Config {
	return gemmatest.Config{
		Kind: gemmatest.Ollama, LoadTime: 5 * time.Second,
		FrontEnd: gemmatest.FrontEndConfig{Start: 20 * time.Second, Hold: gemmatest.Forever, Slots: 4},
		Reply: func(gemmatest.Call) gemmatest.Reply {
			return gemmatest.Reply{Chunks: []string{"It ", "scatters ", "light."}, FirstToken: 200 * time.Millisecond, Pace: 50 * time.Millisecond, PromptTokens: 9, Tokens: 3}
		},
	}
}

// TestColdTrace holds the traces of two calls that met a sleeping endpoint to
// testdata/cold.txt. The first one's has the wait and, beside it, what was done
// meanwhile: one probe, with the token it needed and the requests it sent. The
// second one came 2 s later and waited for the first one's probe, which its
// wait links to.
func TestColdTrace(t *testing.T) {
	bubble(t, cold(), nil, func(t *testing.T, client *gemma.Client, r *record) {
		var calls sync.WaitGroup
		for i := range 2 {
			calls.Go(func() {
				time.Sleep(time.Duration(i) * 2 * time.Second)
				if _, err := client.Generate(context.Background(), genai.Text("Why is the sky blue?"), &genai.GenerateContentConfig{Temperature: new(float32(0.5)), MaxOutputTokens: 64}); err != nil {
					t.Error(err)
				}
			})
		}
		calls.Wait()
		got := r.tree()
		const golden = "testdata/cold.txt"
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("the trace is\n%s\nand %s holds\n%s\n(go test -update writes it)", got, golden, want)
		}
	})
}
