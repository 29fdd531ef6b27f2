package experiment

import (
	"context"
	"errors"
	"fmt"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/stream"
)

// Strategies of the largest Sharpe ratio that allow for the error of sample means.
const (
	MaxSharpeBayesStein = "max-sharpe-bayes-stein"
	MaxSharpeEmpirical  = "max-sharpe-empirical-bayes"
	MaxSharpeResampled  = "max-sharpe-resampled" // as Michaud has it
)

// shrunkenNames lists them.
func shrunkenNames() []string {
	return []string{MaxSharpeBayesStein, MaxSharpeEmpirical, MaxSharpeResampled}
}

// shrunken is the named one of them.
func (in *Input) shrunken(name string, s *BacktestSettings, flat *flattened) weigher {
	return func(ctx context.Context, training *market.Window, _ []float64) ([]float64, error) {
		inputs, m, err := in.problem(training, s, flat)
		if err != nil {
			return nil, err
		}
		var weights []float64
		if name == MaxSharpeResampled {
			weights, err = optimize.Resampled(ctx, optimize.MaxSharpe, inputs,
				optimize.Resampling{Periods: m.Periods, Covariance: s.Covariance},
				stream.New(in.Seed, "experiment.resampled", uint64(training.Times[len(training.Times)-1].Unix())))
		} else {
			estimator := moments.BayesStein
			if name == MaxSharpeEmpirical {
				estimator = moments.EmpiricalBayes
			}
			weights, err = largestSharpe(ctx, m, estimator, inputs)
		}
		if none := (*optimize.NoExcessError)(nil); errors.As(err, &none) {
			return nil, fmt.Errorf("%w: %w", err, backtest.ErrHold)
		}
		return weights, err
	}
}

// largestSharpe solves with the means of an estimator.
func largestSharpe(ctx context.Context, m *moments.Moments, estimator string, in *optimize.Inputs) ([]float64, error) {
	var err error
	if in.Mean, _, err = m.Means(estimator); err != nil {
		return nil, err
	}
	result, err := optimize.Solve(ctx, optimize.MaxSharpe, in)
	if err != nil {
		return nil, err
	}
	return result.Weights, nil
}
