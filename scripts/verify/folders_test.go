package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// An export follows from its model.
func TestAlteredExport(t *testing.T) {
	skipWhenShort(t)
	dir := copied(t, finished(t, "export", "export", "-model", smallConditional(t), "-quiet"))
	expect(t, dir, slices.Concat(ofJSON(t, dir, "model.json"), []alteration{flipped("decoder.onnx", 400),
		flipped("encoder.onnx", -40), flipped("model.safetensors", -3), {file: "decoder.onnx", what: "removed"}}))
}

// An initializer of a graph that is altered with all hashes, those in model.json too, is
// found: also of a model over sets.
func TestAlteredGraphs(t *testing.T) {
	skipWhenShort(t)
	universes := finished(t, "universes", "corpus", smallUniverses...)
	for name, args := range map[string][]string{"export": {"-model", smallConditional(t)},
		"set-export": {"-model", setOf(t, universes, "set"), "-universe", "any"}} {
		dir := copied(t, finished(t, name, "export", append(args, "-quiet")...))
		if said := first(t, dir, memo{}, ""); said != "" {
			t.Fatalf("%s before any alteration: %s", name, said)
		}
		graphs, err := filepath.Glob(filepath.Join(dir, "*.onnx"))
		if err != nil || len(graphs) == 0 {
			t.Fatalf("%s has no graphs: %v", name, err)
		}
		for _, at := range graphs {
			graph := filepath.Base(at)
			before := contentsOf(t, dir, graph)
			change := flipped(graph, len(before)/2)
			undo := change.apply(t, dir, true)
			undoModel := replaced("model.json", "the hash of the graph", sha(before), sha(contentsOf(t, dir, graph))).
				apply(t, dir, true)
			if first(t, dir, memo{}, "") == "" {
				t.Errorf("%s, %s: not found", name, graph)
			}
			undoModel()
			undo()
		}
	}
}

// What isn't a run, or holds what no run does, is one line at once: nothing is waited for.
func TestHostileFolders(t *testing.T) {
	skipWhenShort(t)
	made := smallCorpus(t)
	manifest := string(contentsOf(t, made, manifestFile))
	more := func(count int) string { // files in the manifest
		var lines strings.Builder
		for i := range count {
			fmt.Fprintf(&lines, "\n    \"f%d.csv\": %q,", i, strings.Repeat("0", 64))
		}
		return strings.Replace(manifest, `"files": {`, `"files": {`+lines.String(), 1)
	}
	for name, c := range map[string]struct {
		want string
		do   func(dir string) error
	}{
		"a pipe for a file": {"weights.csv is a pipe", func(dir string) error {
			at := filepath.Join(dir, "weights.csv")
			return errors.Join(os.Remove(at), syscall.Mkfifo(at, 0o600))
		}},
		"a pipe for the manifest": {"manifest.json is a pipe", func(dir string) error {
			at := filepath.Join(dir, manifestFile)
			return errors.Join(os.Remove(at), syscall.Mkfifo(at, 0o600))
		}},
		"an endless device": {"more.csv is a link", func(dir string) error {
			return os.Symlink("/dev/zero", filepath.Join(dir, "more.csv"))
		}},
		"a link to its own folder": {"loop is a link", func(dir string) error {
			return os.Symlink(dir, filepath.Join(dir, "loop"))
		}},
		"a sparse file": {"more than any that a verb writes", func(dir string) error {
			return os.Truncate(filepath.Join(dir, "weights.csv"), mostOfFile+1)
		}},
		"a manifest of a million files": {"more than any that a verb writes", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, manifestFile), []byte(more(300_000)), 0o600)
		}},
		"a manifest of many files": {"lists 100", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, manifestFile), []byte(more(100_000)), 0o600)
		}},
		"two manifests in one file": {"has a manifest.json that", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, manifestFile), []byte(manifest+manifest), 0o600)
		}},
		"a file outside": {"which is no run's", func(dir string) error {
			text := strings.Replace(manifest, `"weights.csv"`, `"../weights.csv"`, 1)
			return os.WriteFile(filepath.Join(dir, manifestFile), []byte(text), 0o600)
		}},
		"names that differ in their case": {"Weights.csv", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "Weights.csv"), contentsOf(t, dir, "weights.csv"), 0o600)
		}},
		"a manifest more": {"more", func(dir string) error {
			return errors.Join(os.Mkdir(filepath.Join(dir, "more"), 0o700),
				os.WriteFile(filepath.Join(dir, "more", manifestFile), []byte(manifest), 0o600))
		}},
		"that of a sweep too": {"sweep.json", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "sweep.json"), []byte("{}"), 0o600)
		}},
	} {
		dir := copied(t, made)
		if err := c.do(dir); err != nil {
			t.Fatal(err)
		}
		code, _, stderr := execute(dir)
		if code != 1 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: exit code %d, %q, want %q", name, code, stderr, c.want)
		}
	}
	if code, _, stderr := execute(filepath.Join(made, "weights.csv")); code != 1 || !strings.Contains(stderr, "is no folder") {
		t.Errorf("a file: exit code %d, %s", code, stderr)
	}
}

// candles makes a folder as fetch does, with a gap.
func candles(t *testing.T) string {
	t.Helper()
	dir, day := t.TempDir(), 24*time.Hour
	from := time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
	text := "timestamp,open,high,low,close,volume,turnover\n"
	for i := range 8 {
		if i != 5 {
			text += fmt.Sprintf("%d,10,%d,9,10.5,100,1000\n", from.Add(time.Duration(i)*day).UnixMilli(), 11+i)
		}
	}
	entry := map[string]any{"path": "AAAUSDT.csv", "from": from, "until": from.Add(9 * day), "first": from,
		"last": from.Add(7 * day), "rows": 7, "sha256": sha([]byte(text)),
		"gaps": []any{map[string]any{"from": from.Add(5 * day), "until": from.Add(6 * day)}}}
	manifest, err := json.MarshalIndent(map[string]any{"kind": fetchKind, "server": "https://api.example", "category": "linear",
		"interval": "D", "server_time": from.Add(9 * day), "from": from, "to": from.Add(8 * day), "symbols": map[string]any{
			"AAAUSDT": map[string]any{"launched": nil, "candles": entry, "funding": map[string]any{"path": "funding/AAAUSDT.csv",
				"rows": 0}}}}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"AAAUSDT.csv": text, manifestFile: string(manifest)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// Candles rise without gaps but for those that are told of; their values only the
// exchange can confirm.
func TestAlteredCandles(t *testing.T) {
	dir := candles(t)
	all := slices.Concat(ofCSV(t, dir, "AAAUSDT.csv"), slices.DeleteFunc(ofJSON(t, dir, manifestFile),
		func(a alteration) bool { return !strings.HasPrefix(a.what, "symbols.") && a.what != "interval" }),
		[]alteration{{file: "more.csv", what: "a file more", add: true, change: func([]byte) []byte { return nil }}})
	missed := found(t, dir, all)
	// What the exchange or the call said besides.
	want := []string{"manifest.json: symbols.AAAUSDT.funding.path", "manifest.json: symbols.AAAUSDT.launched"}
	if !slices.Equal(missed, want) {
		t.Errorf("not found: %q, expected %q", missed, want)
	}
}
