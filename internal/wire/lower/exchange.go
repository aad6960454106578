// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package lower

import (
	"encoding/json"
	"io"
	"net/http"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/wire"
)

// Exchange puts a plan, its request and its decoder together.
func (p *Plan) Exchange(req *http.Request, open func(http.Header, io.Reader) wire.Decoder) *wire.Exchange {
	x := &wire.Exchange{HTTP: req, Emulated: p.Emulated, Resumable: p.Resumable()}
	x.Open = func(h http.Header, body io.Reader) wire.Decoder { return p.wrap(open(h, body)) }
	if p.Hold != nil {
		x.Hold, x.Check, x.Repair = true, p.Hold.Check, p.Hold.Repair
	}
	return x
}

// ResultText is a function's result as a model reads it: the JSON of its
// output, or the whole response.
func ResultText(r *genai.FunctionResponse) string {
	if r.Response == nil {
		return "{}"
	}
	b, err := json.Marshal(r.Response)
	if err != nil {
		return "{}"
	}
	return string(b)
}
