// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"fmt"
	"strings"

	"google.golang.org/genai"

	"github.com/gemma-go/sdk/internal/fault"
)

// Features returns the fidelity table: every field of a generation's
// configuration and contents, and what becomes of it at each kind of server.
func Features() []Feature {
	var out []Feature
	out = list(out, config, "config.")
	out = list(out, tool, "config.tools.")
	out = list(out, declaration, "config.tools.functionDeclarations.")
	out = list(out, toolConfig, "config.toolConfig.")
	out = list(out, calling, "config.toolConfig.functionCallingConfig.")
	out = list(out, thinking, "config.thinkingConfig.")
	out = list(out, content, "contents.")
	out = list(out, part, "contents.parts.")
	out = list(out, blob, "contents.parts.inlineData.")
	out = list(out, file, "contents.parts.fileData.")
	out = list(out, call, "contents.parts.functionCall.")
	return list(out, response, "contents.parts.functionResponse.")
}

func list[T any](out []Feature, rows []row[T], prefix string) []Feature {
	for i := range rows {
		out = append(out, Feature{Field: prefix + rows[i].name, Client: rows[i].client, Cells: rows[i].cells})
	}
	return out
}

// Refuse returns the Unsupported fault for the first field of r that the
// table refuses outright in this column, or nil. What depends on a value or on
// the model is left to the codec.
func Refuse(r *Request, col Column) error {
	if c := r.Config; c != nil {
		if err := refuse(config, "config.", c, col); err != nil {
			return err
		}
		for _, t := range c.Tools {
			if err := refuseTool(t, col); err != nil {
				return err
			}
		}
		if t := c.ToolConfig; t != nil {
			if err := refuse(toolConfig, "config.toolConfig.", t, col); err != nil {
				return err
			}
			if f := t.FunctionCallingConfig; f != nil {
				if err := refuse(calling, "config.toolConfig.functionCallingConfig.", f, col); err != nil {
					return err
				}
			}
		}
		if t := c.ThinkingConfig; t != nil {
			if err := refuse(thinking, "config.thinkingConfig.", t, col); err != nil {
				return err
			}
		}
		if err := refuseContent(c.SystemInstruction, "config.systemInstruction.", col); err != nil {
			return err
		}
	}
	for _, c := range r.Contents {
		if err := refuseContent(c, "contents.", col); err != nil {
			return err
		}
	}
	return nil
}

func refuseTool(t *genai.Tool, col Column) error {
	if t == nil {
		return nil
	}
	if err := refuse(tool, "config.tools.", t, col); err != nil {
		return err
	}
	for i, d := range t.FunctionDeclarations {
		if d == nil || d.Name == "" {
			return fault.Bad(fmt.Sprintf("config.tools.functionDeclarations[%d].name", i), "a function needs a name")
		}
		if err := refuse(declaration, "config.tools.functionDeclarations.", d, col); err != nil {
			return err
		}
	}
	return nil
}

func refuseContent(c *genai.Content, prefix string, col Column) error {
	if c == nil {
		return nil
	}
	for _, p := range c.Parts {
		if p == nil {
			continue
		}
		err := refuse(part, prefix+"parts.", p, col)
		if err == nil && p.InlineData != nil {
			err = refuse(blob, prefix+"parts.inlineData.", p.InlineData, col)
		}
		if err == nil && p.FileData != nil {
			err = refuse(file, prefix+"parts.fileData.", p.FileData, col)
		}
		if err == nil && p.FunctionCall != nil {
			err = refuse(call, prefix+"parts.functionCall.", p.FunctionCall, col)
		}
		if err == nil && p.FunctionResponse != nil {
			err = refuse(response, prefix+"parts.functionResponse.", p.FunctionResponse, col)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Markdown returns the fidelity table for a document: one row for each field,
// one column for each kind of server; C = carried, E = emulated, R = refused,
// with the reasons numbered below.
func Markdown() string {
	var b, notes strings.Builder
	numbers := map[string]int{}
	b.WriteString("| field |")
	for c := range NumColumns {
		b.WriteString(" " + c.String() + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", int(NumColumns)) + "\n")
	for _, f := range Features() {
		b.WriteString("| `" + f.Field + "` |")
		for _, c := range f.Cells {
			b.WriteString(" " + letters(c.Fate))
			if c.How != "" {
				n, ok := numbers[c.How]
				if !ok {
					n = len(numbers) + 1
					numbers[c.How] = n
					fmt.Fprintf(&notes, "%d. %s\n", n, c.How)
				}
				fmt.Fprintf(&b, " [%d]", n)
			}
			b.WriteString(" |")
		}
		b.WriteString("\n")
	}
	b.WriteString("\nC = carried, E = emulated and reported, R = refused by name.\n\n")
	return b.String() + notes.String()
}

func letters(f Fate) string {
	var s []string
	for i, l := range []string{"C", "E", "R"} {
		if f&(1<<i) != 0 {
			s = append(s, l)
		}
	}
	return strings.Join(s, "/")
}
