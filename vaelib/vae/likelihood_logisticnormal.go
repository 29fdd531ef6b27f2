package vae

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// Bounds of the logistic-normal likelihood: weights from which on one counts as
// present, and the least variance of a log ratio.
const (
	presenceFloor    = 1e-4
	logVarianceFloor = 1e-4
)

// logisticNormalLikelihood sees a portfolio as which weights are above 0, and
// their proportions. With S the present ones,
//
//	-log p(x|z) = -sum_i log Bernoulli(i in S; p_i)
//	            + |ilr_S(x) - ilr_S(xhat)|^2/(2 s^2) + (|S|-1)/2 log(2 pi s^2).
//
// Presence has its own n outputs, the logits of p. The proportions are normal in
// isometric log-ratio coordinates (Egozcue et al. 2003) with one learned variance
// s^2 for every direction. The coordinates are an isometry of the centred
// logarithms, so the distance is taken between those, and that of a part of the
// assets is the projection on them: an isotropic normal stays one with the same
// s^2, whichever assets are absent. That is why zeros need no replacement here
// (the density is one by the coordinates, not by the weights).
//
// Weights below 1e-4 count as absent. The decoder's portfolio has exact zeros
// where p is below one half (but for the likeliest), the softmax of the others.
var logisticNormalLikelihood = likelihood{
	reconstruction: func(r reading) *graph.Node {
		n, dtype := r.x.Shape().Dimensions[0], r.x.DType()
		logits, presence := graph.Slice(r.output, graph.AxisRange(0, n)), graph.Slice(r.output, graph.AxisRange(n, 2*n))
		present := graph.ConvertDType(graph.GreaterOrEqual(r.x, graph.MulScalar(graph.OnesLike(r.x), presenceFloor)),
			dtype)
		// log(1 + exp(y)) - y [i in S], without overflow.
		entropy := graph.Add(graph.MaxScalar(presence, 0), graph.Log1P(graph.Exp(graph.Neg(graph.Abs(presence)))))
		entropy = graph.ReduceSum(graph.Sub(entropy, graph.Mul(presence, present)), 0)

		difference := graph.Sub(graph.Log(graph.MaxScalar(r.x, presenceFloor)), logits)
		count := graph.ReduceAndKeep(present, graph.ReduceSum, 0)
		sum := graph.ReduceAndKeep(graph.Mul(difference, present), graph.ReduceSum, 0)
		centre := graph.Div(sum, graph.MaxScalar(count, 1))
		difference = graph.Mul(graph.Sub(difference, centre), present)
		squares := graph.ReduceSum(graph.Mul(difference, difference), 0)
		variance := graph.AddScalar(graph.Exp(r.parameters), logVarianceFloor)
		directions := graph.MaxScalar(graph.AddScalar(graph.Squeeze(count, 0), -1), 0)
		normal := graph.Add(graph.Div(squares, variance),
			graph.Mul(directions, graph.Log(graph.MulScalar(variance, 2*math.Pi))))
		return graph.Add(entropy, graph.MulScalar(normal, 0.5))
	},
	// By the delta method at the mean portfolio.
	noise: func(c Config, s scaling, parameters []float32) []float64 {
		variance := logVarianceFloor + math.Exp(float64(parameters[0]))
		var squares float64
		for _, m := range s.mean {
			squares += m * m
		}
		v := make([]float64, c.Assets)
		for i, m := range s.mean {
			v[i] = variance * m * m * (1 - 2*m + squares)
		}
		return v
	},
	parameters:  func(int) int { return 1 },
	tensor:      "likelihood.log_ratio_variance",
	presence:    true,
	proportions: true,
}
