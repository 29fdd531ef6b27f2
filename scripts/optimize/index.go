package main

import (
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/relative"
)

// track tells the inputs what to stay close to: weights among the assets, or returns of
// what is none of them, whose covariances are estimated with those of the assets.
func (c *config) track(in *optimize.Inputs, benchmark *relative.Benchmark) error {
	for _, w := range benchmark.Weights {
		if w != 0 {
			in.Benchmark = benchmark.Weights
			return nil
		}
	}
	periods, n := in.Returns.Dims()
	joint := mat.NewDense(periods, n+1, nil)
	joint.Slice(0, periods, 0, n).(*mat.Dense).Copy(in.Returns)
	joint.SetCol(n, benchmark.Returns)
	estimate, err := moments.Estimate(c.Covariance, joint)
	if err != nil {
		return err
	}
	in.Cov = mat.NewSymDense(n, nil)
	in.Cov.CopySym(estimate.Cov.SliceSym(0, n))
	in.Index = &optimize.Index{Cov: make([]float64, n), Variance: estimate.Cov.At(n, n)}
	for j := range in.Index.Cov {
		in.Index.Cov[j] = estimate.Cov.At(j, n)
	}
	return nil
}
