package experiment

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
)

// BacktestSummary is summary.json of a backtest.
type BacktestSummary struct {
	Train           int              `json:"train"`
	Test            int              `json:"test"`
	Embargo         int              `json:"embargo"`
	Windows         int              `json:"windows"`
	Unused          int              `json:"unused_periods"`
	CostBps         float64          `json:"cost_bps"`
	ConstantWeights bool             `json:"constant_weights"`
	Tested          Period           `json:"tested"`
	PeriodsPerYear  float64          `json:"periods_per_year"`
	Resamples       int              `json:"resamples"` // of the intervals of Sharpe ratios, by Seed
	Block           float64          `json:"block"`     // the mean length of their blocks, in periods
	Synthetic       bool             `json:"synthetic"`
	Funding         bool             `json:"funding"`  // the returns have funding of perpetuals in them
	Listings        string           `json:"listings"` // shared, or as-it-was
	Seed            uint64           `json:"seed"`
	Groups          int              `json:"groups,omitempty"`          // of combinatorially purged splits; 0: walk-forward
	HeldOut         int              `json:"held_out,omitempty"`        // of the groups, at a time
	Trials          int              `json:"trials"`                    // tracks that the DSR counts
	OverSets        string           `json:"model_over_sets,omitempty"` // SHA-256 of its file, where a strategy uses one
	Rule            string           `json:"learnt_rule,omitempty"`     // likewise
	Benchmark       *TestedBenchmark `json:"benchmark,omitempty"`       // null where there is none
	Strategies      []TestedStrategy `json:"strategies"`
	Notes           []string         `json:"notes"` // what else must be known of the result
}

// TestedStrategy is one strategy's figures over all test windows, net of
// costs; annual where the name has no unit.
type TestedStrategy struct {
	Name         string       `json:"name"`
	AnnualReturn number.Value `json:"annual_return"`
	CAGR         number.Value `json:"cagr"`
	Volatility   number.Value `json:"volatility"`
	Sharpe       number.Value `json:"sharpe"`
	SharpeLow    number.Value `json:"sharpe_low"` // 95 % interval, stationary bootstrap
	SharpeHigh   number.Value `json:"sharpe_high"`
	Sortino      number.Value `json:"sortino"`
	MaxDrawdown  number.Value `json:"max_drawdown"`
	Calmar       number.Value `json:"calmar"`
	VaR          number.Value `json:"var95"`
	CVaR         number.Value `json:"cvar95"`
	PSR          number.Value `json:"psr"`
	DSR          number.Value `json:"dsr"` // all tracks of trials.csv counted as trials
	Turnover     float64      `json:"turnover"`
	Cost         float64      `json:"cost"` // sum over the rebalances, share of the wealth
	FinalWealth  float64      `json:"final_wealth"`
	Held         int          `json:"rebalances_without_answer"`
	// SharpeOfModels are those of the single models, whose mean the strategy holds;
	// SharpeOfPaths those of all paths of combinatorially purged splits.
	SharpeOfModels []number.Value `json:"sharpe_of_models,omitempty"`
	SharpeOfPaths  []number.Value `json:"sharpe_of_paths,omitempty"`
	Against        *Against       `json:"against_benchmark,omitempty"`
	Notes          []string       `json:"notes"`

	figures metrics.Figures // all, for the report
}

// summarise computes the figures of the strategies, of the first path.
func summarise(ctx context.Context, paths []*backtest.Result, in *Input, settings BacktestSettings) (*BacktestSummary,
	error) {
	result := paths[0]
	s := &BacktestSummary{
		Train: settings.Train, Test: settings.Test, Embargo: settings.Embargo,
		Windows: len(result.Tracks[0].Rebalances), Unused: result.Unused,
		CostBps: settings.CostBps, ConstantWeights: settings.ConstantWeights, PeriodsPerYear: in.Metrics.PeriodsPerYear,
		Synthetic: in.Synthetic, Funding: in.Window.Funded, Seed: in.Seed,
		Tested: Period{From: result.Times[0].UTC().Format(time.RFC3339),
			To: result.Times[len(result.Times)-1].UTC().Format(time.RFC3339), Periods: len(result.Times)},
	}
	if settings.Groups > 0 {
		s.Train, s.Groups, s.HeldOut = 0, settings.Groups, settings.HeldOut
	}
	var figures []metrics.Figures
	var ratios []float64
	for _, track := range result.Tracks {
		f, err := metrics.EvaluateSeries(track.Returns, in.Metrics)
		if err != nil {
			return nil, fmt.Errorf("strategy %s: %w", track.Name, err)
		}
		figures = append(figures, f)
		if _, ok := f.Value(metrics.PSR).Float(); ok {
			ratios = append(ratios, f.PeriodSharpe)
		}
	}
	s.Trials = len(ratios)
	draws, err := in.drawSharpe(ctx, result.Tracks[:len(settings.Strategies)]...)
	if err != nil {
		return nil, err
	}
	s.Resamples, s.Block = inference.Resamples, draws.MeanBlock
	for k := range settings.Strategies {
		t := tested(&result.Tracks[k], &figures[k])
		t.SharpeLow, t.SharpeHigh = between(t.Sharpe, mat.Col(nil, k, draws.Values))
		if len(ratios) > 1 {
			t.DSR = figures[k].DeflatedSharpe(len(ratios), stat.StdDev(ratios, nil))
		}
		for j := len(settings.Strategies); j < len(result.Tracks); j++ {
			if strings.HasPrefix(result.Tracks[j].Name, t.Name+" model ") {
				t.SharpeOfModels = append(t.SharpeOfModels, figures[j].Value(metrics.Sharpe))
			}
		}
		if settings.Groups > 0 {
			if t.SharpeOfPaths, err = sharpeOfPaths(paths, k, in.Metrics); err != nil {
				return nil, fmt.Errorf("strategy %s: %w", t.Name, err)
			}
		}
		s.Strategies = append(s.Strategies, t)
	}
	return s, nil
}

// tested are the figures of one track alone.
func tested(track *backtest.Track, f *metrics.Figures) TestedStrategy {
	t := TestedStrategy{
		Name: track.Name, AnnualReturn: f.Value(metrics.AnnualReturn), CAGR: f.Value(metrics.CAGR),
		Volatility: f.Value(metrics.Volatility),
		Sharpe:     f.Value(metrics.Sharpe), Sortino: f.Value(metrics.Sortino),
		MaxDrawdown: f.Value(metrics.MaxDrawdown),
		Calmar:      f.Value(metrics.Calmar), VaR: f.Value(metrics.VaR), CVaR: f.Value(metrics.CVaR),
		PSR: f.Value(metrics.PSR),
		DSR: number.Unknown("one strategy alone is no choice among trials"), Turnover: track.Turnover(),
		FinalWealth: 1, Held: track.Held(), Notes: f.Notes(),
		figures: *f,
	}
	for _, r := range track.Returns {
		t.FinalWealth *= 1 + r
	}
	t.Cost = cost(track)
	return t
}

// cost is the sum of a track's over all rebalances.
func cost(track *backtest.Track) (sum float64) {
	for _, r := range track.Rebalances {
		sum += r.Cost
	}
	return sum
}

// sharpeOfPaths are the annual Sharpe ratios of track k on each path.
func sharpeOfPaths(paths []*backtest.Result, k int, settings metrics.Settings) ([]number.Value, error) {
	var ratios []number.Value
	for _, path := range paths {
		f, err := metrics.EvaluateSeries(path.Tracks[k].Returns, settings)
		if err != nil {
			return nil, err
		}
		ratios = append(ratios, f.Value(metrics.Sharpe))
	}
	return ratios, nil
}
