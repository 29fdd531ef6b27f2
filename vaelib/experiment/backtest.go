package experiment

import (
	"context"
	"errors"
	"fmt"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
)

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
