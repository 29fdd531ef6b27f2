package vae

import "github.com/gomlx/gomlx/core/graph"

// likelihood is how far a reconstruction is from its portfolio.
type likelihood struct {
	// reconstruction is the loss of each row: x and xhat (B x n) are weights,
	// variance (scalar) is the training rows' mean per-coordinate variance.
	// It returns B values.
	reconstruction func(x, xhat, variance *graph.Node) *graph.Node
	// beta turns a beta in the likelihood's own unit into one without unit, of
	// which 1 is the evidence lower bound under the fixed variance.
	beta func(raw, variance float64) float64
}

var likelihoods = map[string]likelihood{
	"gaussian": {gaussian, func(beta, _ float64) float64 { return beta }},
	"mse-sum":  {mseSum, func(raw, variance float64) float64 { return raw / (2 * variance) }},
}

func squaredDistance(x, xhat *graph.Node) *graph.Node {
	difference := graph.Sub(x, xhat)
	return graph.ReduceSum(graph.Mul(difference, difference), -1)
}
