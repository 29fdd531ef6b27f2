package main

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
)

// The problems that are solved: long-only, over a year of days.
const (
	solvePeriods = 365
	solveAssets  = 40
	riskAversion = 5
	tailLevel    = 0.95
)

// solvers are the workloads of one objective each.
func solvers() []workload {
	var list []workload
	for _, s := range []struct {
		objective optimize.Objective
		peers     []library
	}{
		{optimize.MinVariance, []library{clarabel, pypfopt, skfolio}},
		{optimize.MeanVariance, []library{clarabel, pypfopt, skfolio}},
		{optimize.MaxSharpe, []library{clarabel, pypfopt, skfolio}},
		{optimize.RiskParity, []library{clarabel, skfolio}},
		{optimize.HRP, []library{pypfopt, skfolio}},
		{optimize.MinCVaR, []library{clarabel, pypfopt, skfolio}},
	} {
		list = append(list, workload{"solve", string(s.objective), "solves",
			func(ctx context.Context, b *bed) ([]contender, error) {
				return solve(ctx, b, s.objective, s.peers)
			}})
	}
	return list
}

// solve lets this library and its peers solve one problem, on one core. The
// first contender begins with the returns, like skfolio; the second is given
// the moments, like those that are solvers alone.
func solve(ctx context.Context, b *bed, objective optimize.Objective, peers []library) ([]contender, error) {
	returns := market(solvePeriods, solveAssets, b.seed)
	sample, err := moments.Estimate(moments.Sample, returns)
	if err != nil {
		return nil, err
	}
	inputs := func(m *moments.Moments) *optimize.Inputs {
		in := &optimize.Inputs{Set: simplex.Set{N: solveAssets}, Returns: returns, RiskAversion: riskAversion,
			Level: tailLevel}
		if m != nil {
			in.Mean, in.Cov = m.Mean, m.Cov
		}
		return in
	}
	var solver optimize.Solver
	given := inputs(sample)
	solveGiven := func(ctx context.Context) (int, error) {
		_, err := solver.Solve(ctx, objective, given)
		return 1, err
	}
	estimateAndSolve := func(ctx context.Context) (int, error) {
		m, err := moments.Estimate(moments.Sample, returns)
		if err != nil {
			return 0, err
		}
		_, err = solver.Solve(ctx, objective, inputs(m))
		return 1, err
	}
	best, err := optimize.Solve(ctx, objective, given)
	if err != nil {
		return nil, err
	}
	const fromReturns, fromMoments = "vaefolio, from returns", "vaefolio, from moments"
	answer := judgement(objective, given, best.Weights)
	contenders := []contender{
		{name: fromReturns, answer: answer, turn: oneCore(repeat(estimateAndSolve))},
		{name: fromMoments, answer: answer, turn: oneCore(repeat(solveGiven))},
	}
	if objective == optimize.MinCVaR {
		contenders = contenders[:1] // it needs no moments
		contenders[0].turn = oneCore(repeat(solveGiven))
	}
	cov := mat.DenseCopyOf(sample.Cov)
	data := map[string]any{
		"returns": lists(returns), "mean": sample.Mean, "cov": lists(cov),
		"risk_aversion": riskAversion, "level": tailLevel,
	}
	for _, l := range peers {
		name, versus := l.name+", from moments", fromMoments
		if l.name == skfolio.name || objective == optimize.MinCVaR || objective == optimize.HRP {
			name, versus = l.name+", from returns", fromReturns
		}
		c, err := b.enter(ctx, l, name, versus, string(objective), data)
		if err != nil {
			return nil, err
		}
		if c.missing == "" {
			if len(c.answer) != solveAssets {
				c.missing = fmt.Sprintf("%s: %d weights instead of %d", l.name, len(c.answer), solveAssets)
			} else {
				c.answer = judgement(objective, given, c.answer)
			}
		}
		contenders = append(contenders, c)
	}
	return contenders, nil
}

// judgement is what is compared of weights: the objective's value, which
// doesn't depend on how flat the optimum is; for procedures without an
// objective, and for risk parity, whose objective's best value is 0, the weights
// themselves.
func judgement(objective optimize.Objective, in *optimize.Inputs, weights []float64) []float64 {
	w := mat.NewVecDense(len(weights), weights)
	variance, mean := mat.Inner(w, in.Cov, w), mat.Dot(w, mat.NewVecDense(len(in.Mean), in.Mean))
	switch objective {
	case optimize.MinVariance:
		return []float64{variance}
	case optimize.MeanVariance:
		return []float64{mean - in.RiskAversion/2*variance}
	case optimize.MaxSharpe:
		return []float64{mean / math.Sqrt(variance)}
	case optimize.MinCVaR:
		return []float64{tailLoss(in.Returns, w, in.Level)}
	default:
		return weights
	}
}

// tailLoss is the mean of the worst (1-level) T losses of a portfolio, the last
// entering fractionally.
func tailLoss(returns *mat.Dense, w *mat.VecDense, level float64) float64 {
	var r mat.VecDense
	r.MulVec(returns, w)
	sorted := slices.Sorted(slices.Values(r.RawVector().Data))
	left := (1 - level) * float64(len(sorted))
	tail, sum := left, 0.0
	for _, x := range sorted {
		share := min(left, 1)
		sum -= share * x
		if left -= share; left <= 0 {
			break
		}
	}
	return sum / tail
}
