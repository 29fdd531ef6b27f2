//go:build unix

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// small is a repository with a package, documents and a notebook.
var small = map[string]string{
	"README.md":      "# Read [docs](docs/a.md)\n",
	"docs/a.md":      "# A\n\n[one](../vaelib/one), [a file](../vaelib/one/one.go), [gone](../scripts/verify), [b](../notebooks/02-b.ipynb)\n",
	"data/README.md": "# Not in the book\n",
	"vaelib/one/one.go": "// Package one has [Thing].\n//\n// # Heading\n//\n// More.\npackage one\n\n// Thing is a thing.\ntype Thing struct{}\n\n" +
		"// Make makes a [Thing], see [Thing.Do].\nfunc Make() Thing { panic(1) }\n\n// Do does.\nfunc (Thing) Do() {}\n",
	"vaelib/one/one_test.go": "package one\n",
	"notebooks/01-a.md":      header + "# The first\n",
	".venv/lib/python3/site-packages/mathjax/static/mathjax/es5/tex-svg-full.js": "// MathJax",
}

func TestBookPages(t *testing.T) {
	root := t.TempDir()
	for name, text := range small {
		if err := writePage(filepath.Join(root, name), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	hidden := map[string]any{"jupyter": map[string]any{"source_hidden": true}, "tags": []string{"x"}}
	text, err := json.Marshal(map[string]any{"cells": []any{
		map[string]any{"cell_type": "markdown", "source": []string{"# The first\n", "\n", "see [one](../vaelib/one)"}},
		map[string]any{"cell_type": "code", "source": "!*bash setup", "metadata": map[string]any{}},
		map[string]any{"cell_type": "code", "source": `import "vaefolio/vaelib/one"`, "metadata": hidden},
		map[string]any{"cell_type": "code", "source": "%%", "metadata": map[string]any{}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	saved := filepath.Join(root, "notebooks", "01-a.ipynb")
	write(t, saved, string(text))
	books, err := find(filepath.Join(root, "notebooks"), nil)
	if err != nil {
		t.Fatal(err)
	}
	pages := t.TempDir()
	if err := (environment{root}).bookPages(books, pages); err != nil {
		t.Fatal(err)
	}
	for page, wants := range map[string][]string{
		"index.md":          {"notebooks/01-a\n", "docs/a\n", "README\n", "api/index\n"},
		"docs/a.md":         {"[one](../api/one.md), [a file](../vaelib/one/one.go), gone, b"},
		"api/index.md":      {"\none\n"},
		"api/one.md":        {"## type Thing", "[Thing](#type-thing)", "### Thing.Do", "func Make() Thing\n", "### Heading\n", "../vaelib/one/one.go"},
		"vaelib/one/one.go": {"package one"},
		"notebooks/01-a.ipynb": {
			`# 01 · The first\n`, `[one](../api/one.md)`, `"tags":["x","hide-input"]`, `"tags":["hide-input"]`, "in these cells: [one]",
		},
	} {
		text, err := os.ReadFile(filepath.Join(pages, page))
		if err != nil {
			t.Error(err)
		}
		for _, want := range wants {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s lacks %q:\n%s", page, want, text)
			}
		}
	}
	for _, absent := range []string{"data/README.md", "vaelib/one/one_test.go"} {
		if _, err := os.Stat(filepath.Join(pages, absent)); err == nil {
			t.Errorf("%s is in the book", absent)
		}
	}
	if err := os.Remove(saved); err != nil {
		t.Fatal(err)
	}
	if err := (environment{root}).bookPages(books, pages); err == nil || !strings.Contains(err.Error(), "notebooks run 01-a") {
		t.Errorf("without outputs: %v", err)
	}
}

func TestBookFolder(t *testing.T) {
	out := t.TempDir()
	if err := replaceable(out); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	write(t, filepath.Join(out, "mine.txt"), "")
	if err := replaceable(out); err == nil || !strings.Contains(err.Error(), "-out") {
		t.Errorf("a folder with another's files: %v", err)
	}
	write(t, filepath.Join(out, bookFile), "")
	if err := replaceable(out); err != nil {
		t.Errorf("a book: %v", err)
	}
}

func TestOffline(t *testing.T) {
	for text, allowed := range map[string]bool{
		`<script defer src="_static/tex-svg-full.js">`:               true,
		`<a href="https://go.dev">`:                                  true,
		`<script src="https://cdn.example/x.js">`:                    false,
		`<link rel="stylesheet" href="//fonts.example/a.css">`:       false,
		`<img alt="a" src="http://example.com/a.png">`:               false,
		`<link rel="index" href="genindex.html"><img src="a.png" />`: true,
	} {
		folder := t.TempDir()
		write(t, filepath.Join(folder, "a.html"), text)
		if err := checkOffline(folder); (err == nil) != allowed {
			t.Errorf("%s: %v", text, err)
		}
	}
}
