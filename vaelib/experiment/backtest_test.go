package experiment

import (
	"bytes"
	"encoding/csv"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
)

func TestBacktestSettingsRefuse(t *testing.T) {
	for want, change := range map[string]func(*BacktestSettings){
		"name at least one":           func(s *BacktestSettings) { s.Strategies = nil },
		`unknown strategy "luck"`:     func(s *BacktestSettings) { s.Strategies = []string{"hrp", "luck"} },
		"hrp is named twice":          func(s *BacktestSettings) { s.Strategies = []string{"hrp", "hrp"} },
		`covariance "nope" is unknow`: func(s *BacktestSettings) { s.Covariance = "nope" },
	} {
		s := DefaultBacktest()
		change(&s)
		if err := s.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	s := DefaultBacktest()
	s.Strategies = []string{"luck"}
	if unknown := new(UnknownStrategyError); !errors.As(s.Validate(), &unknown) || !slices.Contains(unknown.Known, "hrp") {
		t.Errorf("the known ones are %v", unknown.Known)
	}
	short := &simplex.Set{N: 2, Lower: []float64{-0.1, 0}}
	for name, fits := range map[string]bool{"min-variance": true, ModelMean: false, Learnt: false, zeroShotNames()[0]: false} {
		s.Strategies = []string{"hrp", name}
		if err := s.CheckSet(short); (err == nil) != fits {
			t.Errorf("short positions of %s: %v", name, err)
		}
	}
}

// backtested runs a backtest into a folder of its own, and returns its files.
func backtested(t *testing.T, in Input, s BacktestSettings) (*BacktestSummary, map[string][]byte, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	folder, err := run.Open(dir, run.Spec{Verb: "backtest", Seed: in.Seed, Outputs: BacktestFiles()}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	summary, err := Backtest(t.Context(), folder, in, s)
	if err != nil {
		return nil, nil, err
	}
	if err := folder.Finish(); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range []string{ReturnsFile, "trials.csv", "paths.csv", BenchmarkFile, WeightsFile, ReportFile} {
		files[name], err = os.ReadFile(filepath.Join(dir, name))
		if err != nil && name != "paths.csv" && (name != BenchmarkFile || in.Benchmark != nil) {
			t.Fatal(err)
		}
	}
	files[ReportFile] = bytes.ReplaceAll(files[ReportFile], []byte(dir), []byte("RUN")) // whose commands name it
	return summary, files, nil
}

// columns are the names in a file's header, but for the first.
func columns(t *testing.T, text []byte) []string {
	t.Helper()
	names, err := csv.NewReader(bytes.NewReader(text)).Read()
	if err != nil {
		t.Fatal(err)
	}
	return names[1:]
}

// Over combinatorially purged splits every strategy has its paths, single models are
// trials, and what models chose is found again, unless it can't be what they chose.
func TestBacktestOverPaths(t *testing.T) {
	sample := input(t)
	cache := t.TempDir()
	s := DefaultBacktest()
	s.Strategies, s.Models, s.Rows, s.Steps = []string{"equal-weight", "min-variance", ModelMean}, 2, 100, 3
	s.Groups, s.HeldOut, s.Embargo, s.Test, s.Cache = 4, 2, 2, 30, cache
	in := Input{Window: sample.Window.Slice(0, 200).Choose([]int{0, 1, 2, 3}), Set: simplex.Set{N: 4, Upper: []float64{0.5, 0.5, 0.5, 0.5}},
		Seed: 1, Metrics: sample.Metrics, Backend: sample.Backend, Synthetic: true}
	summary, files, err := backtested(t, in, s)
	if err != nil {
		t.Fatal(err)
	}
	const paths = 3 // of 6 splits in two of four groups, each group is tested in 3
	for _, tested := range summary.Strategies {
		if len(tested.SharpeOfPaths) != paths {
			t.Errorf("%s has %d paths, want %d", tested.Name, len(tested.SharpeOfPaths), paths)
		}
		if models := len(tested.SharpeOfModels); models != 0 && tested.Name != ModelMean || models != 2 && tested.Name == ModelMean {
			t.Errorf("%s has %d models", tested.Name, models)
		}
	}
	want := []string{"equal-weight", "min-variance", ModelMean, ModelMean + " model 1", ModelMean + " model 2"}
	if got := columns(t, files[ReturnsFile]); !slices.Equal(got, want[:3]) {
		t.Errorf("returns are of %q", got)
	}
	if got := columns(t, files["trials.csv"]); !slices.Equal(got, want) || summary.Trials != len(want) {
		t.Errorf("trials are %q, counted %d", got, summary.Trials)
	}
	if got := columns(t, files["paths.csv"]); len(got) < 3*paths || got[1] != "equal-weight path 2" {
		t.Errorf("paths are %q", got)
	}
	if !bytes.Contains(files[ReportFile], []byte("SYNTHETIC")) {
		t.Error("the report doesn't say that the prices are made up")
	}
	kept, err := filepath.Glob(filepath.Join(cache, "*.json"))
	if err != nil || len(kept) == 0 {
		t.Fatalf("kept are %d decisions, %v", len(kept), err)
	}
	for i, text := range []string{"{", "{}", `{"model-mean":[2,-1,0,0]}`} {
		if err := os.WriteFile(kept[i%len(kept)], []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	_, again, err := backtested(t, in, s)
	if err != nil || !maps.EqualFunc(files, again, bytes.Equal) {
		for name := range files {
			if !bytes.Equal(files[name], again[name]) {
				t.Errorf("%s has other bytes with what was kept", name)
			}
		}
		t.Errorf("again: %v", err)
	}
	in.Listings = &market.Listings{}
	if _, _, err := backtested(t, in, s); err == nil || !strings.Contains(err.Error(), "leave out -listings as-it-was") {
		t.Errorf("splits of symbols that come and go: %v", err)
	}
	in.Listings, s.Strategies = nil, []string{"luck"}
	if _, _, err := backtested(t, in, s); err == nil {
		t.Error("an unknown strategy: no error")
	}
	s.Strategies, in.Set.Upper = []string{"hrp"}, []float64{0.1, 0.1, 0.1, 0.1}
	if _, _, err := backtested(t, in, s); err == nil {
		t.Error("an impossible set: no error")
	}
}

// Of symbols that come and go it is said how many could be chosen and who held what
// stopped; an estimate that makes all assets alike is said too.
func TestBacktestOfListings(t *testing.T) {
	w, listings, _, err := walk([]string{"A", "B", "C", "D", "E", "F"}, 160).WindowAsItWas()
	if err != nil {
		t.Fatal(err)
	}
	s := DefaultBacktest()
	s.Strategies, s.Train, s.Test = []string{"equal-weight", "min-variance"}, 40, 20
	in := Input{Window: w, Listings: listings, Set: simplex.Set{N: len(w.Symbols)}, Seed: 1, Metrics: metrics.Settings{PeriodsPerYear: 365}}
	summary, files, err := backtested(t, in, s)
	if err != nil {
		t.Fatal(err)
	}
	said := strings.Join(summary.Notes, "\n")
	if summary.Listings != "as-it-was" || !strings.Contains(said, "of 6 symbols could be chosen") ||
		!strings.Contains(said, "E") || !strings.Contains(said, "held by equal-weight") {
		t.Errorf("listings %s: %s", summary.Listings, said)
	}
	if files["paths.csv"] != nil {
		t.Error("paths.csv without splits")
	}
	in.Set.Upper = slices.Repeat([]float64{0.19}, len(w.Symbols)) // too little where five can be chosen
	if _, _, err := backtested(t, in, s); err == nil || !strings.Contains(err.Error(), "symbols could be chosen then") {
		t.Errorf("too few symbols for the cap: %v", err)
	}
	flat := &flattened{}
	if flat.String() != "" {
		t.Errorf("nothing is flattened, and it says %q", flat)
	}
	flat.ends, flat.first = map[time.Time]bool{w.Times[0]: true, w.Times[1]: true}, "all look alike"
	if flat.String() != "in 2 training windows all look alike" {
		t.Errorf("it says %q", flat)
	}
}
