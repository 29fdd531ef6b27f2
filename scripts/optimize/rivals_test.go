package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
)

// No simple choice of few assets is better than branch and bound, and each is behind it at
// times.
func TestSimpleChoices(t *testing.T) {
	const n, most = 12, 4
	behind := map[string]int{}
	for k := range 6 {
		rng := rand.New(rand.NewPCG(5, uint64(k)))
		returns := mat.NewDense(60, n, nil)
		for i := range 60 {
			market := rng.NormFloat64()
			for j := range n {
				returns.Set(i, j, 0.0003*float64(j)+0.01*(market+(0.5+float64(j%5)/3)*rng.NormFloat64()))
			}
		}
		sample, err := moments.Estimate(moments.Sample, returns)
		if err != nil {
			t.Fatal(err)
		}
		in := &optimize.Inputs{Mean: sample.Mean, Cov: sample.Cov, RiskAversion: 8, MaxAssets: most,
			Benchmark: slices.Repeat([]float64{1. / (n + 2)}, n)}
		in.Benchmark[k] *= 3
		in.Set = simplex.Set{N: n, Lower: make([]float64, n), Upper: slices.Repeat([]float64{0.4}, n), MinWeight: 0.05}
		for objective, sign := range map[optimize.Objective]float64{optimize.MinVariance: 1, optimize.MeanVariance: -1,
			optimize.MinTrackingError: 1, optimize.MaxDiversification: -1} {
			best, err := optimize.Solve(t.Context(), objective, in)
			if err != nil {
				t.Fatal(err)
			}
			all, err := simpleChoices(t.Context(), objective, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range all {
				switch slack := 1e-9 * math.Abs(best.Value); {
				case r.Value == nil && r.Reason == "":
					t.Errorf("market %d, %s, %s: no value and no reason", k, objective, r.Name)
				case r.Value == nil:
				case sign**r.Value < sign*best.Value-slack:
					t.Errorf("market %d, %s: %s reaches %v, branch and bound %v", k, objective, r.Name, *r.Value, best.Value)
				case sign**r.Value > sign*best.Value+1e3*slack:
					behind[r.Name]++
				}
			}
		}
	}
	if behind["rounding"] == 0 || behind["backward"] == 0 {
		t.Errorf("behind branch and bound: %v, of 24", behind)
	}
}
