package experiment

import (
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
)

// Whatever happens from any rebalance on, every choice until then is the same to
// the bit, by every strategy that there is.
func TestNoStrategyLooksAhead(t *testing.T) {
	sample := input(t)
	window := sample.Window.Slice(0, 240).Choose([]int{0, 1, 2, 3})
	overSets, err := trained.BuiltIn(sample.Backend)
	if err != nil {
		t.Fatal(err)
	}
	const train, test = 120, 40
	choices := func(w *market.Window) []backtest.Track {
		s := DefaultBacktest()
		s.Strategies, s.Rows, s.Steps, s.Models = strategyNames(), 100, 3, 2
		in := &Input{
			Window: w, Set: simplex.Set{N: 4, Symbols: w.Symbols, Upper: []float64{0.5, 0.5, 0.5, 0.5}}, Seed: 1,
			Metrics: sample.Metrics, Backend: sample.Backend, OverSets: overSets,
		}
		if err := in.OpenRule(&s); err != nil {
			t.Fatal(err)
		}
		models := newFamily(in, &s, t.TempDir())
		var all []backtest.Strategy
		for _, name := range s.Strategies {
			all = append(all, in.strategy(name, &s, models, &flattened{}))
		}
		result, err := backtest.Run(t.Context(), w, all, backtest.Settings{Train: train, Test: test}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return result.Tracks
	}
	honest := choices(window)
	if len(honest) != len(strategyNames()) || len(honest[0].Rebalances) != 3 {
		t.Fatalf("%d strategies, %d rebalances", len(honest), len(honest[0].Rebalances))
	}
	for _, from := range []int{train, train + test} {
		corrupt := *window
		corrupt.Returns = mat.DenseCopyOf(window.Returns)
		for i := from; i < 240; i++ {
			for j := range 4 {
				corrupt.Returns.Set(i, j, -0.9*window.Returns.At(i, 3-j)+0.01*float64(j-1))
			}
		}
		changed := false
		for k, track := range choices(&corrupt) {
			for i, r := range track.Rebalances {
				same := slices.Equal(r.Weights, honest[k].Rebalances[i].Weights)
				if r.From <= from && !same {
					t.Errorf("%s: its choice before period %d knows what comes after period %d", track.Name, r.From, from)
				}
				changed = changed || !same
			}
		}
		if !changed {
			t.Error("nothing depends on what was corrupted: this test sees nothing")
		}
	}
}
