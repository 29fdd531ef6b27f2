package experiment

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
)

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

// UnknownStrategyError is a name that no strategy has.
type UnknownStrategyError struct {
	Name  string
	Known []string
}

func (e *UnknownStrategyError) Error() string {
	return fmt.Sprintf("unknown strategy %q: choose from %s", e.Name, strings.Join(e.Known, ", "))
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
