package experiment

import (
	"context"
	"fmt"
	"io"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/relative"
	"vaefolio/vaelib/report"
	"vaefolio/vaelib/run"
)

// BenchmarkFile has the returns of a backtest's benchmark over the periods tested.
const BenchmarkFile = "benchmark.csv"

// TestedBenchmark are the benchmark's own figures over all test windows; annual where the
// name has no unit. It pays no costs: one of weights is brought back to them when the
// strategies trade, and drifts in between as they do.
type TestedBenchmark struct {
	Name         string       `json:"name"`
	AnnualReturn number.Value `json:"annual_return"`
	CAGR         number.Value `json:"cagr"`
	Volatility   number.Value `json:"volatility"`
	Sharpe       number.Value `json:"sharpe"`
	MaxDrawdown  number.Value `json:"max_drawdown"`
	FinalWealth  float64      `json:"final_wealth"`
}

// Against says how a strategy stands against the benchmark, net of its costs; annual where
// the name has no unit. Package relative defines the figures. Intervals are at 95 %, by the
// stationary bootstrap over resamples that all strategies and the benchmark share.
type Against struct {
	ActiveReturn     number.Value `json:"active_return"`
	TrackingError    number.Value `json:"tracking_error"`
	InformationRatio number.Value `json:"information_ratio"`
	InformationLow   number.Value `json:"information_ratio_low"`
	InformationHigh  number.Value `json:"information_ratio_high"`
	Beta             number.Value `json:"beta"`
	Alpha            number.Value `json:"alpha"`
	Correlation      number.Value `json:"correlation"`
	UpCapture        number.Value `json:"up_capture"`
	DownCapture      number.Value `json:"down_capture"`
	SharpeDifference number.Value `json:"sharpe_difference"` // that of the strategy less that of the benchmark
	DifferenceLow    number.Value `json:"sharpe_difference_low"`
	DifferenceHigh   number.Value `json:"sharpe_difference_high"`
	PValue           number.Value `json:"sharpe_difference_p"` // two-sided (Ledoit & Wolf 2008)
}

// beside sets the strategies of a result beside the benchmark: it returns the benchmark's
// track and completes the summary. Nil: there is no benchmark.
func (in *Input) beside(ctx context.Context, settings *BacktestSettings, result *backtest.Result,
	s *BacktestSummary) (*backtest.Result, error) {
	if in.Benchmark == nil {
		return nil, nil
	}
	track, err := in.benchmark(ctx, settings, result)
	if err != nil {
		return nil, fmt.Errorf("benchmark %s: %w", in.Benchmark.Name, err)
	}
	f, err := metrics.EvaluateSeries(track.Returns, in.Metrics)
	if err != nil {
		return nil, fmt.Errorf("benchmark %s: %w", track.Name, err)
	}
	s.Benchmark = &TestedBenchmark{Name: track.Name, AnnualReturn: f.Value(metrics.AnnualReturn),
		CAGR: f.Value(metrics.CAGR), Volatility: f.Value(metrics.Volatility), Sharpe: f.Value(metrics.Sharpe),
		MaxDrawdown: f.Value(metrics.MaxDrawdown), FinalWealth: 1}
	for _, r := range track.Returns {
		s.Benchmark.FinalWealth *= 1 + r
	}
	evaluator, err := relative.NewEvaluator(relative.Benchmark{Returns: track.Returns}, in.Metrics)
	if err != nil {
		return nil, fmt.Errorf("benchmark %s: %w", track.Name, err)
	}
	strategies := result.Tracks[:len(s.Strategies)]
	draws, err := in.drawBeside(ctx, strategies, track)
	if err != nil {
		return nil, err
	}
	for k := range s.Strategies {
		t := &s.Strategies[k]
		f := evaluator.Evaluate(strategies[k].Returns, nil)
		t.Against = &Against{
			ActiveReturn: f.Value(relative.ActiveReturn), TrackingError: f.Value(relative.TrackingError),
			InformationRatio: f.Value(relative.InformationRatio), Beta: f.Value(relative.Beta),
			Alpha: f.Value(relative.Alpha), Correlation: f.Value(relative.Correlation),
			UpCapture: f.Value(relative.UpCapture), DownCapture: f.Value(relative.DownCapture),
		}
		t.Against.InformationLow, t.Against.InformationHigh = between(t.Against.InformationRatio, draws[k].active)
		t.Against.test(in.Metrics, t.Sharpe, s.Benchmark.Sharpe, strategies[k].Returns, track.Returns, draws[k])
	}
	return &backtest.Result{Symbols: result.Symbols, Start: result.Start, Times: result.Times,
		Tracks: []backtest.Track{*track}}, nil
}

// benchmark is the track of the benchmark over the periods of a result.
func (in *Input) benchmark(ctx context.Context, s *BacktestSettings, result *backtest.Result) (*backtest.Track,
	error) {
	b := in.Benchmark
	if b.Returns != nil {
		from := slices.IndexFunc(in.Window.Times, result.Times[0].Equal)
		return &backtest.Track{Name: b.Name, Returns: b.Returns[from : from+len(result.Times)]}, nil
	}
	held := []backtest.Strategy{{Name: b.Name,
		Weights: func(context.Context, *market.Window, []float64) ([]float64, error) { return b.Weights, nil }}}
	if s.Groups > 0 {
		paths, err := backtest.RunCombinatorial(ctx, in.Window, held, backtest.Combinatorial{Groups: s.Groups,
			Tested: s.HeldOut, Embargo: s.Embargo, Test: s.Test, ConstantWeights: s.ConstantWeights}, nil)
		if err != nil {
			return nil, err
		}
		return &paths[0].Tracks[0], nil
	}
	alone, err := backtest.Run(ctx, in.Window, held, backtest.Settings{Train: s.Train, Test: s.Test,
		Embargo: s.Embargo, ConstantWeights: s.ConstantWeights}, nil)
	if err != nil {
		return nil, err
	}
	return &alone.Tracks[0], nil
}

// drawn are figures of a strategy over resamples.
type drawn struct {
	active     []float64 // information ratios
	difference []float64 // of the Sharpe ratios
}

// drawBeside resamples the strategies and the benchmark together.
func (in *Input) drawBeside(ctx context.Context, strategies []backtest.Track, benchmark *backtest.Track) ([]drawn,
	error) {
	n, periods := len(strategies), len(benchmark.Returns)
	tracks := mat.NewDense(periods, 2*n+1, nil) // the strategies, the benchmark, and each less it
	tracks.SetCol(n, benchmark.Returns)
	for k, s := range strategies {
		tracks.SetCol(k, s.Returns)
		for t, r := range s.Returns {
			tracks.Set(t, n+1+k, r-benchmark.Returns[t])
		}
	}
	free := in.Metrics
	free.RiskFree = 0
	sharpe, active := sharpeOf(in.Metrics), sharpeOf(free)
	draws, err := inference.BootstrapTracks(ctx, tracks, 2, func(dst, returns []float64) {
		dst[0], dst[1] = sharpe(returns), active(returns)
	}, inference.BootstrapSettings{Seed: in.Seed, Resamples: 1000})
	if err != nil {
		return nil, fmt.Errorf("benchmark %s: %w", benchmark.Name, err)
	}
	out := make([]drawn, n)
	for k := range out {
		out[k].active = mat.Col(nil, 2*(n+1+k)+1, draws.Values)
		out[k].difference = mat.Col(nil, 2*k, draws.Values)
		for i := range out[k].difference {
			out[k].difference[i] -= draws.Values.At(i, 2*n)
		}
	}
	return out, nil
}

// between is the 95 % interval of a figure by draws of it; undefined where the figure is.
func between(figure number.Value, draws []float64) (low, high number.Value) {
	if _, ok := figure.Float(); !ok {
		return figure, figure
	}
	from, to, _ := inference.Percentiles(draws, confidence)
	return number.Known(from), number.Known(to)
}

// confidence of the intervals.
const confidence = 0.95

// test sets the difference of the Sharpe ratios of a strategy and the benchmark.
func (a *Against) test(settings metrics.Settings, strategy, benchmark number.Value, returns, beside []float64,
	draws drawn) {
	x, known := strategy.Float()
	a.SharpeDifference, a.PValue = strategy, strategy
	if known {
		a.SharpeDifference, a.PValue = benchmark, benchmark
		var y float64
		if y, known = benchmark.Float(); known {
			a.SharpeDifference = number.Known(x - y)
		}
	}
	a.DifferenceLow, a.DifferenceHigh = between(a.SharpeDifference, draws.difference)
	if !known {
		return
	}
	free := settings.RiskFree / settings.PeriodsPerYear
	excess := func(r []float64) []float64 {
		less := slices.Clone(r)
		for t := range less {
			less[t] -= free
		}
		return less
	}
	lw, err := inference.LedoitWolf(excess(returns), excess(beside), inference.DifferenceSettings{})
	if a.PValue = number.Known(lw.PValue); err != nil {
		a.PValue = number.Unknown(err.Error())
	}
}

// writeBenchmark writes benchmark.csv; nothing for nil.
func writeBenchmark(folder *run.Run, beside *backtest.Result) error {
	if beside == nil {
		return nil
	}
	return run.WriteFile(folder.Path(BenchmarkFile), func(w io.Writer) error { return writeReturns(w, beside) })
}

// shown is a figure under its heading.
type shown struct {
	heading string
	value   number.Value
	format  report.Format
}

func (a *Against) shown() []shown {
	return []shown{
		{"Active return", a.ActiveReturn, report.Percent}, {"Tracking error", a.TrackingError, report.Percent},
		{"Information ratio", a.InformationRatio, report.Ratio}, {"95 % from", a.InformationLow, report.Ratio},
		{"to", a.InformationHigh, report.Ratio}, {"Beta", a.Beta, report.Ratio}, {"Alpha", a.Alpha, report.Percent},
		{"Correlation", a.Correlation, report.Ratio}, {"Up capture", a.UpCapture, report.Ratio},
		{"Down capture", a.DownCapture, report.Ratio}, {"Sharpe less its", a.SharpeDifference, report.Ratio},
		{"95 % from", a.DifferenceLow, report.Ratio}, {"to", a.DifferenceHigh, report.Ratio},
		{"p", a.PValue, report.Number},
	}
}

func (b *TestedBenchmark) shown() []shown {
	return []shown{
		{"Sharpe", b.Sharpe, report.Ratio}, {"Annual return", b.AnnualReturn, report.Percent},
		{"CAGR", b.CAGR, report.Percent}, {"Annual volatility", b.Volatility, report.Percent},
		{"Largest drawdown", b.MaxDrawdown, report.Percent},
	}
}

// shownTable has a row of figures for each name.
func shownTable(caption, kind string, names []string, rows [][]shown) *report.Table {
	table := &report.Table{Caption: caption, Columns: []report.Column{{Name: kind}}}
	for _, c := range rows[0] {
		table.Columns = append(table.Columns, report.Column{Name: c.heading, Number: true})
	}
	for k, figures := range rows {
		row := report.Row{Cells: []report.Cell{report.TextCell(names[k])}}
		for _, c := range figures {
			row.Cells = append(row.Cells, report.NumberCell(c.value, c.format))
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// benchmarkSections is the section on the benchmark, where there is one.
func benchmarkSections(s *BacktestSummary) []report.Section {
	if s.Benchmark == nil {
		return nil
	}
	name := s.Benchmark.Name
	var names []string
	var rows [][]shown
	ahead, behind := 0, 0
	for _, t := range s.Strategies {
		names, rows = append(names, t.Name), append(rows, t.Against.shown())
		if p, ok := t.Against.PValue.Float(); ok && p < 1-confidence {
			if x, _ := t.Against.SharpeDifference.Float(); x > 0 {
				ahead++
			} else {
				behind++
			}
		}
	}
	against := shownTable("Strategies against "+name+" over all test windows", "Strategy", names, rows)
	against.Dense = true
	return []report.Section{{ID: "benchmark", Title: "Against the benchmark", Blocks: []report.Block{
		{List: []string{fmt.Sprintf("Of %d strategies, %d are ahead of %s by their Sharpe ratio at p < .05, and %d "+
			"behind. Each test stands for itself: of twenty strategies that are as good, one is expected to differ.",
			len(s.Strategies), ahead, name, behind)}},
		{Table: against},
		{Table: shownTable("The benchmark", "Benchmark", []string{name}, [][]shown{s.Benchmark.shown()})},
		{List: []string{"The benchmark pays no costs, and the strategies do. One of weights is brought back to them " +
			"when the strategies trade.",
			"p is that of the difference of the two Sharpe ratios (Ledoit and Wolf 2008); intervals are of the " +
				"stationary bootstrap over periods that all tracks share."}},
	}}}
}
