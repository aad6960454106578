// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

// Package send builds the HTTP requests of all protocols.
package send

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gemma-go/sdk/internal/fault"
	"github.com/gemma-go/sdk/internal/wire"
	"github.com/gemma-go/sdk/internal/wire/reply"
)

// MaxRequest is what Cloud Run lets through over HTTP/1: 32 MiB, headers
// included; so much is left for those.
const MaxRequest = 32<<20 - 64<<10

// MaxAnswer bounds an answer that is read as a whole (a list of models).
const MaxAnswer = 32 << 20

// Header is one header of a request; the zero Header is none.
type Header struct{ Name, Value string }

// Bearer is the container's own key, where Ollama's and OpenAI's routes look
// for it.
func Bearer(key string) Header {
	if key == "" {
		return Header{}
	}
	return Header{"Authorization", "Bearer " + key}
}

// GoogleKey is the container's own key, where Gemini's routes look for it.
func GoogleKey(key string) Header {
	if key == "" {
		return Header{}
	}
	return Header{"X-Goog-Api-Key", key}
}

// URL returns the base with a path added.
func URL(base *url.URL, path string) *url.URL {
	u := *base
	u.Path = strings.TrimRight(base.Path, "/") + path
	u.RawPath, u.RawQuery, u.Fragment, u.RawFragment = "", base.RawQuery, "", ""
	return &u
}

// JSON returns a request with body as JSON (none if it is nil), which can be
// sent again by GetBody.
func JSON(ctx context.Context, method string, u *url.URL, body any, h ...Header) (*http.Request, error) {
	var src io.Reader
	if body != nil {
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(body); err != nil {
			return nil, &fault.Error{Kind: fault.Invalid, Message: "the request can't be written as JSON", Err: err}
		}
		if buf.Len() > MaxRequest {
			return nil, fault.Bad("contents", "the request is %.1f MiB long; Cloud Run takes 32 MiB: send smaller images, or fewer", float64(buf.Len())/(1<<20))
		}
		src = bytes.NewReader(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
	}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), src)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Invalid, Message: "no request can be made", Err: err}
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, h := range h {
		if h.Name != "" {
			req.Header.Set(h.Name, h.Value)
		}
	}
	return req, nil
}

// Do sends a request and reads its whole answer into out.
func Do(do wire.Doer, req *http.Request, out any) error {
	resp, err := do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return reply.Fault(resp)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err != nil {
		return reply.Broken(err, true)
	}
	if len(body) > MaxAnswer {
		return &fault.Error{Kind: fault.Server, Message: "the answer is longer than 32 MiB"}
	}
	if err := json.Unmarshal(body, out); err != nil {
		return &fault.Error{Kind: fault.Server, Status: resp.StatusCode, Retry: true,
			Message: "the answer is not what this protocol answers", Err: errors.New("no such JSON")}
	}
	return nil
}
