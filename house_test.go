// Copyright 2026 The gemma-go authors.
// SPDX-License-Identifier: Apache-2.0

package sdk

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/gemma-go/sdk"

// layers says what each package may import of this module and of others.
// Imports go down this list, never up. A name stands for itself and all below
// it; "std" is always allowed.
var layers = []struct {
	pkg   string
	own   []string // packages of this module
	other []string // modules' packages
}{
	{"internal/models", nil, nil},
	{"internal/fault", nil, nil},
	{"internal/partialjson", nil, nil},
	{"internal/coldstart", []string{"internal/fault"}, nil},
	{"internal/schema", []string{"internal/fault"}, []string{"google.golang.org/genai", "github.com/google/jsonschema-go"}},
	{"internal/toolcall", []string{"internal/fault", "internal/schema"}, []string{"google.golang.org/genai", "github.com/google/jsonschema-go"}},
	{"internal/wire", []string{"internal/fault", "internal/models", "internal/schema", "internal/toolcall", "internal/wire", "internal/partialjson"}, []string{"google.golang.org/genai"}},
	{"internal/telemetry", nil, []string{"google.golang.org/genai", "go.opentelemetry.io/otel"}},
	{"auth", nil, []string{"google.golang.org/api", "golang.org/x/oauth2", "cloud.google.com/go/auth", "cloud.google.com/go/compute/metadata"}},
	{"stream", []string{"internal/partialjson"}, []string{"google.golang.org/genai"}},
	{"gemma/gemmatest", []string{"auth", "internal"}, []string{"google.golang.org/genai"}},
	{"gemma", []string{"auth", "stream", "internal"}, []string{"google.golang.org/genai", "go.opentelemetry.io/otel", "github.com/google/jsonschema-go"}},
	{"deploy", []string{"auth", "internal/models", "deploy"}, []string{"google.golang.org/api"}},
	{"examples", []string{"auth", "stream", "gemma", "deploy"}, []string{"google.golang.org/genai", "google.golang.org/api"}},
}

// TestLayers holds every package's imports against the table.
func TestLayers(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	within := func(pkg string, allowed []string) bool {
		return slices.ContainsFunc(allowed, func(a string) bool { return pkg == a || strings.HasPrefix(pkg, a+"/") })
	}
	seen := 0
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); err != nil {
			break
		}
		seen++
		pkg := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
		if pkg == "" {
			if len(p.Imports) > 0 {
				t.Errorf("the root package imports %v: it is documentation only", p.Imports)
			}
			continue
		}
		at := -1
		for i, l := range layers { // the longest name wins: gemma/gemmatest over gemma
			if within(pkg, []string{l.pkg}) && (at < 0 || len(l.pkg) > len(layers[at].pkg)) {
				at = i
			}
		}
		if at < 0 {
			t.Errorf("package %s has no layer: add it to the table, with what it may import", pkg)
			continue
		}
		for _, imp := range p.Imports {
			own, isOwn := strings.CutPrefix(imp, module+"/")
			first, _, _ := strings.Cut(imp, "/")
			switch {
			case isOwn && !within(own, layers[at].own):
				t.Errorf("%s imports %s, which its layer (%s) may not", pkg, own, layers[at].pkg)
			case isOwn, !strings.Contains(first, "."): // our own and allowed, or the standard library
			case !within(imp, layers[at].other):
				t.Errorf("%s imports %s, which its layer (%s) may not", pkg, imp, layers[at].pkg)
			}
			if layers[at].pkg == "gemma/gemmatest" && own == "gemma" {
				t.Errorf("%s imports gemma: its own tests could not use it", pkg)
			}
		}
	}
	if seen < 5 {
		t.Errorf("go list named %d packages", seen)
	}
}

// TestRootModuleStaysLight holds the direct dependencies of the root module to
// the ones that were argued for.
func TestRootModuleStaysLight(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "mod", "edit", "-json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	allowed := []string{
		"google.golang.org/genai", "google.golang.org/api", "golang.org/x/oauth2",
		"github.com/google/jsonschema-go", "github.com/google/go-cmp",
		"go.opentelemetry.io/otel", "go.opentelemetry.io/otel/metric", "go.opentelemetry.io/otel/trace",
	}
	for _, r := range mod.Require {
		if !r.Indirect && !slices.Contains(allowed, r.Path) {
			t.Errorf("go.mod requires %s directly: argue for it, or give its user a module of its own", r.Path)
		}
	}
}

// TestHeaders holds every Go file to the licence header.
func TestHeaders(t *testing.T) {
	const header = "// Copyright 2026 The gemma-go authors.\n// SPDX-License-Identifier: Apache-2.0\n\n"
	files(t, ".go", func(name string, text []byte) {
		if !bytes.HasPrefix(text, []byte(header)) {
			t.Errorf("%s does not begin with the licence header", name)
		}
	})
}

// TestVersion holds the version constant to the changelog's newest heading.
func TestVersion(t *testing.T) {
	text, err := os.ReadFile("CHANGELOG.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`(?m)^## (\S+)`).FindSubmatch(text)
	if m == nil || string(m[1]) != Version {
		t.Errorf("CHANGELOG.md is headed %q, Version is %q", m, Version)
	}
}

// TestREADME holds README to its length, and its Go blocks to the code that
// they were taken from. Above each Go block stands a comment that names a file and a region:
//
//	<!-- code: examples/quickstart/main.go#stream -->
//
// and the file has the region between "// [stream]" and "// [/stream]".
func TestREADME(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte("\n")); n >= 190 {
		t.Errorf("README.md has %d lines: it is the door, not the manual (under 190)", n)
	}
	blocks := regexp.MustCompile("(?s)(<!-- code: (\\S+)#(\\S+) -->\n)?```go\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) == 0 {
		t.Error("README.md has no Go block")
	}
	for _, b := range blocks {
		file, region, code := string(b[2]), string(b[3]), string(b[4])
		if file == "" {
			t.Errorf("a Go block of README.md does not say where it comes from:\n%s", code)
			continue
		}
		src, err := os.ReadFile(filepath.FromSlash(file))
		if err != nil {
			t.Error(err)
			continue
		}
		_, rest, ok := strings.Cut(string(src), "// ["+region+"]\n")
		want, _, ok2 := strings.Cut(rest, "// [/"+region+"]\n")
		if !ok || !ok2 {
			t.Errorf("%s has no region %s", file, region)
			continue
		}
		if got, want := dedent(code), dedent(want); got != want {
			t.Errorf("README.md's block and %s#%s differ.\nREADME:\n%s\nfile:\n%s", file, region, got, want)
		}
	}
}

// dedent takes the common indentation away, and blank lines at both ends.
func dedent(s string) string {
	lines := strings.Split(strings.Trim(s, "\n\t "), "\n")
	indent := -1
	for i, l := range lines {
		if strings.TrimSpace(l) == "" || i == 0 { // Trim took the first line's
			continue
		}
		n := len(l) - len(strings.TrimLeft(l, "\t"))
		if indent < 0 || n < indent {
			indent = n
		}
	}
	for i, l := range lines {
		if i > 0 && indent > 0 && len(l) >= indent {
			lines[i] = l[indent:]
		}
	}
	return strings.Join(lines, "\n")
}

// files calls f with each tracked or new file that has the ending.
func files(t *testing.T, ending string, f func(name string, text []byte)) {
	t.Helper()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if base := path.Base(filepath.ToSlash(name)); base == "testdata" || (strings.HasPrefix(base, ".") && base != ".") {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ending) {
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			f(name, text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
