package optimize

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/simplex"
)

// Resampling says how [Resampled] draws.
type Resampling struct {
	Periods    int    // T, of each draw: as many as the means and the covariance rest on
	Draws      int    // how many optima are averaged; 0 means 100
	Covariance string // its estimator on each draw, as package moments names it; "" means the sample's
}

// Resampled returns resampled weights (n), as Michaud has them (1998, "Efficient
// asset management"): the average of the optima for means and covariances which
// are estimated on draws of T normal returns from the given ones. Draws for
// which an objective has no answer, such as a largest Sharpe ratio where no mean
// is positive, are left out. The average lies in every convex set; with a minimum
// weight it is projected onto the set.
//
// It returns the error of the given data where they make no sense or the
// covariance is not positive definite, and that of the last draw where none had
// an answer.
func Resampled(ctx context.Context, objective Objective, in *Inputs, r Resampling, rng *rand.Rand) ([]float64,
	error) {
	if err := in.check(objective); err != nil {
		return nil, err
	}
	if in.Mean == nil || in.Cov == nil || r.Periods < 2 || r.Draws < 0 {
		return nil, fmt.Errorf("resampling %d periods: means, a covariance matrix and at least 2 periods are needed",
			r.Periods)
	}
	if r.Draws == 0 {
		r.Draws = 100
	}
	if r.Covariance == "" {
		r.Covariance = moments.Sample
	}
	var factor mat.Cholesky
	if !factor.Factorize(in.Cov) {
		return nil, errors.New("resampling needs a positive definite covariance: shrink it, as ledoit-wolf does")
	}
	var lower mat.TriDense
	factor.LTo(&lower)
	n := in.Set.N
	average, answers := make([]float64, n), 0
	noise, returns := mat.NewDense(r.Periods, n, nil), mat.NewDense(r.Periods, n, nil)
	solver := &Solver{}
	var last error
	for range r.Draws {
		for t := range r.Periods {
			for j := range n {
				noise.Set(t, j, rng.NormFloat64())
			}
		}
		returns.Mul(noise, lower.T())
		for t := range r.Periods {
			for j, m := range in.Mean {
				returns.Set(t, j, returns.At(t, j)+m)
			}
		}
		m, err := moments.Estimate(r.Covariance, returns)
		if err != nil {
			return nil, err
		}
		drawn := *in
		drawn.Mean, drawn.Cov, drawn.Returns = m.Mean, m.Cov, returns
		result, err := solver.Solve(ctx, objective, &drawn)
		if err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			last = err
			continue
		}
		answers++
		for j, w := range result.Weights {
			average[j] += w
		}
	}
	if answers == 0 {
		return nil, fmt.Errorf("none of %d draws had an answer: %w", r.Draws, last)
	}
	for j := range average {
		average[j] /= float64(answers)
	}
	projector, err := simplex.NewProjector(in.Set)
	if err != nil {
		return nil, err
	}
	_, err = projector.Project(average, average)
	return average, err
}
