package sweep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vaefolio/vaelib/corpus"
)

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
