package sweep

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vaefolio/data"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// sweepVariable makes a process of this test run the sweep of tinyTrials in the
// folder that it names, and say its progress and its outcome on stdout.
const sweepVariable = "SWEEP_TEST_FOLDER"

// patientVariable has the workers of this test's sweeps wait, at the first progress of
// their second runs, for the end of their jobs: an interruption then surely meets them
// there.
const patientVariable = "SWEEP_TEST_PATIENT"

func init() {
	if os.Getenv(patientVariable) != "" && os.Getenv(workerVariable) != "" {
		os.Exit(patientWorker())
	}
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

// patientWorker is a worker as [BecomeWorker] makes one, that waits.
func patientWorker() int {
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	p := &patience{ended: make(chan struct{})}
	if err := serve(os.Getenv(workerVariable), p, p); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// patience is a worker's input and output.
type patience struct {
	runs  int           // that have ended
	ended chan struct{} // closed at the end of the jobs
}

func (p *patience) Read(text []byte) (int, error) {
	n, err := os.Stdin.Read(text)
	if err != nil {
		close(p.ended)
	}
	return n, err
}

func (p *patience) Write(text []byte) (int, error) {
	n, err := os.Stdout.Write(text)
	var m message
	switch json.Unmarshal(text, &m); m.Kind {
	case isDone:
		p.runs++
	case isProgress:
		if p.runs > 0 && m.Done > 0 {
			<-p.ended
		}
	}
	return n, err
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

// tinySteps are enough for conditions to be learned.
const tinySteps = 600

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
	t.Setenv(patientVariable, "1")
	dir := t.TempDir()
	s := openSweep(t, dir, tiny(t), false)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	first := map[int]string{} // run of each worker
	_, err := s.Run(ctx, Options{Workers: 2, Backend: "go", Progress: func(p Progress) {
		for i, w := range p.Workers {
			if w.Done > 0 && first[i] == "" {
				first[i] = w.Run
			}
			if w.Done > 0 && w.Run != first[i] { // it waits there
				cancel()
			}
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
	t.Setenv(patientVariable, "")
	runSweep(t, s, Options{Workers: 2})
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
