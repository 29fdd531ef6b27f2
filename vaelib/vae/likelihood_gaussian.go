package vae

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// gaussianLikelihood is the negative log density of x under N(xhat, v I) without
// its constant:
//
//	-log p(x|z) = |x - xhat|^2/(2v) + (n/2) log(2 pi v).
//
// v is the mean per-coordinate variance of the training rows, tr(Sigma)/n. A
// decoder that always answers the mean then costs n/2, whatever the data's
// scale, and beta has no unit. In the linear case the direction with
// eigenvalue lambda minimises, over its distortion D,
//
//	D/(2v) + (beta/2) log(lambda/D),
//
// so D = min(lambda, beta v), its KL is log(lambda/(beta v))/2, and it dies at
// beta = lambda/v = n lambda/tr(Sigma) (Lucas et al. 2019, arXiv 1911.02469,
// section 4; here in units of v). The decoder's noise has variance beta*v.
var gaussianLikelihood = likelihood{
	reconstruction: func(r reading) *graph.Node {
		return graph.Div(squaredDistance(r.x, r.xhat), graph.MulScalar(r.variance, 2))
	},
	noise: func(c Config, s scaling, _ []float32) []float64 {
		return slices.Repeat([]float64{c.Beta * s.variance}, c.Assets)
	},
	gaussian: true,
}
