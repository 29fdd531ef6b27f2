package optimize

import (
	"context"
	"fmt"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// market draws T returns of n assets with a common factor and heavy tails.
func market(periods, n int, seed uint64) *mat.Dense {
	rng := stream.New(seed, "optimize.market", uint64(n))
	beta, drift, noise := make([]float64, n), make([]float64, n), make([]float64, n)
	for j := range n {
		beta[j], drift[j], noise[j] = 0.5+rng.Float64(), 0.002*rng.NormFloat64()+0.001, 0.01+0.03*rng.Float64()
	}
	r := mat.NewDense(periods, n, nil)
	for t := range periods {
		common := 0.025 * rng.NormFloat64()
		if rng.IntN(20) == 0 {
			common *= 3
		}
		for j := range n {
			r.Set(t, j, drift[j]+beta[j]*common+noise[j]*rng.NormFloat64())
		}
	}
	return r
}

func BenchmarkSolve(b *testing.B) {
	for _, n := range []int{12, 40, 500} {
		returns := market(365, n, 1)
		mean, cov := sample(returns)
		if n == 500 {
			for j := range n { // 365 periods leave the covariance singular
				cov.SetSym(j, j, 1.1*cov.At(j, j))
			}
		}
		in := Inputs{Returns: returns, Mean: mean, Cov: cov, RiskAversion: 5, Set: simplex.Set{N: n}}
		capped := in
		capped.Set.Upper = full(n, max(0.1, 3/float64(n)))
		for _, objective := range Objectives() {
			switch {
			case objective == EqualWeight || objective == MinTrackingError || objective == RiskBudget:
				continue
			case n == 500 && objective != MinVariance && objective != MaxSharpe && objective != HRP && objective != RiskParity:
				continue
			}
			for name, in := range map[string]*Inputs{"long": &in, "capped": &capped} {
				b.Run(fmt.Sprintf("%s/%s/%d", objective, name, n), func(b *testing.B) {
					in := *in
					in.Project = true
					var s Solver
					b.ReportAllocs()
					for range b.N {
						if _, err := s.Solve(context.Background(), objective, &in); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
