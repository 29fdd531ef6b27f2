package main

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"vaefolio/vaelib/run"
)

// makeRun makes the folder of a finished backtest.
func makeRun(t *testing.T, dir, train, returns string) string {
	t.Helper()
	r, err := run.Open(dir, run.Spec{Verb: "backtest", Config: []byte("train = " + train + "\n"), Data: "d", Seed: 1}, false)
	if err == nil {
		err = run.WriteFile(r.Path("returns.csv"), func(w io.Writer) error {
			_, err := io.WriteString(w, returns)
			return err
		})
	}
	if err == nil {
		err = run.WriteJSON(r.Path("summary.json"), map[string]any{"periods_per_year": 365, "windows": 3})
	}
	if err == nil {
		err = r.Finish()
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// Two runs: the tracks of both under their own names, what their configurations
// differ in, and all runs of a folder as trials.
func TestRunFolders(t *testing.T) {
	dir := t.TempDir()
	days := "date,mv\n2024-01-01,%\n2024-01-02,-0.01\n2024-01-03,0.02\n2024-01-04,0.01\n"
	a := makeRun(t, filepath.Join(dir, "a"), "365", strings.ReplaceAll(days, "%", "0.01"))
	b := makeRun(t, filepath.Join(dir, "b"), "180", strings.ReplaceAll(days, "%", "0.03"))
	makeRun(t, filepath.Join(dir, "c"), "90", strings.ReplaceAll(days, "%", "0.05"))
	makeRun(t, filepath.Join(dir, "same"), "91", strings.ReplaceAll(days, "%", "0.05"))
	o := result(t, a, b, "-trial-log", dir, "-resamples", "100")
	if len(o.Rows) != 2 || o.Rows[0].Name != "a/mv" || o.Rows[0].Trials != 3 || len(o.Config) != 1 ||
		o.Config[0].Key != "train" || o.Config[0].Values[1] != "180" {
		t.Errorf("%+v", o)
	}
	code, stdout, stderr := execute(t, a, b)
	if code != 0 || !strings.Contains(stdout, "train") || !strings.Contains(stderr, "periods per year: 365 (as the run has it)") {
		t.Errorf("exit code %d, stdout %s, stderr %s", code, stdout, stderr)
	}
}
