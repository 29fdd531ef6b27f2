package experiment

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// candidate is a portfolio with a name: chosen from the model's, or a baseline.
type candidate struct {
	id, what    string
	model       bool // it came out of the model, and lies in the set
	weights     []float64
	evaluations int // of the objective that choosing it took
}

// Names of the candidates.
const (
	latentSharpe  = "latent-sharpe"
	bestSampled   = "best-sampled"
	bestDirichlet = "best-dirichlet"
	bestMixture   = "best-dirichlet-mixture"
	equalWeight   = "equal-weight"
	convexBound   = "convex-max-sharpe"
)

// compare chooses portfolios by their in-sample Sharpe ratio: from the model,
// by latent search and from samples, and from samplers that know no model, all
// with the same number of evaluations; and adds the baselines that search
// nothing. Whatever a baseline lacks (no feasible portfolio with a positive
// mean, say) is said in the notes.
func (p *state) compare(ctx context.Context) error {
	budget := p.summary.Evaluations
	p.begin("baselines at the same budget")
	p.add(latentSharpe, fmt.Sprintf("Sharpe ratio climbed in the latent space from %d starts, |z| <= %.2f", p.settings.Starts, p.latent.Radius),
		true, p.latent.Weights.RawRowView(p.latent.Best), budget)

	row, err := p.best(ctx, p.generated.Weights.Slice(0, budget, 0, p.Set.N).(*mat.Dense))
	if err != nil {
		return err
	}
	p.add(bestSampled, fmt.Sprintf("best of %d samples of the model", budget), true, row, budget)

	for _, sampler := range []struct {
		id, what string
		alpha    func(u float64) float64
	}{
		{bestDirichlet, "best of %d draws of Dirichlet(1), projected", func(float64) float64 { return 1 }},
		{bestMixture, "best of %d draws of Dirichlet(alpha), alpha log-uniform in [0.02, 5], projected", func(u float64) float64 {
			return 0.02 * math.Pow(5/0.02, u)
		}},
	} {
		weights, err := p.dirichlet(ctx, budget, sampler.id, sampler.alpha)
		if err != nil {
			return err
		}
		if row, err = p.best(ctx, weights); err != nil {
			return err
		}
		p.add(sampler.id, fmt.Sprintf(sampler.what, budget), false, row, budget)
	}
	return p.convex(ctx)
}

func (p *state) add(id, what string, model bool, weights []float64, evaluations int) {
	p.candidates = append(p.candidates, candidate{id, what, model, append([]float64(nil), weights...), evaluations})
}

// best returns the row with the largest in-sample Sharpe ratio.
func (p *state) best(ctx context.Context, weights *mat.Dense) ([]float64, error) {
	settings := p.Metrics
	settings.Figures = metrics.Of(metrics.Sharpe)
	evaluator, err := metrics.NewEvaluator(p.in.Returns, settings)
	if err != nil {
		return nil, err
	}
	n, _ := weights.Dims()
	figures := make([]metrics.Figures, n)
	if err := evaluator.EvaluateAll(ctx, weights, figures); err != nil {
		return nil, err
	}
	best, value := -1, math.Inf(-1)
	for i := range figures {
		if v, ok := figures[i].Value(metrics.Sharpe); ok && v > value {
			best, value = i, v
		}
	}
	if best < 0 {
		return nil, errors.New("the Sharpe ratio is undefined for every portfolio: do the prices move at all?")
	}
	return weights.RawRowView(best), nil
}

// dirichlet draws n weights from symmetric Dirichlets, each of its own alpha,
// onto the set.
func (p *state) dirichlet(ctx context.Context, n int, purpose string, alpha func(u float64) float64) (*mat.Dense, error) {
	rng := stream.New(p.Seed, "experiment."+purpose, 0)
	weights := mat.NewDense(n, p.Set.N, nil)
	for i := range n {
		d, err := simplex.Symmetric(p.Set.N, alpha(rng.Float64()))
		if err != nil {
			return nil, err
		}
		d.Rand(weights.RawRowView(i), rng)
	}
	return weights, simplex.ProjectAll(ctx, p.Set, weights, weights, nil)
}

// convex adds the baselines that are solved for: the in-sample optimum as the
// bound, and the usual allocations. Each under the set, minimum-or-zero relaxed
// to zero lower bounds.
func (p *state) convex(ctx context.Context) error {
	estimate, err := moments.Estimate(moments.Sample, p.in.Returns)
	if err != nil {
		return err
	}
	shrunk, err := moments.Estimate(moments.LedoitWolf, p.in.Returns)
	if err != nil {
		return err
	}
	for _, b := range []struct {
		id, what  string
		objective optimize.Objective
		moments   *moments.Moments
	}{
		{convexBound, "the convex optimum of the same objective on the same window and set: the in-sample bound", optimize.MaxSharpe, estimate},
		{equalWeight, "1/N, or the nearest portfolio that the set allows", optimize.EqualWeight, estimate},
		{"inverse-volatility", "weights in proportion to 1/volatility", optimize.InverseVolatility, estimate},
		{"min-variance", "least variance, Ledoit-Wolf covariance", optimize.MinVariance, shrunk},
		{"risk-parity", "equal risk contributions, Ledoit-Wolf covariance", optimize.RiskParity, shrunk},
		{"hrp", "hierarchical risk parity, sample covariance", optimize.HRP, estimate},
		{"max-diversification", "largest diversification ratio, Ledoit-Wolf covariance", optimize.MaxDiversification, shrunk},
	} {
		weights, err := p.allocate(ctx, b.objective, b.moments)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			p.summary.Notes[b.id] = err.Error()
			continue
		}
		p.add(b.id, b.what, false, weights, 0)
	}
	return nil
}

// allocate solves for one allocation under the relaxed set. What a procedure
// that knows no constraints gives is projected onto the set.
func (p *state) allocate(ctx context.Context, objective optimize.Objective, m *moments.Moments) ([]float64, error) {
	result, err := optimize.Solve(ctx, objective, &optimize.Inputs{
		Set: p.Set.Convex(), Returns: p.in.Returns, Mean: m.Mean, Cov: m.Cov,
		RiskFree: p.Metrics.RiskFree / p.Metrics.PeriodsPerYear, Project: true,
	})
	if err != nil {
		return nil, err
	}
	return result.Weights, nil
}
