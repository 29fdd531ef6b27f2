package experiment

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/universe"
)

// Strategies of a model over sets of assets, which is placed in the assets of each
// training window and trained on none of them.
const (
	ZeroShotSharpe      = "zero-shot-sharpe"       // climbs the window's Sharpe ratio in the latent space
	ZeroShotSharpePrior = "zero-shot-sharpe-prior" // the same, less a penalty on improbable codes
)

// zeroShotNames lists them.
func zeroShotNames() []string { return []string{ZeroShotSharpe, ZeroShotSharpePrior} }

// DataHash identifies what a backtest is made from: the prices and, where there are any,
// the model over sets of assets, the learnt rule and the benchmark.
func (in *Input) DataHash() string {
	hash := in.Window.Hash()
	if in.OverSets != nil {
		hash = run.Hash([]byte(hash), []byte(in.OverSets.Hash()))
	}
	if in.Rule != nil {
		hash = run.Hash([]byte(hash), []byte(in.Rule.Hash()))
	}
	if in.Benchmark != nil {
		hash = run.Hash([]byte(hash), []byte(in.Benchmark.Hash()))
	}
	return hash
}

// zeroShot is the named one of them. Assets go to the model in the order of their
// symbols, so that a choice doesn't depend on that of a file's columns.
func (in *Input) zeroShot(name string, s *BacktestSettings) weigher {
	return func(ctx context.Context, training *market.Window, _ []float64) ([]float64, error) {
		set, err := in.setOf(training)
		if err != nil {
			return nil, err
		}
		order := universe.Order(training.Symbols)
		search := generate.OptimizeSettings{Starts: familyStarts, Iterations: familyIterations, Seed: in.Seed}
		if name == ZeroShotSharpePrior {
			search.PriorWeight = s.PriorWeight
		}
		best, err := in.climbed(ctx, training.Choose(order), set.Choose(order), search)
		if err != nil {
			return nil, err
		}
		weights := make([]float64, len(best))
		for k, j := range order {
			weights[j] = best[k]
		}
		return weights, nil
	}
}

// climbed is the optimum of a latent search in a window.
func (in *Input) climbed(ctx context.Context, w *market.Window, set simplex.Set, search generate.OptimizeSettings) (
	[]float64, error) {
	largest := 1.0
	if set.Upper != nil {
		largest = slices.Max(set.Upper)
	}
	if n := float64(set.N); n*largest <= 1+simplex.Tolerance { // nothing is left to choose
		projector, err := simplex.NewProjector(set)
		if err != nil {
			return nil, err
		}
		only := slices.Repeat([]float64{1 / n}, set.N)
		_, err = projector.Project(only, only)
		return only, err
	}
	model, err := in.OverSets.Place(w, set)
	if still := (*universe.StillError)(nil); errors.As(err, &still) {
		return nil, fmt.Errorf("%w: %w", err, backtest.ErrHold)
	}
	if err != nil {
		return nil, err
	}
	generator, err := generate.New(model.Network, set)
	if err != nil {
		return nil, err
	}
	sharpe, err := metrics.NewObjective(metrics.MaximizeSharpe, w.Returns, in.Metrics)
	if err != nil {
		return nil, err
	}
	found, err := generator.Optimize(ctx, sharpe, model.Aggregate, search)
	if err != nil {
		return nil, err
	}
	return slices.Clone(found.Weights.RawRowView(found.Best)), nil
}
