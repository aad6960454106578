// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package gemmatest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/gemma-go/sdk/internal/models"
)

// gemini emulates a server that honours the whole Gemini API, as far as a
// Gemma model can.
type gemini struct {
	cfg *Config
	*engine
}

type geminiContent struct {
	Role  string
	Parts []geminiPart
}

type geminiPart struct {
	Text         string
	Thought      bool
	InlineData   *struct{ MimeType, Data string }
	FunctionCall *struct {
		ID, Name string
		Args     json.RawMessage
	}
	FunctionResponse *struct {
		ID, Name string
		Response json.RawMessage
	}
}

type geminiRequest struct {
	Contents               []geminiContent
	GenerateContentRequest *geminiRequest // countTokens
	SystemInstruction      *geminiContent
	Tools                  []struct {
		FunctionDeclarations []struct {
			Name, Description    string
			Parameters           json.RawMessage
			ParametersJSONSchema json.RawMessage
		}
	}
	ToolConfig *struct {
		FunctionCallingConfig *struct {
			Mode                 string
			AllowedFunctionNames []string
		}
	}
	GenerationConfig struct {
		Temperature        *float64
		TopP, TopK         *float64
		PresencePenalty    *float64
		FrequencyPenalty   *float64
		Seed               *int
		MaxOutputTokens    int
		StopSequences      []string
		ResponseMimeType   string
		ResponseSchema     json.RawMessage
		ResponseJSONSchema json.RawMessage
		ThinkingConfig     *struct {
			IncludeThoughts bool
			ThinkingBudget  *int
		}
	}
}

func (g *gemini) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/v1beta/")
	if !ok {
		rest, ok = strings.CutPrefix(r.URL.Path, "/v1/")
	}
	if !ok || !strings.HasPrefix(rest, "models") {
		// A container's own 404 is not the front end's page, or a client would
		// take it for a service that does not exist.
		geminiError(w, http.StatusNotFound, "NOT_FOUND", "Requested entity was not found.")
		return
	}
	if key := g.cfg.APIKey; key != "" && r.Header.Get("X-Goog-Api-Key") != key && r.URL.Query().Get("key") != key {
		geminiError(w, http.StatusBadRequest, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.")
		return
	}
	rest = strings.TrimPrefix(strings.TrimPrefix(rest, "models"), "/")
	if r.Method == http.MethodGet {
		g.models(w, rest)
		return
	}
	i := strings.LastIndexByte(rest, ':')
	if i < 0 || r.Method != http.MethodPost {
		geminiError(w, http.StatusNotFound, "NOT_FOUND", "no such method")
		return
	}
	model, method := rest[:i], rest[i+1:]
	if !g.serves(model) {
		geminiError(w, http.StatusNotFound, "NOT_FOUND", "models/"+model+" is not found for API version v1beta, or is not supported for "+method+".")
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	switch method {
	case "generateContent", "streamGenerateContent":
		g.generate(w, r, model, method, body)
	case "countTokens":
		g.count(w, body)
	case "embedContent", "batchEmbedContents":
		g.embed(w, method, body)
	default:
		geminiError(w, http.StatusNotFound, "NOT_FOUND", "no such method: "+method)
	}
}

func (g *gemini) ids() []string { return g.cfg.names(func(m models.Model) string { return m.ID }) }

func (g *gemini) serves(model string) bool {
	return slices.Contains(g.ids(), model)
}

func (g *gemini) models(w http.ResponseWriter, name string) {
	one := func(id string) string {
		return fmt.Sprintf(`{"name":"models/%s","version":"001","displayName":%s,"inputTokenLimit":%d,"outputTokenLimit":8192,`+
			`"supportedGenerationMethods":["generateContent","countTokens"]}`, id, quote(id), g.cfg.context())
	}
	const contentType = "application/json; charset=UTF-8"
	switch {
	case name == "":
		var list []string
		for _, id := range g.ids() {
			list = append(list, one(id))
		}
		writeJSON(w, http.StatusOK, contentType, []byte(`{"models":[`+strings.Join(list, ",")+"]}\n"))
	case g.serves(name):
		writeJSON(w, http.StatusOK, contentType, []byte(one(name)+"\n"))
	default:
		geminiError(w, http.StatusNotFound, "NOT_FOUND", "models/"+name+" is not found")
	}
}

// call turns the request into what the model sees.
func (req *geminiRequest) call() (*Call, error) {
	c := &Call{}
	cfg := req.GenerationConfig
	c.Temperature, c.TopP, c.TopK, c.Seed = cfg.Temperature, cfg.TopP, cfg.TopK, cfg.Seed
	c.Presence, c.Frequency = cfg.PresencePenalty, cfg.FrequencyPenalty
	c.MaxTokens, c.Stop = cfg.MaxOutputTokens, cfg.StopSequences
	if s := req.SystemInstruction; s != nil {
		c.Messages = append(c.Messages, s.messages("system")...)
	}
	for _, content := range req.Contents {
		role := "user"
		switch content.Role {
		case "", "user", "function":
		case "model":
			role = "assistant"
		default:
			//lint:ignore ST1005 the Gemini API's own text
			return nil, errors.New("Please use a valid role: user, model.")
		}
		if len(content.Parts) == 0 {
			return nil, errors.New("* GenerateContentRequest.contents: contents is not specified")
		}
		c.Messages = append(c.Messages, content.messages(role)...)
	}
	if len(req.Contents) == 0 {
		//lint:ignore ST1005 the Gemini API's own text
		return nil, errors.New("* GenerateContentRequest.contents: contents is not specified\n")
	}
	for _, t := range req.Tools {
		for _, f := range t.FunctionDeclarations {
			p := f.Parameters
			if len(f.ParametersJSONSchema) > 0 {
				p = f.ParametersJSONSchema
			}
			c.Tools = append(c.Tools, Tool{Name: f.Name, Description: f.Description, Parameters: p})
		}
	}
	if t := req.ToolConfig; t != nil && t.FunctionCallingConfig != nil {
		switch t.FunctionCallingConfig.Mode {
		case "NONE":
			c.ToolChoice = "none"
		case "ANY":
			c.ToolChoice = "required"
			if names := t.FunctionCallingConfig.AllowedFunctionNames; len(names) == 1 {
				c.ToolChoice = names[0]
			}
		}
	}
	switch {
	case len(cfg.ResponseJSONSchema) > 0:
		c.Format = cfg.ResponseJSONSchema
	case len(cfg.ResponseSchema) > 0:
		c.Format = cfg.ResponseSchema
	case cfg.ResponseMimeType == "application/json":
		c.Format = json.RawMessage(`"json"`)
	}
	c.Think = cfg.ThinkingConfig != nil && cfg.ThinkingConfig.IncludeThoughts
	return c, nil
}

// messages are a content's turns: one for its text, one for each result.
func (content *geminiContent) messages(role string) []Message {
	m := Message{Role: role}
	var results []Message
	for _, p := range content.Parts {
		switch {
		case p.Thought:
		case p.FunctionCall != nil:
			m.Calls = append(m.Calls, ToolCall{ID: p.FunctionCall.ID, Name: p.FunctionCall.Name, Args: p.FunctionCall.Args})
		case p.FunctionResponse != nil:
			results = append(results, Message{Role: "tool", Name: p.FunctionResponse.Name, CallID: p.FunctionResponse.ID, Text: string(p.FunctionResponse.Response)})
		case p.InlineData != nil && strings.HasPrefix(p.InlineData.MimeType, "audio/"):
			m.Audio++
		case p.InlineData != nil:
			m.Images++
		default:
			m.Text += p.Text
		}
	}
	if m.Text == "" && m.Images+m.Audio == 0 && len(m.Calls) == 0 && len(results) > 0 {
		return results
	}
	return append([]Message{m}, results...)
}

func (g *gemini) generate(w http.ResponseWriter, r *http.Request, model, method string, body []byte) {
	var req geminiRequest
	err := json.Unmarshal(body, &req)
	var c *Call
	if err == nil {
		c, err = req.call()
	}
	if err != nil {
		geminiError(w, http.StatusBadRequest, "INVALID_ARGUMENT", err.Error())
		return
	}
	c.Route, c.Model, c.Header, c.Body = method, model, redact(r.Header), body
	c.Stream = method == "streamGenerateContent"
	c.Context, c.Prompt = g.cfg.context(), promptTokens(c.Messages)
	p := &geminiProto{model: model, sse: r.URL.Query().Get("alt") == "sse", id: fmt.Sprintf("%016x", crcOf(string(body)))}
	if c.Prompt > c.Context {
		p.refuse(w, http.StatusBadRequest, fmt.Sprintf("The input token count (%d) exceeds the maximum number of tokens allowed (%d).", c.Prompt, c.Context))
		return
	}
	reply := g.reply(c)
	switch {
	case reply.Status != 0:
		p.refuse(w, reply.Status, reply.Error)
	case c.Stream:
		play(w, r, reply, p)
	default:
		playUnary(w, r, reply, p)
	}
}

func (g *gemini) count(w http.ResponseWriter, body []byte) {
	var req geminiRequest
	err := json.Unmarshal(body, &req)
	if err == nil && req.GenerateContentRequest != nil {
		req = *req.GenerateContentRequest
	}
	var c *Call
	if err == nil {
		c, err = req.call()
	}
	if err != nil {
		geminiError(w, http.StatusBadRequest, "INVALID_ARGUMENT", err.Error())
		return
	}
	writeJSON(w, http.StatusOK, "application/json; charset=UTF-8", fmt.Appendf(nil, "{\"totalTokens\":%d}\n", promptTokens(c.Messages)))
}

func (g *gemini) embed(w http.ResponseWriter, method string, body []byte) {
	type one struct{ Content geminiContent }
	var req struct {
		one
		Requests []one
	}
	if err := json.Unmarshal(body, &req); err != nil {
		geminiError(w, http.StatusBadRequest, "INVALID_ARGUMENT", err.Error())
		return
	}
	if g.cfg.Embeddings == 0 {
		geminiError(w, http.StatusBadRequest, "INVALID_ARGUMENT", "the model does not support "+method)
		return
	}
	values := func(c geminiContent) string {
		b, err := json.Marshal(vector(c.messages("user")[0].Text, g.cfg.Embeddings))
		if err != nil {
			return "[]"
		}
		return `{"values":` + string(b) + `}`
	}
	if method == "embedContent" {
		writeJSON(w, http.StatusOK, "application/json; charset=UTF-8", []byte(`{"embedding":`+values(req.Content)+"}\n"))
		return
	}
	var list []string
	for _, q := range req.Requests {
		list = append(list, values(q.Content))
	}
	writeJSON(w, http.StatusOK, "application/json; charset=UTF-8", []byte(`{"embeddings":[`+strings.Join(list, ",")+"]}\n"))
}

func geminiError(w http.ResponseWriter, code int, status, message string) {
	writeJSON(w, code, "application/json; charset=UTF-8",
		fmt.Appendf(nil, "{\n  \"error\": {\n    \"code\": %d,\n    \"message\": %s,\n    \"status\": %q\n  }\n}\n", code, quote(message), status))
}
