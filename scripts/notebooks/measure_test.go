//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestOpenNumbers(t *testing.T) {
	parameters := section{text: "# Title of 2026\nIt takes 14 of 30 cells and 20 seconds by 16:45, 95 % of 8,760.", evidence: "rows = 6_000\nbeta = 0.1"}
	run := "R² 0.9731, share 0.125, 1,024 draws, 3e-05"
	tests := []struct {
		text string
		open []string
	}{
		{"R² is 0.97, or .973, of 6,000 rows: 12.5 % and 1024 draws, 3 times", nil},
		{"R² is 0.98", []string{"R² is 0.98"}},
		{"nearly 13 % of 7,000 rows", []string{"nearly 13 % of 7,000"}},
		{"error of 3e-05, not 4e-05", []string{"error of 3e-05, not 4e-05"}},
		{"## 45. A heading\n1. one\n25. two\nsee section 17, notebook 41 and (04), Kingma 2014, `x := 99`, $n = 77$, [a](b-88)", nil},
		{"```go\nx := 555\n```\n<!-- 556 -->", nil},
	}
	for _, test := range tests {
		got := openNumbers([]section{parameters, {text: test.text, evidence: run}})
		want := append([]string{"It takes 14", "It takes 14 of 30"}, test.open...)
		if test.open == nil {
			want = want[:2]
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", test.text, diff)
		}
	}
	// A section without cells may have the numbers of all, another section not.
	sections := []section{parameters, {text: "## 1\n", evidence: run}, {text: "## 2\n0.973", evidence: "nothing"}, {text: "## Summary\n0.973"}}
	if got := openNumbers(sections); len(got) != 3 {
		t.Errorf("open numbers %q, want that of section 2 alone besides those of the beginning", got)
	}
}

func TestTooEarly(t *testing.T) {
	tests := map[string]struct {
		cells []string
		early []string
	}{
		"a function":         {[]string{"func a() int { return b() }", "func b() int { return 1 }"}, []string{"b"}},
		"in what runs":       {[]string{"%%\nfmt.Println(b)", "var b = 1"}, []string{"b"}},
		"behind a package":   {[]string{"var a = sync.OnceValue(func() int { return rng.Do(b(2)) })", "func b(int) int { return 1 }"}, []string{"b"}},
		"a type":             {[]string{"!ls\n%noautoget\nfunc (c *box) open() {}", "type box struct{}"}, []string{"box"}},
		"in order":           {[]string{"func b() int { return 1 }", "func a() int { return b() }"}, nil},
		"declared anew":      {[]string{"var b = 1", "var a = b", "var b = 2"}, nil},
		"a local name":       {[]string{"func a(b int) int { return b }", "var b = 1"}, nil},
		"fields and methods": {[]string{"var a = x.T{b: 1}.b()", "var b = 1"}, nil},
		"a method":           {[]string{"func a(t T) { t.b() }", "func (T) b() {}"}, nil},
		"its own":            {[]string{"func a() int { return b }\nvar b = 1"}, nil},
		"nowhere declared":   {[]string{"var a = b"}, nil},
		"not Go":             {[]string{"x y z", "%%\n}{"}, nil},
	}
	for name, test := range tests {
		got := tooEarly(test.cells)
		if len(got) != len(test.early) || len(got) > 0 && !strings.HasPrefix(got[0], test.early[0]+", in the cell that begins with ") {
			t.Errorf("%s: %q, want %q", name, got, test.early)
		}
	}
}

func TestMeasure(t *testing.T) {
	folder := t.TempDir()
	book := notebook{"01-a", filepath.Join(folder, "01-a.md"), filepath.Join(folder, "01-a.ipynb")}
	write(t, book.source, cells("import (\n\t\"fmt\"\n)", "%%", strings.Repeat("x\n", 60)))
	m, err := book.measure()
	if err != nil || m.cells != 3 || m.median != 3 || m.longest != 61 || m.imports != 3 || m.pictures != 0 {
		t.Errorf("measures %+v, %v", m, err)
	}
	if faults := m.faults(); len(faults) != 1 || !strings.Contains(faults[0], "61 lines in the longest cell") {
		t.Errorf("faults %q", faults)
	}
	write(t, book.saved, `{"cells": [{"cell_type": "markdown", "source": ["It is 44"]}, {"cell_type": "code", "source": "y",
		"outputs": [{"data": {"image/png": "x", "text/plain": ["a"]}}, {"text": "45"}]}]}`)
	if m, err = book.measure(); err != nil || m.pictures != 1 || len(m.open) != 1 || m.bytes == 0 {
		t.Errorf("with outputs: %+v, %v", m, err)
	}
	for _, want := range []string{"61 lines in the longest cell, at most 50", "1 pictures, at least 5", "It is 44"} {
		if faults := strings.Join(m.faults(), "; "); !strings.Contains(faults, want) {
			t.Errorf("faults %q, want %q", faults, want)
		}
	}
}
