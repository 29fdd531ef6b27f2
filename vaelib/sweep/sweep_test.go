package sweep

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"vaefolio/data"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// sweepVariable makes a process of this test run the sweep of tinyTrials in the
// folder that it names, and say its progress and its outcome on stdout.
const sweepVariable = "SWEEP_TEST_FOLDER"

func init() {
	BecomeWorker()
	if dir := os.Getenv(sweepVariable); dir != "" {
		os.Exit(sweepProcess(dir))
	}
}

func sweepProcess(dir string) int {
	trials, err := tinyTrials()
	if err == nil {
		var s *Sweep
		if s, err = Open(dir, tinyAxes, trials, false); err == nil {
			var outcome *Outcome
			outcome, err = s.Run(context.Background(), Options{
				Workers: 2, Backend: "go", Progress: func(p Progress) { fmt.Println("steps", p.Steps) },
			})
			if err == nil {
				var merged *Merged
				if merged, err = Merge(dir, nil); err == nil {
					err = merged.Err() // all runs are there, whoever made them
				}
				text, _ := json.Marshal(outcome)
				fmt.Println("outcome", string(text))
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// sampleWindow is the returns of the bundled sample.
func sampleWindow() (*market.Window, error) {
	panel, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		return nil, err
	}
	window, _, err := panel.Window()
	return window, err
}

// tinySteps are long enough for an interruption to come before the last.
const tinySteps = 1500

var tinyAxes = []string{"beta", "seed"}

// tinyTrials are six runs of a moment each on one Dirichlet training set, those
// of seed 3 of conditional models.
func tinyTrials() ([]Trial, error) {
	window, err := sampleWindow()
	if err != nil {
		return nil, err
	}
	set := simplex.Set{N: 12, Symbols: window.Symbols, Upper: slices.Repeat([]float64{0.5}, 12)}
	var trials []Trial
	for _, beta := range []float64{0.1, 1} {
		for seed := uint64(1); seed <= 3; seed++ {
			t := Trial{
				Point: []string{fmt.Sprint(beta), fmt.Sprint(seed)}, Settings: DefaultSettings(), Seed: seed,
				Config: fmt.Appendf(nil, "# a comment\nbeta = %v\nseed = %d\n", beta, seed),
				Window: window, Set: set, PeriodsPerYear: 365,
			}
			rows, model, schedule := &t.Corpus, &t.Model, &t.Schedule
			rows.Source, rows.Alpha, rows.Lookbacks, rows.N, t.Components = corpus.Dirichlet, 0.5, []int{40}, 300, 2
			model.Beta, model.Latent, model.Hidden = beta, 2, []int{8}
			schedule.Batch, schedule.Steps = 16, tinySteps
			t.Conditional, t.On, t.Caps = seed == 3, []string{"volatility", "max_weight"}, []string{"max_weight"}
			trials = append(trials, t)
		}
	}
	return trials, nil
}

func tiny(t testing.TB) []Trial {
	t.Helper()
	trials, err := tinyTrials()
	if err != nil {
		t.Fatal(err)
	}
	return trials
}

func openSweep(t testing.TB, dir string, trials []Trial, force bool) *Sweep {
	t.Helper()
	s, err := Open(dir, tinyAxes, trials, force)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// runSweep makes the runs and wants no failure.
func runSweep(t testing.TB, s *Sweep, o Options) *Outcome {
	t.Helper()
	o.Backend = "go"
	outcome, err := s.Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(outcome.Failures) > 0 {
		t.Fatalf("failures: %v", outcome.Failures)
	}
	return outcome
}

// results merges, wants every run done, and returns the table's bytes.
func results(t testing.TB, dir string, from ...string) string {
	t.Helper()
	merged, err := Merge(dir, from)
	if err != nil {
		t.Fatal(err)
	}
	if err := merged.Err(); err != nil {
		t.Fatal(err)
	}
	return readText(t, filepath.Join(dir, ResultsFile))
}

func readText(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// reference is the results of the tiny sweep by one worker without
// interruption.
var reference = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sweep")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	trials, err := tinyTrials()
	if err != nil {
		return "", err
	}
	s, err := Open(dir, tinyAxes, trials, false)
	if err != nil {
		return "", err
	}
	if _, err := s.Run(context.Background(), Options{Workers: 1, Backend: "go"}); err != nil {
		return "", err
	}
	merged, err := Merge(dir, nil)
	if err != nil {
		return "", err
	}
	if err := merged.Err(); err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(dir, ResultsFile))
	return string(text), err
})

// trainsMuch skips under -short what trains many models, which the race
// detector makes a hundred times as slow.
func trainsMuch(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("trains many models: without -short")
	}
}

func wantReference(t testing.TB, got string) {
	t.Helper()
	want, err := reference()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results differ from those of one worker without interruption (-want +got):\n%s", diff)
	}
}

func TestSweepGivesTheSameBytesForAnyWorkers(t *testing.T) {
	trainsMuch(t)
	dir := t.TempDir()
	s := openSweep(t, dir, tiny(t), false)
	if outcome := runSweep(t, s, Options{Workers: 3}); outcome.Done != 6 {
		t.Errorf("outcome %+v, want 6 done", outcome)
	}
	wantReference(t, results(t, dir))

	first := readText(t, filepath.Join(dir, TimingsFile))
	wantReference(t, results(t, dir)) // merging again
	if again := readText(t, filepath.Join(dir, TimingsFile)); again != first {
		t.Error("merging again changed the timings")
	}
	if outcome := runSweep(t, s, Options{}); outcome.There != 6 || outcome.Done != 0 {
		t.Errorf("the second time: outcome %+v, want all there", outcome)
	}
}

func TestSweepResultsMakeSense(t *testing.T) {
	trainsMuch(t)
	columns := map[string][]string{}
	text, err := reference()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	head := strings.Split(lines[0], ",")
	for _, line := range lines[1:] {
		for k, cell := range strings.Split(line, ",") {
			columns[head[k]] = append(columns[head[k]], cell)
		}
	}
	if got, want := columns["beta"], []string{"0.1", "0.1", "0.1", "1", "1", "1"}; !slices.Equal(got, want) {
		t.Errorf("column beta is %v, want %v", got, want)
	}
	if slices.Contains(columns["status"], "missing") {
		t.Errorf("status %v", columns["status"])
	}
	for i := range 3 { // the same seed under more weight of the KL term
		loose, _ := strconv.ParseFloat(columns["kl_nats"][i], 64)
		tight, _ := strconv.ParseFloat(columns["kl_nats"][i+3], 64)
		if !(loose > tight && tight >= 0) {
			t.Errorf("seed %d: KL %v at beta 0.1 and %v at 1, want it to fall", i+1, loose, tight)
		}
	}
	for i, want := range []bool{false, false, true, false, false, true} { // conditional
		missed, err := strconv.ParseFloat(columns["control_error.volatility"][i], 64)
		if (err == nil) != want {
			t.Errorf("run %d: control error %q, want one of conditional models alone", i+1, columns["control_error.volatility"][i])
		}
		shuffled, _ := strconv.ParseFloat(columns["control_shuffled"][i], 64)
		exceeded, _ := strconv.ParseFloat(columns["cap_violations"][i], 64)
		by, _ := strconv.ParseFloat(columns["cap_violations_shuffled"][i], 64)
		if want && !(missed < 0.5*shuffled && exceeded < 0.1 && exceeded <= by) {
			t.Errorf("run %d: asked for volatility it misses %v, shuffled %v, and exceeds %v of the caps, shuffled %v", i+1, missed, shuffled, exceeded, by)
		}
	}
	for _, cell := range columns["thresholds"] {
		list := strings.Fields(cell)
		largest, err := strconv.ParseFloat(list[0], 64)
		if err != nil || len(list) != 12 || largest < 12.0/11 {
			t.Errorf("thresholds %q, want 12 from at least 12/11 downwards", cell)
		}
	}
}

// Runs may be told different things, or nothing: a column stands for all of them.
func TestMergeJoinsControlColumns(t *testing.T) {
	kept, shuffled := 0.125, 0.5
	m := &merger{control: map[string]map[string]string{}}
	m.addControl("nothing", &Result{})
	m.addControl("cap", &Result{Control: []generate.Control{
		{Name: "volatility", Error: 0.25, Shuffled: 1, Best8: 0.75, Best1000: 0.5},
		{Name: "max_weight", Cap: true, Error: 9, Violations: &kept, ShuffledViolations: &shuffled},
	}})
	m.addControl("value", &Result{Control: []generate.Control{{Name: "volatility", Error: 0.25}, {Name: "max_weight", Error: 0.75}}})
	rows := map[string][]string{}
	for id, cells := range m.control {
		for _, name := range m.controlNames {
			rows[id] = append(rows[id], cells[name])
		}
	}
	names := strings.Fields("control_error control_error.volatility control_shuffled control_best_of_8 control_best_of_1000 cap_violations cap_violations.max_weight cap_violations_shuffled control_error.max_weight")
	if diff := cmp.Diff(names, m.controlNames); diff != "" {
		t.Errorf("columns (-want +got):\n%s", diff)
	}
	want := map[string][]string{
		"nothing": {"", "", "", "", "", "", "", "", ""},
		"cap":     {"0.25", "0.25", "1", "0.75", "0.5", "0.125", "0.125", "0.5", ""},
		"value":   {"0.5", "0.25", "0", "0", "0", "", "", "", "0.75"},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
}

func TestSweepShardsJoin(t *testing.T) {
	trainsMuch(t)
	together := t.TempDir()
	apart := []string{t.TempDir(), t.TempDir()}
	for i := range 2 {
		shard := Options{Workers: 1, Shard: Shard{i, 2}}
		for _, dir := range []string{together, apart[i]} {
			if outcome := runSweep(t, openSweep(t, dir, tiny(t), false), shard); outcome.Done != 3 {
				t.Errorf("shard %d: outcome %+v, want 3 done", i, outcome)
			}
		}
		merged, err := Merge(together, nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := 3 - 3*i; len(merged.Missing) != want || merged.Done != 6-want {
			t.Errorf("after shard %d: merged %+v, want %d missing", i, merged, want)
		}
	}
	wantReference(t, results(t, together))
	wantReference(t, results(t, apart[0], apart[1]))
	wantReference(t, results(t, apart[0], apart[1], together))
}

func TestSweepResumesAfterInterruption(t *testing.T) {
	trainsMuch(t)
	dir := t.TempDir()
	s := openSweep(t, dir, tiny(t), false)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, err := s.Run(ctx, Options{Workers: 2, Backend: "go", Progress: func(p Progress) {
		if p.Done > 0 && slices.ContainsFunc(p.Workers, func(w WorkerState) bool { return w.Done > 0 && w.Done < tinySteps/2 }) {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want that of the context", err)
	}
	counts, err := Status(dir)
	if err != nil {
		t.Fatal(err)
	}
	if counts.Interrupted == 0 || counts.Done == 0 || counts.Failed+counts.Running > 0 ||
		counts.Done+counts.Interrupted+counts.Waiting != 6 {
		t.Errorf("counts %+v, want some done, some interrupted, none failed or running", counts)
	}
	checkpoints, err := filepath.Glob(filepath.Join(dir, RunsFolder, "*", experiment.ModelFolder, "*"))
	if err != nil || len(checkpoints) == 0 {
		t.Errorf("no state was saved (%v)", err)
	}
	runSweep(t, s, Options{Workers: 2})
	wantReference(t, results(t, dir))
}

func TestSweepSurvivesKills(t *testing.T) {
	trainsMuch(t)
	if runtime.GOOS != "linux" {
		t.Skip("finds the workers' processes in /proc, which only Linux has")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for kills := 0; kills < 20; {
		dir := t.TempDir()
		for ended := false; !ended && kills < 20; {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), sweepVariable+"="+dir)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			for range 1 + rng.IntN(8) { // a random moment: after so many reports
				lines.Scan()
			}
			if kills%2 == 0 { // a worker, whose run fails, and then the parent
				if workers := children(t, cmd.Process.Pid); len(workers) > 0 {
					kill(t, workers[rng.IntN(len(workers))])
				}
				lines.Scan()
			}
			_ = cmd.Process.Kill() // it may have ended
			_ = cmd.Wait()
			if ended = cmd.ProcessState.Exited(); !ended {
				kills++
			}
		}
		s := openSweep(t, dir, tiny(t), false)
		runSweep(t, s, Options{Workers: 2}) // workers of a killed parent end soon after it, and hold their runs until then
		wantReference(t, results(t, dir))
	}
}

func TestSweepSaysThatAWorkerDied(t *testing.T) {
	trainsMuch(t)
	if runtime.GOOS != "linux" {
		t.Skip("finds the worker's process in /proc, which only Linux has")
	}
	dir := t.TempDir()
	s := openSweep(t, dir, tiny(t), false)
	var once sync.Once
	var notes []string
	outcome, err := s.Run(context.Background(), Options{
		Workers: 1, Backend: "go", Note: func(text string) { notes = append(notes, text) },
		Progress: func(p Progress) {
			if p.Done == 1 && p.Steps > tinySteps {
				once.Do(func() {
					for _, pid := range children(t, os.Getpid()) {
						kill(t, pid)
					}
				})
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if outcome.Done != 5 || len(outcome.Failures) != 1 || !strings.Contains(outcome.Failures[0].Reason, "killed") {
		t.Errorf("outcome %+v, want 5 done and one whose worker was killed", outcome)
	}
	if last := notes[len(notes)-1]; !strings.Contains(last, "worker 1 died (signal: killed)") {
		t.Errorf("last note %q, want it to tell of the death", last)
	}
	runSweep(t, s, Options{Workers: 1})
	wantReference(t, results(t, dir))
}

// children lists the processes that a process has started.
func children(t *testing.T, parent int) []int {
	t.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, path := range tasks {
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // the thread has ended
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, field := range strings.Fields(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

func kill(t *testing.T, pid int) {
	t.Helper()
	p, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}

func TestTwoProcessesRaceOnOneFolder(t *testing.T) {
	trainsMuch(t)
	dir := t.TempDir()
	var processes [2]*exec.Cmd
	var out [2]strings.Builder
	for i := range processes {
		processes[i] = exec.Command(os.Args[0])
		processes[i].Env = append(os.Environ(), sweepVariable+"="+dir)
		processes[i].Stdout = &out[i]
		processes[i].Stderr = &out[i]
		if err := processes[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	done := 0
	for i, cmd := range processes {
		if err := cmd.Wait(); err != nil {
			t.Fatalf("process %d: %v\n%s", i, err, out[i].String())
		}
		_, text, ok := strings.Cut(out[i].String(), "outcome ")
		var outcome Outcome
		if err := json.Unmarshal([]byte(text), &outcome); !ok || err != nil {
			t.Fatalf("process %d said %q", i, out[i].String())
		}
		if outcome.There+outcome.Done != 6 || len(outcome.Failures) > 0 {
			t.Errorf("process %d: outcome %+v, want 6 runs without failure", i, outcome)
		}
		done += outcome.Done
	}
	if done != 6 {
		t.Errorf("%d runs made by both, want each of the 6 once", done)
	}
	wantReference(t, results(t, dir))
}

func TestSweepFailuresAreListedAndNotFatal(t *testing.T) {
	dir := t.TempDir()
	trials := tiny(t)[:3]
	trials[1].Schedule.LearningRate = 1e30
	for i := range trials {
		trials[i].Schedule.Steps = 100
	}
	s := openSweep(t, dir, trials, false)
	for range 2 { // failed runs are tried again
		outcome, err := s.Run(context.Background(), Options{Workers: 2, Backend: "go"})
		if err != nil {
			t.Fatal(err)
		}
		if outcome.Done+outcome.There != 2 || len(outcome.Failures) != 1 {
			t.Fatalf("outcome %+v, want 2 done and 1 failed", outcome)
		}
		f := outcome.Failures[0]
		if f.Run != "beta=0.1 seed=2" || !strings.Contains(f.Reason, "loss is not finite") {
			t.Errorf("failure %+v, want the loss of seed 2", f)
		}
	}
	counts, err := Status(dir)
	if err != nil {
		t.Fatal(err)
	}
	if counts.Failed != 1 || counts.Done != 2 || !strings.Contains(counts.Failures[0].Reason, "loss is not finite") {
		t.Errorf("counts %+v, want 2 done and 1 failed with its reason", counts)
	}
	merged, err := Merge(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := merged.Err(); err == nil || !strings.Contains(err.Error(), "1 of 3 runs are missing") || !strings.Contains(err.Error(), "failed") {
		t.Errorf("merge says %v, want the run that failed", err)
	}
	if text := readText(t, filepath.Join(dir, ResultsFile)); !strings.Contains(text, ",failed,") {
		t.Errorf("results have no row of the failed run:\n%s", text)
	}
}

func TestMergeNoticesConflicts(t *testing.T) {
	trainsMuch(t)
	first, second := t.TempDir(), t.TempDir()
	for _, dir := range []string{first, second} {
		runSweep(t, openSweep(t, dir, tiny(t)[:2], false), Options{Workers: 1})
	}
	plan, err := readPlan(first)
	if err != nil {
		t.Fatal(err)
	}
	id := plan.Runs[0].ID
	conflicts := func(why string, from ...string) {
		t.Helper()
		merged, err := Merge(first, from)
		if err != nil {
			t.Fatal(err)
		}
		if len(merged.Conflicts) != 1 || merged.Conflicts[0].ID != id || !strings.Contains(merged.Conflicts[0].Reason, why) || merged.Done != 1 {
			t.Errorf("merged %+v, want a conflict of %s: %s", merged, id, why)
		}
		if err := merged.Err(); err == nil || !strings.Contains(err.Error(), id) {
			t.Errorf("error %v, want it to name %s", err, id)
		}
		if text := readText(t, filepath.Join(first, ResultsFile)); !strings.Contains(text, id+",0.1,1,conflict,,,") {
			t.Errorf("results show figures of a run in conflict:\n%s", text)
		}
	}
	// The other folder has another result, which it finished with.
	path := filepath.Join(second, RunsFolder, id, resultFile)
	if err := os.WriteFile(path, []byte(`{"active_units": 7}`), 0o644); err != nil {
		t.Fatal(err)
	}
	manifest, err := run.ReadManifest(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if manifest.Files[resultFile], err = run.HashFile(path); err != nil {
		t.Fatal(err)
	}
	if err := run.WriteJSON(filepath.Join(filepath.Dir(path), "manifest.json"), manifest); err != nil {
		t.Fatal(err)
	}
	conflicts("different results", second)
	// A file of a finished run was changed.
	path = filepath.Join(first, RunsFolder, id, experiment.HistoryFile)
	if err := os.WriteFile(path, []byte("step\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	conflicts(experiment.HistoryFile + " is not the file")

	other := t.TempDir()
	if err := openSweep(t, other, tiny(t)[:1], false).claim(nil); err != nil {
		t.Fatal(err)
	}
	var planError *PlanError
	if _, err := Merge(first, []string{other}); !errors.As(err, &planError) {
		t.Errorf("merging another sweep: error %v, want *PlanError", err)
	}
	if _, err := Merge(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "holds no sweep") {
		t.Errorf("merging nothing: error %v", err)
	}
}

func TestSweepKeepsItsFolder(t *testing.T) {
	trainsMuch(t)
	dir := t.TempDir()
	runSweep(t, openSweep(t, dir, tiny(t)[:2], false), Options{Workers: 1})
	var planError *PlanError
	if _, err := Open(dir, tinyAxes, tiny(t), false); !errors.As(err, &planError) {
		t.Errorf("another sweep: error %v, want *PlanError", err)
	}
	if outcome := runSweep(t, openSweep(t, dir, tiny(t), true), Options{Workers: 2}); outcome.There != 2 || outcome.Done != 4 {
		t.Errorf("the larger sweep: outcome %+v, want the 2 shared runs kept", outcome)
	}
	wantReference(t, results(t, dir))

	if err := errors.Join(os.Remove(filepath.Join(dir, ResultsFile)), os.Mkdir(filepath.Join(dir, ResultsFile), 0o755)); err != nil {
		t.Fatal(err)
	}
	inTheWay := "has a folder where the file results.csv is to be"
	if _, err := Open(dir, tinyAxes, tiny(t), false); err == nil || !strings.Contains(err.Error(), inTheWay) {
		t.Errorf("opened with a folder in the way: %v", err)
	}
	if _, err := Merge(dir, nil); err == nil || !strings.Contains(err.Error(), inTheWay) {
		t.Errorf("merged with a folder in the way: %v", err)
	}

	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "thesis.tex"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(foreign, tinyAxes, tiny(t), true); !errors.As(err, &planError) || !strings.Contains(err.Error(), "thesis.tex") {
		t.Errorf("a folder of other files: error %v, want *PlanError that names one", err)
	}
}

// A plan that names other folders than a sweep's is refused, and so is one that is
// cut short, which force writes anew.
func TestPlanIsNotTrusted(t *testing.T) {
	id := strings.Repeat("a", idLength)
	runs := func(list string) string { return `{"kind":"vaefolio sweep","axes":["beta"],"runs":[` + list + `]}` }
	for _, text := range []string{
		runs(`{"id":"../../x","point":["1"],"corpus":"` + id + `"}`),
		runs(`{"id":"` + id + `","point":["1"],"corpus":"/etc/aaaaaaaaaaa"}`),
		runs(`{"id":"` + id + `","point":[],"corpus":"` + id + `"}`),
		runs(`{"id":"","point":["1"],"corpus":"` + id + `"}`),
		runs(`{"id":"` + id + `","point":["1"],"corpus":"` + id + `"},{"id":"` + id + `","point":["2"],"corpus":"` + id + `"}`),
		runs(`{"id":"` + id + `"`),
		``, `{"name":"app"}`, `{"name":`,
	} {
		parent := t.TempDir()
		dir, outside := filepath.Join(parent, "a", "sweep"), filepath.Join(parent, "x")
		for _, d := range []string{dir, outside} {
			if err := os.MkdirAll(d, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, planFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		var planError *PlanError
		if _, err := Merge(dir, nil); !errors.As(err, &planError) {
			t.Errorf("merging with the plan %.60s: error %v, want *PlanError", text, err)
		}
		if _, err := Status(dir); !errors.As(err, &planError) {
			t.Errorf("status of the plan %.60s: error %v, want *PlanError", text, err)
		}
		_, err := Open(dir, tinyAxes, tiny(t), true)
		if text == "" && err != nil {
			t.Errorf("force on the plan %.60s: error %v", text, err)
		}
		if names, err := os.ReadDir(outside); err != nil || len(names) > 0 {
			t.Errorf("the folder outside holds %v (%v)", names, err)
		}
	}
}

func TestOpenSweepRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func([]Trial) []Trial
		want   string
	}{
		"nothing":        {func(all []Trial) []Trial { return nil }, "without runs"},
		"the same":       {func(all []Trial) []Trial { all[1] = all[0]; return all }, "runs 1 and 2 (beta=0.1 seed=1) are the same"},
		"no held-out":    {func(all []Trial) []Trial { all[2].Corpus.Validation = 0; return all }, "run 3 of 6 (0.1 3): nothing is held out"},
		"no head":        {func(all []Trial) []Trial { all[0].Model.Head = "hydra"; return all }, "hydra"},
		"no condition":   {func(all []Trial) []Trial { all[2].On = []string{"luck"}; return all }, "run 3 of 6 (0.1 3): condition-on: no condition luck"},
		"a short window": {func(all []Trial) []Trial { all[0].Embargo = 5000; return all }, "run 1 of 6"},
	} {
		dir := filepath.Join(t.TempDir(), "new")
		_, err := Open(dir, tinyAxes, c.change(tiny(t)), false)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, c.want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: a folder is left", name)
		}
	}
}

func TestSweepSharesTrainingSets(t *testing.T) {
	trainsMuch(t)
	trials := tiny(t)[:4]
	trials[1].CorpusSeed, trials[2].CorpusSeed = 0, 0 // of seeds 2 and 3
	trials[3].Corpus.Source, trials[3].Corpus.N = corpus.Mixed, 60
	s := openSweep(t, t.TempDir(), trials, false)
	ids := map[string]bool{}
	for _, set := range s.sets {
		ids[set.id] = true
	}
	if len(ids) != 4 {
		t.Errorf("%d training sets, want 4", len(ids))
	}
	again := tiny(t)
	again[0].Model.Beta, again[0].Schedule.Steps = 7, 3 // not of the training set
	if s := openSweep(t, t.TempDir(), again, false); s.sets[0] != s.sets[5] {
		t.Error("runs that differ only in their models don't share their training set")
	}
	runSweep(t, s, Options{Workers: 2})
	for i, set := range s.sets {
		read, err := readTrainingSet(s.corpusDir(set.id), trials[i].Window.Symbols, trials[i].Settings)
		if err != nil {
			t.Fatal(err)
		}
		rows, _ := read.Train.Dims()
		held, _ := read.HeldOut.Dims()
		if want := trials[i].Corpus.N; rows+held != want || math.Abs(float64(held)/float64(want)-0.2) > 0.05 {
			t.Errorf("run %d: %d rows to learn from and %d held out of %d", i, rows, held, want)
		}
		for j := range rows {
			if v := trials[i].Set.Violation(read.Train.RawRowView(j)); v > 1e-12 {
				t.Fatalf("run %d: row %d violates the set by %v", i, j, v)
			}
		}
	}
}

// Lookbacks that the prices are too few for are left out of what names a training set.
func TestSweepLeavesLookbacksOut(t *testing.T) {
	trials := tiny(t)[:2]
	trials[1].Corpus.Lookbacks = []int{40, 5000}
	s := openSweep(t, t.TempDir(), trials, false)
	if first, second := s.sets[0], s.sets[1]; first.id != second.id || first.note != "" {
		t.Errorf("training sets %s and %s, want one; %q is said of the first", first.id, second.id, first.note)
	}
	trials[0].Corpus.Lookbacks = []int{40, 5000}
	if s := openSweep(t, t.TempDir(), trials, false); !strings.HasPrefix(s.sets[0].note, "lookbacks left out: 5000") {
		t.Errorf("note %q", s.sets[0].note)
	}
	trials[1].Corpus.Lookbacks = []int{4000, 5000}
	if _, err := Open(t.TempDir(), tinyAxes, trials, false); err == nil ||
		!strings.Contains(err.Error(), "are too few for lookbacks of 4000") {
		t.Errorf("error %v", err)
	}
}

// Trials that differ in nothing but lookbacks that are left out are one run, which is said.
func TestSweepRunsWhatIsLeftOnce(t *testing.T) {
	trials := tiny(t)[:1]
	for _, lookbacks := range [][]int{{40, 5000}, {40, 6000}, {60}} {
		more := trials[0]
		more.Corpus.Lookbacks, more.Point = lookbacks, []string{"0.1", fmt.Sprint(lookbacks)}
		more.Config = fmt.Appendf(nil, "%slookbacks = [%d]\n", more.Config, lookbacks)
		trials = append(trials, more)
	}
	s := openSweep(t, t.TempDir(), trials[1:], false)
	if s.Runs() != 2 || len(s.trials) != 2 || len(s.sets) != 2 || !slices.Equal(s.trials[1].Corpus.Lookbacks, []int{60}) {
		t.Errorf("%d runs, %d trials, %d training sets: want the first and the last", s.Runs(), len(s.trials), len(s.sets))
	}
	if want := "beta=0.1 seed=[40 6000] is the same run as beta=0.1 seed=[40 5000]"; len(s.notes) != 1 ||
		!strings.HasPrefix(s.notes[0], want) {
		t.Errorf("notes %q, want %q", s.notes, want)
	}
	if s := openSweep(t, t.TempDir(), trials[:2], false); s.Runs() != 1 || s.plan.Runs[0].ID != s.trials[0].id(s.sets[0], "") {
		t.Errorf("%d runs where one leaves out what the other doesn't say", s.Runs())
	}
}

func TestSweepFixesItsBackend(t *testing.T) {
	dir := t.TempDir()
	s := openSweep(t, dir, tiny(t), false)
	if err := s.claim(&engine{"xla", "/lib/plugin.so", "amd64"}); err != nil {
		t.Fatal(err)
	}
	if err := s.claim(&engine{"xla", "/other/plugin.so", "amd64"}); err != nil {
		t.Errorf("another plugin is refused: %v", err)
	}
	var planError *PlanError
	if _, err := s.Run(context.Background(), Options{Backend: "go", Workers: 1}); !errors.As(err, &planError) || !strings.Contains(err.Error(), "-backend xla") {
		t.Errorf("another backend: error %v, want *PlanError with the remedy", err)
	}
	if _, err := s.Run(context.Background(), Options{Backend: "abacus"}); err == nil || !strings.Contains(err.Error(), "abacus") {
		t.Errorf("unknown backend: error %v", err)
	}
}

// What a killed process left half-written of a sweep's own files goes with the next
// run and the next merge; files of others stay.
func TestSweepRemovesLeftovers(t *testing.T) {
	dir := t.TempDir()
	own := []string{".sweep.json.tmp-1", ".backend.json.tmp-2", ".results.csv.tmp-3", ".timings.csv.tmp-4",
		".returns.csv.tmp-5", ".report.html.tmp-6", "figures/.sharpe.png.tmp-7", "figures/.faithful.png.tmp-8",
		"markets/.0123456789abcdef.json.tmp-9"}
	others := []string{".notes.txt.tmp-1", ".report.html.tmp-x", "report.html.tmp-1", "markets/.mine.json.tmp-1"}
	plant := func(names ...string) {
		for _, name := range names {
			if err := errors.Join(os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755),
				os.WriteFile(filepath.Join(dir, name), nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func(after string) {
		t.Helper()
		for _, name := range own {
			if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s is left after %s (%v)", name, after, err)
			}
		}
		for _, name := range others {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil && after != "the first plan" {
				t.Errorf("%s is gone after %s (%v)", name, after, err)
			}
		}
	}
	plant(own[0])
	s := openSweep(t, dir, tiny(t), false)
	e := &engine{"go", "", "amd64"}
	if err := s.claim(e); err != nil {
		t.Fatal(err)
	}
	check("the first plan")
	plant(append(own, others...)...)
	if err := s.claim(e); err != nil {
		t.Fatal(err)
	}
	check("a run")
	plant(own...)
	if _, err := Merge(dir, nil); err != nil {
		t.Fatal(err)
	}
	check("a merge")
}

// A worker's memory doesn't grow with the number of its jobs.
func TestTrainerKeepsMemoryFlat(t *testing.T) {
	trainsMuch(t)
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	s := openSweep(t, t.TempDir(), tiny(t), false)
	if err := s.sets[0].make(context.Background(), s.corpusDir(s.sets[0].id), nil); err != nil {
		t.Fatal(err)
	}
	worker := &trainer{backend: backend}
	heap := func(from, to int) uint64 {
		for i := from; i < to; i++ {
			j := s.job(i % 6)
			j.Settings.Schedule.Steps = 200
			j.Folder += fmt.Sprint(i)
			if err := worker.do(context.Background(), j, trained.Reports{}); err != nil {
				t.Fatal(err)
			}
		}
		runtime.GC()
		runtime.GC() // the first one runs finalizers
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap(0, 6)
	if after := heap(6, 30); after > before+1<<20 {
		t.Errorf("%d bytes on the heap after 6 runs, %d after 30", before, after)
	}
}

func TestAxes(t *testing.T) {
	for text, want := range map[string]string{
		"":               "",
		"beta = 0.5 1 2": "beta=0.5 1 2",
		"\n beta=1 2\n\nhidden = 64,32 128,64 ; n = 100\n": "beta=1 2; hidden=64,32 128,64; n=100",
		"sector-cap = L1=0.3 L1=0.5":                       "sector-cap=L1=0.3 L1=0.5",
	} {
		var a Axes
		if err := a.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got, _ := a.MarshalText(); string(got) != want {
			t.Errorf("%q reads as %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"beta":               "want NAME = VALUE",
		"beta =":             "want NAME = VALUE",
		"= 1":                "want NAME = VALUE",
		"beta = 1; beta = 2": "given twice",
		"beta = 1 2 1":       "has the value 1 twice",
	} {
		var a Axes
		if err := a.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", text, err, want)
		}
	}
}

func FuzzAxes(f *testing.F) {
	f.Add("beta = 0.5 1 2; hidden = 64,32 128,64")
	f.Add("a=b=c\n\n;d = \xff")
	f.Fuzz(func(t *testing.T, text string) {
		var a, b Axes
		if a.UnmarshalText([]byte(text)) != nil {
			return
		}
		written, err := a.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := b.UnmarshalText(written); err != nil {
			t.Fatalf("%q was written as %q, which is refused: %v", text, written, err)
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%q was written as %q:\n%s", text, written, diff)
		}
	})
}

func TestPoints(t *testing.T) {
	names, points, err := Points(
		Axes{{"a", []string{"1", "2"}}, {"b", []string{"x", "y"}}},
		Axes{{"c", []string{"3", "4"}}, {"d", []string{"5", "6"}}},
		[]uint64{7, 8})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "c", "d", "seed"}; !slices.Equal(names, want) {
		t.Errorf("axes %v, want %v", names, want)
	}
	var got []string
	for _, p := range points {
		got = append(got, strings.Join(p, ""))
	}
	want := strings.Fields("1x357 1x358 1x467 1x468 1y357 1y358 1y467 1y468 2x357 2x358 2x467 2x468 2y357 2y358 2y467 2y468")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	if _, points, err := Points(nil, nil, nil); err != nil || len(points) != 1 {
		t.Errorf("no axes: %v, %v, want one point", points, err)
	}
	many := slices.Repeat([]string{"1"}, 1100)
	for want, c := range map[string][2]Axes{
		"zipped axes go together": {nil, {{"a", []string{"1"}}, {"b", []string{"1", "2"}}}},
		"axis a is given twice":   {{{"a", []string{"1"}}}, {{"a", []string{"1"}}}},
		"axis seed":               {{{"seed", []string{"1"}}}, nil},
		"more than 1000000 runs":  {{{"a", many}, {"b", many}}, nil},
	} {
		if _, _, err := Points(c[0], c[1], []uint64{1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// Every run belongs to one shard, whether shards count from 0 or from 1.
func TestShardsPartition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 20).Draw(t, "count")
		first := rapid.IntRange(0, 1).Draw(t, "first")
		run := rapid.IntRange(0, 1000).Draw(t, "run")
		owners := 0
		for i := range count {
			var s Shard
			if err := s.UnmarshalText(fmt.Appendf(nil, "%d/%d", first+i, count)); err != nil {
				t.Fatal(err)
			}
			if s.Has(run) {
				owners++
			}
		}
		if owners != 1 {
			t.Fatalf("run %d belongs to %d of %d shards", run, owners, count)
		}
	})
	for _, text := range []string{"1", "3/2", "-1/2", "a/b", "1/0", "1/2/3"} {
		var s Shard
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is read as %+v", text, s)
		}
	}
}

func TestShardFromEnvironment(t *testing.T) {
	for name, c := range map[string]struct {
		set  map[string]string
		want Shard
		err  string
	}{
		"none":          {nil, Shard{}, ""},
		"slurm":         {map[string]string{slurmID: "7", slurmCount: "4", slurmMin: "5", slurmMax: "8", slurmStep: "1"}, Shard{2, 4}, ""},
		"slurm's steps": {map[string]string{slurmID: "6", slurmCount: "4", slurmMin: "0", slurmMax: "6", slurmStep: "2"}, Shard{3, 4}, ""},
		"slurm's gaps":  {map[string]string{slurmID: "3", slurmCount: "3", slurmMin: "1", slurmMax: "7", slurmStep: "1"}, Shard{}, "without gaps"},
		"slurm's half":  {map[string]string{slurmID: "3"}, Shard{}, slurmCount + " is not set"},
		"kubernetes":    {map[string]string{jobIndex: "0", jobCount: "4"}, Shard{0, 4}, ""},
		"no count":      {map[string]string{jobIndex: "0"}, Shard{}, jobCount + " is not set"},
		"small count":   {map[string]string{jobIndex: "4", jobCount: "4"}, Shard{}, "completions"},
		"no number":     {map[string]string{jobIndex: "x", jobCount: "4"}, Shard{}, "not a number"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range []string{slurmID, slurmCount, slurmMin, slurmMax, slurmStep, jobIndex, jobCount} {
				t.Setenv(v, c.set[v])
			}
			got, err := ShardFromEnvironment()
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%+v, %v, want %+v, %q", got, err, c.want, c.err)
			}
		})
	}
}
