package vae

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// Bounds of the Dirichlet likelihood: what is added to every weight before the
// logarithm, the least alpha, and the largest concentration.
const (
	dirichletInward        = 1e-4
	dirichletLeast         = 1e-6
	dirichletConcentration = 1e6
)

// dirichletLikelihood is the negative log density of x under a Dirichlet
// distribution with mean xhat and a learned concentration kappa,
// alpha_i = kappa xhat_i:
//
//	-log p(x|z) = sum_i log Gamma(alpha_i) - log Gamma(kappa) - sum_i (alpha_i - 1) log x_i,
//
// a density by n-1 of the weights. Its errors are proportional: a weight of 1 %
// is told more finely than one of 30 %, as its variance is
// xhat_i (1 - xhat_i)/(kappa + 1). At weights of 0 the density is 0 or infinite;
// so every row is first moved inward, to (x + e)/(1 + n e) with e = 1e-4 (after
// Smithson & Verkuilen 2006): a mass of zeros is a spike of small weights here,
// and the likelihood with presence, logistic-normal, is the one that knows zeros.
//
// Gamma functions and sums are in float64: in float32 the terms, which cancel,
// would lose the loss's digits. The parameter is log kappa; it starts where the
// variance around the mean portfolio is that of the training rows.
var dirichletLikelihood = likelihood{
	reconstruction: func(r reading) *graph.Node {
		n := r.x.Shape().Dimensions[0]
		x := graph.ConvertDType(graph.MaxScalar(r.x, 0), dtypes.Float64)
		logs := graph.Log(graph.DivScalar(graph.AddScalar(x, dirichletInward), 1+float64(n)*dirichletInward))
		kappa := graph.MinScalar(graph.Exp(graph.ConvertDType(r.parameters, dtypes.Float64)), dirichletConcentration)
		alpha := graph.Mul(graph.ConvertDType(r.xhat, dtypes.Float64), graph.ExpandAxes(kappa, 0))
		alpha = graph.MaxScalar(alpha, dirichletLeast)
		terms := graph.Sub(logGamma(alpha), graph.Mul(graph.AddScalar(alpha, -1), logs))
		loss := graph.Sub(graph.ReduceSum(terms, 0), logGamma(kappa))
		return graph.ConvertDType(loss, r.x.DType())
	},
	noise: func(c Config, s scaling, parameters []float32) []float64 {
		kappa := min(math.Exp(float64(parameters[0])), dirichletConcentration)
		v := make([]float64, c.Assets)
		for i, m := range s.mean {
			v[i] = m * (1 - m) / (kappa + 1)
		}
		return v
	},
	parameters: func(int) int { return 1 },
	start: func(s scaling) float64 {
		spread := 1.0
		for _, m := range s.mean {
			spread -= m * m
		}
		return math.Log(max(spread/(float64(len(s.mean))*s.variance)-1, 0.1))
	},
	tensor:      "likelihood.log_concentration",
	proportions: true,
}
