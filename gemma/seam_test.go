// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemma_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/gemma-go/sdk/gemma"
)

// TestSeamInWhiteSpace: vLLM trims the text that it goes on from, by the
// model's own template, so the model writes the white space at its end again.
func TestSeamInWhiteSpace(t *testing.T) {
	chunk := func(text, finish string) string {
		b, _ := json.Marshal(text)
		return fmt.Sprintf("data: {\"id\":\"1\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":%s},\"finish_reason\":%s}]}\n\n", b, finish)
	}
	for _, tt := range []struct{ first, second []string }{
		{[]string{"one.", "\n\n"}, []string{"\n\n", "two"}},
		{[]string{"one.", "\n\n"}, []string{"\n", "\n", "two"}},
		{[]string{"one.", "\n"}, []string{"\n\ntwo"}},
		{[]string{"one.\n\n"}, []string{"two"}}, // the model sees it another way
		{[]string{"one."}, []string{"\n\n", "two"}},
	} {
		const want = "one.\n\ntwo"
		calls := 0
		client, err := gemma.NewClient(t.Context(), gemma.Config{Endpoint: "https://gemma.example", Model: "m", Public: true, Protocol: gemma.ProtocolOpenAI, Resume: 1,
			Transport: transportFunc(func(r *http.Request) (*http.Response, error) {
				if r.Method == http.MethodGet {
					return answer(r, 200, "application/json", `{"object":"list","data":[{"id":"m","owned_by":"vllm"}]}`), nil
				}
				calls++
				var body strings.Builder
				if calls == 1 {
					for _, s := range tt.first {
						body.WriteString(chunk(s, "null"))
					}
				} else {
					var sent struct{ Messages []struct{ Content string } }
					if err := json.NewDecoder(r.Body).Decode(&sent); err != nil || sent.Messages[len(sent.Messages)-1].Content != "one." {
						t.Errorf("%v, %+v", err, sent)
					}
					for _, s := range tt.second {
						body.WriteString(chunk(s, "null"))
					}
					body.WriteString(chunk("", `"stop"`) + "data: [DONE]\n\n")
				}
				return answer(r, 200, "text/event-stream", body.String()), nil
			})})
		if err != nil {
			t.Fatal(err)
		}
		got, err := text(client.Stream(t.Context(), hi, nil))
		if err != nil || got != want {
			t.Errorf("%+v: %q, %v", tt, got, err)
		}
	}
}
