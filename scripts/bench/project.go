package main

import (
	"context"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// projectors make the workload of projecting points of n coordinates onto the
// simplex with a cap on every weight, on one core.
func projectors(n, count int) func(context.Context, *bed) ([]contender, error) {
	return func(ctx context.Context, b *bed) ([]contender, error) {
		weight := capOf(n)
		given := points(b.seed, count, n)
		ours, err := projecting(ctx, simplex.Set{N: n, Upper: slices.Repeat([]float64{weight}, n)}, given)
		if err != nil {
			return nil, err
		}
		ours.name = fmt.Sprintf("vaefolio, n = %d", n)
		data := map[string]any{"points": lists(given), "cap": weight}
		peer, err := b.enter(ctx, numpy, fmt.Sprintf("numpy, by sorting, %d at a time", count), "", "project", data)
		return []contender{ours, peer}, err
	}
}

// sectorProjector is the workload of projecting points of n coordinates onto the simplex
// with a cap on every weight and one on the sum of each of so many sectors, on one core.
func sectorProjector(n, sectors, count int) func(context.Context, *bed) ([]contender, error) {
	return func(ctx context.Context, b *bed) ([]contender, error) {
		weight, limit := capOf(n), 1.2/float64(sectors)
		set := simplex.Set{N: n, Upper: slices.Repeat([]float64{weight}, n)}
		shares := mat.NewDense(sectors, n, nil)
		for k := range sectors {
			for i := k; i < n; i += sectors {
				shares.Set(k, i, 1)
			}
			set.Groups = append(set.Groups, simplex.Group{Share: shares.RawRowView(k), Hi: limit})
		}
		given := points(b.seed, count, n)
		ours, err := projecting(ctx, set, given)
		if err != nil {
			return nil, err
		}
		ours.name = fmt.Sprintf("vaefolio, n = %d, %d sectors", n, sectors)
		all := []contender{ours}
		data := map[string]any{"points": lists(given), "cap": weight, "shares": lists(shares), "limit": limit,
			"tolerance": 1e-6}
		for _, p := range []struct {
			library library
			name    string
		}{
			{osqp, "OSQP, set up once and warm-started, to 1e-6"}, {clarabel, "Clarabel, set up once"},
			{cvxpy, "cvxpy, a parameter, Clarabel"},
		} {
			peer, err := b.enter(ctx, p.library, p.name, "", "project-sectors", data)
			if err != nil {
				return nil, err
			}
			all = append(all, peer)
		}
		return all, nil
	}
}

// points are as a decoder gives them: weights with errors.
func points(seed uint64, count, n int) *mat.Dense {
	rng, given := stream.New(seed, "bench.points", uint64(n)), mat.NewDense(count, n, nil)
	for i := range count {
		for j := range n {
			given.Set(i, j, 1/float64(n)+capOf(n)*rng.NormFloat64())
		}
	}
	return given
}

// projecting is this library's projection of points onto a set.
func projecting(ctx context.Context, set simplex.Set, given *mat.Dense) (contender, error) {
	projector, err := simplex.NewProjector(set)
	if err != nil {
		return contender{}, err
	}
	count, n := given.Dims()
	dst := mat.NewDense(count, n, nil)
	projectAll := func(context.Context) (int, error) {
		for i := range count {
			if _, err := projector.Project(dst.RawRowView(i), given.RawRowView(i)); err != nil {
				return 0, err
			}
		}
		return count, nil
	}
	if _, err := projectAll(ctx); err != nil {
		return contender{}, err
	}
	return contender{answer: dst.RawMatrix().Data, turn: oneCore(repeat(projectAll))}, nil
}

// capOf is the largest weight allowed among n.
func capOf(n int) float64 { return max(0.1, 3/float64(n)) }
