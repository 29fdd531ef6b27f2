package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/run"
)

// small makes a pipeline of a second.
var small = []string{
	"-backend", "go", "-n", "300", "-lookbacks", "40,60", "-steps", "60", "-batch", "32", "-hidden", "8", "-latent", "2",
	"-portfolios", "40", "-components", "2", "-starts", "3", "-iterations", "5", "-max-weight", "0.3",
}

func TestMain(m *testing.M) {
	clitest.BecomeCommand(main)
	os.Exit(m.Run())
}

func execute(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = verb.Execute(context.Background(), args, &out, &err)
	return code, out.String(), err.String()
}

func TestPipelineVerb(t *testing.T) {
	if testing.Short() {
		t.Skip("draws the pictures of whole runs, which the race detector makes slow: run without -short")
	}
	dir := filepath.Join(t.TempDir(), "run")
	code, stdout, stderr := execute(append(small, "-out", dir, "-format", "json", "-profile")...)
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	for _, name := range []string{"cpu.pprof", "heap.pprof"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.HasPrefix(text, []byte{0x1f, 0x8b}) {
			t.Errorf("%s is no compressed profile (%v)", name, err)
		}
	}
	var rows []map[string]any
	if err := json.Unmarshal([]byte(stdout), &rows); err != nil || len(rows) != 7 {
		t.Errorf("%d rows in json (%v)\n%s", len(rows), err, stdout)
	}
	if !strings.Contains(stderr, "SYNTHETIC") {
		t.Errorf("nothing says that the sample is synthetic\n%s", stderr)
	}
	code, second, stderr := execute(append(small, "-out", dir, "-format", "json")...)
	if code != 0 || !strings.Contains(stderr, "already") || second != stdout {
		t.Errorf("again: exit code %d\n%s\nstdout %s, want that of the first run\n%s", code, stderr, second, stdout)
	}
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := run.ReadManifest(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(page, []byte(manifest.ConfigHash)) {
		t.Error("the report doesn't tell the hash of the configuration")
	}
	repeat := regexp.MustCompile(`go run ./scripts/pipeline (.*) -out again`).FindSubmatch(page)
	if repeat == nil {
		t.Fatal("the report has no command that repeats the run")
	}

	// The folder's own configuration repeats the run.
	again := filepath.Join(t.TempDir(), "again")
	if code, _, stderr := execute("-config", filepath.Join(dir, "config.toml"), "-out", again, "-quiet"); code != 0 {
		t.Fatalf("from config.toml: exit code %d\n%s", code, stderr)
	}
	repeated := filepath.Join(t.TempDir(), "repeated")
	if code, _, stderr := execute(append(strings.Fields(string(repeat[1])), "-out", repeated, "-quiet")...); code != 0 {
		t.Fatalf("the report's command %s: exit code %d\n%s", repeat[1], code, stderr)
	}
	if got, err := run.ReadManifest(repeated); err != nil || got.Hash != manifest.Hash {
		t.Errorf("the report's command %s makes another run (%v)", repeat[1], err)
	}
	for _, name := range []string{"weights.csv", "metrics.csv", "baselines.csv"} {
		a, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(again, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%s differs when its configuration is repeated", name)
		}
	}
}

func TestPipelineRefuses(t *testing.T) {
	write := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	occupied := t.TempDir()
	if err := os.WriteFile(filepath.Join(occupied, "thesis.doc"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"missing prices", []string{"-prices", filepath.Join(t.TempDir(), "none.csv")}, 1, "none.csv"},
		{"empty prices", []string{"-prices", write("p.csv", "")}, 1, "p.csv"},
		{"header alone", []string{"-prices", write("p.csv", "date,A,B\n")}, 1, "p.csv"},
		{"text", []string{"-prices", write("p.csv", "date,A,B\n2024-01-01,1,2\n2024-01-02,x,2\n")}, 1, "p.csv:3"},
		{"text", []string{"-prices", write("p.csv", "date,A,B\n2024-01-01,1,2\n2024-01-02,x,2\n")}, 1, "p.csv:3"},
		{"zero", []string{"-prices", write("p.csv", "date,A,B\n2024-01-01,1,2\n2024-01-02,0,2\n")}, 1, "p.csv:3"},
		{"repeated symbol", []string{"-prices", write("p.csv", "date,A,A\n2024-01-01,1,2\n2024-01-02,1,2\n")}, 1, "p.csv:1"},
		{"repeated day", []string{"-prices", write("p.csv", "date,A,B\n2024-01-01,1,2\n2024-01-01,1,3\n")}, 1, "p.csv:3"},
		{"ragged", []string{"-prices", write("p.csv", "date,A,B\n2024-01-01,1,2\n2024-01-02,1\n")}, 1, "p.csv:3"},
		{"binary", []string{"-prices", write("p.csv", "\x7fELF\x00\x01\x02")}, 1, "p.csv"},
		{"one return", []string{"-prices", write("p.csv", "date,A,B\n2024-01-01,1,2\n2024-01-02,1,2\n")}, 1, "at least"},
		{"unknown symbol", []string{"-symbols", "ALDER,NOBODY"}, 1, "NOBODY"},
		{"infeasible", []string{"-max-weight", "0.05"}, 1, "0.05"},
		{"unknown key", []string{"-config", write("c.toml", "seed = 2\nspede = 3\n")}, 2, "c.toml:2"},
		{"wrong type", []string{"-config", write("c.toml", "steps = \"many\"\n")}, 2, "c.toml:1"},
		{"missing plugin", []string{"-backend", "xla:/nowhere/plugin.so"}, 1, "/nowhere/plugin.so"},
		{"occupied folder", []string{"-out", occupied}, 1, "thesis.doc"},
		{"short data", []string{"-to", "2020-06-01"}, 1, "too few"},
		{"unknown choice", []string{"-source", "tea-leaves"}, 2, "tea-leaves"},
		{"leftover", []string{"fast"}, 2, "fast"},
	} {
		args := append(append([]string(nil), small...), "-out", filepath.Join(t.TempDir(), "run"))
		code, stdout, stderr := execute(append(args, c.args...)...)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		last := lines[len(lines)-1]
		if code != c.code || stdout != "" || !strings.HasPrefix(last, "pipeline: ") || !strings.Contains(last, c.want) {
			t.Errorf("%s: exit code %d, last line %q, want %d and %q", c.name, code, last, c.code, c.want)
		}
	}
	if text, err := os.ReadFile(filepath.Join(occupied, "thesis.doc")); err != nil || string(text) != "mine" {
		t.Errorf("a file that no run made was touched: %q, %v", text, err)
	}
}

// SIGINT while training ends the process with 130 and leaves what it needs to
// go on; the next call goes on, and writes what an uninterrupted run writes.
func TestInterruptAndGoOn(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the command three times: without -short")
	}
	args := append(append([]string(nil), small...), "-steps", "4000")
	broken, whole := "", filepath.Join(t.TempDir(), "whole")
	var stderr *bytes.Buffer
	command := clitest.Interrupted(t, syscall.SIGINT, func() *exec.Cmd {
		broken, stderr = filepath.Join(t.TempDir(), "broken"), &bytes.Buffer{}
		command := clitest.Command(append(args, "-out", broken)...)
		command.Stderr = stderr
		return command
	}, func() bool { // the first checkpoint says that it is training
		_, err := os.Stat(filepath.Join(broken, "model", "training.safetensors"))
		return err == nil
	})
	if code := command.ProcessState.ExitCode(); code != 130 {
		t.Fatalf("exit code %d, want 130\n%s", code, stderr)
	}
	if _, err := os.Stat(filepath.Join(broken, "weights.csv")); err == nil {
		t.Fatal("weights.csv was written by an interrupted training")
	}
	for _, dir := range []string{broken, whole} {
		if out, err := clitest.Command(append(args, "-quiet", "-out", dir)...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	for _, name := range []string{"weights.csv", "metrics.csv"} {
		a, _ := os.ReadFile(filepath.Join(broken, name))
		b, _ := os.ReadFile(filepath.Join(whole, name))
		if len(a) == 0 || !bytes.Equal(a, b) {
			t.Errorf("%s differs after an interruption", name)
		}
	}
}
