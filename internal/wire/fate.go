// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"strings"

	"github.com/gemma-go/sdk/internal/fault"
)

// Column is a kind of server, as far as it matters to what becomes of a
// request's fields.
type Column uint8

const (
	ColPrebuilt     Column = iota // the Gemini route of the prebuilt Gemma 3 container
	ColGemini                     // a server of the whole Gemini API
	ColOllama                     // Ollama's native API
	ColOllamaOpenAI               // Ollama's OpenAI-compatible API
	ColVLLM                       // vLLM
	ColOpenAI                     // another OpenAI-compatible server
	NumColumns
)

var columns = [NumColumns]string{
	"Gemini, prebuilt Gemma 3", "Gemini, full", "Ollama", "Ollama's OpenAI route", "vLLM", "other OpenAI-compatible",
}

func (c Column) String() string { return columns[c] }

// ColumnOf returns the column of a server. Of an unknown server the least is
// assumed.
func ColumnOf(p Protocol, s Software) Column {
	switch p {
	case Gemini:
		if s == FullGemini {
			return ColGemini
		}
		return ColPrebuilt
	case Ollama:
		return ColOllama
	}
	switch s {
	case OllamaServer:
		return ColOllamaOpenAI
	case VLLM:
		return ColVLLM
	}
	return ColOpenAI
}

// Fate is what becomes of a field. A field whose fate depends on its value or
// on the model has more than one bit.
type Fate uint8

const (
	Carried  Fate = 1 << iota // the server gets it and honours it
	Emulated                  // the codec brings its meaning about by other means, and reports it
	Refused                   // the call ends with an Unsupported fault that names it
)

func (f Fate) String() string {
	var s []string
	for i, name := range []string{"carried", "emulated", "refused"} {
		if f&(1<<i) != 0 {
			s = append(s, name)
		}
	}
	return strings.Join(s, " or ")
}

// Cell is a field's fate at one kind of server.
type Cell struct {
	Fate Fate
	How  string // how it is emulated, why it is refused, on what it depends; may be ""
}

// Feature is one row of the fidelity table.
type Feature struct {
	Field  string // as an error names it: "config.topK", "contents.parts.fileData"
	Client bool   // the client takes the field itself, before any codec sees it
	Cells  [NumColumns]Cell
}

// row is a Feature together with the question whether a value asks for it. A
// neutral value (unset, empty, or what every server does anyway) asks for
// nothing.
type row[T any] struct {
	name   string // the JSON name, and the Gemini API's
	asks   func(*T) bool
	cells  [NumColumns]Cell
	client bool
}

func refuse[T any](rows []row[T], prefix string, v *T, col Column) error {
	for i := range rows {
		r := &rows[i]
		if !r.asks(v) {
			continue
		}
		if r.client {
			return fault.Refuse(prefix+r.name, "has to be taken by the client")
		}
		if c := &r.cells[col]; c.Fate == Refused {
			f := fault.Refuse(prefix+r.name, c.How)
			f.Hint = hint(&r.cells, col)
			return f
		}
	}
	return nil
}

// hint names the way out, if the same container may offer one.
func hint(cells *[NumColumns]Cell, col Column) string {
	if (col == ColPrebuilt || col == ColOllamaOpenAI) && cells[ColOllama].Fate&(Carried|Emulated) != 0 {
		return "use ProtocolOllama, which carries it"
	}
	return ""
}

// Helpers that keep the table readable: one cell for all columns, or one for each in
// the order of the columns.

func every(c Cell) [NumColumns]Cell {
	return [NumColumns]Cell{c, c, c, c, c, c}
}

// hosted is a field that only the hosted Gemini API has a meaning for.
func hosted(why string) [NumColumns]Cell {
	c := every(Cell{Refused, why})
	c[ColGemini] = yes
	return c
}

// vertex is a field that the Gemini API itself does not have.
func vertex(why string) [NumColumns]Cell { return every(Cell{Refused, why}) }

func cells(prebuilt, gemini, ollama, ollamaOpenAI, vllm, openAI Cell) [NumColumns]Cell {
	return [NumColumns]Cell{prebuilt, gemini, ollama, ollamaOpenAI, vllm, openAI}
}

// whole is a field of the prompt that every server takes.
func whole() [NumColumns]Cell { return every(yes) }

var yes = Cell{Fate: Carried}

func no(why string) Cell              { return Cell{Refused, why} }
func emulated(how string) Cell        { return Cell{Emulated, how} }
func depends(f Fate, how string) Cell { return Cell{f, how} }
