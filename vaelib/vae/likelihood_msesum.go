package vae

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// mseSumLikelihood is |x - xhat|^2, the sum of squares of textbooks. Dividing the
// loss |x - xhat|^2 + beta_raw KL by 2v gives the Gaussian likelihood's with
//
//	beta = beta_raw/(2v),
//
// so beta_raw has the unit of a squared weight: for symmetric Dirichlet rows
// over n = 10 assets with alpha = 1, where v = 0.0082, every direction is dead
// from beta_raw = 0.018 on.
var mseSumLikelihood = likelihood{
	reconstruction: func(r reading) *graph.Node { return squaredDistance(r.x, r.xhat) },
	noise: func(c Config, _ scaling, _ []float32) []float64 {
		return slices.Repeat([]float64{c.Beta / 2}, c.Assets)
	},
	gaussian: true,
}
