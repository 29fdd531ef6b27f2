package lab

import (
	"context"
	"math"
	"slices"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
)

// rivals are what needs no model.
func rivals() []member {
	return []member{
		{"equal-weight", Rival, objective(optimize.EqualWeight, moments.Sample)},
		{"inverse-volatility", Rival, objective(optimize.InverseVolatility, moments.Sample)},
		{"min-variance", Rival, objective(optimize.MinVariance, moments.Sample)},
		{"min-variance-ledoit-wolf", Rival, objective(optimize.MinVariance, moments.LedoitWolf)},
		{"risk-parity", Rival, objective(optimize.RiskParity, moments.LedoitWolf)},
		{"hrp", Rival, objective(optimize.HRP, moments.LedoitWolf)},
		{"max-diversification", Rival, objective(optimize.MaxDiversification, moments.LedoitWolf)},
		{"max-sharpe", Rival, largestSharpe(moments.Sample)},
		{"max-sharpe-bayes-stein", Rival, largestSharpe(moments.BayesStein)},
		{"max-sharpe-empirical-bayes", Rival, largestSharpe(moments.EmpiricalBayes)},
		{"max-sharpe-resampled", Rival, resampled},
		{"half-resampled-empirical-bayes", Rival, half(resampled, largestSharpe(moments.EmpiricalBayes))},
		{"best-of-n", Rival, bestDraw},
	}
}

// objective solves for one with a covariance by name.
func objective(o optimize.Objective, covariance string) rule {
	return func(ctx context.Context, h *history) ([]float64, error) {
		m, err := h.moments(covariance)
		if err != nil {
			return nil, err
		}
		return h.solve(ctx, o, m.Mean, m)
	}
}

// largestSharpe is the largest Sharpe ratio by [history.means].
func largestSharpe(means string) rule {
	return func(ctx context.Context, h *history) ([]float64, error) {
		mean, m, err := h.means(means)
		if err != nil {
			return nil, err
		}
		return h.solve(ctx, optimize.MaxSharpe, mean, m)
	}
}

func (h *history) solve(ctx context.Context, o optimize.Objective, mean []float64, m *moments.Moments) ([]float64,
	error) {
	r, err := optimize.Solve(ctx, o, &optimize.Inputs{Set: h.allowed(), Mean: mean, Cov: m.Cov})
	if err != nil {
		return nil, err
	}
	return r.Weights, nil
}

// means are the means by name, and the moments that they belong to: the sample's
// covariance with the sample's means, that of Ledoit and Wolf with shrunken ones.
//
// Where none is positive, and a largest Sharpe ratio would be of nothing worth
// holding, rivals and generators alike fall back on equal ones, whose largest ratio
// is the minimum variance, and with empirical Bayes, whose prior is of the assets'
// Sharpe ratios, on equal ratios, whose largest is maximum diversification.
func (h *history) means(name string) ([]float64, *moments.Moments, error) {
	covariance := moments.LedoitWolf
	if name == moments.Sample {
		covariance = moments.Sample
	}
	m, err := h.moments(covariance)
	if err != nil {
		return nil, nil, err
	}
	means, _, err := m.Means(name)
	if err != nil {
		return nil, nil, err
	}
	if slices.Max(means) > 0 {
		return means, m, nil
	}
	var average float64
	for i := range means {
		means[i] = math.Sqrt(m.Cov.At(i, i) / periodsPerYear) // a Sharpe ratio of 1 a year
		average += means[i] / float64(len(means))
	}
	if name != moments.EmpiricalBayes {
		for i := range means {
			means[i] = average
		}
	}
	return means, m, nil
}

// resampled is Michaud's average of largest Sharpe ratios.
func resampled(ctx context.Context, h *history) ([]float64, error) {
	m, err := h.moments(moments.LedoitWolf)
	if err != nil {
		return nil, err
	}
	return optimize.Resampled(ctx, optimize.MaxSharpe,
		&optimize.Inputs{Set: h.allowed(), Mean: m.Mean, Cov: m.Cov, MinVarianceFallback: true},
		optimize.Resampling{Periods: m.Periods, Draws: 50, Covariance: moments.LedoitWolf}, h.stream("resampled"))
}

// half is the mean of two choices.
func half(a, b rule) rule {
	return func(ctx context.Context, h *history) ([]float64, error) {
		first, err := a(ctx, h)
		if err != nil {
			return nil, err
		}
		second, err := b(ctx, h)
		if err != nil {
			return nil, err
		}
		mean := make([]float64, len(first))
		for i := range mean {
			mean[i] = (first[i] + second[i]) / 2
		}
		return mean, nil
	}
}

// bestDraw is the best by the sample's Sharpe ratio of draws from a mixture of
// Dirichlet distributions.
func bestDraw(ctx context.Context, h *history) ([]float64, error) {
	ratio, err := h.ratio(moments.Sample)
	if err != nil {
		return nil, err
	}
	draws, err := choose.DirichletMixture("", h.allowed(), h.stream("draws")).Draw(ctx, h.settings.Samples)
	if err != nil {
		return nil, err
	}
	best, _, err := choose.Best(ctx, ratio, draws)
	if err != nil {
		return nil, err
	}
	return draws.RawRowView(best), nil
}

// allowed are all long-only weights.
func (h *history) allowed() simplex.Set {
	return simplex.Set{N: len(h.window.Symbols), Symbols: h.window.Symbols}
}
