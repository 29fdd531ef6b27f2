package optimize

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Frontier returns count portfolios of the efficient frontier, from the least variance to
// the largest mean, whose means are equally spaced. Their values are variances, and Gap
// bounds by how much less the variance of a portfolio with at least the same mean can be:
// by weak duality, or by the branch and bound of a minimum weight or [Inputs.MaxAssets].
//
// It needs the inputs of mean-variance, and takes any set: of a convex one the portfolios
// come from the corners, exactly, and else each is a branch and bound for its mean. There,
// where the frontier has steps, a mean may exceed the one asked for, and two portfolios may
// be the same. It returns one where the portfolio of the least variance has the largest
// mean. report, if any, is told how many are done. The results are the caller's. Its errors
// are those of [Solve] and [Frontier].
func (s *Solver) Frontier(ctx context.Context, in *Inputs, count int, report func(done, total int)) ([]Result, error) {
	if report == nil {
		report = func(int, int) {}
	}
	if in.combinatorial() && in.TurnoverCharge == 0 {
		return s.branchedFrontier(ctx, in, count, report)
	}
	frontier, err := Frontier(ctx, in)
	if err != nil {
		return nil, err
	}
	corners := frontier.Corners
	low, high := corners[0].Mean, corners[len(corners)-1].Mean
	if len(corners) == 1 {
		count = 1
	}
	results := make([]Result, count)
	for i := range results {
		mean := low
		if count > 1 {
			mean += (high - low) * float64(i) / float64(count-1)
		}
		s.result = Result{Weights: frontier.At(mean), Status: "optimal"}
		if err := s.settle(MeanVariance, in); err != nil {
			return nil, err
		}
		r := s.result
		for j, w := range r.Weights { // a corner may miss a bound by rounding
			lower, upper := bounds(&in.Set, j)
			r.Weights[j] = min(max(w, lower), upper)
		}
		r.Value = variance(in.Cov, r.Weights)
		if r.Gap, err = s.varianceGap(ctx, in, r.Weights, frontier.slope(mean, r.Weights)); err != nil {
			return nil, err
		}
		results[i] = r
		report(i+1, count)
	}
	s.result = Result{} // its weights are the caller's
	return results, nil
}

// slope is the risk tolerance of a portfolio w of the frontier: half of what the variance
// gains for each unit of mean along the line between the corners beside it, 0 at the least
// variance.
func (f *Efficient) slope(mean float64, w []float64) float64 {
	i, _ := slices.BinarySearchFunc(f.Corners, mean, func(c Corner, m float64) int { return compare(c.Mean, m) })
	i = min(i, len(f.Corners)-1)
	if i == 0 {
		return 0
	}
	low, high := f.Corners[i-1], f.Corners[i]
	along := make([]float64, len(w))
	floats.SubTo(along, high.Weights, low.Weights)
	return max(0, mat.Inner(mat.NewVecDense(len(w), along), f.cov, mat.NewVecDense(len(w), w))/(high.Mean-low.Mean))
}

// varianceGap bounds by how much less than that of w the variance of a portfolio v in the
// convex set with at least the mean of w can be. For any tolerance t of at least 0,
//
//	v'Sv >= w'Sw - 2 max over the set of (t m - S w)'(v - w),
//
// since the variance is convex and t m'(v - w) is not negative (Frank & Wolfe 1956, "An
// algorithm for quadratic programming").
func (s *Solver) varianceGap(ctx context.Context, in *Inputs, w []float64, tolerance float64) (float64, error) {
	n := len(w)
	g := mat.NewVecDense(n, nil)
	g.MulVec(in.Cov, mat.NewVecDense(n, w))
	g.AddScaledVec(mat.NewVecDense(n, nil), -1, g)
	g.AddScaledVec(g, tolerance, mat.NewVecDense(n, in.Mean))
	size := largest(g.RawVector().Data)
	if size == 0 {
		return 0, nil
	}
	g.ScaleVec(1/size, g)
	climb := Inputs{Set: in.Set, Mean: g.RawVector().Data}
	most, err := s.bestMean(ctx, &climb)
	return max(0, 2*size*(most-dot(climb.Mean, w))), err
}

// branchedFrontier is that of a minimum weight or a largest number of assets.
func (s *Solver) branchedFrontier(ctx context.Context, in *Inputs, count int, report func(done, total int)) (
	[]Result, error) {
	at := *in
	at.RiskAversion, at.TargetReturn = 0, nil
	if _, err := s.Solve(ctx, MeanVariance, &at); err != nil {
		return nil, err
	}
	high := dot(in.Mean, s.result.Weights)
	if _, err := s.Solve(ctx, MinVariance, &at); err != nil {
		return nil, err
	}
	low := dot(in.Mean, s.result.Weights)
	var results []Result
	take := func() {
		r := s.result
		r.Weights, r.Notes = slices.Clone(r.Weights), nil
		results = append(results, r)
		report(len(results), count)
	}
	take()
	if !(high > low) {
		return results, nil
	}
	high -= 1e-12 * math.Abs(high) // which rounding can't put out of reach
	for i := 1; i < count; i++ {
		target := low + (high-low)*float64(i)/float64(count-1)
		at.TargetReturn = &target
		if _, err := s.Solve(ctx, MeanVariance, &at); err != nil {
			return nil, err
		}
		take()
	}
	return results, nil
}
