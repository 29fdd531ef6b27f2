package main

import (
	"context"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/stream"
)

// The evaluation that is measured: nearly four years of days.
const (
	evaluatePeriods    = 1438
	evaluateAssets     = 40
	evaluatePortfolios = 1024
)

// evaluators compute six figures of portfolios, and the matrix product that
// comes before them alone, on one core.
func evaluators(ctx context.Context, b *bed) ([]contender, error) {
	returns := market(evaluatePeriods, evaluateAssets, b.seed)
	weights, err := dirichletRows(evaluatePortfolios, evaluateAssets, b.seed)
	if err != nil {
		return nil, err
	}
	e, err := metrics.NewEvaluator(returns, sixFigures)
	if err != nil {
		return nil, err
	}
	figures := make([]metrics.Figures, evaluatePortfolios)
	evaluate := func(ctx context.Context) (int, error) {
		return evaluatePortfolios, e.EvaluateAll(ctx, weights, figures)
	}
	if _, err := evaluate(ctx); err != nil {
		return nil, err
	}
	const productName = "gonum, the matrix product alone"
	var answer []float64
	for _, f := range figures {
		answer = append(answer, f.AnnualReturn, f.Volatility, f.Sharpe, f.Sortino, f.MaxDrawdown, f.CVaR)
	}
	product := mat.NewDense(evaluatePortfolios, evaluatePeriods, nil)
	multiply := func(context.Context) (int, error) {
		product.Mul(weights, returns.T())
		return evaluatePortfolios, nil
	}
	_, _ = multiply(ctx) // never fails
	contenders := []contender{
		{name: "vaefolio, six figures", turn: oneCore(repeat(evaluate)), answer: answer},
		{name: productName, turn: oneCore(repeat(multiply)), answer: slices.Clone(product.RawRowView(0))},
	}
	data := map[string]any{"weights": lists(weights), "returns": lists(returns)}
	for _, p := range []struct{ name, versus, task string }{
		{"numpy, six figures, chunks of 64", "", "evaluate"},
		{"numpy, the matrix product alone", productName, "product"},
	} {
		c, err := b.enter(ctx, numpy, p.name, p.versus, p.task, data)
		if err != nil {
			return nil, err
		}
		contenders = append(contenders, c)
	}
	return contenders, nil
}

// sixFigures are the figures that speed is usually compared by.
var sixFigures = metrics.Settings{PeriodsPerYear: 365, Figures: metrics.Of(metrics.AnnualReturn, metrics.Volatility,
	metrics.Sharpe, metrics.Sortino, metrics.MaxDrawdown, metrics.CVaR)}

// market draws returns per period (T x n) with one common factor and fat tails.
func market(periods, assets int, seed uint64) *mat.Dense {
	rng := stream.New(seed, "bench.market", uint64(assets))
	beta, drift, noise := make([]float64, assets), make([]float64, assets), make([]float64, assets)
	for j := range assets {
		beta[j], drift[j], noise[j] = 0.5+rng.Float64(), 0.001+0.002*rng.NormFloat64(), 0.01+0.03*rng.Float64()
	}
	returns := mat.NewDense(periods, assets, nil)
	for t := range periods {
		common := 0.025 * rng.NormFloat64()
		if rng.IntN(20) == 0 {
			common *= 3
		}
		for j := range assets {
			returns.Set(t, j, max(-0.9, drift[j]+beta[j]*common+noise[j]*rng.NormFloat64()))
		}
	}
	return returns
}
