package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSample(t *testing.T) {
	dir := t.TempDir()
	execute := func(code int, want string, args ...string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if got := verb.Execute(t.Context(), args, &stdout, &stderr); got != code || !strings.Contains(stderr.String(), want) {
			t.Errorf("sample %v: exit code %d, not %d; stderr %q, not %q", args, got, code, stderr.String(), want)
		}
	}
	execute(0, "synthetic_truth.json", "-out", dir, "-days", "30")
	execute(0, "", "-out", dir, "-days", "30", "-check")
	execute(1, "sample: "+filepath.Join(dir, "synthetic_close.csv")+" differs", "-out", dir, "-days", "31", "-check")
	if err := os.Remove(filepath.Join(dir, "sectors.csv")); err != nil {
		t.Fatal(err)
	}
	execute(1, "no such file", "-out", dir, "-days", "30", "-check")
	execute(2, "sample: ", "-days", "0")
	execute(0, "", "-out", "../../data", "-check", "-quiet")
}
