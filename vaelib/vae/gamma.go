package vae

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// The gamma function is shifted by gammaShift steps, where the series for large
// arguments are exact to 1e-11.
const gammaShift = 8

// logGamma is log Gamma(x) for x > 0, by x Gamma(x) = Gamma(x+1) and Stirling's
// series (Abramowitz and Stegun 6.1.15, 6.1.41). Its gradient is digamma: that
// of the series would lose digits. Give it float64.
func logGamma(x *graph.Node) *graph.Node {
	fixed := graph.StopGradient(x)
	product := fixed
	for i := 1; i < gammaShift; i++ {
		product = graph.Mul(product, graph.AddScalar(fixed, float64(i)))
	}
	y := graph.AddScalar(fixed, gammaShift)
	value := graph.Sub(graph.Mul(graph.AddScalar(y, -0.5), graph.Log(y)), y)
	value = graph.AddScalar(value, math.Log(2*math.Pi)/2)
	value = graph.Add(value, inversePowers(y, 1, 1./12, -1./360, 1./1260, -1./1680))
	value = graph.Sub(value, graph.Log(product))
	// The value is fixed; x - x, which is 0, brings the gradient.
	carrier := graph.IdentityWithCustomGradient(x, func(x, vs *graph.Node) *graph.Node {
		return graph.Mul(vs, digamma(x))
	})
	return graph.Add(value, graph.Sub(carrier, fixed))
}

// digamma is d log Gamma(x)/dx for x > 0 (Abramowitz and Stegun 6.3.5, 6.3.18).
func digamma(x *graph.Node) *graph.Node {
	var sum *graph.Node // of 1/(x+i)
	for i := range gammaShift {
		term := graph.Reciprocal(graph.AddScalar(x, float64(i)))
		if sum == nil {
			sum = term
		} else {
			sum = graph.Add(sum, term)
		}
	}
	y := graph.AddScalar(x, gammaShift)
	value := graph.Sub(graph.Log(y), graph.MulScalar(graph.Reciprocal(y), 0.5))
	return graph.Sub(graph.Add(value, inversePowers(y, 2, -1./12, 1./120, -1./252, 1./240)), sum)
}

// inversePowers is sum_k c_k y^-(first+2k).
func inversePowers(y *graph.Node, first int, c ...float64) *graph.Node {
	inverse := graph.Reciprocal(y)
	square := graph.Mul(inverse, inverse)
	sum := graph.MulScalar(graph.OnesLike(y), c[len(c)-1])
	for k := len(c) - 2; k >= 0; k-- {
		sum = graph.AddScalar(graph.Mul(sum, square), c[k])
	}
	for range first {
		sum = graph.Mul(sum, inverse)
	}
	return sum
}
