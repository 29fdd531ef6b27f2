package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func execute(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, messages bytes.Buffer
	if got := verb.Execute(t.Context(), args, &out, &messages); got != code {
		t.Fatalf("bench %v: exit code %d, not %d: %s", args, got, code, messages.String())
	}
	return out.String(), messages.String()
}

// Without Python this library runs alone, and every peer says what to do.
func TestBenchWithoutPython(t *testing.T) {
	report := filepath.Join(t.TempDir(), "benchmarks.md")
	stdout, _ := execute(t, 0, "-only", "project-40,min-variance", "-rounds", "2", "-seconds", "0.001", "-quiet",
		"-python", filepath.Join(t.TempDir(), "python"), "-format", "json", "-markdown", report)
	var rows []struct {
		Workload, Contender, Versus, Note string
		Rounds                            int
		Rate, Ratio, Microseconds         *float64
	}
	if err := json.Unmarshal([]byte(stdout), &rows); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	if len(rows) != 7 {
		t.Fatalf("%d rows, want 7: %s", len(rows), stdout)
	}
	for _, r := range rows {
		ours := strings.HasPrefix(r.Contender, "vaefolio")
		if ours && (r.Rounds != 2 || r.Rate == nil || *r.Rate <= 0 || r.Microseconds == nil || r.Note != "") {
			t.Errorf("this library's row: %+v", r)
		}
		if !ours && (r.Rounds != 0 || r.Rate != nil || !strings.Contains(r.Note, "-python")) {
			t.Errorf("a peer's row: %+v", r)
		}
	}
	if r := rows[3]; r.Contender != "vaefolio, from moments" || r.Versus != "vaefolio, from returns" || r.Ratio == nil {
		t.Errorf("row %+v, want the solver given moments beside the one given returns", r)
	}
	text, err := os.ReadFile(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"`go run ./scripts/bench -only project-40,min-variance -rounds 2 -seconds 0.001 -clock wall -seed 1 -python python -markdown benchmarks.md`",
		"\n| workload | contender |", "\n| project-40 | vaefolio, n = 40 | ", "\nNot measured:\n", "cores, ",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(string(text), report) {
		t.Errorf("the report holds its own path:\n%s", text)
	}
}

func TestBenchFormats(t *testing.T) {
	alone := []string{"-only", "hrp", "-rounds", "1", "-seconds", "0.001", "-quiet", "-python", "none"}
	stdout, _ := execute(t, 0, append(alone, "-format", "csv")...)
	records, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil || len(records) != 5 || records[0][0] != "workload" || records[1][1] != "vaefolio, from returns" {
		t.Errorf("csv %v: %s", err, stdout)
	}
	stdout, _ = execute(t, 0, append(alone, "-format", "table")...)
	if !strings.Contains(stdout, "hrp by PyPortfolioOpt, from returns and 1 more: none is no program") {
		t.Errorf("table: %s", stdout)
	}
}

// Every engine of this library trains and generates.
func TestBenchModels(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds, and minutes under the race detector")
	}
	stdout, _ := execute(t, 0, "-only", "train-128,generate", "-rounds", "1", "-seconds", "0.001", "-quiet", "-backend", "go",
		"-python", "none", "-format", "csv")
	records, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil || len(records) != 14 {
		t.Fatalf("csv %v: %s", err, stdout)
	}
	for _, i := range []int{1, 11} {
		if r := records[i]; r[1] != "vaefolio, Go backend" || r[4] != "1" || r[5] == "" {
			t.Errorf("row %v, want the Go backend's speed", r)
		}
	}
	for i, versus := range map[int]string{1: records[2][1], 2: records[1][1]} {
		if r := records[i]; r[4] != "1" || r[9] != versus || r[10] == "" {
			t.Errorf("row %v, want the ratio of GoMLX's loop and this library's on the Go backend", r)
		}
	}
	if note := records[3][14]; note != "left out: -backend go" {
		t.Errorf("note of XLA: %q", note)
	}
}

// numpy, where it is installed, comes to the same figures and projections.
func TestBenchAgreesWithNumpy(t *testing.T) {
	stdout, _ := execute(t, 0, "-only", "evaluate,project", "-rounds", "1", "-seconds", "0.001", "-quiet", "-format", "json")
	var rows []struct {
		Workload, Contender, Note string
		Difference                *float64
	}
	if err := json.Unmarshal([]byte(stdout), &rows); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	compared := 0
	for _, r := range rows {
		if !strings.HasPrefix(r.Contender, "numpy") {
			continue
		}
		if r.Note != "" {
			t.Skip(r.Note)
		}
		if compared++; r.Difference == nil || *r.Difference > 1e-12 {
			t.Errorf("%s by %s: difference %v", r.Workload, r.Contender, r.Difference)
		}
	}
	if compared != 4 {
		t.Errorf("%d answers of numpy compared, want 4", compared)
	}
}

func TestBenchUsage(t *testing.T) {
	for _, args := range [][]string{{"-only", "trian"}, {"-rounds", "0"}, {"-seconds", "0"}, {"-clock", "sun"}, {"project"}} {
		if _, stderr := execute(t, 2, args...); !strings.HasPrefix(stderr, "bench: ") {
			t.Errorf("bench %v: %s", args, stderr)
		}
	}
	if _, stderr := execute(t, 1, "-only", "train", "-quiet", "-python", "none", "-backend", "xla:/no/such/cpu.so"); !strings.Contains(stderr, "/no/such/cpu.so") {
		t.Errorf("error of a missing plugin: %s", stderr)
	}
}

func TestChoose(t *testing.T) {
	names := func(only ...string) string {
		chosen, err := choose(only)
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, w := range chosen {
			list = append(list, w.name)
		}
		return strings.Join(list, " ")
	}
	if got := names("hrp", "project", "train-128"); got != "train-128 project-40 project-500 project-sectors-12 project-sectors-40 project-sectors-200 hrp" {
		t.Errorf("chosen %s", got)
	}
	if got := names(); got != names("train", "evaluate", "project", "solve", "generate") {
		t.Errorf("all are %s", got)
	}
}
