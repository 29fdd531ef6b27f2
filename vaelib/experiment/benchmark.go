package experiment

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/compare"
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
// name has no unit. One of weights is brought back to them when the strategies trade, at the
// same costs, and drifts in between as they do. A symbol or an index is held, and pays none.
type TestedBenchmark struct {
	Name         string       `json:"name"`
	AnnualReturn number.Value `json:"annual_return"`
	CAGR         number.Value `json:"cagr"`
	Volatility   number.Value `json:"volatility"`
	Sharpe       number.Value `json:"sharpe"`
	MaxDrawdown  number.Value `json:"max_drawdown"`
	Turnover     float64      `json:"turnover"`
	Cost         float64      `json:"cost"` // as that of a strategy
	FinalWealth  float64      `json:"final_wealth"`
	Trades       bool         `json:"trades"` // it is one of weights
}

// Costs says, behind the benchmark's name, which costs it pays.
func (b *TestedBenchmark) Costs() string {
	if b.Trades {
		return "its trades cost what the strategies' cost"
	}
	return "held without costs, which the strategies pay"
}

// Against says how a strategy stands against the benchmark, net of its costs; annual where
// the name has no unit. Package relative defines the figures. Intervals are at 95 %: those of
// [compare.Beside], and of the difference of the Sharpe ratios by the same resamples, which
// all strategies and the benchmark share.
type Against struct {
	ActiveReturn     number.Value `json:"active_return"`
	ActiveLow        number.Value `json:"active_return_low"`
	ActiveHigh       number.Value `json:"active_return_high"`
	TrackingError    number.Value `json:"tracking_error"`
	TrackingLow      number.Value `json:"tracking_error_low"`
	TrackingHigh     number.Value `json:"tracking_error_high"`
	InformationRatio number.Value `json:"information_ratio"`
	InformationLow   number.Value `json:"information_ratio_low"`
	InformationHigh  number.Value `json:"information_ratio_high"`
	Beta             number.Value `json:"beta"`
	BetaLow          number.Value `json:"beta_low"`
	BetaHigh         number.Value `json:"beta_high"`
	Alpha            number.Value `json:"alpha"`
	AlphaLow         number.Value `json:"alpha_low"`
	AlphaHigh        number.Value `json:"alpha_high"`
	Correlation      number.Value `json:"correlation"`
	CorrelationLow   number.Value `json:"correlation_low"`
	CorrelationHigh  number.Value `json:"correlation_high"`
	UpCapture        number.Value `json:"up_capture"`
	UpLow            number.Value `json:"up_capture_low"`
	UpHigh           number.Value `json:"up_capture_high"`
	DownCapture      number.Value `json:"down_capture"`
	DownLow          number.Value `json:"down_capture_low"`
	DownHigh         number.Value `json:"down_capture_high"`
	SharpeDifference number.Value `json:"sharpe_difference"` // that of the strategy less that of the benchmark
	DifferenceLow    number.Value `json:"sharpe_difference_low"`
	DifferenceHigh   number.Value `json:"sharpe_difference_high"`
	PValue           number.Value `json:"sharpe_difference_p"` // two-sided (Ledoit & Wolf 2008)
}

// set takes over the figures of [compare.Beside].
func (a *Against) set(figures compare.Figures) {
	for _, to := range []struct {
		figure           relative.Figure
		value, low, high *number.Value
	}{
		{relative.ActiveReturn, &a.ActiveReturn, &a.ActiveLow, &a.ActiveHigh},
		{relative.TrackingError, &a.TrackingError, &a.TrackingLow, &a.TrackingHigh},
		{relative.InformationRatio, &a.InformationRatio, &a.InformationLow, &a.InformationHigh},
		{relative.Beta, &a.Beta, &a.BetaLow, &a.BetaHigh}, {relative.Alpha, &a.Alpha, &a.AlphaLow, &a.AlphaHigh},
		{relative.Correlation, &a.Correlation, &a.CorrelationLow, &a.CorrelationHigh},
		{relative.UpCapture, &a.UpCapture, &a.UpLow, &a.UpHigh},
		{relative.DownCapture, &a.DownCapture, &a.DownLow, &a.DownHigh},
	} {
		f := figures.Get(to.figure.Name())
		*to.value, *to.low, *to.high = f.Value, f.From, f.To
	}
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
		MaxDrawdown: f.Value(metrics.MaxDrawdown), FinalWealth: 1, Trades: in.Benchmark.Returns == nil}
	for _, r := range track.Returns {
		s.Benchmark.FinalWealth *= 1 + r
	}
	if s.Benchmark.Trades {
		s.Benchmark.Turnover, s.Benchmark.Cost = track.Turnover(), cost(track)
	}
	strategies := columnsOf(result.Tracks[:len(s.Strategies)]...)
	figures, err := compare.Beside(ctx, strategies, track.Returns, in.Metrics, compare.Settings{Seed: in.Seed})
	if err != nil {
		return nil, fmt.Errorf("benchmark %s: %w", track.Name, err)
	}
	draws, err := in.drawSharpe(ctx, append(slices.Clone(result.Tracks[:len(s.Strategies)]), *track)...)
	if err != nil {
		return nil, fmt.Errorf("benchmark %s: %w", track.Name, err)
	}
	for k := range s.Strategies {
		t := &s.Strategies[k]
		t.Against = new(Against)
		t.Against.set(figures[k])
		t.Against.test(in.Metrics, t.Sharpe, s.Benchmark.Sharpe, result.Tracks[k].Returns, track.Returns,
			less(draws.Values, k, len(s.Strategies)))
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
			Tested: s.HeldOut, Embargo: s.Embargo, Test: s.Test, CostBps: s.CostBps,
			ConstantWeights: s.ConstantWeights}, nil)
		if err != nil {
			return nil, err
		}
		return &paths[0].Tracks[0], nil
	}
	alone, err := backtest.Run(ctx, in.Window, held, backtest.Settings{Train: s.Train, Test: s.Test,
		Embargo: s.Embargo, CostBps: s.CostBps, ConstantWeights: s.ConstantWeights}, nil)
	if err != nil {
		return nil, err
	}
	return &alone.Tracks[0], nil
}

// drawSharpe are the Sharpe ratios of tracks (resamples x tracks), NaN where one is
// undefined, over the resamples that package compare draws of these tracks.
func (in *Input) drawSharpe(ctx context.Context, tracks ...backtest.Track) (*inference.Draws, error) {
	settings := in.Metrics
	settings.Figures = metrics.Of(metrics.Sharpe)
	return inference.BootstrapTracks(ctx, columnsOf(tracks...), 1, func(dst, returns []float64) {
		f, err := metrics.EvaluateSeries(returns, settings)
		if x, ok := f.Value(metrics.Sharpe).Float(); ok && err == nil {
			dst[0] = x
		} else {
			dst[0] = math.NaN()
		}
	}, inference.BootstrapSettings{Seed: in.Seed})
}

// less are the draws of the difference of two tracks.
func less(draws *mat.Dense, track, other int) []float64 {
	out := mat.Col(nil, track, draws)
	for i := range out {
		out[i] -= draws.At(i, other)
	}
	return out
}

// columnsOf are the returns of tracks (T x N).
func columnsOf(tracks ...backtest.Track) *mat.Dense {
	columns := mat.NewDense(len(tracks[0].Returns), len(tracks), nil)
	for k, t := range tracks {
		columns.SetCol(k, t.Returns)
	}
	return columns
}

// between is the 95 % interval of a figure by draws of it; undefined where the figure is.
func between(figure number.Value, draws []float64) (low, high number.Value) {
	if _, ok := figure.Float(); !ok {
		return figure, figure
	}
	from, to, _ := inference.Percentiles(draws, compare.Confidence)
	if math.IsNaN(from) {
		none := number.Unknown("undefined in a resample")
		return none, none
	}
	return number.Known(from), number.Known(to)
}

// test sets the difference of the Sharpe ratios of a strategy and the benchmark.
func (a *Against) test(settings metrics.Settings, strategy, benchmark number.Value, returns, beside,
	draws []float64) {
	x, known := strategy.Float()
	a.SharpeDifference, a.PValue = strategy, strategy
	if known {
		a.SharpeDifference, a.PValue = benchmark, benchmark
		var y float64
		if y, known = benchmark.Float(); known {
			a.SharpeDifference = number.Known(x - y)
		}
	}
	a.DifferenceLow, a.DifferenceHigh = between(a.SharpeDifference, draws)
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

// active are the figures of what a strategy earns beside the benchmark.
func (a *Against) active() []shown {
	return []shown{
		{"Active return", a.ActiveReturn, report.Percent}, {"95 % from", a.ActiveLow, report.Percent},
		{"to", a.ActiveHigh, report.Percent}, {"Tracking error", a.TrackingError, report.Percent},
		{"95 % from", a.TrackingLow, report.Percent}, {"to", a.TrackingHigh, report.Percent},
		{"Information ratio", a.InformationRatio, report.Ratio}, {"95 % from", a.InformationLow, report.Ratio},
		{"to", a.InformationHigh, report.Ratio}, {"Sharpe less its", a.SharpeDifference, report.Ratio},
		{"95 % from", a.DifferenceLow, report.Ratio}, {"to", a.DifferenceHigh, report.Ratio},
		{"p", a.PValue, report.Number},
	}
}

// moves are the figures of how a strategy goes with the benchmark.
func (a *Against) moves() []shown {
	return []shown{
		{"Beta", a.Beta, report.Ratio}, {"95 % from", a.BetaLow, report.Ratio}, {"to", a.BetaHigh, report.Ratio},
		{"Alpha", a.Alpha, report.Percent}, {"95 % from", a.AlphaLow, report.Percent},
		{"to", a.AlphaHigh, report.Percent}, {"Correlation", a.Correlation, report.Ratio},
		{"95 % from", a.CorrelationLow, report.Ratio}, {"to", a.CorrelationHigh, report.Ratio},
		{"Up capture", a.UpCapture, report.Ratio}, {"Down capture", a.DownCapture, report.Ratio},
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
	var active, moves [][]shown
	ahead, behind := 0, 0
	for _, t := range s.Strategies {
		names = append(names, t.Name)
		active, moves = append(active, t.Against.active()), append(moves, t.Against.moves())
		if p, ok := t.Against.PValue.Float(); ok && p < 1-compare.Confidence {
			if x, _ := t.Against.SharpeDifference.Float(); x > 0 {
				ahead++
			} else {
				behind++
			}
		}
	}
	against := shownTable("Strategies against "+name+" over all test windows", "Strategy", names, active)
	with := shownTable("How strategies go with "+name, "Strategy", names, moves)
	against.Dense, with.Dense = true, true
	return []report.Section{{ID: "benchmark", Title: "Against the benchmark", Blocks: []report.Block{
		{List: []string{fmt.Sprintf("Of %d strategies, %d are ahead of %s by their Sharpe ratio at p < .05, and %d "+
			"behind. Each test stands for itself: of twenty strategies that are as good, one is expected to differ.",
			len(s.Strategies), ahead, name, behind)}},
		{Table: against},
		{Table: with},
		{Table: shownTable("The benchmark", "Benchmark", []string{name}, [][]shown{s.Benchmark.shown()})},
		{List: []string{name + ": " + s.Benchmark.Costs() + ".",
			"p is that of the difference of the two Sharpe ratios (Ledoit and Wolf 2008). Intervals are of the " +
				"stationary bootstrap over periods that all tracks share, but for tracking error and correlation, " +
				"which have their own: those of compare."}},
	}}}
}
