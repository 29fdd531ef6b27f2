package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/inference"
)

// benchmarkReturns are what the benchmark earned in the periods tested: its own returns,
// or those of its weights, to which it is brought back without cost when strategies trade.
func (b *tested) benchmarkReturns() []float64 {
	if b.beside.Returns != nil {
		return b.beside.Returns[b.from:b.to]
	}
	free, config := *b, *b.config
	config.CostBps = 0
	free.config = &config
	return free.earn(slices.Repeat([][]float64{b.beside.Weights}, len(b.trades))).returns
}

// checkBenchmark recomputes the benchmark's returns.
func (f *folder) checkBenchmark(context.Context) error {
	const file = experiment.BenchmarkFile
	b, err := f.tested()
	if err != nil {
		return err
	}
	if b.beside == nil || !f.has(file) {
		f.equal(file, "missing", b.beside == nil, !f.has(file))
		return nil
	}
	names, returns, err := f.series(b, file)
	if err != nil {
		return err
	}
	if f.equal(file, "name", names, []string{b.beside.Name}) {
		f.all(file, b.beside.Name, b.days[b.from:b.to], returns[b.beside.Name], b.benchmarkReturns(), 1e-12)
	}
	return nil
}

// checkAgainst recomputes how strategies stand against the benchmark, by the definitions
// and, of intervals and tests, by the same code again.
func (f *folder) checkAgainst(ctx context.Context, summary map[string]any, rows []any, b *tested,
	trials map[string][]float64) error {
	const file = "summary.json"
	if b.beside == nil {
		for k, row := range rows {
			row, _ := row.(map[string]any)
			f.equal(file, "against_benchmark of "+b.config.Strategies[k], row["against_benchmark"], nil)
		}
		return nil
	}
	own := b.benchmarkReturns()
	figures := f.ofSeries(own, b)
	want := map[string]float64{"final_wealth": 1}
	for _, r := range own {
		want["final_wealth"] *= 1 + r
	}
	for _, name := range []string{"annual_return", "cagr", "volatility", "sharpe", "max_drawdown"} {
		want[name] = figures(name)
	}
	stored, _ := summary["benchmark"].(map[string]any)
	f.equal(file, "name of the benchmark", stored["name"], b.beside.Name)
	f.figuresOf(stored, "the benchmark", want, "name")
	draws, err := f.drawn(ctx, b, trials, own)
	if err != nil {
		return err
	}
	for k, name := range b.config.Strategies {
		row, _ := rows[k].(map[string]any)
		stored, _ := row["against_benchmark"].(map[string]any)
		want := against(trials[name], own, b.perYear, b.config.RiskFree)
		b.test(want, k, trials[name], own, draws)
		f.figuresOf(stored, name+" against the benchmark", want)
	}
	return nil
}

// figuresOf compares the figures of an object with those wanted, NaN for undefined ones;
// it has no others but those named.
func (f *folder) figuresOf(stored map[string]any, of string, want map[string]float64, others ...string) {
	const file = "summary.json"
	for _, name := range slices.Sorted(maps.Keys(want)) {
		_, there := stored[name]
		if !there {
			f.add(file, name+" of "+of, differs, nil, defined(want[name]))
			continue
		}
		f.near(file, name+" of "+of, stored[name], want[name], f.tolerance)
	}
	for name := range stored {
		if _, ok := want[name]; !ok && !slices.Contains(others, name) {
			f.add(file, name+" of "+of, differs, stored[name], nil)
		}
	}
}

// against are the figures of returns beside a benchmark's by their definitions, NaN where
// one is undefined.
func against(p, b []float64, perYear, riskFree float64) map[string]float64 {
	n := float64(len(p))
	active := make([]float64, len(p))
	var product, up, down, upOf, downOf float64
	meanP, meanB := sum(p)/n, sum(b)/n
	for t, r := range p {
		active[t] = r - b[t]
		product += (r - meanP) * (b[t] - meanB)
		switch {
		case b[t] > 0:
			up, upOf = up+r, upOf+b[t]
		case b[t] < 0:
			down, downOf = down+r, downOf+b[t]
		}
	}
	if isRounding(p) {
		product = 0
	}
	covariance := product / (n - 1)
	tracking := deviation(active)
	if tracking <= 1e-12*(size(p)+size(b)) {
		tracking = 0
	}
	f := map[string]float64{"active_return": sum(active) / n * perYear, "tracking_error": tracking * math.Sqrt(perYear),
		"information_ratio": math.NaN(), "beta": math.NaN(), "alpha": math.NaN(), "correlation": math.NaN(),
		"up_capture": ratio(up, upOf), "down_capture": ratio(down, downOf)}
	if tracking > 0 {
		f["information_ratio"] = f["active_return"] / f["tracking_error"]
	}
	if !isRounding(b) {
		sigma := deviation(b)
		f["beta"] = covariance / (sigma * sigma)
		f["alpha"] = meanP*perYear - riskFree - f["beta"]*(meanB*perYear-riskFree)
		if !isRounding(p) {
			f["correlation"] = covariance / (sigma * deviation(p))
		}
	}
	return f
}

// size is the root mean square.
func size(x []float64) float64 {
	var squares float64
	for _, v := range x {
		squares += v * v
	}
	return math.Sqrt(squares / float64(len(x)))
}

// isRounding says whether numbers differ by rounding alone.
func isRounding(x []float64) bool { return deviation(x) <= 1e-12*size(x) }

// ratio is NaN where there is nothing to divide by.
func ratio(x, y float64) float64 {
	if y == 0 {
		return math.NaN()
	}
	return x / y
}

// test adds the intervals and the test of the difference of two Sharpe ratios, of
// strategy k with its returns.
func (b *tested) test(want map[string]float64, k int, mine, own []float64, draws *inference.Draws) {
	for _, figure := range []string{"information_ratio_low", "information_ratio_high", "sharpe_difference",
		"sharpe_difference_low", "sharpe_difference_high", "sharpe_difference_p"} {
		want[figure] = math.NaN()
	}
	n := len(b.config.Strategies)
	column := func(track, statistic int) []float64 { return mat.Col(nil, 2*track+statistic, draws.Values) }
	if !math.IsNaN(want["information_ratio"]) {
		want["information_ratio_low"], want["information_ratio_high"], _ = inference.Percentiles(column(n+1+k, 1), 0.95)
	}
	if isRounding(mine) || isRounding(own) {
		return
	}
	want["sharpe_difference"] = b.sharpe(mine, b.config.RiskFree) - b.sharpe(own, b.config.RiskFree)
	apart, its := column(k, 0), column(n, 0)
	for i := range apart {
		apart[i] -= its[i]
	}
	want["sharpe_difference_low"], want["sharpe_difference_high"], _ = inference.Percentiles(apart, 0.95)
	excess := func(r []float64) []float64 {
		less := slices.Clone(r)
		for t := range less {
			less[t] -= b.config.RiskFree / b.perYear
		}
		return less
	}
	if lw, err := inference.LedoitWolf(excess(mine), excess(own), inference.DifferenceSettings{}); err == nil {
		want["sharpe_difference_p"] = lw.PValue
	}
}

// sharpe is the annual ratio of returns, 0 of those that are all the same.
func (b *tested) sharpe(r []float64, riskFree float64) float64 {
	sigma := deviation(r)
	if sigma == 0 {
		return 0
	}
	return (sum(r)/float64(len(r))*b.perYear - riskFree) / (sigma * math.Sqrt(b.perYear))
}

// drawn are the Sharpe ratios, with the riskless rate taken off and without, of the
// strategies, the benchmark, and each strategy less the benchmark, over resamples that are
// drawn again as the run drew them.
func (f *folder) drawn(ctx context.Context, b *tested, trials map[string][]float64, own []float64) (*inference.Draws,
	error) {
	n := len(b.config.Strategies)
	all := mat.NewDense(len(own), 2*n+1, nil)
	all.SetCol(n, own)
	for k, name := range b.config.Strategies {
		if len(trials[name]) != len(own) {
			return nil, fmt.Errorf("trials.csv: %s has another number of periods than were tested", name)
		}
		all.SetCol(k, trials[name])
		for t, r := range trials[name] {
			all.Set(t, n+1+k, r-own[t])
		}
	}
	what := fmt.Sprintf("drawn beside a benchmark %v", all.RawMatrix().Data)
	return recall(f, what, []string{"config.toml"}, func() (*inference.Draws, error) {
		return inference.BootstrapTracks(ctx, all, 2, func(dst, r []float64) {
			dst[0], dst[1] = b.sharpe(r, b.config.RiskFree), b.sharpe(r, 0)
		}, inference.BootstrapSettings{Seed: b.config.Seed, Resamples: 1000})
	})
}
