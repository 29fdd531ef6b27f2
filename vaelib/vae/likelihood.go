package vae

import "github.com/gomlx/gomlx/core/graph"

// likelihood is how far a reconstruction is from its portfolio.
type likelihood struct {
	// reconstruction is the loss of each row: x and xhat (B x n) are weights,
	// variance (scalar) is the training rows' mean per-coordinate variance,
	// logs (n) the learned variances' parameters or nil. It returns B values.
	reconstruction func(x, xhat, variance, logs *graph.Node) *graph.Node
	// beta turns a beta in the likelihood's own unit into one without unit, of
	// which 1 is the evidence lower bound under the fixed variance.
	beta func(raw, variance float64) float64
	// learned likelihoods have n parameters: see relativeVariances.
	learned bool
}

var likelihoods = map[string]likelihood{
	"gaussian":         {reconstruction: gaussian, beta: func(beta, _ float64) float64 { return beta }},
	"gaussian-learned": {reconstruction: gaussianLearned, beta: func(beta, _ float64) float64 { return beta }, learned: true},
	"mse-sum":          {reconstruction: mseSum, beta: func(raw, variance float64) float64 { return raw / (2 * variance) }},
}

func squaredDistance(x, xhat *graph.Node) *graph.Node {
	difference := graph.Sub(x, xhat)
	return graph.ReduceSum(graph.Mul(difference, difference), -1)
}
