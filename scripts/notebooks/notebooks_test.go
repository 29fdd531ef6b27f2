//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// header begins every source.
const header = `---
jupyter:
  kernelspec:
    display_name: Go (gonb)
    language: go
    name: gonb
---

`

// saved is a notebook as the runner saves it, stamped with a hash.
func saved(t *testing.T, hash string) string {
	t.Helper()
	text, err := json.MarshalIndent(map[string]any{
		"cells": []any{
			map[string]any{"cell_type": "markdown", "id": "a", "metadata": map[string]any{}, "source": []string{"# A <b>"}},
			map[string]any{
				"cell_type": "code", "id": "b", "execution_count": 1, "metadata": map[string]any{}, "source": []string{"%%"},
				"outputs": []any{map[string]any{"output_type": "stream", "name": "stdout", "text": []string{"out"}}},
			},
		},
		"metadata": map[string]any{"vaefolio": map[string]any{
			sourceKey: hash, contentKey: unknownHash, libraryKey: "abc", "small": map[string]any{"rows": 3},
		}},
		"nbformat": 4, "nbformat_minor": 5,
	}, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	stamped, err := stampContent(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return stamped
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFind(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"02-b.md", "01-a.md", "README.md", "01-a.ipynb"} {
		write(t, filepath.Join(folder, name), header+"# Title of "+name+"\n")
	}
	names := func(given ...string) []string {
		books, err := find(folder, given)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, book := range books {
			found = append(found, book.name)
		}
		return found
	}
	if diff := cmp.Diff([]string{"01-a", "02-b"}, names()); diff != "" {
		t.Errorf("all notebooks (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"02-b", "01-a", "01-a"}, names("02-b", "notebooks/01-a.md", "01-a.ipynb")); diff != "" {
		t.Errorf("named notebooks (-want +got):\n%s", diff)
	}
	_, err := find(folder, []string{"README"})
	var unknown *unknownNotebookError
	if !errors.As(err, &unknown) {
		t.Errorf("README found as a notebook: %v", err)
	}
	books, _ := find(folder, nil)
	if title, err := books[0].title(); err != nil || title != "Title of 01-a.md" {
		t.Errorf("title %q, %v", title, err)
	}
}

func TestStateAndClean(t *testing.T) {
	folder := t.TempDir()
	book := notebook{"01-a", filepath.Join(folder, "01-a.md"), filepath.Join(folder, "01-a.ipynb")}
	expect := func(want state) {
		t.Helper()
		if got, err := book.state(); err != nil || got != want {
			t.Errorf("state %s, %v, want %s", got, err, want)
		}
	}
	write(t, book.source, header+"# A\n")
	expect(missing)
	hash, err := book.hash()
	if err != nil {
		t.Fatal(err)
	}
	write(t, book.saved, saved(t, hash))
	expect(current)
	whole := saved(t, hash)
	var tight bytes.Buffer
	if err := json.Compact(&tight, []byte(whole)); err != nil {
		t.Fatal(err)
	}
	write(t, book.saved, tight.String()) // as another program lays it out
	expect(current)
	for old, changed := range map[string]string{
		`"%%"`: `"%%%"`, `"out"`: `"better"`, `"rows": 3`: `"rows": 4`, `"# A`: `"# B`, contentKey: "another",
	} {
		write(t, book.saved, strings.Replace(whole, old, changed, 1))
		expect(edited)
		if err := checkSaved(book); err == nil || !strings.Contains(err.Error(), "changed after they were saved") {
			t.Errorf("%s: error %v", changed, err)
		}
	}
	write(t, book.saved, strings.Replace(whole, `"abc"`, `"abd"`, 1)) // of another commit of the library
	expect(current)
	write(t, book.source, header+"# B\n")
	expect(stale)
	if library, err := book.library(); err != nil || library != "abd" {
		t.Errorf("commit %q, %v", library, err)
	}

	if cleaned, err := book.clean(); !cleaned || err != nil {
		t.Fatalf("cleaned %t, %v", cleaned, err)
	}
	expect(cleared)
	if _, err := book.library(); err == nil || !strings.Contains(err.Error(), "taken out") {
		t.Errorf("without outputs: error %v", err)
	}
	text, err := os.ReadFile(book.saved)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(text, []byte("out\"")) || !bytes.Contains(text, []byte("# A <b>")) {
		t.Errorf("after cleaning: %s", text)
	}
	if cleaned, err := book.clean(); cleaned || err != nil {
		t.Errorf("cleaned %t a second time, %v", cleaned, err)
	}

	write(t, book.saved, "no notebook")
	if _, err := book.state(); err == nil || !strings.Contains(err.Error(), "notebooks run 01-a") {
		t.Errorf("error %v names no remedy", err)
	}
}

func TestSolutions(t *testing.T) {
	folder := t.TempDir()
	book := notebook{"01-a", filepath.Join(folder, "01-a.md"), filepath.Join(folder, "01-a.ipynb")}
	if blocks, err := book.solutions(); err != nil || len(blocks) != 0 {
		t.Errorf("without a file: %v, %v", blocks, err)
	}
	if err := os.Mkdir(filepath.Join(folder, "solutions"), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, "solutions", "01-a.md")
	write(t, path, "# A\n\n```go\nan example\n```\n\n**Exercise 1.** Two.\n\n```go\nanswer := 2.0\n```\n\n"+
		"**Exercise 2.** Words.\n\n**Exercise 10.** Lines.\n\n```go\na := 1.0\nanswer := a\n```\n")
	blocks, err := book.solutions()
	if diff := cmp.Diff(map[string]string{"1": "answer := 2.0", "10": "a := 1.0\nanswer := a"}, blocks); err != nil || diff != "" {
		t.Errorf("%v, blocks (-want +got):\n%s", err, diff)
	}
	write(t, path, "**Exercise 1.**\n\n```go\nanswer := 2.0\n```\n\n```go\nanswer := 3.0\n```\n")
	if _, err := book.solutions(); err == nil || !strings.Contains(err.Error(), "exercise 1 has two blocks") {
		t.Errorf("error %v for two blocks", err)
	}
}

// The command as users call it: results, one-line errors and exit codes.
func TestVerb(t *testing.T) {
	root := t.TempDir()
	t.Chdir(root)
	execute := func(args ...string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		code := verb.Execute(t.Context(), args, &stdout, &stderr)
		return code, stdout.String(), stderr.String()
	}
	refused := func(want int, text string, args ...string) {
		t.Helper()
		code, _, stderr := execute(args...)
		if code != want || !strings.HasPrefix(stderr, "notebooks: ") || !strings.Contains(stderr, text) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit %d with %q, want %d with one line of %q", args, code, stderr, want, text)
		}
	}
	refused(1, "repository", "list")

	write(t, filepath.Join(root, "go.mod"), "module vaefolio\n")
	if err := os.MkdirAll(filepath.Join(root, "notebooks", "deeper"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(root, "notebooks", "01-a.md"), header+"# The first\n")
	t.Chdir(filepath.Join(root, "notebooks", "deeper"))
	code, stdout, stderr := execute("list", "-format", "json")
	for _, want := range []string{`{"name": "01-a", "outputs": "missing", "cells": 0, `, `"open": 0, "title": "The first"}`} {
		if code != 0 || !strings.Contains(stdout, want) || stderr != "" {
			t.Errorf("list: exit %d, %q, %q, want %q", code, stdout, stderr, want)
		}
	}
	refused(2, "command is missing")
	refused(2, `"walk" is not one of`, "walk")
	refused(2, "unknown notebook", "run", "02-b")
	refused(2, "leftover", "setup", "01-a")
	refused(2, "-lab", "run", "-lab")
	refused(2, "-small", "list", "-small")
	refused(2, "-timeout", "run", "-timeout", "0")
	refused(2, "name and its value", "run", "-set", "rows")
	refused(2, "not a Go expression", "run", "-set", "rows=3+")
	refused(2, "given twice", "run", "-set", "rows=3,rows=4")
	refused(2, "one notebook", "run", "-to", "x.ipynb")
	refused(2, ".ipynb", "run", "-to", "x.md", "01-a")
	refused(2, "leave one out", "run", "-text", "-small")
	refused(2, "-set", "check", "-set", "rows=3")
	refused(1, "notebooks setup", "run", "01-a")
	t.Setenv("PATH", "")
	refused(1, "no go on the PATH", "setup")
}

func TestAssignments(t *testing.T) {
	got, err := assignments([]string{"rows=600", "lookbacks=[]int{60", "120}", ` prices="a.csv"`, "beta=1 / 3.0"})
	want := map[string]string{"rows": "600", "lookbacks": "[]int{60,120}", "prices": `"a.csv"`, "beta": "1 / 3.0"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
}

// Cells link neither XLA nor symbols for a debugger, and keep the user's flags.
func TestQuicken(t *testing.T) {
	t.Setenv("GOFLAGS", "-mod=mod")
	variables := map[string]string{}
	if err := quicken(t.Context(), "go", variables); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod '-ldflags=-s -w'"}
	if !maps.Equal(variables, want) {
		t.Errorf("variables of the kernel %v, want %v", variables, want)
	}
	t.Setenv("GOFLAGS", variables["GOFLAGS"])
	if out, err := exec.Command("go", "env", "GOFLAGS").CombinedOutput(); err != nil {
		t.Errorf("go refuses these flags: %s", out)
	}
}

// realEnvironment is this repository's environment; the test is skipped where
// it was not set up.
func realEnvironment(t *testing.T) environment {
	t.Helper()
	if testing.Short() {
		t.Skip("executes notebooks, which takes seconds")
	}
	root, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	env := environment{root}
	if err := env.check(); err != nil {
		t.Skip(err)
	}
	return env
}

// ample is more seconds than compiling and running a cell takes on a busy machine.
const ample = 500

// cells joins cells to a source.
func cells(code ...string) string {
	var b strings.Builder
	b.WriteString(header + "# Test\n")
	for _, c := range code {
		b.WriteString("\n```go\n" + c + "\n```\n")
	}
	return b.String()
}

func executeSource(
	ctx context.Context, t *testing.T, source string, small bool, set map[string]string, timeout float64,
) (string, error) {
	env := realEnvironment(t)
	folder := t.TempDir()
	path := filepath.Join(folder, "01-test.md")
	write(t, path, source)
	return env.execute(ctx, job{
		Source: path, Folder: folder, Small: small, Set: set, Timeout: timeout, Stamp: map[string]string{sourceKey: "hash"},
	},
		func(int, int) {})
}

func TestFaults(t *testing.T) {
	realEnvironment(t)
	tests := []struct {
		name, source string
		timeout      float64
		cell         int
		text         string
	}{
		{"compile error", cells("%%\nx := undefinedName"), ample, 2, "undefined: undefinedName"},
		{"declarations", cells("var a = 1", "var b = undefinedName", "%%\nprint(a)"), ample, 3, "undefined: undefinedName"},
		{"panic", cells("%%\nprint()", "%%\npanic(\"at the disco\")"), ample, 3, "exit status 2"},
		{"shell command", cells("!false"), ample, 2, "exit status 1"},
		{"stderr", cells("import \"os\"\n\n%%\nos.Stderr.WriteString(\"a warning\")"), ample, 2, "a warning"},
		{"time limit", cells("import \"time\"\n\n%%\ntime.Sleep(time.Minute)"), 3, 2, "past the limit"},
		{"no cells", cells(), ample, 0, "no cell to run"},
		{"unknown parameter", strings.Replace(cells("%%"), "---\n\n", "  vaefolio:\n    small:\n      steps: 1\n---\n\n", 1), ample, 0, "0 cells are tagged"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			small := test.name == "unknown parameter"
			_, err := executeSource(t.Context(), t, test.source, small, nil, test.timeout)
			var fault *cellError
			if !errors.As(err, &fault) {
				t.Fatalf("error %v is not a fault of the notebook", err)
			}
			if fault.cell != test.cell || !strings.Contains(fault.text, test.text) || strings.Contains(err.Error(), "\n") {
				t.Errorf("fault %q in cell %d, want %q in cell %d", fault.text, fault.cell, test.text, test.cell)
			}
		})
	}
}

// Where only faults are asked for, cells of a section are one program, as if each were one.
func TestSections(t *testing.T) {
	env := realEnvironment(t)
	folder := t.TempDir()
	path := filepath.Join(folder, "01-test.md")
	execute := func(last string) (string, error) {
		write(t, path, cells("import \"fmt\"", "%%\nx := 1\nfmt.Println(x)\nif x > 0 {\n\treturn\n}",
			"import \"os\"\n\nvar known = len(os.Args)", last))
		stamp := map[string]string{sourceKey: "hash"}
		return env.execute(t.Context(), job{Source: path, Folder: folder, Sections: true, Timeout: ample, Stamp: stamp},
			func(int, int) {})
	}
	executed, err := execute("%%\nx := 2\nfmt.Println(x, known)")
	if err != nil || !strings.Contains(executed, `"1\n",`) || !strings.Contains(executed, `"2 1\n"`) {
		t.Errorf("%v, outputs:\n%s", err, executed)
	}
	var fault *cellError
	if _, err = execute("%%\npanic(\"at the disco\")"); !errors.As(err, &fault) || fault.cell != 5 {
		t.Errorf("error %v, want a fault of cell 5", err)
	}
}

// Exercises are open as they stand, and solved with their solutions in the answers' place.
func TestExercises(t *testing.T) {
	env := realEnvironment(t)
	path := filepath.Join(t.TempDir(), "01-test.md")
	const helpers = "import (\n\t\"math\"\n\n\t\"fmt\"\n)\n\n// lesson stands for the package.\nvar lesson checker\n\n" +
		"type checker struct{}\n\nfunc (checker) Answer(k int, answer, right float64) {\n\tverdict := \"not yet\"\n" +
		"\tif math.IsNaN(answer) {\n\t\tverdict = \"open\"\n\t} else if answer == right {\n\t\tverdict = \"solved\"\n\t}\n" +
		"\tfmt.Printf(\"exercise %d: %s\\n\", k, verdict)\n}\n\n" +
		"func tried(f func(float64) float64) float64 {\n\tif f == nil {\n\t\treturn math.NaN()\n\t}\n\treturn f(3)\n}"
	const first = "%%\nanswer := math.NaN()\nlesson.Answer(1, answer, 2)"
	const second = "%%\nvar answer func(float64) float64\nlesson.Answer(2, tried(answer), 9)"
	square := "answer := func(x float64) float64 {\n\treturn x * x\n}"
	for _, test := range []struct {
		name      string
		cells     []string
		solutions map[string]string
		cell      int
		text      string
	}{
		{"right", []string{helpers, first, second}, map[string]string{"1": "answer := 2.0", "2": square}, 0, ""},
		{"wrong", []string{helpers, first, second}, map[string]string{"1": "answer := 3.0", "2": square}, 3,
			"exercise 1 as it stands and with its solution: open; not yet"},
		{"none", []string{helpers, first}, map[string]string{}, 3, "exercise 1 has no solution"},
		{"too many", []string{helpers, first}, map[string]string{"1": "answer := 2.0", "2": square}, 0, "no exercise for the solution of 2"},
	} {
		write(t, path, cells(test.cells...))
		_, err := env.execute(t.Context(), job{Source: path, Folder: filepath.Dir(path), Sections: true, Timeout: ample,
			Solutions: test.solutions, Stamp: map[string]string{sourceKey: "hash"}}, func(int, int) {})
		var fault *cellError
		if test.text == "" && err == nil {
			continue
		}
		if !errors.As(err, &fault) || fault.cell != test.cell || !strings.Contains(fault.text, test.text) {
			t.Errorf("%s: error %v, want one of cell %d with %q", test.name, err, test.cell, test.text)
		}
	}
}

func TestSmallParameters(t *testing.T) {
	source := strings.Replace(cells("%%\nprintln := fmt.Println\nprintln(steps, seed)"), "---\n\n",
		"  vaefolio:\n    small:\n      steps: 3\n---\n\n", 1)
	source = strings.Replace(source, "# Test\n", "# Test\n\n```go tags=[\"parameters\"]\nvar (\n\tsteps = 100\n\tseed  = 7\n)\n```\n", 1)
	source = strings.Replace(source, "%%\nprintln", "import \"fmt\"\n\n%%\nprintln", 1)
	var texts []string
	for _, small := range []bool{false, true, true} {
		executed, err := executeSource(t.Context(), t, source, small, nil, ample)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, executed)
	}
	if !strings.Contains(texts[0], `100 7\n`) || !strings.Contains(texts[1], `3 7\n`) {
		t.Errorf("outputs without and with small parameters:\n%s\n%s", texts[0], texts[1])
	}
	if texts[1] != texts[2] {
		t.Error("two executions of one source differ")
	}
	if strings.Contains(texts[1], "var steps = 3") {
		t.Error("the injected cell was saved")
	}
	if !strings.Contains(texts[0], `"source_sha256": "hash"`) {
		t.Error("the saved notebook has no stamp")
	}
	set, err := executeSource(t.Context(), t, source, true, map[string]string{"seed": "2 + 3"}, ample)
	if err != nil || !strings.Contains(set, `3 5\n`) || !strings.Contains(set, `"seed": "2 + 3"`) {
		t.Errorf("with another seed: %v\n%s", err, set)
	}
	var fault *cellError
	_, err = executeSource(t.Context(), t, source, false, map[string]string{"sead": "2"}, ample)
	if !errors.As(err, &fault) || !strings.Contains(fault.text, "which has steps, seed") {
		t.Errorf("unknown parameter: %v", err)
	}
}

// New text around the outputs of the same code, in other cells perhaps, needs no run.
func TestText(t *testing.T) {
	env := realEnvironment(t)
	folder := t.TempDir()
	source, saved := filepath.Join(folder, "01-a.md"), filepath.Join(folder, "01-a.ipynb")
	text := func(code ...string) (string, error) {
		write(t, source, cells(code...)+"\nNew text.\n")
		return env.execute(t.Context(), job{Source: source, Folder: folder, Timeout: ample, Saved: saved,
			Stamp: map[string]string{sourceKey: "hash"}}, func(int, int) {})
	}
	const first, second, third = "import \"fmt\"", "var a = 1", "%%\nfmt.Println(a)"
	executed, err := executeSource(t.Context(), t, cells(first+"\n\n"+second, third, "%%\nfmt.Println(7)"), false, nil, ample)
	if err != nil {
		t.Fatal(err)
	}
	write(t, saved, executed)
	got, err := text(first, second, third)
	if err != nil || !strings.Contains(got, `"1\n"`) || strings.Contains(got, `"7\n"`) || !strings.Contains(got, "New text.") {
		t.Errorf("%v:\n%s", err, got)
	}
	for _, code := range [][]string{{first, "var a = 2", third}, {first, second, third, "%%"}, {first, third}} {
		if _, err := text(code...); err == nil || !strings.Contains(err.Error(), "run it without -text") {
			t.Errorf("%q: error %v", code, err)
		}
	}
}

// Papermill gives parameters to Go notebooks by the small package in python.
func TestPapermill(t *testing.T) {
	python := os.Getenv("VAELIB_PAPERMILL_PYTHON")
	if python == "" {
		t.Skip("VAELIB_PAPERMILL_PYTHON names no Python that has papermill and python/papermill-go")
	}
	out, err := exec.Command(python, "-c", "import papermill, papermill_go, doctest\n"+
		"raise SystemExit(doctest.testmod(papermill_go).failed)").CombinedOutput()
	if err != nil {
		t.Errorf("the translator's examples: %v\n%s", err, out)
	}
	env := realEnvironment(t)
	source := strings.Replace(cells("import \"fmt\"\n\n%%\nfmt.Println(steps, seed)"), "# Test\n",
		"# Test\n\n```go tags=[\"parameters\"]\nvar (\n\tsteps = 100\n\tseed  = uint64(7)\n)\n```\n", 1)
	folder := t.TempDir()
	write(t, filepath.Join(folder, "in.md"), source)
	for _, command := range [][]string{
		{env.path("bin", "python"), "-m", "jupytext", "--quiet", "--to", "ipynb", "in.md"},
		{python, "-m", "papermill", "--no-progress-bar", "-p", "steps", "5", "-p", "seed", "uint64(2)", "in.ipynb", "out.ipynb"},
	} {
		c := exec.Command(command[0], command[1:]...)
		c.Dir = folder
		c.Env = append(os.Environ(), "JUPYTER_DATA_DIR="+env.path("share", "jupyter"))
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", command, err, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, "out.ipynb"))
	if err != nil || !bytes.Contains(text, []byte(`5 2\n`)) {
		t.Errorf("%v, outputs:\n%s", err, text)
	}
}

// An interrupted execution leaves no kernel and no program behind, not even
// for a moment: the runner waits for the end of both. Only Linux lets it wait
// for the program, which is not its child.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the runner can't wait for a program of its kernel here")
	}
	realEnvironment(t)
	note := filepath.Join(t.TempDir(), "pids")
	if err := syscall.Mkfifo(note, 0o600); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	source := cells("import (\n\t\"os\"\n\t\"strconv\"\n\t\"time\"\n)\n\n%%\nos.WriteFile(" + strconv.Quote(note) +
		", []byte(strconv.Itoa(os.Getpid())+\" \"+strconv.Itoa(os.Getppid())), 0o600)\ntime.Sleep(time.Minute)")
	ctx, cancel := context.WithCancel(t.Context())
	pids := make(chan string, 1)
	go func() {
		text, err := os.ReadFile(note) // waits until the cell writes
		if err != nil {
			t.Error(err)
		}
		pids <- string(text)
		cancel()
	}()
	if _, err := executeSource(ctx, t, source, false, nil, ample); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want that of the context", err)
	}
	for _, field := range strings.Fields(<-pids) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d is still there: %v", pid, err)
		}
	}
}
