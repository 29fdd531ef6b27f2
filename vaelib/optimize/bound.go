package optimize

import (
	"context"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/simplex"
)

// Optimal is the best portfolio that a constraint set holds: what any search can
// reach at most.
type Optimal struct {
	Weights []float64 // n
	Value   float64   // of the objective
}

// solvers are the convex programmes behind the objectives of package metrics.
var solvers = map[string]Objective{
	metrics.MaximizeSharpe:          MaxSharpe,
	metrics.MaximizeReturn:          MeanVariance,
	metrics.MinimizeVolatility:      MinVariance,
	metrics.MaximizeDiversification: MaxDiversification,
	metrics.MinimizeCVaR:            MinCVaR,
	metrics.MaximizeWorst:           MaxMin,
}

// Bound returns the optimum of an objective of package metrics, by its name, on
// a constraint set and returns (T x n), minimum-or-zero weights relaxed to zero
// lower bounds. It is a convex programme solved to its end, so that no portfolio
// of the set has a larger value, rounding aside.
//
// There is none for sortino and drawdown, which are no convex programmes of this
// package: a [*UnsupportedError]. Where no feasible mean
// exceeds the risk-free rate, sharpe has none: a [*NoExcessError].
func Bound(
	ctx context.Context, objective string, returns *mat.Dense, set simplex.Set, settings metrics.Settings,
) (*Optimal, error) {
	value, err := metrics.NewObjective(objective, returns, settings)
	if err != nil {
		return nil, err
	}
	solver, ok := solvers[objective]
	if !ok {
		return nil, &UnsupportedError{
			Objective: Objective(objective), Reason: "is no convex programme that is solved here, so it has no bound",
		}
	}
	in, err := convexInputs(returns, set, settings)
	if err != nil {
		return nil, err
	}
	result, err := Solve(ctx, solver, in)
	if err != nil {
		return nil, err
	}
	return &Optimal{Weights: result.Weights, Value: value.Value(result.Weights)}, nil
}

// convexInputs are the sample's moments and the relaxed set. The settings have
// been checked.
func convexInputs(returns *mat.Dense, set simplex.Set, settings metrics.Settings) (*Inputs, error) {
	m, err := moments.Estimate(moments.Sample, returns)
	if err != nil {
		return nil, err
	}
	return &Inputs{
		Set: set.Convex(), Mean: m.Mean, Cov: m.Cov, Returns: returns,
		RiskFree: settings.RiskFree / settings.PeriodsPerYear, Level: settings.Level,
	}, nil
}
