package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/run"
)

func execute(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	return clitest.Execute(t, verb, args...)
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", "deep/b"} {
		r, err := run.Open(filepath.Join(dir, filepath.FromSlash(name)), run.Spec{Verb: "pipeline", Config: []byte("n = 1\n"), Seed: 7}, false)
		if err == nil {
			err = run.WriteJSON(r.Path("summary.json"), map[string]any{"sharpe_latent": 1.25, "other": 2})
		}
		if err == nil && name == "a" {
			err = r.Finish()
		}
		if err == nil {
			err = r.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	code, stdout, stderr := execute(t, "list", dir, "-format", "json")
	var rows []struct {
		Run, Verb, State string
		Config           string `json:"config_hash"`
		Seed             int
		Figures          map[string]float64
	}
	if err := json.Unmarshal([]byte(stdout), &rows); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v, stderr %s", code, err, stderr)
	}
	if len(rows) != 2 || rows[0].Run != "a" || rows[0].State != "finished" || rows[1].Run != "deep/b" ||
		rows[1].State != "unfinished" || rows[0].Seed != 7 || len(rows[0].Config) != 64 || rows[0].Figures["sharpe_latent"] != 1.25 ||
		len(rows[0].Figures) != 1 {
		t.Errorf("listed are %s", stdout)
	}
	for format, want := range map[string]string{"csv": "a,pipeline,finished,", "table": "sharpe_latent=1.25"} {
		if code, stdout, _ := execute(t, "list", dir, "-format", format); code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("%s: exit code %d, %s", format, code, stdout)
		}
	}
	if code, stdout, stderr := execute(t, "list", t.TempDir(), "-format", "json"); code != 0 || stdout != "[]\n" || !strings.Contains(stderr, "no runs in it") {
		t.Errorf("an empty folder: exit code %d, %q, %q", code, stdout, stderr)
	}
	for _, c := range []struct {
		args string
		code int
	}{{"list nowhere", 1}, {"list", 2}, {"drop " + dir, 2}, {"list " + dir + " more", 2}} {
		if code, _, stderr := execute(t, strings.Fields(c.args)...); code != c.code || !strings.HasPrefix(stderr, "runs: ") {
			t.Errorf("%s: exit code %d, stderr %s", c.args, code, stderr)
		}
	}
}
