package experiment

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// walk is a market of random closes in which symbols come and go: the last is listed
// at a third of the time, the first but one is delisted at two thirds, and the second
// does not move at first.
func walk(symbols []string, periods int) *market.Panel {
	p := &market.Panel{Symbols: symbols, Close: mat.NewDense(periods, len(symbols), nil)}
	for t := range periods {
		p.Times = append(p.Times, time.Date(2024, 1, 1+t, 0, 0, 0, 0, time.UTC))
	}
	for j, symbol := range symbols {
		rng, price := rand.New(rand.NewPCG(7, uint64(symbol[0]))), 100.0
		for t := range periods {
			if price *= 1 + 0.02*rng.NormFloat64() + 0.001; symbol == "B" && t < periods*5/16 {
				price = 100
			}
			p.Close.Set(t, j, price)
			if symbol == "F" && t < periods/3 || symbol == "E" && t > periods*2/3 {
				p.Close.Set(t, j, math.NaN())
			}
		}
	}
	return p
}

// zeroShotTracks backtests the zero-shot strategies on a market as it was.
func zeroShotTracks(t *testing.T, p *market.Panel, largest float64) *backtest.Result {
	t.Helper()
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	overSets, err := trained.BuiltIn(backend)
	if err != nil {
		t.Fatal(err)
	}
	w, listings, _, err := p.WindowAsItWas()
	if err != nil {
		t.Fatal(err)
	}
	n := len(w.Symbols)
	in := &Input{Window: w, Listings: listings, Seed: 1, Metrics: metrics.Settings{PeriodsPerYear: 365},
		Backend: backend, OverSets: overSets, Set: simplex.Set{N: n, Upper: slices.Repeat([]float64{largest}, n)}}
	s := DefaultBacktest()
	var all []backtest.Strategy
	for _, name := range zeroShotNames() {
		all = append(all, in.strategy(name, &s, nil, nil))
	}
	result, err := backtest.Run(t.Context(), w, all, backtest.Settings{Train: 40, Test: 20, Listings: listings}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// A listing can be held as soon as a training window is full of it, what was delisted
// is held no more, an asset that does not move leaves no answer, and the order of
// columns means nothing.
func TestZeroShotFollowsListings(t *testing.T) {
	symbols := []string{"A", "B", "C", "D", "E", "F"}
	result := zeroShotTracks(t, walk(symbols, 160), 0.5)
	other := []string{"D", "F", "A", "C", "E", "B"}
	shuffled := zeroShotTracks(t, walk(other, 160), 0.5)
	for k, track := range result.Tracks {
		var counts []int
		for i, r := range track.Rebalances {
			counts = append(counts, len(r.Columns))
			for j, w := range r.Weights {
				at := slices.Index(other, symbols[j])
				if w != shuffled.Tracks[k].Rebalances[i].Weights[at] {
					t.Errorf("%s: %s holds another share in another order of columns", track.Name, symbols[j])
				}
				if w > 0 && r.Note == "" && !slices.Contains(r.Columns, j) {
					t.Errorf("%s: %s is held at %v, and is not traded", track.Name, symbols[j], r.Time)
				}
			}
		}
		if want := []int{5, 5, 5, 6, 5}; !slices.Equal(counts, want) {
			t.Errorf("%s: %v symbols to choose from, want %v", track.Name, counts, want)
		}
		if first, second := track.Rebalances[0].Note, track.Rebalances[1].Note; first == "" || second != "" {
			t.Errorf("%s: notes %q and %q, want one as long as B does not move", track.Name, first, second)
		}
	}
	plain, held := result.Tracks[0].Rebalances[4].Weights, result.Tracks[1].Rebalances[4].Weights
	if slices.Equal(plain, held) {
		t.Error("the weight of the prior changes nothing")
	}
}

// Where the largest weight leaves one portfolio, that is held.
func TestZeroShotWithoutChoice(t *testing.T) {
	for _, r := range zeroShotTracks(t, walk([]string{"A", "C", "D", "G"}, 100), 0.25).Tracks[0].Rebalances {
		if !slices.Equal(r.Weights, []float64{0.25, 0.25, 0.25, 0.25}) {
			t.Errorf("weights %v", r.Weights)
		}
	}
}
