package trained

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
)

// pegged are the returns of a market of assets, the first of which hardly moves, as a coin
// pegged to the dollar: portfolios of the largest Sharpe ratio hold it almost alone, and live
// from small weights beside it.
func pegged(periods, assets int) *mat.Dense {
	rng := stream.New(7, "trained.pegged", 0)
	returns := mat.NewDense(periods, assets, nil)
	for t := range periods {
		common := rng.NormFloat64()
		returns.Set(t, 0, 1e-5+2e-4*rng.NormFloat64())
		for i := 1; i < assets; i++ {
			returns.Set(t, i, 0.003+0.04*(0.7*common+0.7*rng.NormFloat64()))
		}
	}
	return returns
}

// Climbing in weights reaches a corner that gradients through the projection miss, with as
// many codes; both keep the constraints, and the bound on codes.
func TestFollowReachesCorners(t *testing.T) {
	const assets = 36
	returns := pegged(90, assets)
	m := opened(t, "built-in")[0]
	u, err := universe.New(nil, returns, 1)
	if err != nil {
		t.Fatal(err)
	}
	model, err := m.Of(u)
	if err != nil {
		t.Fatal(err)
	}
	objective, err := metrics.NewObjective(metrics.MaximizeSharpe, returns, metrics.Settings{PeriodsPerYear: 365})
	if err != nil {
		t.Fatal(err)
	}
	grouped := simplex.Set{N: assets, Upper: slices.Repeat([]float64{1}, assets), Groups: []simplex.Group{
		{Name: "pegged and one more", Share: append([]float64{1, 1}, make([]float64, assets-2)...), Hi: 0.6},
	}}
	for name, set := range map[string]simplex.Set{"free": {N: assets}, "grouped": grouped} {
		best, err := optimize.Solve(t.Context(), optimize.MaxSharpe, &optimize.Inputs{Set: set, Mean: u.Mean, Cov: u.Cov})
		if err != nil {
			t.Fatal(err)
		}
		bound := objective.Value(best.Weights)
		generator, err := generate.New(model.Network, set)
		if err != nil {
			t.Fatal(err)
		}
		share := func(s generate.OptimizeSettings) float64 {
			found, err := generator.Optimize(t.Context(), objective, generate.Prior{}, s)
			if err != nil {
				t.Fatal(err)
			}
			for i := range found.Values {
				if v := set.Violation(found.Weights.RawRowView(i)); v > simplex.Tolerance {
					t.Errorf("%s: start %d violates the set by %v", name, i+1, v)
				}
				if length := floats.Norm(found.Codes.RawRowView(i), 2); length > found.Radius*(1+1e-12) {
					t.Errorf("%s: a code of length %v beyond %v", name, length, found.Radius)
				}
			}
			return found.Values[found.Best] / bound
		}
		follow, climb := judgedSearch(1), ballSearch(1)
		climb.Radius = math.Inf(1)
		there, near := share(follow), share(climb)
		t.Logf("%s: %.4f of the bound in weights, %.4f by gradients", name, there, near)
		if !(there > 0.995 && there > near) {
			t.Errorf("%s: %.4f of the bound in weights, %.4f by gradients", name, there, near)
		}
		follow.Radius = 3
		share(follow)
	}
	follow := judgedSearch(1)
	follow.PriorWeight = 0.1
	generator, err := generate.New(model.Network, simplex.Set{N: assets})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := generator.Optimize(t.Context(), objective, generate.Prior{}, follow); err == nil ||
		!strings.Contains(err.Error(), "penalty") {
		t.Errorf("with a penalty: %v", err)
	}
}

// What isn't smooth is climbed too: a follower that finds nothing better goes on by gradients.
func TestFollowOverKinks(t *testing.T) {
	returns := pegged(120, 8)
	u, err := universe.New(nil, returns, 1)
	if err != nil {
		t.Fatal(err)
	}
	model, err := opened(t, "built-in")[0].Of(u)
	if err != nil {
		t.Fatal(err)
	}
	generator, err := generate.New(model.Network, simplex.Set{N: 8})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range metrics.Objectives() {
		objective, err := metrics.NewObjective(name, returns, metrics.Settings{PeriodsPerYear: 365})
		if err != nil {
			t.Fatal(err)
		}
		values := map[bool]float64{}
		for _, follow := range []bool{true, false} {
			found, err := generator.Optimize(t.Context(), objective, model.Aggregate,
				generate.OptimizeSettings{Starts: 8, Iterations: 60, Follow: follow, Radius: math.Inf(1)})
			if err != nil {
				t.Fatal(err)
			}
			values[follow] = found.Values[found.Best]
		}
		t.Logf("%s: %v in weights, %v by gradients", name, values[true], values[false])
		if !(values[true] > values[false]-0.02*math.Abs(values[false])) {
			t.Errorf("%s: %v in weights, %v by gradients", name, values[true], values[false])
		}
	}
}
