package choose

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// On the weights the gradient leads to the convex optimum: of smooth objectives
// to eight digits within a few hundred evaluations, of kinked ones nearly.
func TestProjectedGradientReachesTheBound(t *testing.T) {
	for _, c := range []struct {
		objective string
		within    float64 // of the bound
	}{
		{"sharpe", 1e-8}, {"return", 1e-8}, {"volatility", 1e-8}, {"diversification", 1e-8}, {"cvar", 0.005}, {"worst", 0.01},
	} {
		for _, set := range []simplex.Set{{N: assets}, capped(0.4)} {
			objective, err := metrics.NewObjective(c.objective, returns(), daily)
			if err != nil {
				t.Fatal(err)
			}
			bound, err := optimize.Bound(t.Context(), c.objective, returns(), set, daily)
			if err != nil {
				t.Fatal(err)
			}
			settings := AscentSettings{Evaluations: 5000, Target: bound.Value, Rng: stream.New(1, "test.ascent", 0)}
			found, err := ProjectedGradient(t.Context(), objective, set, settings)
			if err != nil {
				t.Fatal(err)
			}
			if v := set.Violation(found.Weights); v > simplex.Tolerance {
				t.Errorf("%s: the set is violated by %v", c.objective, v)
			}
			if found.Value != objective.Value(found.Weights) || found.Evaluations > settings.Evaluations+2 {
				t.Errorf("%s: %v after %d evaluations, at weights with %v", c.objective, found.Value, found.Evaluations,
					objective.Value(found.Weights))
			}
			if short := (bound.Value - found.Value) / math.Abs(bound.Value); short > c.within || short < -1e-9 {
				t.Errorf("%s: %v, the bound is %v", c.objective, found.Value, bound.Value)
			}
			if c.within < 1e-6 && (found.Matched == 0 || found.Matched > 200) {
				t.Errorf("%s: the bound was reached after %d evaluations", c.objective, found.Matched)
			}
			settings.Rng = stream.New(1, "test.ascent", 0)
			again, err := ProjectedGradient(t.Context(), objective, set, settings)
			if err != nil || again.Value != found.Value || again.Evaluations != found.Evaluations {
				t.Errorf("%s: again %v after %d evaluations, %v", c.objective, again.Value, again.Evaluations, err)
			}
		}
	}
}

func TestProjectedGradientRefuses(t *testing.T) {
	objective, err := metrics.NewObjective(metrics.MaximizeSharpe, returns(), daily)
	if err != nil {
		t.Fatal(err)
	}
	rng := stream.New(1, "test.ascent", 0)
	if _, err := ProjectedGradient(t.Context(), objective, capped(0.4), AscentSettings{Rng: rng}); err == nil {
		t.Error("no error for no evaluations")
	}
	if _, err := ProjectedGradient(t.Context(), objective, capped(0.1), AscentSettings{Evaluations: 9, Rng: rng}); err == nil ||
		!strings.Contains(err.Error(), "0.1") {
		t.Errorf("an empty set: error %v", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ProjectedGradient(cancelled, objective, capped(0.4), AscentSettings{Evaluations: 99, Rng: rng}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}
