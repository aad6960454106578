// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"fmt"
	"strings"
)

// logprobs writes log probabilities: the more frequent a token's hash, the
// likelier it was. top is how many alternatives each token has.
type logprobs struct {
	on  bool
	top int
}

// list is the JSON array of the tokens' entries, as the OpenAI API and Ollama
// both write them.
func (l logprobs) list(chunks ...string) string {
	entries := make([]string, len(chunks))
	for i, s := range chunks {
		p := Logprob(s)
		var tops []string
		for k := range l.top {
			alternative := s
			if k > 0 {
				alternative = fmt.Sprintf(" other%d", k)
			}
			tops = append(tops, "{"+oneLogprob(alternative, p-float64(k))+"}")
		}
		more := ""
		if l.top > 0 {
			more = `,"top_logprobs":[` + strings.Join(tops, ",") + `]`
		}
		entries[i] = "{" + oneLogprob(s, p) + more + "}"
	}
	return "[" + strings.Join(entries, ",") + "]"
}

func oneLogprob(token string, p float64) string {
	bytes := make([]string, len(token))
	for i := range len(token) {
		bytes[i] = fmt.Sprint(token[i])
	}
	return fmt.Sprintf(`"token":%s,"logprob":%g,"bytes":[%s]`, quote(token), p, strings.Join(bytes, ","))
}

// Logprob is the log probability that the emulated servers give to a token,
// between -1 and 0; its k-th alternative has k less.
func Logprob(token string) float64 { return -float64(crcOf(token)%1000) / 1000 }
