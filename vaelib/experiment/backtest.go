package experiment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/figure"
	"vaefolio/vaelib/inference"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/report"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
)

// BacktestSettings steer [Backtest]. Their tags name the flags.
type BacktestSettings struct {
	Strategies      []string           `flag:"strategies" unit:"A,B" help:"the strategies to test: the objectives of optimize, such as hrp; out of models latent-sharpe, latent-sharpe-prior, model-best, model-top, model-mean, and without training zero-shot-sharpe, zero-shot-sharpe-prior, learnt"`
	Train           int                `flag:"train" range:"[2,inf)" unit:"periods" only:"!groups" help:"the length of the training windows"`
	Test            int                `flag:"test" range:"[1,inf)" unit:"periods" help:"the length of the test windows, over which a choice is held; with -groups the time between rebalances to it"`
	Embargo         int                `flag:"embargo" range:"[0,inf)" help:"the number of periods left out at the end of each training window; with -groups before and after each group that is held out"`
	Groups          int                `flag:"groups" range:"[0,30]" unit:"N" help:"test on combinatorially purged splits instead: the time is cut into N groups, of which -held-out are tested at a time by what is learned on all others; 0 tests walk-forward"`
	HeldOut         int                `flag:"held-out" range:"[1,15]" unit:"K" only:"groups" help:"the number of groups held out at a time"`
	CostBps         float64            `flag:"cost-bps" range:"[0,5000]" unit:"basis points" help:"the cost of the value traded, both sides counted"`
	ConstantWeights bool               `flag:"constant-weights" help:"restore the weights every period without cost, instead of letting them drift"`
	Covariance      string             `flag:"covariance" unit:"sample|ledoit-wolf|constant-correlation|ewma" only:"strategies!=equal-weight|min-cvar|max-min|learnt|latent-sharpe|latent-sharpe-prior|model-best|model-top|model-mean|zero-shot-sharpe|zero-shot-sharpe-prior" help:"the estimator of the covariance; a parameter may follow, as in ewma:0.97"`
	RiskAversion    float64            `flag:"risk-aversion" range:"[0,inf)" only:"strategies=mean-variance" help:"the lambda of mean-variance, which maximises w'mu - lambda/2 w'Sigma w"`
	Linkage         optimize.Linkage   `flag:"linkage" choice:"single|complete|average|ward" default:"single" only:"strategies=hrp" help:"how hrp measures the distance of two clusters"`
	LeafOrder       optimize.LeafOrder `flag:"leaf-order" choice:"scipy|optimal" default:"scipy" only:"strategies=hrp" help:"how hrp orders the leaves of its tree"`
	Rows            int                `flag:"n" range:"[100,10000000]" only:"strategies=latent-sharpe|latent-sharpe-prior|model-best|model-top|model-mean" help:"the number of training portfolios of each model"`
	Steps           int                `flag:"steps" range:"[1,inf)" only:"strategies=latent-sharpe|latent-sharpe-prior|model-best|model-top|model-mean" help:"the number of gradient steps of each model"`
	Models          int                `flag:"models" range:"[1,1000]" only:"strategies=latent-sharpe|latent-sharpe-prior|model-best|model-top|model-mean" help:"the number of models trained on each window, with seeds from -seed on; a strategy holds the mean of what they choose, and trials.csv has what each alone would have earned"`
	PriorWeight     float64            `flag:"prior-weight" range:"[0,inf)" only:"strategies=latent-sharpe-prior|zero-shot-sharpe-prior" help:"the weight of |z|^2, which latent-sharpe-prior and zero-shot-sharpe-prior take off the annual Sharpe ratio that they climb"`
	Rule            []string           `flag:"rule" unit:"DIR,DIR" only:"strategies=learnt" help:"the folders of the networks of a learnt rule, as train -objective true-sharpe makes them, whose mean learnt holds; without it the built-in rule"`
	Cache           string             `flag:"cache" unit:"FOLDER" record:"-" only:"strategies=latent-sharpe|latent-sharpe-prior|model-best|model-top|model-mean" help:"the folder for what each model chose, which other runs of the same program find there; without it the run's own folder decisions"`
}

// DefaultBacktest is a year of training, a month of holding and ten basis
// points.
func DefaultBacktest() BacktestSettings {
	return BacktestSettings{
		Strategies: []string{"equal-weight", "inverse-volatility", "min-variance", "risk-parity", "hrp",
			"max-diversification", "max-sharpe"},
		Train: 365, Test: 30, CostBps: 10, Covariance: moments.LedoitWolf, RiskAversion: 10, Rows: 4000,
		Steps: 1500, Models: 5, PriorWeight: 0.3, HeldOut: 2,
	}
}

// UnknownStrategyError is a name that no strategy has.
type UnknownStrategyError struct {
	Name  string
	Known []string
}

func (e *UnknownStrategyError) Error() string {
	return fmt.Sprintf("unknown strategy %q: choose from %s", e.Name, strings.Join(e.Known, ", "))
}

// strategyNames lists what [BacktestSettings].Strategies may hold.
func strategyNames() []string {
	var names []string
	for _, o := range optimize.Objectives() {
		// These two need more than a window: budgets, and weights to track.
		if o != optimize.RiskBudget && o != optimize.MinTrackingError {
			names = append(names, string(o))
		}
	}
	return slices.Concat(names, shrunkenNames(), familyNames(), zeroShotNames(), []string{Learnt})
}

// Validate returns an error that names the first setting that makes no sense.
func (s *BacktestSettings) Validate() error {
	if len(s.Strategies) == 0 {
		return errors.New("-strategies: name at least one")
	}
	for i, name := range s.Strategies {
		if !slices.Contains(strategyNames(), name) {
			return fmt.Errorf("-strategies: %w", &UnknownStrategyError{name, strategyNames()})
		}
		if slices.Contains(s.Strategies[:i], name) {
			return fmt.Errorf("-strategies: %s is named twice", name)
		}
	}
	if err := moments.CheckName(s.Covariance); err != nil {
		return fmt.Errorf("-covariance: %w", err)
	}
	return nil
}

// BacktestFiles are the names of the files that [Backtest] writes, figures by a
// pattern.
func BacktestFiles() []string {
	return []string{ReturnsFile, "trials.csv", "paths.csv", "choices.csv", BenchmarkFile, WeightsFile, SummaryFile,
		ReportFile, FiguresFolder + "/*.png", DecisionsFolder + "/*.json"}
}

// CheckSet returns an error where a strategy can't keep to what the set allows.
func (s *BacktestSettings) CheckSet(set *simplex.Set) error {
	models := slices.Concat(s.family(), s.zeroShot(), s.among([]string{Learnt}))
	if len(set.Lower) > 0 && slices.Min(set.Lower) < 0 && len(models) > 0 {
		return fmt.Errorf("-lower %v: %s makes no short positions: leave it out of -strategies, or leave out -lower",
			slices.Min(set.Lower), models[0])
	}
	return nil
}

// NeedsModel says whether a strategy trains a model, or uses one over sets of assets or
// a learnt rule, and so needs a backend.
func (s *BacktestSettings) NeedsModel() bool {
	return len(s.family()) > 0 || s.NeedsSet() || s.NeedsRule()
}

// NeedsSet says whether a strategy uses a model over sets of assets.
func (s *BacktestSettings) NeedsSet() bool { return len(s.zeroShot()) > 0 }

// family are the strategies that choose out of models of their own.
func (s *BacktestSettings) family() []string { return s.among(familyNames()) }

// zeroShot are those that choose out of a model over sets of assets.
func (s *BacktestSettings) zeroShot() []string { return s.among(zeroShotNames()) }

// among are the strategies with one of the names.
func (s *BacktestSettings) among(names []string) []string {
	return slices.DeleteFunc(slices.Clone(s.Strategies), func(name string) bool {
		return !slices.Contains(names, name)
	})
}

// weigher chooses weights on a training window: see [backtest.Strategy].
type weigher = func(ctx context.Context, training *market.Window, held []float64) ([]float64, error)

// strategy composes the named strategy.
func (in *Input) strategy(name string, s *BacktestSettings, models *family, flat *flattened) backtest.Strategy {
	if slices.Contains(familyNames(), name) {
		return models.average(name)
	}
	if slices.Contains(shrunkenNames(), name) {
		return backtest.Strategy{Name: name, Weights: in.shrunken(name, s, flat)}
	}
	if slices.Contains(zeroShotNames(), name) {
		return backtest.Strategy{Name: name, Weights: in.zeroShot(name, s)}
	}
	if name == Learnt {
		return backtest.Strategy{Name: name, Weights: in.byRule}
	}
	return backtest.Strategy{Name: name, Weights: in.allocation(optimize.Objective(name), s, flat)}
}

// allocation solves for an objective on the training window. What a procedure
// that knows no constraints gives is projected onto the set.
func (in *Input) allocation(objective optimize.Objective, s *BacktestSettings, flat *flattened) weigher {
	solver := &optimize.Solver{}
	return func(ctx context.Context, training *market.Window, _ []float64) ([]float64, error) {
		inputs, _, err := in.problem(training, s, flat)
		if err != nil {
			return nil, err
		}
		inputs.Returns, inputs.RiskAversion, inputs.Project = training.Returns, s.RiskAversion, true
		inputs.Linkage, inputs.LeafOrder = s.Linkage, s.LeafOrder
		result, err := solver.Solve(ctx, objective, inputs)
		if none := (*optimize.NoExcessError)(nil); errors.As(err, &none) {
			return nil, fmt.Errorf("%w: %w", err, backtest.ErrHold)
		}
		if err != nil {
			return nil, err
		}
		return result.Weights, nil
	}
}

// problem is what an allocation starts from: the set of a training window's symbols and
// the estimated moments of its returns.
func (in *Input) problem(training *market.Window, s *BacktestSettings, flat *flattened) (*optimize.Inputs,
	*moments.Moments, error) {
	set, err := in.setOf(training)
	if err != nil {
		return nil, nil, err
	}
	m, err := moments.Estimate(s.Covariance, training.Returns)
	if err != nil {
		return nil, nil, err
	}
	flat.add(training, m)
	return &optimize.Inputs{Set: set, Mean: m.Mean, Cov: m.Cov,
		RiskFree: in.Metrics.RiskFree / in.Metrics.PeriodsPerYear}, m, nil
}

// setOf is the constraint set of the symbols of a training window: some of the
// window's, where it is one as it was.
func (in *Input) setOf(training *market.Window) (simplex.Set, error) {
	if in.Listings == nil {
		return in.Set, nil
	}
	var columns []int
	for _, symbol := range training.Symbols {
		columns = append(columns, slices.Index(in.Window.Symbols, symbol))
	}
	set := in.Set.Choose(columns)
	if err := set.Check(); err != nil {
		return set, fmt.Errorf("%d of %d symbols could be chosen then: %w", len(columns), len(in.Window.Symbols), err)
	}
	return set, nil
}

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

// Backtest tests strategies walk-forward, or on combinatorially purged splits, in a
// folder of its own. It writes returns.csv (date, one column a strategy, net),
// trials.csv (the same, with the single models behind a strategy: all that was
// looked at), weights.csv (strategy, date, symbols), summary.json, figures/ and
// report.html; of combinatorial splits these are of the first path, and paths.csv
// has the returns of all. Where there are single models or further paths, choices.csv
// has their weights, at the rebalances that change them; where there is a benchmark,
// benchmark.csv has its returns.
func Backtest(ctx context.Context, folder *run.Run, in Input, settings BacktestSettings) (*BacktestSummary, error) {
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	if err := in.Set.Check(); err != nil {
		return nil, err
	}
	if in.Begin == nil {
		in.Begin = func(string) func(int, int, string) { return nil }
	}
	flat := &flattened{}
	paths, err := in.track(ctx, folder, &settings, flat)
	if err != nil {
		return nil, err
	}
	in.Begin("figures and report")
	summary, err := summarise(ctx, paths, &in, settings)
	if err != nil {
		return nil, err
	}
	beside, err := in.beside(ctx, &settings, paths[0], summary)
	if err != nil {
		return nil, err
	}
	summary.Listings, summary.Notes = "shared", []string{}
	if settings.NeedsSet() {
		summary.OverSets = in.OverSets.Hash()
	}
	if settings.NeedsRule() {
		summary.Rule = in.Rule.Hash()
	}
	if in.Listings != nil {
		summary.Listings, summary.Notes = "as-it-was", listed(paths[0], in.Listings)
	}
	for _, note := range []string{flat.String(), in.ruleNote()} {
		if note != "" {
			summary.Notes = append(summary.Notes, note)
		}
	}
	if err := writeTracks(folder, paths, &settings); err != nil {
		return nil, err
	}
	if err := writeBenchmark(folder, beside); err != nil {
		return nil, err
	}
	if err := run.WriteJSON(folder.Path(SummaryFile), summary); err != nil {
		return nil, err
	}
	return summary, reportBacktest(folder, &in, settings, paths[0], beside, summary)
}

// writeTracks writes the files of returns and of weights, and leaves of the first path the
// strategies' own tracks.
func writeTracks(folder *run.Run, paths []*backtest.Result, settings *BacktestSettings) error {
	all := *paths[0]
	paths[0].Tracks = all.Tracks[:len(settings.Strategies)]
	further := slices.Clone(all.Tracks[len(settings.Strategies):])
	for name, write := range map[string]func(io.Writer) error{
		ReturnsFile:  func(w io.Writer) error { return writeReturns(w, paths[0]) },
		"trials.csv": func(w io.Writer) error { return writeReturns(w, &all) },
		WeightsFile:  func(w io.Writer) error { return writeRebalances(w, paths[0]) },
	} {
		if err := run.WriteFile(folder.Path(name), write); err != nil {
			return err
		}
	}
	if settings.Groups > 0 {
		all := joined(paths)
		err := run.WriteFile(folder.Path("paths.csv"), func(w io.Writer) error { return writeReturns(w, all) })
		if err != nil {
			return err
		}
		for k, track := range all.Tracks {
			if k%len(paths) > 0 {
				further = append(further, track)
			}
		}
	}
	return writeChoices(folder, paths[0].Symbols, further)
}

// track tests the strategies, and after them the single models behind them: one
// result walk-forward, one for each path of combinatorially purged splits.
func (in *Input) track(ctx context.Context, folder *run.Run, s *BacktestSettings, flat *flattened) ([]*backtest.Result,
	error) {
	cache := s.Cache
	if cache == "" {
		cache = folder.Path(DecisionsFolder)
	}
	family := newFamily(in, s, cache)
	var strategies []backtest.Strategy
	for _, name := range s.Strategies {
		strategies = append(strategies, in.strategy(name, s, family, flat))
	}
	if s.Models > 1 {
		for _, name := range s.family() {
			for k := range s.Models {
				strategies = append(strategies, family.ofModel(name, k))
			}
		}
	}
	var paths []*backtest.Result
	if s.Groups > 0 {
		if in.Listings != nil {
			return nil, errors.New("-groups tests all symbols over all of the time: leave out -listings as-it-was")
		}
		var err error
		paths, err = backtest.RunCombinatorial(ctx, in.Window, strategies, backtest.Combinatorial{
			Groups: s.Groups, Tested: s.HeldOut, Embargo: s.Embargo, Test: s.Test, CostBps: s.CostBps,
			ConstantWeights: s.ConstantWeights,
		}, in.Begin("splits"))
		if err != nil {
			return nil, err
		}
	} else {
		result, err := backtest.Run(ctx, in.Window, strategies, backtest.Settings{
			Train: s.Train, Test: s.Test, Embargo: s.Embargo,
			CostBps: s.CostBps, ConstantWeights: s.ConstantWeights, Listings: in.Listings,
		}, in.Begin("rebalances"))
		if err != nil {
			return nil, err
		}
		paths = append(paths, result)
	}
	return paths, in.checkTracks(paths)
}

// checkTracks looks for weights that break the constraints, which none may.
func (in *Input) checkTracks(paths []*backtest.Result) error {
	for _, result := range paths {
		for _, track := range result.Tracks {
			for _, r := range track.Rebalances {
				set, weights := in.Set, r.Weights
				if r.Columns != nil {
					set, weights = set.Choose(r.Columns), chosen(weights, r.Columns)
				}
				if v := set.Violation(weights); r.Note == "" && v > simplex.Tolerance {
					return fmt.Errorf("strategy %s violates the constraints by %v at %s: this is a mistake of the "+
						"program", track.Name, v, day(r.Time))
				}
			}
		}
	}
	return nil
}

// joined puts the strategies of all paths beside each other.
func joined(paths []*backtest.Result) *backtest.Result {
	all := *paths[0]
	all.Tracks = nil
	for k := range paths[0].Tracks {
		for p, path := range paths {
			track := path.Tracks[k]
			track.Name = fmt.Sprintf("%s path %d", track.Name, p+1)
			all.Tracks = append(all.Tracks, track)
		}
	}
	return &all
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
	for k := range settings.Strategies {
		t, err := tested(ctx, &result.Tracks[k], &figures[k], in)
		if err != nil {
			return nil, err
		}
		if len(ratios) > 1 {
			t.DSR = figures[k].DeflatedSharpe(len(ratios), stat.StdDev(ratios, nil))
		}
		for j := len(settings.Strategies); j < len(result.Tracks); j++ {
			if strings.HasPrefix(result.Tracks[j].Name, t.Name+" model ") {
				t.SharpeOfModels = append(t.SharpeOfModels, figures[j].Value(metrics.Sharpe))
			}
		}
		for _, path := range paths {
			if settings.Groups == 0 {
				break
			}
			f, err := metrics.EvaluateSeries(path.Tracks[k].Returns, in.Metrics)
			if err != nil {
				return nil, fmt.Errorf("strategy %s: %w", t.Name, err)
			}
			t.SharpeOfPaths = append(t.SharpeOfPaths, f.Value(metrics.Sharpe))
		}
		s.Strategies = append(s.Strategies, t)
	}
	return s, nil
}

// tested are the figures of one track alone.
func tested(ctx context.Context, track *backtest.Track, f *metrics.Figures, in *Input) (TestedStrategy, error) {
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
	for _, r := range track.Rebalances {
		t.Cost += r.Cost
	}
	t.SharpeLow, t.SharpeHigh = number.Unknown("the Sharpe ratio is undefined"),
		number.Unknown("the Sharpe ratio is undefined")
	if _, ok := t.Sharpe.Float(); ok {
		interval, err := inference.Bootstrap(ctx, track.Returns, sharpeOf(in.Metrics),
			inference.BootstrapSettings{Seed: in.Seed, Resamples: 1000})
		if err != nil {
			return t, fmt.Errorf("strategy %s: %w", track.Name, err)
		}
		t.SharpeLow, t.SharpeHigh = number.Known(interval.Low), number.Known(interval.High)
	}
	return t, nil
}

// sharpeOf is the annual Sharpe ratio of a series, as a statistic.
func sharpeOf(settings metrics.Settings) func([]float64) float64 {
	return func(returns []float64) float64 {
		mean, deviation := stat.MeanStdDev(returns, nil)
		if deviation == 0 {
			return 0
		}
		return (mean*settings.PeriodsPerYear - settings.RiskFree) / (deviation * math.Sqrt(settings.PeriodsPerYear))
	}
}

func writeReturns(w io.Writer, result *backtest.Result) error {
	header := []string{"date"}
	for _, track := range result.Tracks {
		header = append(header, track.Name)
	}
	return run.WriteCSV(w, header, func(write func(cells ...string)) {
		for t, end := range result.Times {
			record := []string{stamp(end)}
			for _, track := range result.Tracks {
				record = append(record, strconv.FormatFloat(track.Returns[t], 'g', -1, 64))
			}
			write(record...)
		}
	})
}

// stamp writes a time as prices files do: a date where it is one.
func stamp(t time.Time) string {
	t = t.UTC()
	if t.Equal(t.Truncate(24 * time.Hour)) {
		return t.Format(time.DateOnly)
	}
	return t.Format(time.RFC3339)
}

func writeRebalances(w io.Writer, result *backtest.Result) error {
	return writeWeights(w, result, func(*backtest.Track, int) bool { return true })
}

// writeChoices writes choices.csv where there are tracks besides the strategies' own:
// those of their rebalances that are not to the weights of the one before.
func writeChoices(folder *run.Run, symbols []string, tracks []backtest.Track) error {
	if len(tracks) == 0 {
		return nil
	}
	further := &backtest.Result{Symbols: symbols, Tracks: tracks}
	return run.WriteFile(folder.Path("choices.csv"), func(w io.Writer) error {
		return writeWeights(w, further, func(t *backtest.Track, i int) bool {
			return i == 0 || !slices.Equal(t.Rebalances[i].Weights, t.Rebalances[i-1].Weights)
		})
	})
}

func writeWeights(w io.Writer, result *backtest.Result, has func(t *backtest.Track, i int) bool) error {
	header := append([]string{"strategy", "date"}, result.Symbols...)
	return run.WriteCSV(w, header, func(write func(cells ...string)) {
		for k := range result.Tracks {
			track := &result.Tracks[k]
			for i, r := range track.Rebalances {
				if !has(track, i) {
					continue
				}
				record := []string{track.Name, stamp(r.Time)}
				for _, x := range r.Weights {
					record = append(record, strconv.FormatFloat(x, 'g', -1, 64))
				}
				write(record...)
			}
		}
	})
}

// reportBacktest draws the pictures and writes report.html.
func reportBacktest(folder *run.Run, in *Input, settings BacktestSettings, result, beside *backtest.Result,
	s *BacktestSummary) error {
	p := &state{Input: *in, folder: folder}
	section := &report.WalkForward{
		Train: s.Train, Test: s.Test, Embargo: s.Embargo, Windows: s.Windows, CostBps: s.CostBps,
		ConstantWeights: s.ConstantWeights, Confidence: 0.95,
		Tested: report.Span{From: result.Times[0], To: result.Times[len(result.Times)-1], Periods: len(result.Times)},
		Notes: []string{
			"Intervals are of the stationary bootstrap over periods; PSR and DSR assume independent returns.",
			fmt.Sprintf("The DSR counts the %d tracks of trials.csv. Whoever has tried more must count more.",
				s.Trials),
		},
	}
	section.Notes = append(section.Notes, spreads(s)...)
	title := "Walk-forward test of strategies"
	if settings.Groups > 0 {
		c := backtest.Combinatorial{Groups: settings.Groups, Tested: settings.HeldOut}
		section.Splits = fmt.Sprintf("%d groups, %d held out at a time: %d splits, which make up %d paths; here is "+
			"the first", settings.Groups, settings.HeldOut, c.Splits(), c.Paths())
		title = "Strategies on combinatorially purged splits"
	}
	wealth := figure.Wealth{Frame: p.frame("net of costs"), Start: result.Start, Times: result.Times}
	for k, t := range s.Strategies {
		section.Rows = append(section.Rows, report.Tested{
			Name: t.Name, Figures: t.figures, Low: t.SharpeLow, High: t.SharpeHigh, DSR: t.DSR,
			Turnover: number.Known(t.Turnover), Held: t.Held,
		})
		wealth.Paths = append(wealth.Paths, figure.Path{Name: t.Name, Returns: result.Tracks[k].Returns})
	}
	if beside != nil {
		wealth.Paths = append(wealth.Paths, figure.Path{Name: s.Benchmark.Name + " (benchmark)",
			Returns: beside.Tracks[0].Returns})
	}
	var err error
	section.Pictures, err = p.pictures(drawing{"wealth.png", "Wealth over all test windows.", wealth.Draw},
		drawing{"last_weights.png", "Weights at the last rebalance: the mean over all strategies, and " +
			"their 5th to 95th percentile.", figure.WeightBars{
			Frame: p.frame("at the last rebalance"), Symbols: result.Symbols,
			Name: fmt.Sprintf("mean of %d strategies", len(s.Strategies)), Generated: lastWeights(result)}.Draw})
	if err != nil {
		return err
	}
	config, err := os.ReadFile(folder.Path("config.toml"))
	if err != nil {
		return err
	}
	document := report.Document{
		Header: report.Header{
			Title: title, Synthetic: in.Synthetic, Verdict: section.Judgement()[0],
			Subtitle: fmt.Sprintf("%d assets, %s to %s, costs of %g basis points", len(result.Symbols),
				day(result.Times[0]), day(result.Times[len(result.Times)-1]), settings.CostBps),
		},
		WalkForward: section,
		Sections:    benchmarkSections(s),
		Commands:    []report.Fact{recompute(folder.Dir()), repeat(in)},
		Files:       backtestFacts(s),
		Provenance: &report.Provenance{
			Config: string(config),
			Facts: []report.Fact{{Name: "Prices", Text: in.Source}, {Name: "Data", Text: in.DataHash()},
				{Name: "Seed", Text: fmt.Sprint(in.Seed)}},
			Limits: slices.Concat(survivorship(in), []string{"Market impact is not modelled."}, in.Notes, s.Notes),
		},
	}
	return run.WriteFile(folder.Path(ReportFile), func(w io.Writer) error { return report.Write(w, document) })
}

// backtestFacts says which file holds what.
func backtestFacts(s *BacktestSummary) []report.Fact {
	files := []report.Fact{
		{Name: ReturnsFile, Text: "the return of every strategy in each period, net of costs"},
		{Name: WeightsFile, Text: "what each strategy held after each rebalance"},
		{Name: SummaryFile, Text: "the figures of this page, with intervals"},
	}
	if s.Benchmark != nil {
		files = append(files, report.Fact{Name: BenchmarkFile, Text: "the return of the benchmark in each period"})
	}
	return files
}

// lastWeights stacks what the strategies chose last.
func lastWeights(result *backtest.Result) *mat.Dense {
	m := mat.NewDense(len(result.Tracks), len(result.Symbols), nil)
	for k, track := range result.Tracks {
		m.SetRow(k, track.Rebalances[len(track.Rebalances)-1].Weights)
	}
	return m
}

// spreads says how the single models, and the paths, of strategies came out.
func spreads(s *BacktestSummary) []string {
	var lines []string
	say := func(name, of string, values []number.Value) {
		low, high, count := math.Inf(1), math.Inf(-1), 0
		for _, v := range values {
			if x, ok := v.Float(); ok {
				low, high, count = min(low, x), max(high, x), count+1
			}
		}
		if count > 1 {
			lines = append(lines, fmt.Sprintf("%s: Sharpe ratios of %d %s from %.2f to %.2f.", name, count, of,
				low, high))
		}
	}
	for _, t := range s.Strategies {
		say(t.Name, "single models", t.SharpeOfModels)
		say(t.Name, "paths", t.SharpeOfPaths)
	}
	return lines
}
