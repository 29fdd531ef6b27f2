package vae

import "github.com/gomlx/gomlx/core/graph"

// varianceFloor is the least learned variance, as a share of the training
// rows'. With as many latent dimensions as the data has directions, the
// likelihood grows without bound as the variance falls to 0.
const varianceFloor = 1e-3

// gaussianLearned is the negative log density of x under a normal distribution
// around xhat with one learned variance v_i an asset, without its constant
// (sigma-VAE; Rybkin et al. 2021, arXiv 2006.13202):
//
//	sum_i (x_i - xhat_i)^2/(2 v_i) + log(v_i/v)/2,  v_i = v (floor + exp(s_i)),
//
// v the mean per-coordinate variance of the training rows and s (n) parameters
// beside the network's, 0 at the start. In the optimum v_i is the mean squared
// error of asset i, so beta = 1 is an evidence lower bound that fits itself; a
// beta below 1 shrinks the error, with it v_i, and so compounds. With a linear
// encoder and decoder the model is factor analysis, v_i its uniquenesses.
func gaussianLearned(x, xhat, variance, logs *graph.Node) *graph.Node {
	relative := graph.ExpandAxes(relativeVariances(logs), 0)
	difference := graph.Sub(x, xhat)
	squares := graph.Div(graph.Mul(difference, difference), graph.Mul(relative, variance))
	return graph.MulScalar(graph.ReduceSum(graph.Add(squares, graph.Log(relative)), -1), 0.5)
}

// relativeVariances is v_i/v.
func relativeVariances(logs *graph.Node) *graph.Node {
	return graph.AddScalar(graph.Exp(logs), varianceFloor)
}
