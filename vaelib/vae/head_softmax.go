package vae

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// softmaxHead makes positive weights that sum to 1. It never gives an exact
// 0.
//
// Its bias starts at the logarithm of the mean portfolio, so that training
// starts from the best constant answer, and its weights start small, so that
// no row starts in the flat part of the softmax.
var softmaxHead = head{
	apply: func(_ Config, y *graph.Node) *graph.Node { return softmax(y) },
	bias: func(mean []float64) []float64 {
		bias := make([]float64, len(mean))
		for i, m := range mean {
			bias[i] = math.Log(max(m, 1e-4/float64(len(mean))))
		}
		return bias
	},
	scale: func([]float64, float64) float64 { return 0.1 },
	finish: func(_ Config, w []float64) {
		var sum float64
		for _, v := range w {
			sum += v
		}
		for i := range w {
			w[i] /= sum
		}
	},
	longOnly: true,
}

// softmax is exp(y)/sum(exp(y)) over the first axis. The maximum is taken out
// for safety and cancels, so no gradient goes through it.
func softmax(y *graph.Node) *graph.Node {
	largest := graph.StopGradient(graph.ReduceAndKeep(y, graph.ReduceMax, 0))
	e := graph.Exp(graph.Sub(y, largest))
	return graph.Div(e, graph.ReduceAndKeep(e, graph.ReduceSum, 0))
}
