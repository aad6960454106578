// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma_test

import (
	"net/http"
	"testing"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/gemma"
)

// TestAbilitiesAreAskedOnce for each model that the table does not know, also
// where the server does not say.
func TestAbilitiesAreAskedOnce(t *testing.T) {
	for _, show := range []string{`{"capabilities":["completion","tools"]}`, `{}`} {
		asked := map[string]int{}
		client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: "https://gemma.example", Model: "mine", Public: true, Protocol: gemma.ProtocolOllama,
			Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
				asked[r.URL.Path]++
				if r.URL.Path == "/api/show" {
					return answer(r, 200, "application/json", show), nil
				}
				return answer(r, 200, "application/x-ndjson", `{"message":{"role":"assistant","content":"hi"},"done":true,"done_reason":"stop"}`+"\n"), nil
			})})
		if err != nil {
			t.Fatal(err)
		}
		config := &genai.GenerateContentConfig{Tools: []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{Name: "f", Description: "d"}}}}}
		for range 3 {
			if _, err := text(client.Stream(t.Context(), hi, config)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := text(client.WithModel("other").Stream(t.Context(), hi, config)); err != nil {
			t.Fatal(err)
		}
		if asked["/api/show"] != 2 {
			t.Errorf("%s: %v", show, asked)
		}
	}
}
