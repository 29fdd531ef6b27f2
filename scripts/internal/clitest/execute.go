package clitest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"vaefolio/scripts/internal/cli"
)

// Execute runs a verb in this process and returns its exit code, stdout and stderr.
func Execute[C any](t testing.TB, verb cli.Verb[C], args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = verb.Execute(t.Context(), args, &out, &err)
	return code, out.String(), err.String()
}

// File writes a text into a new temporary folder and returns its path.
func File(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
