package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"vaefolio/scripts/internal/cli"
	"vaefolio/scripts/internal/clitest"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/sweep"
)

func TestMain(m *testing.M) {
	sweep.BecomeWorker()
	clitest.BecomeCommand(main)
	os.Exit(m.Run())
}

// execute runs the command in this process and returns its output.
func execute(t *testing.T, code int, want string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	if got := verb.Execute(t.Context(), args, &stdout, &stderr); got != code || !strings.Contains(stderr.String(), want) {
		t.Fatalf("sweep %v: exit code %d, not %d; stderr %q, not %q", args, got, code, stderr.String(), want)
	}
	return stdout.String()
}

// small is a sweep of four runs of a moment each, two of conditional models.
const small = `
grid = "beta = 0.1 1"
zip = """
hidden = 8 8,8
conditional = false true
"""
seeds = [3]
condition-on = ["effective_assets", "sector.*"]
source = "dirichlet"
alpha = 0.5
lookbacks = [40]
n = 300
components = 2
latent = 2
batch = 16
steps = 200
`

func configuration(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "small.toml")
	if err := os.WriteFile(path, []byte(small), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSweep(t *testing.T) {
	if testing.Short() {
		t.Skip("trains several models: without -short")
	}
	config, out := configuration(t), filepath.Join(t.TempDir(), "out")
	execute(t, 1, "holds no sweep", "status", "-out", out)
	execute(t, 0, "2 runs made, 0 were there", "run", "-config", config, "-out", out, "-backend", "go", "-workers", "1", "-shard", "1/2")
	status := execute(t, 0, "", "status", "-out", out, "-format", "csv")
	if want := "state,runs\ndone,2\nrunning,0\ninterrupted,0\nfailed,0\nwaiting,2\nall,4\n"; status != want {
		t.Errorf("status %q, want %q", status, want)
	}
	execute(t, 1, "2 of 4 runs are missing", "merge", "-out", out)
	execute(t, 0, "2 runs made, 2 were there", "run", "-config", config, "-out", out, "-backend", "go", "-workers", "2")
	execute(t, 0, "4 of 4 runs", "merge", "-out", out)
	rows := readCSV(t, filepath.Join(out, sweep.ResultsFile))
	if len(rows) != 5 || !slices.Equal(rows[0][:5], []string{"run", "beta", "hidden", "conditional", "seed"}) ||
		!slices.Equal(rows[4][1:6], []string{"1", "8,8", "true", "3", "done"}) {
		t.Errorf("results %v", rows)
	}
	for _, row := range rows[1:] { // a latent search comes near the bound, and never above it
		distance, err := strconv.ParseFloat(row[slices.Index(rows[0], "distance_to_bound")], 64)
		if err != nil || distance < -1e-9 {
			t.Errorf("run %s is %v from the bound (%v)", row[0], distance, err)
		}
		for _, name := range []string{"sharpe_out_of_sample", "recall", "coverage"} {
			if row[slices.Index(rows[0], name)] == "" {
				t.Errorf("run %s has no %s", row[0], name)
			}
		}
	}
	execute(t, 0, "Probability of backtest overfitting", "merge", "-out", out)
	if returns := readCSV(t, filepath.Join(out, "returns.csv")); len(returns) < 300 || len(returns[0]) != 5 {
		t.Errorf("%d lines of returns, %v", len(returns), returns[0])
	}
	if page, err := os.ReadFile(filepath.Join(out, sweep.ReportFile)); err != nil || !strings.Contains(string(page), "is that luck?") {
		t.Errorf("the report doesn't answer (%v)", err)
	}
	control := slices.Index(rows[0], "control_error.sector.L1")
	if control < 0 || rows[1][control] != "" || rows[2][control] == "" {
		t.Errorf("control errors are in column %d of %v, want those of conditional models alone", control, rows)
	}
	for i, want := range []bool{false, true} {
		_, err := os.Stat(filepath.Join(out, sweep.RunsFolder, rows[1+i][0], experiment.ModelFolder, "donors.json"))
		if got := err == nil; got != want {
			t.Errorf("run %d has donors: %t, want %t", i+1, got, want)
		}
	}
	execute(t, 1, "holds another sweep", "run", "-config", config, "-grid", "beta=2", "-out", out, "-backend", "go")

	// The configuration that a run keeps repeats it.
	again := filepath.Join(t.TempDir(), "again")
	execute(t, 0, "1 runs made", "run", "-config", filepath.Join(out, sweep.RunsFolder, rows[2][0], "config.toml"), "-out", again, "-backend", "go")
	if got, want := readCSV(t, filepath.Join(again, sweep.ResultsFile))[1][3:], rows[2][6:]; !slices.Equal(got, want) {
		t.Errorf("the run repeated has %v, want %v", got, want)
	}
}

func readCSV(t *testing.T, path string) [][]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestWrongUsage(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	for want, args := range map[string][]string{
		"-out DIR is missing":                     {"run"},
		"want NAME = VALUE":                       {"run", "-grid", "beta", "-out", out},
		"at -temperature=1 -seed=1: unknown flag": {"run", "-grid", "temperature=1", "-out", out},
		"at -beta=-1 -seed=1: -beta":              {"run", "-grid", "beta=1 -1", "-out", out},
		"zipped axes go together":                 {"run", "-zip", "beta=1 2; latent=3", "-out", out},
		"axis seed is given twice":                {"run", "-grid", "seed=1", "-seeds", "2", "-out", out},
		"-condition-on goes with -conditional":    {"run", "-condition-on", "volatility", "-out", out},
		"want i/N":                                {"run", "-shard", "2", "-out", out},
		"leftover argument \"elsewhere\"":         {"run", "elsewhere", "-out", out},
		"\"stop\" is not one of":                  {"stop", "-out", out},
	} {
		execute(t, 2, want, args...)
	}
	t.Setenv("JOB_COMPLETION_INDEX", "1")
	execute(t, 2, "JOB_COMPLETIONS is not set", "run", "-out", out)
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("wrong usage left a folder behind (%v)", err)
	}
}

// The experiments that are shipped are read, and have as many runs as they say.
func TestExperiments(t *testing.T) {
	for name, want := range map[string]int{"beta": 50, "collapse": 384, "collapse-mixed": 90, "control": 15} {
		var got []sweep.Trial
		reader := verb
		reader.Run = func(ctx context.Context, c *config, io *cli.IO) (err error) {
			_, got, err = trials(ctx, c, io)
			return err
		}
		var stderr bytes.Buffer
		path := filepath.Join("..", "..", "experiments", name+".toml")
		if code := reader.Execute(t.Context(), []string{"run", "-config", path, "-out", t.TempDir()}, &bytes.Buffer{}, &stderr); code != 0 {
			t.Errorf("%s: exit code %d: %s", name, code, stderr.String())
		}
		if len(got) != want {
			t.Errorf("%s: %d runs, want %d", name, len(got), want)
		}
	}
}

// TERM saves and exits with 130; the same command goes on.
func TestTermination(t *testing.T) {
	if testing.Short() {
		t.Skip("starts several processes that train: without -short")
	}
	config, out := configuration(t), filepath.Join(t.TempDir(), "out")
	stderr := &bytes.Buffer{}
	cmd := clitest.Interrupted(t, syscall.SIGTERM, func() *exec.Cmd {
		cmd := clitest.Command("run", "-config", config, "-out", out, "-backend", "go", "-workers", "2",
			"-steps", "100000000", "-quiet") // more than are ever done
		cmd.Stderr = stderr
		return cmd
	}, func() bool { // a run is under way
		counts, err := sweep.Status(out)
		return err == nil && counts.Running > 0
	})
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d after TERM, want 130: %s", code, stderr)
	}
	counts, err := sweep.Status(out)
	if err != nil {
		t.Fatal(err)
	}
	if counts.Interrupted == 0 || counts.Running+counts.Failed > 0 {
		t.Errorf("counts %+v, want runs interrupted, none failed or running", counts)
	}
}
