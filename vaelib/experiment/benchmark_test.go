package experiment

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/relative"
	"vaefolio/vaelib/simplex"
)

// beside is a small backtest of strategies without costs, and what it starts from.
func beside(t *testing.T, b *relative.Benchmark) (Input, BacktestSettings) {
	t.Helper()
	w, _, err := walk([]string{"A", "B", "C", "D"}, 160).Window()
	if err != nil {
		t.Fatal(err)
	}
	s := DefaultBacktest()
	s.Strategies, s.Train, s.Test, s.CostBps = []string{"equal-weight", "min-variance"}, 40, 20, 0
	return Input{Window: w, Set: simplex.Set{N: 4}, Seed: 1, Benchmark: b,
		Metrics: metrics.Settings{PeriodsPerYear: 365, RiskFree: 0.02}}, s
}

func known(t *testing.T, v number.Value) float64 {
	t.Helper()
	x, ok := v.Float()
	if !ok {
		t.Errorf("undefined: %s", v.Reason())
	}
	return x
}

// Beside a benchmark of equal weights the strategy of equal weights moves and pays as it does: the
// tracking error is exactly 0, walk-forward and on splits, and no ratio is left.
func TestBenchmarkOfWeights(t *testing.T) {
	in, s := beside(t, &relative.Benchmark{Name: "even", Weights: []float64{.25, .25, .25, .25}})
	s.CostBps = 20
	for _, groups := range []int{0, 4} {
		s.Groups, s.HeldOut = groups, 2
		summary, files, err := backtested(t, in, s)
		if err != nil {
			t.Fatal(err)
		}
		even := summary.Strategies[0]
		a := even.Against
		if known(t, a.TrackingError) != 0 || known(t, a.Beta) != 1 || known(t, a.SharpeDifference) != 0 ||
			known(t, summary.Benchmark.Sharpe) != known(t, even.Sharpe) || summary.Benchmark.FinalWealth != even.FinalWealth ||
			!(even.Cost > 0) || summary.Benchmark.Cost != even.Cost || summary.Benchmark.Turnover != even.Turnover {
			t.Errorf("%d groups: equal weights beside themselves are %+v, of %+v", groups, a, summary.Benchmark)
		}
		for _, v := range []number.Value{a.InformationRatio, a.InformationLow, a.PValue} {
			if _, ok := v.Float(); ok || v.Reason() == "no reason recorded" {
				t.Errorf("%d groups: defined is %v, its reason %q", groups, v.Any(), v.Reason())
			}
		}
		if got := columns(t, files[BenchmarkFile]); !slices.Equal(got, []string{"even"}) {
			t.Errorf("%d groups: %s is of %q", groups, BenchmarkFile, got)
		}
		page := string(files[ReportFile])
		for _, want := range []string{"Against the benchmark", "Strategies against even", "go run ./scripts/verify"} {
			if !strings.Contains(page, want) {
				t.Errorf("%d groups: the report lacks %q", groups, want)
			}
		}
	}
}

// Beside a series the figures are those of package relative over the periods tested, within
// intervals that hold them; with costs nothing changes for the benchmark.
func TestBenchmarkOfReturns(t *testing.T) {
	in, s := beside(t, nil)
	in.Benchmark = &relative.Benchmark{Name: "B", Returns: mat.Col(nil, 1, in.Window.Returns)}
	free, files, err := backtested(t, in, s)
	if err != nil {
		t.Fatal(err)
	}
	s.CostBps = 50
	summary, costly, err := backtested(t, in, s)
	if err != nil {
		t.Fatal(err)
	}
	if string(files[BenchmarkFile]) != string(costly[BenchmarkFile]) || string(files[ReturnsFile]) == string(costly[ReturnsFile]) {
		t.Error("costs change the benchmark, or not the strategies")
	}
	tested := in.Benchmark.Returns[s.Train : 160-1-(160-1-s.Train)%s.Test]
	f, err := metrics.EvaluateSeries(tested, in.Metrics)
	if err != nil || known(t, summary.Benchmark.Sharpe) != f.Sharpe {
		t.Errorf("the benchmark's Sharpe ratio is %v, want %v (%v)", summary.Benchmark.Sharpe.Any(), f.Sharpe, err)
	}
	for k, strategy := range summary.Strategies {
		a := strategy.Against
		if got, want := known(t, a.ActiveReturn), known(t, strategy.AnnualReturn)-f.AnnualReturn; math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: the active return is %v, want %v", strategy.Name, got, want)
		}
		if got, want := known(t, a.SharpeDifference), known(t, strategy.Sharpe)-f.Sharpe; got != want {
			t.Errorf("%s: the difference of the Sharpe ratios is %v, want %v", strategy.Name, got, want)
		}
		for _, interval := range [][3]number.Value{{a.InformationLow, a.InformationRatio, a.InformationHigh},
			{a.DifferenceLow, a.SharpeDifference, a.DifferenceHigh}} {
			if low, x, high := known(t, interval[0]), known(t, interval[1]), known(t, interval[2]); !(low < x && x < high) {
				t.Errorf("%s: %v lies outside [%v, %v]", strategy.Name, x, low, high)
			}
		}
		if p := known(t, a.PValue); !(p > 0 && p <= 1) {
			t.Errorf("%s: p is %v", strategy.Name, p)
		}
		if x, y := known(t, a.ActiveReturn), known(t, free.Strategies[k].Against.ActiveReturn); !(x < y) {
			t.Errorf("%s: the active return is %v with costs, %v without", strategy.Name, x, y)
		}
	}
	if in.DataHash() == in.Window.Hash() {
		t.Error("the data are the same with a benchmark and without")
	}
	before := in.DataHash()
	if in.Benchmark.Returns[50] += 1e-9; in.DataHash() == before {
		t.Error("the data are the same with another benchmark")
	}
}

// A benchmark that never moves has no Sharpe ratio and gives no beta, with the reason.
func TestBenchmarkOfCash(t *testing.T) {
	in, s := beside(t, nil)
	in.Benchmark = &relative.Benchmark{Name: "cash", Returns: make([]float64, len(in.Window.Times))}
	summary, files, err := backtested(t, in, s)
	if err != nil {
		t.Fatal(err)
	}
	a := summary.Strategies[1].Against
	for _, v := range []number.Value{summary.Benchmark.Sharpe, a.Beta, a.Alpha, a.Correlation, a.UpCapture, a.DownCapture,
		a.SharpeDifference, a.DifferenceLow, a.PValue} {
		if _, ok := v.Float(); ok || v.Reason() == "no reason recorded" {
			t.Errorf("defined is %v, its reason %q", v.Any(), v.Reason())
		}
	}
	known(t, a.InformationRatio)
	if page := string(files[ReportFile]); strings.Contains(page, "NaN<") || strings.Contains(page, "NaN\"") {
		t.Errorf("the report has a NaN: %s", page[strings.Index(page, "NaN")-100:][:200])
	}
}
