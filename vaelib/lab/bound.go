package lab

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/simulate"
	"vaefolio/vaelib/stream"
)

// rightPrior names the largest Sharpe ratio of whoever knows the covariance and the
// law of the Sharpe ratios, and learns the means themselves from the history: about
// what a rule with the right prior could have at most.
const rightPrior = "right-prior"

// bound adds to each outcome, of the world of the same number, what the right prior
// would have. The histories are drawn again.
func (l *Lab) bound(ctx context.Context, outcomes []outcome) error {
	return parallel.For(ctx, len(outcomes), func(_, i int) error {
		w, o := l.worlds[i], &outcomes[i]
		truth, err := w.draw(&l.in)
		if err != nil {
			return err
		}
		perYear := float64(periodsPerYear)
		if l.in.Market != nil {
			perYear = l.in.Market.PeriodsPerYear
		}
		judge := newRatio(truth.Mean, truth.Cov)
		best, err := optimize.Solve(ctx, optimize.MaxSharpe, long(truth.Mean, truth.Cov))
		if err != nil {
			return err
		}
		most := judge.Value(best.Weights)
		for k := range o.Shares {
			returns := truth.Returns(stream.New(l.plan.Seed, "lab.history", w.streamOf(1+k)), w.Periods)
			mean, err := posteriorMean(truth, moments.Mean(returns), w.Periods, perYear)
			if err != nil {
				return err
			}
			r, err := optimize.Solve(ctx, optimize.MaxSharpe, long(mean, truth.Cov))
			if err != nil {
				return err
			}
			o.Shares[k] = append(o.Shares[k], judge.Value(r.Weights)/most)
		}
		o.Strategies, o.Kinds = append(o.Strategies, rightPrior), append(o.Kinds, Ceiling)
		return nil
	})
}

// long are the inputs of a largest Sharpe ratio of long-only weights.
func long(mean []float64, cov *mat.SymDense) *optimize.Inputs {
	return &optimize.Inputs{Set: simplex.Set{N: len(mean)}, Mean: mean, Cov: cov, MinVarianceFallback: true}
}

// posteriorMean is that of the means of returns whose sample mean over T periods is
// given, where asset i's is s_i times a Sharpe ratio from a normal law of the
// world's level and dispersion: m0 + P (P + S/T)^-1 (sample - m0), m0 and P the
// law's moments and S the covariance.
func posteriorMean(truth *simulate.World, sample []float64, periods int, perYear float64) ([]float64, error) {
	n := len(sample)
	prior, apart := make([]float64, n), mat.NewVecDense(n, nil)
	variances, sum := make([]float64, n), mat.NewSymDense(n, nil)
	sum.ScaleSym(1/float64(periods), truth.Cov)
	for i := range n {
		deviation := math.Sqrt(truth.Cov.At(i, i) / perYear)
		prior[i], variances[i] = deviation*truth.Level, deviation*deviation*truth.Dispersion*truth.Dispersion
		apart.SetVec(i, sample[i]-prior[i])
		sum.SetSym(i, i, sum.At(i, i)+variances[i])
	}
	var factor mat.Cholesky
	if !factor.Factorize(sum) {
		return prior, nil // a covariance that is singular, and no dispersion
	}
	var solved mat.VecDense
	if err := factor.SolveVecTo(&solved, apart); err != nil {
		return nil, err
	}
	for i := range n {
		prior[i] += variances[i] * solved.AtVec(i)
	}
	return prior, nil
}
