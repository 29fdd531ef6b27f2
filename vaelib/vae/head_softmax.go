package vae

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"

	"vaefolio/vaelib/onnx"
)

// softmaxHead makes positive weights that sum to 1. It never gives an exact 0 but
// where a likelihood tells it which weights are present: n more outputs are the
// logits of that.
//
// Its bias starts at the logarithm of the mean portfolio, so that training
// starts from the best constant answer, and its weights start small, so that
// no row starts in the flat part of the softmax.
var softmaxHead = head{
	apply: func(c Config, y *graph.Node) *graph.Node {
		if n := c.Assets; y.Shape().Dimensions[0] > n {
			y = present(graph.Slice(y, graph.AxisRange(0, n)), graph.Slice(y, graph.AxisRange(n, 2*n)))
		}
		return softmax(y)
	},
	write: func(c Config, g *onnx.Graph, y onnx.Value) onnx.Value {
		if n := c.Assets; likelihoods[c.Likelihood].presence {
			y = writePresent(g, g.Columns(y, 0, n), g.Columns(y, n, 2*n))
		}
		return g.Along(1, "Softmax", y)
	},
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
	positive: true,
}

// softmax is exp(y)/sum(exp(y)) over the first axis. The maximum is taken out
// for safety and cancels, so no gradient goes through it.
func softmax(y *graph.Node) *graph.Node {
	largest := graph.StopGradient(graph.ReduceAndKeep(y, graph.ReduceMax, 0))
	e := graph.Exp(graph.Sub(y, largest))
	return graph.Div(e, graph.ReduceAndKeep(e, graph.ReduceSum, 0))
}

// absentLogit is one whose softmax is exactly 0 beside any other.
const absentLogit = -1e30

// present puts the logits (n x B) of absent assets to absentLogit: weights left
// out after the softmax could be all there are, by float32. Presence (n x B) are
// logits too; the largest of a column is present whatever it is.
func present(logits, presence *graph.Node) *graph.Node {
	presence = graph.StopGradient(presence)
	least := graph.MinScalar(graph.ReduceAndKeep(presence, graph.ReduceMax, 0), 0)
	mask := graph.ConvertDType(graph.GreaterOrEqual(presence, graph.BroadcastToShape(least, presence.Shape())),
		logits.DType())
	return graph.Add(graph.Mul(logits, mask), graph.MulScalar(graph.OneMinus(mask), absentLogit))
}

// writePresent is [present] in ONNX.
func writePresent(g *onnx.Graph, logits, presence onnx.Value) onnx.Value {
	least := g.Node("Min", g.Node("ReduceMax", presence, g.Ints(1)), g.Scalar(0))
	return g.Node("Where", g.Node("GreaterOrEqual", presence, least), logits, g.Scalar(absentLogit))
}
