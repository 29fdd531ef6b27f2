package optimize

import (
	"errors"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

func TestResampled(t *testing.T) {
	in := &Inputs{
		Set:  simplex.Set{N: 3, Upper: []float64{0.6, 1, 1}},
		Mean: []float64{0.004, 0.001, 0.003},
		Cov:  mat.NewSymDense(3, []float64{0.01, 0.002, 0.001, 0.002, 0.01, 0, 0.001, 0, 0.02}),
	}
	best, err := Solve(t.Context(), MaxSharpe, in)
	if err != nil {
		t.Fatal(err)
	}
	resample := func(periods int, seed uint64) []float64 {
		t.Helper()
		w, err := Resampled(t.Context(), MaxSharpe, in, Resampling{Periods: periods, Draws: 40}, stream.New(seed, "test", 0))
		if err != nil {
			t.Fatal(err)
		}
		if v := in.Set.Violation(w); v > simplex.Tolerance {
			t.Errorf("the average of %d periods breaks the set by %v", periods, v)
		}
		return w
	}
	distance := func(a, b []float64) (d float64) {
		for j := range a {
			d = max(d, math.Abs(a[j]-b[j]))
		}
		return d
	}
	// With many periods there is nothing uncertain to average over.
	if w := resample(10_000, 1); distance(w, best.Weights) > 0.1 {
		t.Errorf("10,000 periods: %v, the optimum is %v", w, best.Weights)
	}
	// With few the weights move towards equal ones.
	few := resample(20, 1)
	if spread := distance(few, []float64{1. / 3, 1. / 3, 1. / 3}); spread > 0.8*distance(best.Weights, []float64{1. / 3, 1. / 3, 1. / 3}) {
		t.Errorf("20 periods: %v, hardly nearer to equal weights than %v", few, best.Weights)
	}
	if again := resample(20, 1); distance(few, again) != 0 {
		t.Errorf("equal seeds gave %v and %v", few, again)
	}
	if other := resample(20, 2); distance(few, other) == 0 {
		t.Error("other seeds gave the same weights")
	}
}

func TestResampledRefused(t *testing.T) {
	rng := stream.New(1, "test", 0)
	falling := &Inputs{Set: simplex.Set{N: 2}, Mean: []float64{-1, -1}, Cov: mat.NewSymDense(2, []float64{1e-4, 0, 0, 1e-4})}
	_, err := Resampled(t.Context(), MaxSharpe, falling, Resampling{Periods: 50, Draws: 5}, rng)
	var none *NoExcessError
	if !errors.As(err, &none) {
		t.Errorf("no positive mean: %v", err)
	}
	if _, err := Resampled(t.Context(), MaxSharpe, falling, Resampling{Periods: 1}, rng); err == nil {
		t.Error("draws of one period were made")
	}
	singular := &Inputs{Set: simplex.Set{N: 2}, Mean: []float64{1, 1}, Cov: mat.NewSymDense(2, []float64{1, 1, 1, 1})}
	_, err = Resampled(t.Context(), MaxSharpe, singular, Resampling{Periods: 9, Covariance: moments.LedoitWolf}, rng)
	if err == nil || !strings.Contains(err.Error(), "positive definite") {
		t.Errorf("a singular covariance: %v", err)
	}
}
