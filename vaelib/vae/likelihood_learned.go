package vae

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// varianceFloor is the least learned variance, as a share of the training
// rows'. With as many latent dimensions as the data has directions, the
// likelihood grows without bound as the variance falls to 0.
const varianceFloor = 1e-3

// learnedLikelihood is the negative log density of x under a normal distribution
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
var learnedLikelihood = likelihood{
	reconstruction: learnedVariance, noise: learnedNoise, gaussian: true,
	parameters: func(assets int) int { return assets }, tensor: "likelihood.log_variance",
}

// sigmaLikelihood learns one variance for all assets: the same loss with a
// single s.
var sigmaLikelihood = likelihood{
	reconstruction: learnedVariance, noise: learnedNoise, gaussian: true,
	parameters: func(int) int { return 1 }, tensor: "likelihood.log_variance",
}

func learnedVariance(r reading) *graph.Node {
	relative := graph.AddScalar(graph.Exp(r.parameters), varianceFloor) // v_i/v
	relative = graph.BroadcastToDims(graph.ExpandAxes(relative, 1), r.x.Shape().Dimensions[0], 1)
	difference := graph.Sub(r.x, r.xhat)
	squares := graph.Div(graph.Mul(difference, difference), graph.Mul(relative, r.variance))
	return graph.MulScalar(graph.ReduceSum(graph.Add(squares, graph.Log(relative)), 0), 0.5)
}

func learnedNoise(c Config, s scaling, parameters []float32) []float64 {
	v := make([]float64, c.Assets)
	for i := range v {
		log := parameters[i%len(parameters)]
		v[i] = c.Beta * s.variance * (varianceFloor + math.Exp(float64(log)))
	}
	return v
}
