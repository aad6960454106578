// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// prebuilt emulates Google's prebuilt Gemma 3 container: a Go proxy that turns
// the Gemini API into Ollama's OpenAI-compatible one and passes everything else
// through. Its faults are on purpose; they were measured on the proxy's public
// source of March 2026.
type prebuilt struct {
	cfg    *Config
	ollama *ollama

	// The proxy has one reverse proxy for all requests and sets its hooks
	// anew for each, so the hook that turns a response is the one of
	// whichever request came last.
	mu       sync.Mutex
	last     route
	flying   []*flight // Gemini calls being answered
	overlaps int
}

// route is what the proxy's response hook does.
type route uint8

const (
	passThrough route = iota
	oneBody           // generateContent
	lines             // streamGenerateContent
)

type flight struct {
	route route
	body  []byte
}

// swapEvery is how many overlapping Gemini calls of one kind it takes for one
// of them to be sent with another's body. Measured: 0.1 to 0.4 % of calls in a
// saturated test.
const swapEvery = 256

var geminiPath = regexp.MustCompile(`/([^/]+)/models/([^/]+):([^/]+)$`)

const badKey = "Permission denied. Invalid API Key.  Configure your SDK to use this URL, and use the API key provided at deployment " +
	"(https://github.com/google-gemini/gemma-cookbook/blob/main/Demos/Gemma-on-Cloudrun/README.md)"

func (p *prebuilt) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if clean := path.Clean(r.URL.Path); clean != r.URL.Path && strings.Contains(r.URL.Path, "//") {
		w.Header().Set("Location", clean)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	m := geminiPath.FindStringSubmatch(r.URL.Path)
	if m == nil {
		p.pass(w, r)
		return
	}
	version, model, action := m[1], m[2], m[3]
	kind := oneBody
	switch action {
	case "streamGenerateContent":
		kind = lines
	case "generateContent", "generateAnswer":
	default:
		version = ""
	}
	if version != "v1" && version != "v1beta" {
		http.Error(w, "Failed to read request path.", http.StatusNotFound)
		return
	}
	key := r.Header.Get("X-Goog-Api-Key")
	if key == "" {
		key = r.URL.Query().Get("key")
	}
	if p.cfg.APIKey != "" && key != p.cfg.APIKey {
		http.Error(w, badKey, http.StatusForbidden)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if action != "generateAnswer" { // which goes on unconverted
		if body, err = convertRequest(body, model, kind == lines); err != nil {
			http.Error(w, "Failed to convert request for target.", http.StatusInternalServerError)
			return
		}
	}
	body, done := p.depart(kind, body)
	defer done()
	out := r.Clone(r.Context())
	out.Method = http.MethodPost
	out.URL.Path = "/v1/chat/completions"
	out.Header.Set("Content-Type", "application/json")
	out.Body = io.NopCloser(bytes.NewReader(body))
	p.forward(w, out, kind)
}

// pass checks the key of a route that is not the Gemini API's and passes the
// request on.
func (p *prebuilt) pass(w http.ResponseWriter, r *http.Request) {
	key, want := r.Header.Get("Authorization"), "Bearer "+p.cfg.APIKey
	if key == "" {
		key, want = r.URL.Query().Get("key"), p.cfg.APIKey
	}
	if p.cfg.APIKey != "" && key != want {
		http.Error(w, badKey, http.StatusForbidden)
		return
	}
	p.mu.Lock()
	p.last = passThrough
	p.mu.Unlock()
	p.forward(w, r, passThrough)
}

// depart notes a Gemini call in flight, and may take another's body for it.
func (p *prebuilt) depart(kind route, body []byte) (sent []byte, done func()) {
	f := &flight{kind, body}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = kind
	if !p.cfg.NoMixUp {
		for _, other := range p.flying {
			if other.route == kind {
				p.overlaps++
				if p.overlaps%swapEvery == 0 {
					body = other.body
				}
				break
			}
		}
	}
	p.flying = append(p.flying, f)
	return body, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if i := slices.Index(p.flying, f); i >= 0 {
			p.flying = slices.Delete(p.flying, i, i+1)
		}
	}
}

// forward has Ollama answer, and turns the answer as the hook says that is in
// place when the headers come.
func (p *prebuilt) forward(w http.ResponseWriter, r *http.Request, kind route) {
	t := &turner{ResponseWriter: w, hook: p.hook(kind)}
	defer func() {
		thrown := recover()
		if err, ok := thrown.(error); thrown != nil && !(ok && errors.Is(err, http.ErrAbortHandler)) {
			panic(thrown)
		}
		t.finish(thrown != nil)
	}()
	p.ollama.ServeHTTP(t, r)
}

// hook gives the route that a response is treated as: that of the request
// that came last, or its own if the proxy is one that mixes nothing up.
func (p *prebuilt) hook(own route) func() route {
	return func() route {
		if p.cfg.NoMixUp {
			return own
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.last
	}
}

// turner is the proxy's response hook.
type turner struct {
	http.ResponseWriter
	hook func() route

	route   route
	status  int
	buf     []byte
	stopped bool // the stream's [DONE] came
}

func (t *turner) WriteHeader(status int) {
	if t.status != 0 || status < 200 {
		return
	}
	t.status = status
	if status == http.StatusOK {
		t.route = t.hook()
	}
	switch t.route {
	case oneBody: // waits for the whole body
	case lines:
		t.Header().Del("Content-Length")
		t.ResponseWriter.WriteHeader(status)
	default:
		t.ResponseWriter.WriteHeader(status)
	}
}

func (t *turner) Write(b []byte) (int, error) {
	t.WriteHeader(http.StatusOK)
	switch t.route {
	case oneBody:
		t.buf = append(t.buf, b...)
	case lines:
		t.buf = append(t.buf, b...)
		for !t.stopped {
			i := bytes.IndexByte(t.buf, '\n')
			if i < 0 {
				break
			}
			line := t.buf[:i]
			t.buf = t.buf[i+1:]
			if out := t.line(line); len(out) > 0 {
				if _, err := t.ResponseWriter.Write(out); err != nil {
					return 0, err
				}
			}
		}
	default:
		return t.ResponseWriter.Write(b)
	}
	return len(b), nil
}

// line turns one line of Ollama's stream; what doesn't begin with "data: " is
// left out.
func (t *turner) line(line []byte) []byte {
	raw, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("data: "))
	if !ok {
		return nil
	}
	if string(raw) == "[DONE]" {
		t.stopped = true
		return nil
	}
	var chunk chatAnswer
	if err := json.Unmarshal(raw, &chunk); err != nil {
		return []byte("invalid chunk format, error: " + err.Error() + ", raw: " + string(raw))
	}
	return append(chunk.gemini(), '\n')
}

func (t *turner) FlushError() error {
	if t.route == oneBody && t.status == http.StatusOK {
		return nil
	}
	return http.NewResponseController(t.ResponseWriter).Flush()
}

func (t *turner) Flush() { t.FlushError() }

func (t *turner) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// finish ends the response after Ollama has ended its own, or was cut off.
func (t *turner) finish(cut bool) {
	switch {
	case cut && t.status == 0:
		clear(t.Header())
		http.Error(t.ResponseWriter, "Proxy Error: EOF", http.StatusBadGateway)
	case cut && t.route == lines: // the error is written into the body, which then ends well
		t.ResponseWriter.Write([]byte("stream read error: unexpected EOF"))
	case cut:
		panic(http.ErrAbortHandler)
	case t.route == oneBody && t.status == http.StatusOK:
		var answer chatAnswer
		if json.Unmarshal(t.buf, &answer) != nil {
			panic(http.ErrAbortHandler) // the hook's error is ignored, and its body read already
		}
		writeJSON(t.ResponseWriter, http.StatusOK, "application/json", answer.gemini())
	}
}
