package vae

import "github.com/gomlx/gomlx/core/graph"

// mseSum is |x - xhat|^2, the sum of squares of textbooks. Dividing the loss
// |x - xhat|^2 + beta_raw KL by 2v gives the Gaussian likelihood's with
//
//	beta = beta_raw/(2v),
//
// so beta_raw has the unit of a squared weight: for symmetric Dirichlet rows
// over n = 10 assets with alpha = 1, where v = 0.0082, every direction is dead
// from beta_raw = 0.018 on.
func mseSum(x, xhat, _, _ *graph.Node) *graph.Node {
	return squaredDistance(x, xhat)
}
