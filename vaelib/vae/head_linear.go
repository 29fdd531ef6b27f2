package vae

import (
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"vaefolio/vaelib/onnx"
)

// linearHead leaves the last layer as it is: for data that are not long-only
// portfolios. Without hidden layers the model is then probabilistic PCA
// (Lucas et al. 2019), whose optimum is known in closed form.
var linearHead = head{
	apply: func(_ Config, y *graph.Node) *graph.Node { return y },
	write: func(_ Config, _ *onnx.Graph, y onnx.Value) onnx.Value { return y },
	bias:  slices.Clone[[]float64],
	scale: func(_ []float64, variance float64) float64 { return 0.1 * math.Sqrt(variance) },
}
