package vae

import (
	"maps"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"vaefolio/vaelib/onnx"
)

// activations are the functions between layers, by name.
var activations = map[string]activation{
	"silu": {silu, func(g *onnx.Graph, x onnx.Value) onnx.Value { return g.Node("Mul", x, g.Node("Sigmoid", x)) }},
	"relu": {
		func(x *graph.Node) *graph.Node { return graph.MaxScalar(x, 0) },
		func(g *onnx.Graph, x onnx.Value) onnx.Value { return g.Node("Relu", x) },
	},
	"tanh": {graph.Tanh, func(g *onnx.Graph, x onnx.Value) onnx.Value { return g.Node("Tanh", x) }},
}

// heads make portfolios of what the decoder gives, by name. A new one is a file of
// its own and an entry here.
var heads = map[string]head{
	"softmax":   softmaxHead,
	"sparsemax": sparsemaxHead,
	"capped":    cappedHead,
	"linear":    linearHead,
}

// Choices returns the values that the flag of a field may have, in alphabetical
// order; nil: any.
func (c Config) Choices(flag string) []string {
	switch flag {
	case "activation":
		return slices.Sorted(maps.Keys(activations))
	case "head":
		return slices.Sorted(maps.Keys(heads))
	case "likelihood":
		return slices.Sorted(maps.Keys(likelihoods))
	}
	return nil
}

// OfWeights says whether the likelihood is a density by all n weights, as the linear
// model's of [Linear.LogLikelihood] is: that of other likelihoods is by other
// coordinates, and their numbers don't compare.
func (c Config) OfWeights() bool { return likelihoods[c.Likelihood].gaussian }

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
