package experiment

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
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
	ascent        = "projected-gradient"
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
	p.add(latentSharpe, fmt.Sprintf("Sharpe ratio climbed in the latent space from %d starts, |z| <= %.2f",
		p.settings.Starts, p.latent.Radius),
		true, p.latent.Weights.RawRowView(p.latent.Best), budget)

	sharpe, err := metrics.NewObjective(metrics.MaximizeSharpe, p.in.Returns, p.Metrics)
	if err != nil {
		return err
	}
	rng := func(id string) *rand.Rand { return stream.New(p.Seed, "experiment."+id, 0) }
	rivals, err := choose.Rivals(ctx, sharpe, []choose.Sampler{
		choose.Rows(bestSampled, p.generated.Weights),
		choose.Dirichlet(bestDirichlet, p.Set, rng(bestDirichlet)),
		choose.DirichletMixture(bestMixture, p.Set, rng(bestMixture)),
	}, budget, nil)
	if err != nil {
		return err
	}
	for k, what := range []string{
		"best of %d samples of the model",
		"best of %d draws of Dirichlet(1), projected",
		"best of %d draws of Dirichlet(alpha), alpha log-uniform in [0.02, 5], projected",
	} {
		r := rivals[k]
		if r.Weights == nil {
			return errors.New("the Sharpe ratio is undefined for every portfolio: do the prices move at all?")
		}
		p.add(r.Name, fmt.Sprintf(what, budget), r.Name == bestSampled, r.Weights, budget)
	}
	if p.ascent.Weights == nil {
		return errors.New("the Sharpe ratio is undefined for every portfolio: do the prices move at all?")
	}
	p.summary.AscentEvaluations, p.summary.AscentMatched = p.ascent.Evaluations, p.ascent.Matched
	p.add(ascent, p.ascentNote(), false, p.ascent.Weights, p.ascent.Evaluations)
	return p.convex(ctx)
}

// ascentNote says how soon the gradient on the weights had what the latent search
// found.
func (p *state) ascentNote() string {
	const what = "the same objective climbed on the weights, without the model"
	if p.ascent.Matched == 0 {
		return what
	}
	return fmt.Sprintf("%s; it had the latent search's ratio after %d evaluations", what, p.ascent.Matched)
}

func (p *state) add(id, what string, model bool, weights []float64, evaluations int) {
	p.candidates = append(p.candidates, candidate{id, what, model, append([]float64(nil), weights...), evaluations})
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
	if warning := shrunk.Warning(p.in.Returns, p.in.Symbols, p.in.Times); warning != "" {
		p.summary.Notes["shrinkage"] = warning
	}
	switch bound, err := optimize.Bound(ctx, metrics.MaximizeSharpe, p.in.Returns, p.Set, p.Metrics); {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		p.summary.Notes[convexBound] = err.Error()
	default:
		p.add(convexBound, "the convex optimum of the same objective on the same window and set: the in-sample bound",
			false, bound.Weights, 0)
	}
	for _, b := range []struct {
		id, what  string
		objective optimize.Objective
		moments   *moments.Moments
	}{
		{equalWeight, "1/N, or the nearest portfolio that the set allows", optimize.EqualWeight, estimate},
		{"inverse-volatility", "weights in proportion to 1/volatility", optimize.InverseVolatility, estimate},
		{"min-variance", "least variance, Ledoit-Wolf covariance", optimize.MinVariance, shrunk},
		{"risk-parity", "equal risk contributions, Ledoit-Wolf covariance", optimize.RiskParity, shrunk},
		{"hrp", "hierarchical risk parity, sample covariance", optimize.HRP, estimate},
		{"max-diversification", "largest diversification ratio, Ledoit-Wolf covariance", optimize.MaxDiversification,
			shrunk},
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
