package vae

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// cappedHead is the Euclidean projection of the last layer's output y on
// {sum w = 1, 0 <= w <= u}, u the configuration's MaxWeight:
//
//	w_i = min(max(y_i - tau, 0), u), tau such that sum w = 1.
//
// So every portfolio keeps the cap, and a weight can be exactly 0. Rows sum to 1
// within float32's rounding, about 2e-7.
//
// The bias starts at the mean portfolio, which is its own projection, and the
// weights start small: with larger ones some rows start where all weights but
// one are at a bound, and where no gradient leads away from.
var cappedHead = head{
	apply:    func(c Config, y *graph.Node) *graph.Node { return projection(y, c.MaxWeight) },
	bias:     slices.Clone[[]float64],
	scale:    func([]float64, float64) float64 { return 0.1 },
	longOnly: true,
}

// sparsemaxHead is the projection without a cap: sparsemax (Martins & Astudillo
// 2016, arXiv 1602.02068), a softmax with exact zeros.
var sparsemaxHead = head{
	apply:    func(_ Config, y *graph.Node) *graph.Node { return projection(y, 1) },
	bias:     slices.Clone[[]float64],
	scale:    func([]float64, float64) float64 { return 0.1 },
	longOnly: true,
}

// bisections halve the interval of tau until it is below float32's spacing.
const bisections = 32

// projection projects the rows of y on {sum w = 1, 0 <= w <= u}, n u >= 1.
//
// Bisection finds which weights lie between the bounds (the set A, of |A|) and
// which at the cap (|C| of them); no gradient goes through it. On these sets
//
//	tau = (sum_A y + u |C| - 1)/|A|
//
// exactly, which also gives the Jacobian: 1 - 1/|A| on the diagonal of A, -1/|A|
// beside it, and 0 elsewhere.
func projection(y *graph.Node, u float64) *graph.Node {
	// A shift of y does not change w: from the largest entry, differences lose
	// the least.
	y = graph.Sub(y, graph.StopGradient(graph.ReduceAndKeep(y, graph.ReduceMax, -1)))
	values := graph.StopGradient(y)
	clip := func(tau *graph.Node) *graph.Node { return graph.ClipScalar(graph.Sub(values, tau), 0, u) }
	low := graph.AddScalar(graph.ReduceAndKeep(values, graph.ReduceMin, -1), -u) // sum w = n u >= 1
	width := graph.Neg(low)                                                      // at tau = 0, sum w = 0
	for range bisections {
		width = graph.MulScalar(width, 0.5)
		sum := graph.ReduceAndKeep(clip(graph.Add(low, width)), graph.ReduceSum, -1)
		// Adding 0 or the width instead of choosing between two ends uses low
		// once, so that the unrolled graph grows by no more than a step each time.
		up := graph.ConvertDType(graph.GreaterThan(sum, graph.OnesLike(sum)), low.DType())
		low = graph.Add(low, graph.Mul(up, width))
	}
	w := clip(low)
	y = graph.Sub(y, low) // tau is 0 now but for rounding, so that the sums lose nothing
	dtype := y.DType()
	zero, top := graph.ZerosLike(w), graph.AddScalar(graph.ZerosLike(w), u)
	inside := graph.ConvertDType(graph.LogicalAnd(graph.GreaterThan(w, zero), graph.LessThan(w, top)), dtype)
	capped := graph.ConvertDType(graph.GreaterOrEqual(w, top), dtype)
	taken := graph.MulScalar(graph.ReduceAndKeep(capped, graph.ReduceSum, -1), u)
	free := graph.MaxScalar(graph.ReduceAndKeep(inside, graph.ReduceSum, -1), 1)
	tau := graph.Div(graph.Add(graph.ReduceAndKeep(graph.Mul(inside, y), graph.ReduceSum, -1), graph.AddScalar(taken, -1)), free)
	// An entry that rounding put into A beside a bound may leave by a rounding.
	exact := graph.Add(graph.Mul(inside, graph.Sub(y, tau)), graph.MulScalar(capped, u))
	excess := graph.StopGradient(graph.Sub(exact, graph.ClipScalar(exact, 0, u)))
	return graph.Sub(exact, excess)
}
