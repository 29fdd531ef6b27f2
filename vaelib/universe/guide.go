package universe

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
)

// GuideCount is how many guides a universe has.
const GuideCount = 2

// resamplings are those that the second guide averages over.
const resamplings = 50

// Guides returns the weights (GuideCount x n) of the rules that a learnt rule is
// told of, and starts from: the largest Sharpe ratio by empirical-Bayes means, and
// the resampled one of Michaud, both by the covariance of Ledoit and Wolf over a
// window of returns (T x n), within a convex set. Where no mean is positive they
// fall back on maximum diversification and on minimum variance.
//
// It returns an error for returns without moments, and for a set in which there
// are no weights.
func Guides(ctx context.Context, returns *mat.Dense, set simplex.Set, rng *rand.Rand) (*mat.Dense, error) {
	m, err := moments.Estimate(moments.LedoitWolf, returns)
	if err != nil {
		return nil, err
	}
	shrunken, _, err := m.Means(moments.EmpiricalBayes)
	if err != nil {
		return nil, err
	}
	if slices.Max(shrunken) <= 0 {
		for i := range shrunken {
			shrunken[i] = math.Sqrt(m.Cov.At(i, i))
		}
	}
	in := optimize.Inputs{Set: set, Mean: shrunken, Cov: m.Cov, MinVarianceFallback: true}
	bayes, err := optimize.Solve(ctx, optimize.MaxSharpe, &in)
	if err != nil {
		return nil, err
	}
	in.Mean = m.Mean
	resampled, err := optimize.Resampled(ctx, optimize.MaxSharpe, &in,
		optimize.Resampling{Periods: m.Periods, Draws: resamplings, Covariance: moments.LedoitWolf}, rng)
	if err != nil {
		return nil, err
	}
	guides := mat.NewDense(GuideCount, set.N, nil)
	guides.SetRow(0, bayes.Weights)
	guides.SetRow(1, resampled)
	return guides, nil
}
