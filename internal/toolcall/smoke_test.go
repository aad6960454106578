// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package toolcall

import (
	"encoding/json"
	"testing"

	"google.golang.org/genai"
)

func TestSmoke(t *testing.T) {
	s, err := New([]*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{
		{Name: "get_weather", Parameters: &genai.Schema{Type: "OBJECT", Properties: map[string]*genai.Schema{"city": {Type: "STRING"}, "days": {Type: "INTEGER"}}, Required: []string{"city"}}},
	}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(s.Instruction(true))
	sch, err := s.Schema()
	t.Log(string(sch), err)
	for _, a := range []string{
		`{"name":"get_weather","parameters":{"city":"Paris"}}`,
		"Sure!\n```tool_code\nprint(get_weather(city='Paris', days=3))\n```\nDone",
		"```json\n[{\"name\":\"get_weather\",\"parameters\":{\"city\":\"Paris\"}},{\"function\":\"get_weather\",\"args\":{\"city\":\"Rome\",\"days\":\"2\"}}]\n```",
		"<start_function_call>call:get_weather{city:<escape>Paris<escape>,days:2}<end_function_call>",
		"[get_weather(city=\"Paris\"), get_weather('Rome')]",
		`{"name":"get_weather","parameters":{"town":"Paris"}}`,
		"For example:\n```json\n{\"name\":\"get_weather\",\"parameters\":{\"city\":\"Paris\"}}\n```\n",
	} {
		rest, calls, err := Parse(s, a)
		c, _ := json.Marshal(calls)
		t.Logf("%q → %q %s %v", a, rest, c, err)
	}
}
