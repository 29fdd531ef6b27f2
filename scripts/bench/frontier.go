package main

import (
	"context"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
)

// frontierPoints is how many portfolios of a frontier are asked for.
const frontierPoints = 20

// frontiers make the workload of portfolios along the efficient frontier of n assets with a
// cap on every weight, from moments, on one core. Peers that solve for one mean at a time
// are told the means, which this library finds itself.
func frontiers(n int) func(context.Context, *bed) ([]contender, error) {
	return func(ctx context.Context, b *bed) ([]contender, error) {
		sample, err := moments.Estimate(moments.Sample, market(solvePeriods, n, b.seed))
		if err != nil {
			return nil, err
		}
		weight := capOf(n)
		in := &optimize.Inputs{Set: simplex.Set{N: n, Upper: slices.Repeat([]float64{weight}, n)}, Mean: sample.Mean,
			Cov: sample.Cov}
		var solver optimize.Solver
		solve := func(ctx context.Context) (int, error) {
			_, err := solver.Frontier(ctx, in, frontierPoints, nil)
			return 1, err
		}
		ours := contender{name: fmt.Sprintf("vaefolio, n = %d", n), turn: oneCore(repeat(solve))}
		points, err := solver.Frontier(ctx, in, frontierPoints, nil)
		if err != nil {
			return nil, err
		}
		var means []float64
		for i := range points {
			w := mat.NewVecDense(n, points[i].Weights)
			means = append(means, mat.Dot(w, mat.NewVecDense(n, in.Mean)))
			ours.answer = append(ours.answer, points[i].Value)
		}
		all := []contender{ours}
		data := map[string]any{"mean": sample.Mean, "cov": lists(mat.DenseCopyOf(sample.Cov)), "cap": weight,
			"means": means}
		for _, p := range []struct {
			library library
			name    string
		}{
			{clarabel, "Clarabel, set up once"}, {cvxpy, "cvxpy, a parameter, Clarabel"},
			{pypfopt, "PyPortfolioOpt, critical line"},
		} {
			peer, err := b.enter(ctx, p.library, p.name, "", "frontier", data)
			if err != nil {
				return nil, err
			}
			all = append(all, peer)
		}
		return all, nil
	}
}
