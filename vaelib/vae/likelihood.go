package vae

import (
	"github.com/gomlx/gomlx/core/graph"
)

// likelihood is how far a reconstruction is from its portfolio.
type likelihood struct {
	// reconstruction is the loss of each row, B values.
	reconstruction func(r reading) *graph.Node
	// noise is the variance of the decoder's noise by asset (n), given the
	// likelihood's own parameters.
	noise func(c Config, s scaling, parameters []float32) []float64
	// gaussian says that p(x|z) is normal around the decoded weights with the
	// variances noise, so that beta has a counterpart without unit: their mean
	// over that of the training rows.
	gaussian bool

	// parameters is the number of the likelihood's own parameters, learned
	// beside the network's; nil: none. They start at start, or at 0 where that
	// is nil, and are saved as the tensor.
	parameters func(assets int) int
	start      func(s scaling) float64
	tensor     string

	// presence takes n more outputs of the last layer: which weights are above 0.
	presence bool
	// proportions likelihoods compare logarithms of weights, which have to be
	// above 0 where they are present.
	proportions bool
}

// reading is what a likelihood compares.
type reading struct {
	x, xhat    *graph.Node // n x B: weights
	output     *graph.Node // outputs(n) x B: the decoder's last layer
	variance   *graph.Node // scalar: the training rows' mean per-coordinate variance
	parameters *graph.Node // of the likelihood, or nil
}

// outputs is the width of the decoder's last layer.
func (l likelihood) outputs(assets int) int {
	if l.presence {
		return 2 * assets
	}
	return assets
}

func squaredDistance(x, xhat *graph.Node) *graph.Node {
	difference := graph.Sub(x, xhat)
	return graph.ReduceSum(graph.Mul(difference, difference), 0)
}
