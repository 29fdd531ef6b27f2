package run_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"vaefolio/vaelib/run"
)

func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folder", "a.csv")
	for _, text := range []string{"first\n", strings.Repeat("second\n", 100000), ""} {
		if err := run.WriteFile(path, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != text {
			t.Fatalf("file holds %d bytes, want %d", len(got), len(text))
		}
	}
	other := filepath.Join(t.TempDir(), "other") // as any file here has it
	must(t, os.WriteFile(other, nil, 0o666))
	want, err := os.Stat(other)
	must(t, err)
	if info, err := os.Stat(path); err != nil || info.Mode() != want.Mode() {
		t.Errorf("mode of the file is %v (%v), want %v", info.Mode(), err, want.Mode())
	}
}

// What went before stays, and nothing new appears, when writing fails.
func TestWriteFileFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	must(t, os.WriteFile(path, []byte("old"), 0o644))
	broken := errors.New("the disk is full")
	err := run.WriteFile(path, func(w io.Writer) error {
		fmt.Fprint(w, strings.Repeat("half", 100000))
		return broken
	})
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v: want the cause and the path", err)
	}
	if got := read(t, path); got != "old" {
		t.Errorf("file holds %q after a failure, want what it held before", got)
	}
	if names := list(t, dir); len(names) != 1 {
		t.Errorf("folder holds %v after a failure, want a.csv alone", names)
	}
	if err := run.WriteFile(filepath.Join(path, "b.csv"), func(io.Writer) error { return nil }); err == nil {
		t.Error("no error for a file below a file")
	}
}

// A reader among many writers sees whole files only.
func TestWriteFileWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	text := func(i int) string { return strings.Repeat(fmt.Sprint(i), 50000) }
	write := func(i int) error {
		return run.WriteFile(path, func(w io.Writer) error {
			_, err := io.WriteString(w, text(i))
			return err
		})
	}
	must(t, write(0))
	var writers sync.WaitGroup
	for i := range 4 {
		writers.Go(func() {
			for range 5 {
				if err := write(i); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 50 {
		got := read(t, path)
		if len(got) != 50000 || got != text(int(got[0]-'0')) {
			t.Fatal("a reader saw a part of a file")
		}
	}
	writers.Wait()
}

func TestWriteJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	must(t, run.WriteJSON(path, map[string]any{"b": 1.5, "a": "x<=y"}))
	if got, want := read(t, path), "{\n  \"a\": \"x<=y\",\n  \"b\": 1.5\n}\n"; got != want {
		t.Errorf("file holds %q, want %q", got, want)
	}
	if err := run.WriteJSON(path, func() {}); err == nil {
		t.Error("no error for a value without a JSON form")
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	return string(data)
}

func list(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
