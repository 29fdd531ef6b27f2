package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/lab"
)

func TestMain(m *testing.M) {
	clitest.BecomeCommand(main)
	os.Exit(m.Run())
}

// small are the flags of a laboratory of a moment.
func small(out string, more ...string) []string {
	return append([]string{"-n", "3", "-periods", "40", "-dispersion", "0,2", "-worlds", "4", "-windows", "1", "-rows", "100",
		"-steps", "3", "-samples", "100", "-backend", "go", "-out", out}, more...)
}

func execute(t *testing.T, code int, want string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := verb.Execute(t.Context(), args, &stdout, &stderr); got != code || !strings.Contains(stderr.String(), want) {
		t.Fatalf("lab %v: exit code %d, not %d; stderr %q, not %q", args, got, code, stderr.String(), want)
	}
	return stdout.String()
}

// The files of the contract, with what it says that they hold; a process that is
// killed in the middle is taken up, to the same bytes.
func TestLab(t *testing.T) {
	if testing.Short() {
		t.Skip("trains many models: without -short")
	}
	whole := filepath.Join(t.TempDir(), "whole")
	printed := execute(t, 0, "of the true optimum", small(whole, "-format", "json")...)
	var rows []map[string]any
	if err := json.Unmarshal([]byte(printed), &rows); err != nil || len(rows) != 2+4+1 {
		t.Errorf("%d tests are printed, error %v", len(rows), err)
	}
	text, err := os.ReadFile(filepath.Join(whole, lab.ResultsFile))
	if err != nil {
		t.Fatal(err)
	}
	table, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(table[0][:8], ","); got != "world,window,strategy,n,periods,dispersion,share,seed" {
		t.Errorf("the table's columns are %s", got)
	}
	var findings lab.Findings
	summary, err := os.ReadFile(filepath.Join(whole, lab.SummaryFile))
	if err == nil {
		err = json.Unmarshal(summary, &findings)
	}
	if err != nil || len(findings.Cells) != 2 {
		t.Fatalf("%d cells, error %v", len(findings.Cells), err)
	}
	for _, c := range findings.Cells {
		if !slices.Contains([]string{lab.GeneratorAhead, lab.RivalAhead, lab.Undecided}, c.Test.Verdict) {
			t.Errorf("verdict %q", c.Test.Verdict)
		}
	}
	if want := 1 + 2*4*len(findings.Standings); len(table) != want {
		t.Errorf("%d lines, want %d", len(table), want)
	}

	killed := ""
	clitest.Interrupted(t, os.Kill, func() *exec.Cmd {
		killed = filepath.Join(t.TempDir(), "killed")
		return clitest.Command(small(killed, "-workers", "1")...)
	}, func() bool { // a world or two are finished
		made, err := filepath.Glob(filepath.Join(killed, lab.WorldsFolder, "*", "result.json"))
		return err == nil && len(made) >= 2
	})
	leftovers := []string{".lab.json.tmp-1", ".report.html.tmp-2"} // as a kill at the wrong moment has them
	for _, name := range leftovers {
		if err := os.WriteFile(filepath.Join(killed, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	execute(t, 0, "", small(killed, "-quiet")...)
	for _, name := range leftovers {
		if _, err := os.Stat(filepath.Join(killed, name)); err == nil {
			t.Errorf("%s is left over", name)
		}
	}
	again, err := os.ReadFile(filepath.Join(killed, lab.ResultsFile))
	if err != nil || !bytes.Equal(again, text) {
		t.Errorf("results differ after a kill, error %v", err)
	}
	execute(t, 1, "lab: ", small(killed, "-seed", "2")...)
}

func TestRefused(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	execute(t, 2, "-prices goes with -source bootstrap", small(out, "-prices", "closes.csv")...)
	execute(t, 2, "worlds", small(out, "-worlds", "3")...)
	execute(t, 2, "named twice", "-n", "3,3", "-backend", "go", "-out", out)
	execute(t, 1, "assets", "-source", "bootstrap", "-n", "40", "-backend", "go", "-out", out)
	execute(t, 1, "holds no laboratory", small(out, filepath.Join(out, "nowhere"))...)
	if _, err := os.Stat(out); err == nil {
		t.Error("a refusal left a folder")
	}
	if err := os.MkdirAll(out, 0o777); err == nil {
		err = os.WriteFile(filepath.Join(out, "notes.txt"), []byte("mine"), 0o666)
		if err != nil {
			t.Fatal(err)
		}
	}
	execute(t, 1, "holds files that no laboratory made (notes.txt)", "-backend", "xla:/nowhere.so", "-out", out)
}

func TestRefusesAFolderFirst(t *testing.T) { clitest.Early(t, verb) }

// A model that isn't there, or of another kind, is refused before prices are read.
func TestRefusesAModelFirst(t *testing.T) {
	out, nowhere := filepath.Join(t.TempDir(), "out"), t.TempDir()
	for _, flag := range []string{"-model", "-rule"} {
		execute(t, 1, nowhere, "-source", "bootstrap", "-prices", "nothere", flag, nowhere, "-out", out)
	}
	own := t.TempDir()
	if err := os.WriteFile(filepath.Join(own, "model.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	execute(t, 1, own+" has assets of its own", "-model", own, "-out", out)
}
