package main

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"vaefolio/data"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/vae"
)

const configText = `split = 0.75
embargo = -1
lookbacks = [40, 60]
convention = "default"
max-weight = 0.3
min-weight = 0.02
sector-cap = ["L1=0.4"]
`

// made is the folder of the finished run; empty: no test has asked for it.
var made string

// finished makes one small run for all tests to copy.
var finished = sync.OnceValues(func() (string, error) {
	panel, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		return "", err
	}
	window, _, err := panel.Window()
	if err != nil {
		return "", err
	}
	sectors, err := market.ReadSectorsFS(data.FS, data.Sectors)
	if err != nil {
		return "", err
	}
	share, err := sectors.Shares("L1", window.Symbols)
	if err != nil {
		return "", err
	}
	backend, err := vae.Open("go")
	if err != nil {
		return "", err
	}
	defer backend.Close()
	settings := experiment.DefaultSettings()
	settings.Corpus.N, settings.Corpus.Lookbacks = 300, []int{40, 60}
	settings.Schedule.Steps, settings.Schedule.Batch, settings.Model.Hidden, settings.Model.Latent = 60, 32, []int{16}, 3
	settings.Portfolios, settings.Components, settings.Starts, settings.Iterations = 30, 2, 3, 5
	dir, err := os.MkdirTemp("", "verify-test")
	if err != nil {
		return "", err
	}
	made = dir
	folder, err := run.Open(dir, run.Spec{Verb: "pipeline", Config: []byte(configText), Data: window.Hash(), Seed: 1, Backend: "go"}, false)
	if err != nil {
		return "", err
	}
	defer folder.Close()
	_, err = experiment.Pipeline(context.Background(), folder, experiment.Input{
		Window: window, Sectors: sectors, Seed: 1, Backend: backend, Synthetic: true, Metrics: metrics.Settings{PeriodsPerYear: 365},
		Set: simplex.Set{
			N: 12, Symbols: window.Symbols, Upper: slices.Repeat([]float64{0.3}, 12), MinWeight: 0.02,
			Groups: []simplex.Group{{Name: "L1", Share: share, Lo: math.Inf(-1), Hi: 0.4}},
		},
	}, settings)
	if err != nil {
		return "", err
	}
	return dir, folder.Finish()
})

func TestMain(m *testing.M) {
	code := m.Run()
	if made != "" {
		os.RemoveAll(made)
	}
	os.Exit(code)
}

// copied returns a copy of the run to tamper with.
func copied(t *testing.T) string {
	t.Helper()
	from, err := finished()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func execute(dir string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = verb.Execute(context.Background(), []string{"-quiet", "-format", "csv", dir}, &out, &err)
	return code, out.String(), err.String()
}

func TestSoundRunHolds(t *testing.T) {
	if testing.Short() {
		t.Skip("draws the pictures of whole runs, which the race detector makes slow: run without -short")
	}
	code, stdout, stderr := execute(copied(t))
	if code != 0 || strings.Count(stdout, ",holds") != 6 {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}

// Each kind of tampering is found by the check that is there for it, also when
// the manifest's hash is made to fit.
func TestTamperingIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("draws the pictures of whole runs, which the race detector makes slow: run without -short")
	}
	for _, c := range []struct {
		name, file string
		change     func(string) string
		want       string
	}{
		{"a figure", "metrics.csv", func(s string) string { return replaceCell(s, 1, "sharpe", "9.5") }, "sharpe of latent-sharpe is 9.5"},
		{"an undefined figure", "metrics.csv", func(s string) string { return replaceCell(s, 2, "cvar95_oos", "") }, "cvar95_oos of best-sampled"},
		{"a weight", "weights.csv", func(s string) string { return replaceCell(s, 3, "ALDER", "0.9") }, "is off by"},
		{"the summary", "summary.json", func(s string) string {
			return strings.Replace(s, `"sharpe_equal_weight": `, `"sharpe_equal_weight": 1`, 1)
		}, "sharpe_equal_weight is"},
		{"the bound", "summary.json", func(s string) string {
			return strings.Replace(s, `"sharpe_convex_bound": `, `"sharpe_convex_bound": 0, "was": `, 1)
		}, "the bound is"},
	} {
		dir := copied(t)
		path := filepath.Join(dir, c.file)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := c.change(string(text))
		if changed == string(text) {
			t.Fatalf("%s: nothing was changed", c.name)
		}
		if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if code, stdout, stderr := execute(dir); code != 1 || !strings.Contains(stdout, c.file+" is not what was written") || !strings.HasPrefix(lastLine(stderr), "verify") {
			t.Errorf("%s: exit code %d, %s%s", c.name, code, stdout, stderr)
		}
		refit(t, dir, c.file)
		if code, stdout, stderr := execute(dir); code != 1 || !strings.Contains(stdout, c.want) {
			t.Errorf("%s, hash made to fit: exit code %d, want %q in\n%s%s", c.name, code, c.want, stdout, stderr)
		}
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}

// replaceCell sets one cell of a CSV text, by line and column.
func replaceCell(text string, line int, column, value string) string {
	lines := strings.Split(text, "\n")
	k := slices.Index(strings.Split(lines[0], ","), column)
	cells := strings.Split(lines[line], ",")
	cells[k] = value
	lines[line] = strings.Join(cells, ",")
	return strings.Join(lines, "\n")
}

// refit writes the hash of a changed file into the manifest.
func refit(t *testing.T, dir, name string) {
	t.Helper()
	path := filepath.Join(dir, "manifest.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]any
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	hash, err := run.HashFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	manifest["files"].(map[string]any)[name] = hash
	if err := run.WriteJSON(path, manifest); err != nil {
		t.Fatal(err)
	}
}

func TestRefuses(t *testing.T) {
	if testing.Short() {
		t.Skip("draws the pictures of whole runs, which the race detector makes slow: run without -short")
	}
	missing := filepath.Join(t.TempDir(), "none")
	if code, _, stderr := execute(missing); code != 1 || strings.Count(stderr, "\n") != 1 {
		t.Errorf("no folder: exit code %d, %s", code, stderr)
	}
	unfinished := copied(t)
	path := filepath.Join(unfinished, "manifest.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var manifest map[string]any
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	manifest["finished"] = nil
	if err := run.WriteJSON(path, manifest); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := execute(unfinished); code != 1 || !strings.Contains(stderr, "not a finished run") {
		t.Errorf("unfinished: exit code %d, %s", code, stderr)
	}
}
