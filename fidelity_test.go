// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gemma-go/sdk/internal/wire"
)

var update = flag.Bool("update", false, "write the generated parts of the documents")

const fidelityHead = `# Fidelity

What becomes of each field of a request on each kind of server. Nothing is dropped silently: a field is carried, or emulated
(and EventEmulated says so), or refused with an error of KindUnsupported that names it. This page is made from the table in the
code (internal/wire); the tests send every field to every column and look at what the server received.

`

// TestFidelityDocument holds docs/fidelity.md, and README's short table, to the
// table in the code. After a change: go test . -run Fidelity -update
func TestFidelityDocument(t *testing.T) {
	want := fidelityHead + strings.TrimRight(wire.Markdown(), "\n") + "\n"
	compare(t, "docs/fidelity.md", want)

	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- fidelity -->\n", "<!-- /fidelity -->\n"
	before, rest, ok := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatal("README.md has no place for the fidelity table")
	}
	compare(t, "README.md", before+begin+shortTable(t)+end+after)
}

func compare(t *testing.T, name, want string) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil && !*update {
		t.Fatal(err)
	}
	if string(got) == want {
		return
	}
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Errorf("%s does not say what the code does: go test . -run Fidelity -update", name)
}

// shortTable is README's: what users ask for most, without the reasons.
func shortTable(t *testing.T) string {
	rows := []struct{ name, field string }{
		{"system instruction", "config.systemInstruction"}, {"temperature (0 too)", "config.temperature"}, {"topP", "config.topP"},
		{"topK", "config.topK"}, {"max output tokens", "config.maxOutputTokens"}, {"stop sequences", "config.stopSequences"}, {"seed", "config.seed"},
		{"penalties", "config.presencePenalty"}, {"JSON mode", "config.responseMimeType"}, {"JSON schema", "config.responseJsonSchema"},
		{"function tools", "config.tools"}, {"thoughts", "config.thinkingConfig"}, {"images", "contents.parts.inlineData"},
		{"hosted tools (search, …)", "config.tools.googleSearch"}, {"cached content", "config.cachedContent"},
	}
	var b strings.Builder
	b.WriteString("| |")
	for c := range wire.NumColumns {
		fmt.Fprintf(&b, " %s |", c)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", int(wire.NumColumns)) + "\n")
	for _, r := range rows {
		found := false
		for _, f := range wire.Features() {
			if f.Field != r.field {
				continue
			}
			found = true
			fmt.Fprintf(&b, "| %s |", r.name)
			for _, c := range f.Cells {
				fmt.Fprintf(&b, " %s |", c.Fate)
			}
			b.WriteByte('\n')
		}
		if !found {
			t.Errorf("the table has no row %s", r.field)
		}
	}
	return b.String()
}
