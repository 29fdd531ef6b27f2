package main

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/compare"
	"vaefolio/vaelib/experiment"
	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/metrics"
)

// benchmarkEarned are what the benchmark earned in the periods tested and what it traded: its
// own returns, or those of its weights, to which it is brought back when strategies trade.
func (b *tested) benchmarkEarned() earned {
	if b.beside.Returns != nil {
		return earned{returns: b.beside.Returns[b.from:b.to]}
	}
	return b.earn(slices.Repeat([][]float64{b.beside.Weights}, len(b.trades)))
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
		f.all(file, b.beside.Name, b.days[b.from:b.to], returns[b.beside.Name], b.benchmarkEarned().returns, 1e-12)
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
	its := b.benchmarkEarned()
	own := its.returns
	figures := f.ofSeries(own, b)
	want := map[string]float64{"final_wealth": 1, "turnover": 0, "cost": sum(its.traded) * b.config.CostBps / 1e4}
	if len(its.traded) > 1 {
		want["turnover"] = sum(its.traded[1:]) / float64(len(its.traded)-1)
	}
	for _, r := range own {
		want["final_wealth"] *= 1 + r
	}
	for _, name := range []string{"annual_return", "cagr", "volatility", "sharpe", "max_drawdown"} {
		want[name] = figures(name)
	}
	stored, _ := summary["benchmark"].(map[string]any)
	f.equal(file, "name of the benchmark", stored["name"], b.beside.Name)
	f.equal(file, "trades of the benchmark", stored["trades"], b.beside.Returns == nil)
	f.figuresOf(stored, "the benchmark", want, "name", "trades")
	draws, err := f.drawn(ctx, b, trials, own)
	if err != nil {
		return err
	}
	sure, err := f.intervals(ctx, b, trials, own)
	if err != nil {
		return err
	}
	for k, name := range b.config.Strategies {
		row, _ := rows[k].(map[string]any)
		stored, _ := row["against_benchmark"].(map[string]any)
		want := against(trials[name], own, b.perYear, b.config.RiskFree)
		for figure, interval := range sure[k] {
			want[figure+"_low"], want[figure+"_high"] = interval[0], interval[1]
		}
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
	for _, figure := range []string{"sharpe_difference", "sharpe_difference_low", "sharpe_difference_high",
		"sharpe_difference_p"} {
		want[figure] = math.NaN()
	}
	if isRounding(mine) || isRounding(own) {
		return
	}
	want["sharpe_difference"] = b.sharpe(mine, b.config.RiskFree) - b.sharpe(own, b.config.RiskFree)
	apart, its := mat.Col(nil, k, draws.Values), mat.Col(nil, len(b.config.Strategies), draws.Values)
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

// sharpe is the annual ratio of returns, NaN of those that are all the same.
func (b *tested) sharpe(r []float64, riskFree float64) float64 {
	if isRounding(r) {
		return math.NaN()
	}
	return (sum(r)/float64(len(r))*b.perYear - riskFree) / (deviation(r) * math.Sqrt(b.perYear))
}

// drawn are the Sharpe ratios of the strategies, and of what else is given, over resamples
// that are drawn again as the run drew them: their own noise is most of what intervals are.
func (f *folder) drawn(ctx context.Context, b *tested, trials map[string][]float64, others ...[]float64) (
	*inference.Draws, error) {
	all, err := columns(b, trials, others...)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("drawn %v", all.RawMatrix().Data)
	return recall(f, what, []string{"config.toml"}, func() (*inference.Draws, error) {
		return inference.BootstrapTracks(ctx, all, 1, func(dst, r []float64) {
			dst[0] = b.sharpe(r, b.config.RiskFree)
		}, inference.BootstrapSettings{Seed: b.config.Seed})
	})
}

// intervals are those of the strategies' figures beside the benchmark, by name, drawn again
// by the code that drew them; NaN where there is none.
func (f *folder) intervals(ctx context.Context, b *tested, trials map[string][]float64, own []float64) (
	[]map[string][2]float64, error) {
	all, err := columns(b, trials)
	if err != nil {
		return nil, err
	}
	what := fmt.Sprintf("beside %v %v", all.RawMatrix().Data, own)
	return recall(f, what, []string{"config.toml"}, func() ([]map[string][2]float64, error) {
		figures, err := compare.Beside(ctx, all, own, metrics.Settings{PeriodsPerYear: b.perYear,
			RiskFree: b.config.RiskFree, MAR: b.config.MAR, Convention: metrics.Default},
			compare.Settings{Seed: b.config.Seed})
		out := make([]map[string][2]float64, len(figures))
		for k := range figures {
			out[k] = map[string][2]float64{}
			for _, figure := range figures[k] {
				ends := [2]float64{math.NaN(), math.NaN()}
				if low, ok := figure.From.Float(); ok {
					ends[0] = low
				}
				if high, ok := figure.To.Float(); ok {
					ends[1] = high
				}
				out[k][figure.Name] = ends
			}
		}
		return out, err
	})
}

// columns are the returns of the strategies, and others, of the periods tested.
func columns(b *tested, trials map[string][]float64, others ...[]float64) (*mat.Dense, error) {
	periods, n := b.to-b.from, len(b.config.Strategies)
	all := mat.NewDense(periods, n+len(others), nil)
	for k, name := range b.config.Strategies {
		if len(trials[name]) != periods {
			return nil, fmt.Errorf("trials.csv: %s has another number of periods than were tested", name)
		}
		all.SetCol(k, trials[name])
	}
	for k, other := range others {
		all.SetCol(n+k, other)
	}
	return all, nil
}
