package vae

import (
	"github.com/gomlx/gomlx/core/graph"
)

// activations are the functions between layers, by name.
var activations = map[string]func(x *graph.Node) *graph.Node{
	"silu": silu,
	"relu": func(x *graph.Node) *graph.Node { return graph.MaxScalar(x, 0) },
	"tanh": graph.Tanh,
}

// heads make portfolios of what the decoder gives, by name. A new one is a file of
// its own and an entry here.
var heads = map[string]head{
	"softmax":   softmaxHead,
	"sparsemax": sparsemaxHead,
	"capped":    cappedHead,
	"linear":    linearHead,
}

// likelihoods compare a portfolio with its reconstruction, by name. A new one is a
// file of its own and an entry here.
var likelihoods = map[string]likelihood{
	"gaussian":         gaussianLikelihood,
	"gaussian-sigma":   sigmaLikelihood,
	"gaussian-learned": learnedLikelihood,
	"mse-sum":          mseSumLikelihood,
	"dirichlet":        dirichletLikelihood,
	"logistic-normal":  logisticNormalLikelihood,
}
