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
func projectors(n, points int) func(context.Context, *bed) ([]contender, error) {
	return func(ctx context.Context, b *bed) ([]contender, error) {
		weight := capOf(n)
		projector, err := simplex.NewProjector(simplex.Set{N: n, Upper: slices.Repeat([]float64{weight}, n)})
		if err != nil {
			return nil, err
		}
		// Points as a decoder gives them: weights with errors.
		rng, given := stream.New(b.seed, "bench.points", uint64(n)), mat.NewDense(points, n, nil)
		for i := range points {
			for j := range n {
				given.Set(i, j, 1/float64(n)+weight*rng.NormFloat64())
			}
		}
		dst := mat.NewDense(points, n, nil)
		projectAll := func(context.Context) (int, error) {
			for i := range points {
				if _, err := projector.Project(dst.RawRowView(i), given.RawRowView(i)); err != nil {
					return 0, err
				}
			}
			return points, nil
		}
		if _, err := projectAll(ctx); err != nil {
			return nil, err
		}
		ours := contender{name: fmt.Sprintf("vaefolio, n = %d", n), answer: dst.RawMatrix().Data,
			turn: oneCore(repeat(projectAll))}
		data := map[string]any{"points": lists(given), "cap": weight}
		peer, err := b.enter(ctx, numpy, fmt.Sprintf("numpy, by sorting, %d at a time", points), "", "project", data)
		return []contender{ours, peer}, err
	}
}

// capOf is the largest weight allowed among n.
func capOf(n int) float64 { return max(0.1, 3/float64(n)) }
