package lab

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/simulate"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/sweep"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// shared compiles the models of all tests once.
var shared = sync.OnceValues(func() (*vae.Backend, error) { return vae.Open("go") })

func open(t *testing.T) *vae.Backend {
	t.Helper()
	b, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func inputs(t *testing.T, s Settings) Inputs {
	t.Helper()
	return Inputs{Settings: s, Seed: 1, Backend: open(t)}
}

// tiny is a laboratory of a moment.
func tiny() Settings {
	return Settings{Source: Simulated, Assets: []int{4}, Periods: []int{40}, Dispersion: []float64{0, 2},
		Worlds: 4, Windows: 1, Rows: 100, Steps: 5, Samples: 100}
}

// universal is a model over sets of assets that has hardly learned.
func universal(t *testing.T) *trained.SetModel {
	t.Helper()
	var all []*universe.Example
	s := universe.Settings{Universes: 16, Portfolios: 4, LeastAssets: 4, MostAssets: 5, LeastPeriods: 40, MostPeriods: 60,
		HeldOut: 0.25}
	if err := universe.Simulate(t.Context(), s, func(e *universe.Example) error {
		all = append(all, e)
		return nil
	}, nil); err != nil {
		t.Fatal(err)
	}
	settings := trained.SetSettings{Config: vae.SetConfig{Latent: 2, Width: 8, Heads: 2, Blocks: 1, Beta: 0.1, Seed: 1},
		Schedule: vae.DefaultSetSchedule()}
	settings.Schedule.Steps, settings.Schedule.Batch, settings.Schedule.EvalEvery = 5, 16, 5
	model, _, err := trained.MakeSet(t.Context(), open(t), all, settings, t.TempDir(), trained.Reports{})
	if err != nil {
		t.Fatal(err)
	}
	return model
}

// Whatever happens after a rebalance, what was decided up to it stays as it was,
// for every strategy, to the bit.
func TestNothingLooksAhead(t *testing.T) {
	if testing.Short() {
		t.Skip("trains many models: without -short")
	}
	const n, train, test, count = 4, 40, 20, 3
	r := simulate.DefaultRanges()
	r.Assets = simulate.Range{From: n, To: n}
	world, err := simulate.New(2, 0, r)
	if err != nil {
		t.Fatal(err)
	}
	returns := world.Returns(stream.New(2, "path", 0), train+count*test)
	in := inputs(t, tiny())
	in.Set = universal(t)
	if in.Rule, err = learnt.Open(open(t)); err != nil {
		t.Fatal(err)
	}
	decide := func(returns *mat.Dense) *backtest.Result {
		t.Helper()
		result, err := backtest.Run(t.Context(), windowOf(returns), Strategies(in),
			backtest.Settings{Train: train, Test: test}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return result
	}
	before := decide(returns)
	if len(before.Tracks) != len(roster(&in)) {
		t.Fatalf("%d strategies were tested, not %d", len(before.Tracks), len(roster(&in)))
	}
	for last := range count - 1 {
		corrupt := mat.DenseCopyOf(returns)
		rng := rand.New(rand.NewPCG(1, uint64(last)))
		for i := train + last*test; i < train+count*test; i++ {
			for j := range n {
				corrupt.Set(i, j, -0.5+rng.Float64())
			}
		}
		after, changed := decide(corrupt), 0
		for k, track := range after.Tracks {
			for i, b := range track.Rebalances {
				same := slices.Equal(b.Weights, before.Tracks[k].Rebalances[i].Weights)
				if i <= last && !same {
					t.Errorf("%s: what comes after rebalance %d changed what was decided at %d", track.Name, last, i)
				}
				if i > last && !same {
					changed++
				}
			}
		}
		if changed < len(after.Tracks)-2 {
			t.Errorf("corruption changed %d later decisions only: does it reach the strategies?", changed)
		}
	}
}

// A laboratory that was interrupted, one made in parts and one made in one go by
// other workers end with the same bytes.
func TestInterruptedAndSharded(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) *Lab {
		t.Helper()
		l, err := Open(filepath.Join(dir, name), inputs(t, tiny()), false)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	finish := func(l *Lab) map[string]string {
		t.Helper()
		if _, err := l.Finish(t.Context(), "lab"); err != nil {
			t.Fatal(err)
		}
		files := map[string]string{}
		for _, name := range []string{ResultsFile, SummaryFile, ReportFile} {
			text, err := os.ReadFile(filepath.Join(l.dir, name))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = string(text)
		}
		return files
	}
	whole := at("whole")
	if err := whole.Run(t.Context(), Options{Workers: 1}); err != nil {
		t.Fatal(err)
	}
	want := finish(whole)

	ctx, cancel := context.WithCancel(t.Context())
	stopped := at("stopped")
	err := stopped.Run(ctx, Options{Workers: 2, Progress: func(done, _ int, _ string) {
		if done == 2 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	all, there := stopped.Worlds()
	if all != 8 || there < 2 || there == all {
		t.Errorf("%d of %d worlds are there after an interruption", there, all)
	}
	if _, err := stopped.Finish(t.Context(), "lab"); err == nil || !strings.Contains(err.Error(), "of 8 worlds are missing") {
		t.Errorf("finished with worlds missing: %v", err)
	}
	stopped = at("stopped")
	if err := stopped.Run(t.Context(), Options{}); err != nil {
		t.Fatal(err)
	}
	for name, text := range finish(stopped) {
		if text != want[name] {
			t.Errorf("%s differs after an interruption", name)
		}
	}

	first, second := at("first"), at("second")
	for i, l := range []*Lab{first, second} {
		if err := l.Run(t.Context(), Options{Shard: sweep.Shard{Index: i, Count: 2}}); err != nil {
			t.Fatal(err)
		}
	}
	if brought, err := first.Bring(second.dir); err != nil || brought != 4 {
		t.Fatalf("%d worlds brought in, error %v", brought, err)
	}
	for name, text := range finish(first) {
		if text != want[name] {
			t.Errorf("%s differs when made in two parts", name)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	a, err := Open(filepath.Join(dir, "a"), inputs(t, tiny()), false)
	if err == nil {
		err = a.Run(t.Context(), Options{Shard: sweep.Shard{Index: 1, Count: 8}})
	}
	if err != nil {
		t.Fatal(err)
	}
	other := tiny()
	other.Steps = 6
	if _, err := Open(filepath.Join(dir, "a"), inputs(t, other), false); err == nil || !strings.Contains(err.Error(), "-force") {
		t.Errorf("another laboratory: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "a"), inputs(t, other), true); err != nil {
		t.Errorf("with force: %v", err)
	}
	if err := Usable(filepath.Join(dir, "a"), Inputs{Settings: other, Seed: 1}, false); err == nil || !strings.Contains(err.Error(), "other settings") {
		t.Errorf("another laboratory, without a backend: %v", err)
	}
	if err := Usable(filepath.Join(dir, "a"), Inputs{Settings: tiny(), Seed: 1}, false); err != nil {
		t.Errorf("the same laboratory, without a backend: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "a", ResultsFile), 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(dir, "a"), inputs(t, tiny()), false); err == nil || !strings.Contains(err.Error(), "has a folder where the file results.csv") {
		t.Errorf("a folder in the way: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "b"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b", "notes.txt"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(dir, "b"), inputs(t, tiny()), false); err == nil || !strings.Contains(err.Error(), "notes.txt") {
		t.Errorf("a folder with other files: %v", err)
	}
	resampled := tiny()
	resampled.Source = Bootstrap
	in := inputs(t, resampled)
	in.Market = &Market{Returns: mat.NewDense(50, 3, nil), PeriodsPerYear: 252}
	if _, err := Open(filepath.Join(dir, "c"), in, false); err == nil || !strings.Contains(err.Error(), "3 assets") {
		t.Errorf("more assets than there are: %v", err)
	}
	double := tiny()
	double.Periods = []int{40, 40}
	if err := double.Validate(); err == nil {
		t.Error("periods named twice")
	}
}

// A resampled world's truth is that of the returns, whatever their year is.
func TestBootstrapWorld(t *testing.T) {
	if testing.Short() {
		t.Skip("trains many models: without -short")
	}
	r := simulate.DefaultRanges()
	r.Assets = simulate.Range{From: 6, To: 6}
	real, err := simulate.New(4, 0, r)
	if err != nil {
		t.Fatal(err)
	}
	s := tiny()
	s.Source = Bootstrap
	in := inputs(t, s)
	in.Market = &Market{Returns: real.Returns(stream.New(4, "real", 0), 300), PeriodsPerYear: 252}
	o, err := world{Cell{4, 40, 0}, 1}.make(t.Context(), &in)
	if err != nil {
		t.Fatal(err)
	}
	// Equal Sharpe ratios: the optimum is maximum diversification, whose ratio is the
	// level times its diversification ratio, and no asset has more.
	if !(o.Optimum >= o.Level && o.Optimum < 3*o.Level) {
		t.Errorf("the optimum is %v for a level of %v", o.Optimum, o.Level)
	}
	for i, share := range o.Shares[0] {
		if !(share <= 1+1e-9) {
			t.Errorf("%s has %v of the optimum", o.Strategies[i], share)
		}
	}
}

// numbers invents the shares of a laboratory of one cell: rivals alike but for
// noise that all share and noise of their own, and a member ahead by lead.
func numbers(rng *rand.Rand, worlds int, lead float64) ([]string, []string, group) {
	names := []string{"r1", "r2", "r3", "m1", "m2"}
	kinds := []string{Rival, Rival, Rival, Family, Family}
	g := group{name: "all"}
	for number := range worlds {
		w := averaged{number: number}
		common := 0.1 * rng.NormFloat64()
		for k := range names {
			share := 0.7 + common + 0.02*rng.NormFloat64()
			if names[k] == "m2" {
				share += lead
			}
			w.shares = append(w.shares, share)
		}
		g.worlds = append(g.worlds, w)
	}
	return names, kinds, g
}

// Without any difference, the whole laboratory claims one falsely in at most 5 % of
// cases; a lead that is there is found, with its size.
func TestClaims(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const labs, groups = 300, 6
	false1, found := 0, 0
	for range labs {
		var tests, planted []*Test
		for range groups {
			names, kinds, g := numbers(rng, 20, 0)
			tests = append(tests, g.pair(names, kinds))
			names, kinds, g = numbers(rng, 20, 0.06)
			planted = append(planted, g.pair(names, kinds))
		}
		holm(tests)
		holm(planted)
		if slices.ContainsFunc(tests, func(x *Test) bool { return x.Verdict != Undecided }) {
			false1++
		}
		for _, x := range planted {
			if x.Verdict == GeneratorAhead {
				found++
				if x.Member != "m2" || !(x.From > 0 && x.Lead > 0 && x.PHolm < 0.05) {
					t.Fatalf("a claim without its figures: %+v", x)
				}
			}
		}
	}
	// The binomial's upper end for 5 % of 300.
	if false1 > 25 {
		t.Errorf("%d of %d laboratories without a difference claim one", false1, labs)
	}
	if share := float64(found) / (labs * groups); share < 0.8 {
		t.Errorf("a lead of .06 is found in %.2f of the groups", share)
	}
}

// The worked example: p-values .01, .04, .03, .005 at 5 % reject the two smallest.
func TestHolm(t *testing.T) {
	var tests []*Test
	for _, p := range []float64{0.01, 0.04, 0.03, 0.005} {
		values := []float64{0.1, 0.2, 0.3}
		tests = append(tests, &Test{P: p, differ: values, against: map[string][]float64{"r": values}})
	}
	holm(tests)
	for i, want := range []float64{0.03, 0.06, 0.06, 0.02} {
		if math.Abs(tests[i].PHolm-want) > 1e-15 {
			t.Errorf("corrected p-value %d is %v, not %v", i, tests[i].PHolm, want)
		}
	}
	for i, want := range []float64{1 - 0.05/3, 0.975, 0.975, 1 - 0.05/4} {
		if math.Abs(tests[i].Level-want) > 1e-12 {
			t.Errorf("level %d is %v, not %v", i, tests[i].Level, want)
		}
	}
}

// An interval excludes 0 exactly where Holm's test rejects.
func TestIntervalsAgreeWithTests(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 50 {
		var tests []*Test
		for k := range 5 {
			names, kinds, g := numbers(rng, 12, 0.01*float64(k))
			tests = append(tests, g.pair(names, kinds))
		}
		holm(tests)
		for _, x := range tests {
			if excluded := x.From > 0 || x.To < 0; excluded != (x.PHolm < 0.05) {
				t.Errorf("p %v, corrected %v, interval %v to %v", x.P, x.PHolm, x.From, x.To)
			}
		}
	}
}

func TestRatioGradient(t *testing.T) {
	r := newRatio([]float64{0.001, -0.002, 0.003},
		mat.NewSymDense(3, []float64{4e-4, 1e-4, 0, 1e-4, 9e-4, 2e-4, 0, 2e-4, 3e-4}))
	w, gradient := []float64{0.2, 0.3, 0.5}, make([]float64, 3)
	if value := r.Gradient(gradient, w); value != r.Value(w) {
		t.Errorf("value %v and %v", value, r.Value(w))
	}
	for i := range w {
		const h = 1e-6
		up, down := slices.Clone(w), slices.Clone(w)
		up[i], down[i] = up[i]+h, down[i]-h
		if slope := (r.Value(up) - r.Value(down)) / (2 * h); math.Abs(slope-gradient[i]) > 1e-6*math.Abs(slope) {
			t.Errorf("slope %d is %v, not %v", i, gradient[i], slope)
		}
	}
}

// Where the history has nothing but losses, every member still has an answer.
func TestFallingMarket(t *testing.T) {
	if testing.Short() {
		t.Skip("trains many models: without -short")
	}
	rng := rand.New(rand.NewPCG(7, 8))
	returns := mat.NewDense(40, 4, nil)
	for i := range 40 {
		for j := range 4 {
			returns.Set(i, j, -0.02+0.01*rng.NormFloat64())
		}
	}
	window := windowOf(returns)
	if window.Times[0] != time.Date(2020, time.January, 2, 0, 0, 0, 0, time.UTC) {
		t.Errorf("the first return ends %v", window.Times[0])
	}
	for _, s := range Strategies(inputs(t, tiny())) {
		w, err := s.Weights(t.Context(), window, nil)
		if err != nil {
			t.Fatal(err)
		}
		var sum float64
		for _, v := range w {
			sum += v
		}
		if math.Abs(sum-1) > 1e-9 {
			t.Errorf("%s has weights %v", s.Name, w)
		}
	}
}

// One asset of variance .01 and a law of Sharpe ratios 1 +- 2 over a year of 4
// periods: its mean has the prior .05 +- .1. After 4 periods, whose sample mean has
// the variance .0025, the posterior is .05 + .8 (m - .05); a second asset that is
// independent changes nothing.
func TestPosteriorMean(t *testing.T) {
	truth := &simulate.World{Cov: mat.NewSymDense(2, []float64{0.01, 0, 0, 0.01}), Level: 1, Dispersion: 2}
	mean, err := posteriorMean(truth, []float64{0.15, -0.05}, 4, 4)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{0.13, -0.03} {
		if math.Abs(mean[i]-want) > 1e-15 {
			t.Errorf("mean %d is %v, not %v", i, mean[i], want)
		}
	}
	truth.Dispersion = 0
	if mean, err = posteriorMean(truth, []float64{0.15, -0.05}, 4, 4); err != nil || mean[0] != 0.05 || mean[1] != 0.05 {
		t.Errorf("without dispersion the means are %v, error %v", mean, err)
	}
}

// A map of rules alone trains no generator, tells the learnt rule's differences from
// every rival, and has the same worlds and rivals as any other.
func TestRulesAlone(t *testing.T) {
	s := tiny()
	s.Strategies = []string{"equal-weight", "max-sharpe", "learnt", "half-learnt-empirical-bayes"}
	in := inputs(t, s)
	var err error
	if in.Rule, err = learnt.Open(open(t)); err != nil {
		t.Fatal(err)
	}
	l, err := Open(t.TempDir(), in, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Run(t.Context(), Options{}); err != nil {
		t.Fatal(err)
	}
	f, err := l.Finish(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Standings) != 5 || len(f.Differences) != 3*4 {
		t.Fatalf("%d standings and %d differences", len(f.Standings), len(f.Differences))
	}
	share := map[string]float64{}
	for _, s := range f.Standings {
		share[s.Name] = s.Share
	}
	d := f.Differences[len(f.Differences)-4]
	if d.Group != whole || d.Worlds != 8 || d.Member != "learnt" || d.Rival != "equal-weight" ||
		math.Abs(d.Difference-(share[d.Member]-share[d.Rival])) > 1e-12 || !(d.From < d.To) {
		t.Errorf("%+v, shares %v", d, share)
	}
	for _, names := range [][]string{{"learnt"}, {"max-sharpe"}, {"learnt", "nope"}, {"learnt", "hrp", "hrp"}} {
		s.Strategies = names
		if err := s.Validate(); err == nil {
			t.Errorf("%v were taken", names)
		}
	}
	rules := Rules()
	if err := rules.Validate(); err != nil {
		t.Error(err)
	}
}
