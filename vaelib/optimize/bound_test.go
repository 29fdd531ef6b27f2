package optimize

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

const assets = 6

// factorReturns are T x assets of a factor model with means that differ.
func factorReturns() *mat.Dense {
	rng := stream.New(2, "test", 0)
	r := mat.NewDense(400, assets, nil)
	for t := range 400 {
		market := rng.NormFloat64()
		for j := range assets {
			r.Set(t, j, 0.002*float64(j)/assets+0.02*market+0.02*rng.NormFloat64())
		}
	}
	return r
}

// A portfolio beyond the limit never ranks above one within it, and the
// gradient beyond the limit leads back.
func TestReturnAtVolatilityRanks(t *testing.T) {
	set := simplex.Set{N: assets, Upper: slices.Repeat([]float64{0.5}, assets)}
	daily := metrics.Settings{PeriodsPerYear: 365}
	returns := factorReturns()
	objective, optimum, err := ReturnAtVolatility(t.Context(), returns, set, 0.43, daily)
	if err != nil {
		t.Fatal(err)
	}
	evaluator, err := metrics.NewEvaluator(returns, daily)
	if err != nil {
		t.Fatal(err)
	}
	projector, err := simplex.NewProjector(set)
	if err != nil {
		t.Fatal(err)
	}
	within, beyond := math.Inf(1), math.Inf(-1)
	rng := stream.New(3, "test.volatility", 0)
	w, v, slope := make([]float64, assets), make([]float64, assets), make([]float64, assets)
	for i := range 2000 {
		randomWeights(v, rng, i)
		if _, err := projector.Project(w, v); err != nil {
			t.Fatal(err)
		}
		f, err := evaluator.Evaluate(w)
		if err != nil {
			t.Fatal(err)
		}
		value := objective.Gradient(slope, w)
		if value > optimum.Value+1e-12 {
			t.Fatalf("value %v exceeds the optimum %v", value, optimum.Value)
		}
		if f.Volatility <= 0.43 {
			within = min(within, value)
			if math.Abs(value-f.AnnualReturn) > 1e-12 {
				t.Fatalf("value %v within the limit, but the return is %v", value, f.AnnualReturn)
			}
			continue
		}
		beyond = max(beyond, value)
		floats.Sub(v, v)
		floats.AddTo(v, optimum.Weights, v)
		floats.Sub(v, w)
		if floats.Dot(slope, v) <= 0 {
			t.Fatalf("beyond the limit the gradient leads away from the optimum, at %v", w)
		}
	}
	if math.IsInf(within, 0) || math.IsInf(beyond, 0) || beyond >= within {
		t.Errorf("values within the limit from %v, beyond it up to %v", within, beyond)
	}
	f, err := evaluator.Evaluate(optimum.Weights)
	if err != nil {
		t.Fatal(err)
	}
	if f.Volatility > 0.43 || f.Volatility < 0.43-1e-9 || set.Violation(optimum.Weights) > 1e-9 {
		t.Errorf("the optimum has a volatility of %v and violates the set by %v", f.Volatility, set.Violation(optimum.Weights))
	}
	if _, _, err := ReturnAtVolatility(t.Context(), returns, set, 0.01, daily); err == nil {
		t.Error("no error for a volatility that no portfolio has")
	}
	if _, optimum, err = ReturnAtVolatility(t.Context(), returns, set, 9, daily); err != nil {
		t.Fatal(err)
	}
	free, err := Bound(t.Context(), metrics.MaximizeReturn, returns, set, daily)
	if err != nil || math.Abs(free.Value-optimum.Value) > 1e-12 {
		t.Errorf("without a binding limit the optimum is %v, want %v (%v)", optimum.Value, free.Value, err)
	}
}

// randomWeights are spread or concentrated, in turn.
func randomWeights(dst []float64, rng *rand.Rand, i int) {
	for j := range dst {
		dst[j] = math.Pow(rng.Float64(), float64(1+i%8))
	}
	floats.Scale(1/floats.Sum(dst), dst)
}
