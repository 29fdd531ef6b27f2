package backtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/stream"
)

func noise(periods, n int) *market.Window {
	rng := stream.New(1, "backtest.test.combinatorial", 0)
	w := &market.Window{Returns: mat.NewDense(periods, n, nil)}
	for j := range n {
		w.Symbols = append(w.Symbols, fmt.Sprint("S", j))
	}
	for t := range periods {
		w.Times = append(w.Times, time.Date(2024, 1, 2+t, 0, 0, 0, 0, time.UTC))
		for j := range n {
			w.Returns.Set(t, j, 0.02*rng.NormFloat64())
		}
	}
	return w
}

// Of 6 groups with 2 held out there are 15 splits and 5 paths, as in López de
// Prado's figure 12.1; every path goes through all of the time, and no choice has
// seen what it is tested on, nor what is within the embargo of it.
func TestCombinatorial(t *testing.T) {
	const periods, embargo = 62, 2
	window := noise(periods, 3)
	settings := Combinatorial{Groups: 6, Tested: 2, Embargo: embargo, Test: 4}
	if settings.Splits() != 15 || settings.Paths() != 5 {
		t.Fatalf("%d splits and %d paths", settings.Splits(), settings.Paths())
	}
	// The choice tells by its weights which split it is of.
	var seen [][]time.Time
	tagged := Strategy{Name: "tagged", Weights: func(_ context.Context, training *market.Window, held []float64) ([]float64, error) {
		if held != nil {
			t.Error("a choice is told of holdings")
		}
		tag := float64(len(seen)) / 100
		seen = append(seen, training.Times)
		return []float64{tag, 1 - tag, 0}, nil
	}}
	paths, err := RunCombinatorial(t.Context(), window, []Strategy{tagged}, settings, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != 5 || len(seen) != 15 {
		t.Fatalf("%d paths of %d choices", len(paths), len(seen))
	}
	used := map[string]int{}
	for p, path := range paths {
		track := path.Tracks[0]
		if len(track.Returns) != 60 || path.Unused != 2 || len(path.Times) != 60 || len(track.Rebalances) != 6*3 {
			t.Fatalf("path %d has %d returns in %d rebalances", p, len(track.Returns), len(track.Rebalances))
		}
		for _, r := range track.Rebalances {
			split := int(math.Round(100 * r.Weights[0]))
			used[fmt.Sprint(split, r.From/10)]++
			from, to := window.Times[r.From].AddDate(0, 0, -embargo), window.Times[r.To-1].AddDate(0, 0, embargo)
			for _, at := range seen[split] {
				if !at.Before(from) && !at.After(to) {
					t.Errorf("path %d: what is held from %v was chosen on %v", p, window.Times[r.From], at)
				}
			}
		}
	}
	if len(used) != 30 { // 15 splits hold 2 groups out each
		t.Errorf("%d pieces are used, want 30", len(used))
	}
	// Groups of 10: the first split holds 0 and 1 out, with one border to the rest,
	// the last but four 2 and 4, with four.
	if len(seen[0]) != 40-embargo || len(seen[10]) != 40-4*embargo {
		t.Errorf("%d and %d periods to learn from", len(seen[0]), len(seen[10]))
	}
}

// Held through, constant weights earn what the product of weights and returns says.
func TestCombinatorialReturns(t *testing.T) {
	window := noise(40, 2)
	half := Strategy{Name: "half", Weights: func(context.Context, *market.Window, []float64) ([]float64, error) {
		return []float64{0.5, 0.5}, nil
	}}
	none := Strategy{Name: "none", Weights: func(context.Context, *market.Window, []float64) ([]float64, error) {
		return nil, fmt.Errorf("nothing to choose: %w", ErrHold)
	}}
	paths, err := RunCombinatorial(t.Context(), window, []Strategy{half, none},
		Combinatorial{Groups: 4, Tested: 1, Test: 10, ConstantWeights: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for k, track := range paths[0].Tracks {
		for i, r := range track.Returns {
			if want := (window.Returns.At(i, 0) + window.Returns.At(i, 1)) / 2; math.Abs(r-want) > 1e-15 {
				t.Errorf("track %d earns %v in period %d, want %v", k, r, i, want)
			}
		}
	}
	if paths[0].Tracks[1].Held() != 4 {
		t.Errorf("%d rebalances without an answer", paths[0].Tracks[1].Held())
	}
}

func TestCombinatorialRefuses(t *testing.T) {
	window := noise(40, 2)
	fails := Strategy{Name: "fails", Weights: func(context.Context, *market.Window, []float64) ([]float64, error) {
		return nil, errors.New("broken")
	}}
	for _, c := range []struct {
		settings Combinatorial
		want     string
	}{
		{Combinatorial{Groups: 2, Tested: 1, Test: 1}, "1 of 2 groups"},
		{Combinatorial{Groups: 6, Tested: 4, Test: 1}, "4 of 6 groups"},
		{Combinatorial{Groups: 30, Tested: 10, Test: 1}, "at most 1000"},
		{Combinatorial{Groups: 4, Tested: 1}, "between rebalances"},
		{Combinatorial{Groups: 4, Tested: 2, Test: 1, Embargo: 5}, "leave 0 to learn from"},
		{Combinatorial{Groups: 4, Tested: 1, Test: 1, CostBps: -1}, "basis points"},
		{Combinatorial{Groups: 4, Tested: 1, Test: 1}, "strategy fails: groups [0] held out: broken"},
	} {
		_, err := RunCombinatorial(t.Context(), window, []Strategy{fails}, c.settings, nil)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v gives %v, want %q", c.settings, err, c.want)
		}
	}
}
