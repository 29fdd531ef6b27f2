package optimize

import (
	"math"
	"testing"

	"vaefolio/vaelib/simplex"
)

// The frontier within a limit on turnover is that of mean-variance for each target.
func TestFrontierWithinTurnover(t *testing.T) {
	mean, cov := sample(factorReturns())
	in := &Inputs{Mean: mean, Cov: cov, Set: simplex.Set{N: assets, Turnover: &simplex.Turnover{
		Held: []float64{0.4, 0.3, 0.1, 0.1, 0, 0}, Beside: 0.05, Most: 0.6}}}
	frontier, err := Frontier(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	weights, variances := frontier.Points(9)
	for i, variance := range variances {
		if v := in.Set.Violation(weights.RawRowView(i)); v > 1e-9 {
			t.Errorf("point %d violates the set by %v", i, v)
		}
		target := dot(mean, weights.RawRowView(i))
		at := *in
		at.TargetReturn = &target
		if i == len(variances)-1 {
			continue // a target that is met by rounding alone
		}
		r, err := Solve(t.Context(), MeanVariance, &at)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(r.Value-variance) > 1e-10*variance {
			t.Errorf("point %d has the variance %v, for its mean %v is the least", i, variance, r.Value)
		}
	}
	if len(frontier.Corners) < 3 {
		t.Errorf("%d corners", len(frontier.Corners))
	}
}
