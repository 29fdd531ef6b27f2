package trained

import (
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/simulate"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
)

// TestRegimeIsInTheWindow: in markets of two regimes, the model placed in the periods of one
// draws portfolios such as the recipes make in it, and is farther from them placed in the
// periods of the other or of both. So a regime needs no input beside the window's moments.
func TestRegimeIsInTheWindow(t *testing.T) {
	const n, periods, rows, markets = 10, 150, 100, 6
	m, ctx, set := openBuiltIn(t), t.Context(), simplex.Set{N: n}
	ranges := simulate.DefaultRanges()
	ranges.Assets = simulate.Range{From: n, To: n}
	var own, other, both float64 // energy distances, means over the markets
	for k := range uint64(markets) {
		var regimes [2]*mat.Dense
		for i := range regimes {
			world, err := simulate.New(5, 2*k+uint64(i), ranges)
			if err != nil {
				t.Fatal(err)
			}
			regimes[i] = world.Returns(stream.New(5, "regime", 2*k+uint64(i)), periods)
		}
		var whole mat.Dense
		whole.Stack(regimes[0], regimes[1])
		real, _, err := corpus.Draw(ctx, regimes[0], set, rows, stream.New(5, "recipes", k))
		if err != nil {
			t.Fatal(err)
		}
		distance := func(returns *mat.Dense) float64 {
			u, err := universe.New(nil, returns, 1)
			if err != nil {
				t.Fatal(err)
			}
			placed, err := m.Of(u)
			if err != nil {
				t.Fatal(err)
			}
			g, err := generate.New(placed.Network, set)
			if err != nil {
				t.Fatal(err)
			}
			drawn, err := g.Sample(ctx, rows, m.Aggregate, 1)
			if err != nil {
				t.Fatal(err)
			}
			energy, _, err := fidelity.PairedEnergy(ctx, drawn.Weights, real)
			if err != nil {
				t.Fatal(err)
			}
			return energy / markets
		}
		own, other, both = own+distance(regimes[0]), other+distance(regimes[1]), both+distance(&whole)
	}
	t.Logf("energy distance to the recipes' portfolios of a regime: %.4f placed in it, %.4f in both, %.4f in the other",
		own, both, other)
	if !(own < 0.7*both && both < other) {
		t.Errorf("placed in the regime %v, in both %v, in the other %v", own, both, other)
	}
}
