// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// ollamaRun is one call on its way through the server.
type ollamaRun struct {
	call       *Call
	options    map[string]any
	keepAlive  json.RawMessage
	keepPrompt bool // truncate:false
	empty      bool // nothing to generate: load or unload only
	generate   bool // came by /api/generate, whose error texts differ
	proto      ollamaProtocol
}

// ollamaProtocol is a route's way to say things.
type ollamaProtocol interface {
	protocol
	unaryProtocol
	refuse(w http.ResponseWriter, status int, message string)
	begin(model string, started, loaded time.Time)
	bare(reason string) []byte // the answer to an empty call
}

func (o *ollama) run(w http.ResponseWriter, r *http.Request, run *ollamaRun) {
	c, p := run.call, run.proto
	started := time.Now()
	name, known := o.cfg.resolve(c.Model)
	unloads := string(run.keepAlive) == "0" || string(run.keepAlive) == `"0"` || string(run.keepAlive) == `"0s"`
	switch {
	case c.Model == "":
		p.refuse(w, http.StatusBadRequest, "model is required")
		return
	case !known && (run.generate || o.newer()):
		p.refuse(w, http.StatusNotFound, fmt.Sprintf("model '%s' not found", c.Model))
		return
	case !known:
		p.refuse(w, http.StatusNotFound, fmt.Sprintf("model %q not found, try pulling it first", c.Model))
		return
	case run.empty && unloads:
		o.unload(name)
		p.begin(c.Model, started, started)
		writeJSON(w, http.StatusOK, "application/json; charset=utf-8", p.bare("unload"))
		return
	case len(c.Tools) > 0 && !o.cfg.tools():
		p.refuse(w, http.StatusBadRequest, "registry.ollama.ai/library/"+name+" does not support tools")
		return
	case c.Think && o.newer() && !modelInfo(name).Thinking:
		p.refuse(w, http.StatusBadRequest, fmt.Sprintf("%q does not support thinking", c.Model))
		return
	}
	if !o.newer() {
		c.Think = false // unknown to v0.6.5, and ignored
	}
	if err := c.options(run.options); err != nil {
		p.refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	if c.Context == 0 {
		c.Context = o.cfg.context()
	}
	if !o.enter(r.Context()) {
		p.refuse(w, http.StatusServiceUnavailable, "server busy, please try again.  maximum pending requests exceeded")
		return
	}
	defer o.leave()
	if !o.load(r.Context(), name, c.Context) {
		panic(http.ErrAbortHandler)
	}
	loaded := time.Now()
	if unloads {
		defer o.unload(name)
	}
	if run.empty {
		p.begin(c.Model, started, loaded)
		writeJSON(w, http.StatusOK, "application/json; charset=utf-8", p.bare("load"))
		return
	}
	full := append([]Message(nil), c.Messages...)
	c.fit()
	if c.Cut > 0 && run.keepPrompt {
		c.Messages = full
		p.refuse(w, http.StatusBadRequest, "the input length exceeds the context length")
		return
	}
	p.begin(c.Model, started, loaded)
	if message := o.impossible(c); message != "" {
		if c.Stream && c.Route != "/v1/chat/completions" {
			pl := &player{w: w, ctx: r.Context(), p: p}
			if o.newer() { // the status is right, and the rest a stream's
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(http.StatusInternalServerError)
				pl.sent = true
			} // else 200, and the error in the stream
			pl.send(p.fail(message))
			return
		}
		p.refuse(w, http.StatusInternalServerError, message)
		return
	}
	reply := o.reply(c)
	if reply.Status != 0 {
		p.refuse(w, reply.Status, reply.Error)
		return
	}
	if c.Stream {
		play(w, r, reply, p)
	} else {
		playUnary(w, r, reply, p)
	}
}

// impossible is the model runner's refusal, in v0.6.5's words with their line
// feed at the end.
func (o *ollama) impossible(c *Call) string {
	end := "\n"
	if o.newer() {
		end = ""
	}
	images, input := 0, false
	for _, m := range c.Messages {
		images += m.Images
		switch m.Role {
		case "user", "assistant", "system", "tool":
			input = true
		}
	}
	switch {
	case images > 0 && !o.cfg.vision():
		return "Failed to create new sequence: failed to process inputs: this model is missing data required for image input" + end
	case !input && !o.newer():
		return "Failed to create new sequence: no input provided" + end
	case len(c.Format) > 0 && c.Format[0] != '{' && string(c.Format) != `"json"`:
		return fmt.Sprintf("invalid format: %q; expected \"json\" or a valid JSON Schema object", c.Format)
	case len(c.Format) > 0 && badSchema(c.Format):
		return "invalid JSON schema in format"
	}
	return ""
}

// badSchema reports a type that no schema has.
func badSchema(schema json.RawMessage) bool {
	var m struct{ Type any }
	if json.Unmarshal(schema, &m) != nil {
		return true
	}
	switch t := m.Type.(type) {
	case nil, []any:
		return false
	case string:
		return !strings.Contains(" object array string number integer boolean null ", " "+t+" ")
	}
	return true
}

// format treats null and "" as no format.
func format(raw json.RawMessage) json.RawMessage {
	if s := string(raw); s == "null" || s == `""` {
		return nil
	}
	return raw
}

func badBase64(s string) int {
	_, err := base64.StdEncoding.DecodeString(s)
	if e, ok := errors.AsType[base64.CorruptInputError](err); ok {
		return int(e)
	}
	return -1
}

// options reads Ollama's options; a wrong type is the server's 500. Unknown
// ones are ignored.
func (c *Call) options(opts map[string]any) error {
	for key, v := range opts {
		if v == nil {
			continue
		}
		switch key {
		case "num_predict", "top_k", "seed", "num_ctx":
			f, ok := v.(float64)
			if !ok {
				return fmt.Errorf("option %q must be of type integer", key)
			}
			switch key {
			case "num_predict":
				c.MaxTokens = max(0, int(f)) // 0 and -1 are no limit
			case "top_k":
				c.TopK = &f
			case "seed":
				c.Seed = new(int(f))
			case "num_ctx":
				c.Context = int(f)
			}
		case "temperature", "top_p", "min_p", "typical_p", "repeat_penalty", "presence_penalty", "frequency_penalty":
			f, ok := v.(float64)
			if !ok {
				return fmt.Errorf("option %q must be of type float32", key)
			}
			switch key {
			case "temperature":
				c.Temperature = &f
			case "top_p":
				c.TopP = &f
			case "min_p":
				c.MinP = &f
			case "presence_penalty":
				c.Presence = &f
			case "frequency_penalty":
				c.Frequency = &f
			}
		case "stop":
			list, ok := v.([]any)
			if !ok {
				return fmt.Errorf("option %q must be of type array", key)
			}
			for _, s := range list {
				str, ok := s.(string)
				if !ok {
					return fmt.Errorf("option %q must be of an array of strings", key)
				}
				c.Stop = append(c.Stop, str)
			}
		}
	}
	return nil
}
