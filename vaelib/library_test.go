package vaelib_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestLibrary builds the program of docs/library.md in a module of its own. It has
// the versions of this module, which go mod tidy would find there by the network.
func TestLibrary(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	program := regexp.MustCompile("(?s)```go\n(package main\n.*?)```").FindStringSubmatch(read("docs/library.md"))
	if program == nil {
		t.Fatal("docs/library.md has no program")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"main.go": program[1],
		"go.mod":  strings.Replace(read("go.mod"), "module vaefolio\n", "module example.org/other\n", 1),
		"go.sum":  read("go.sum"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"mod", "edit", "-require=vaefolio@v0.0.0", "-replace=vaefolio=" + root},
		{"build", "-o", filepath.Join(dir, "other"), "."},
	} {
		command := exec.CommandContext(t.Context(), "go", args...)
		command.Dir = dir
		command.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -mod=mod", "GOPROXY=off", "GOWORK=off")
		if out, err := command.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
