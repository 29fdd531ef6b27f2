package backtest_test

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/backtest"
	"vaefolio/vaelib/market"
)

// Equal weights of what could be chosen, against the same done by hand: who is
// listed late is chosen once it has a training window, and who stops leaves what
// its last close paid as cash.
func TestListings(t *testing.T) {
	nan := math.NaN()
	closes := [][]float64{ // DEAD, LATE, OAK
		{10, nan, 1}, {10, nan, 1}, {10, 4, 1}, {10, 4, 1}, {5, 4, 1}, {1, 4, 2}, {nan, 8, 2}, {nan, 8, 2}, {nan, 8, 1}, {nan, 4, 1}, {nan, 4, 1},
	}
	p := &market.Panel{Symbols: []string{"DEAD", "LATE", "OAK"}, Close: mat.NewDense(len(closes), 3, slices.Concat(closes...))}
	for i := range closes {
		p.Times = append(p.Times, time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC))
	}
	w, l, _, err := p.WindowAsItWas()
	if err != nil {
		t.Fatal(err)
	}
	var seen [][]string
	equal := backtest.Strategy{Name: "equal", Weights: func(_ context.Context, training *market.Window, held []float64) ([]float64, error) {
		seen = append(seen, training.Symbols)
		if held != nil && len(held) != len(training.Symbols) {
			t.Errorf("%d held of %d", len(held), len(training.Symbols))
		}
		return slices.Repeat([]float64{1 / float64(len(training.Symbols))}, len(training.Symbols)), nil
	}}
	result, err := backtest.Run(context.Background(), w, []backtest.Strategy{equal}, backtest.Settings{Train: 2, Test: 3, Listings: l}, nil)
	if err != nil {
		t.Fatal(err)
	}
	// Periods end on days 1 to 10. The first choice is made on day 2: LATE has no
	// history. DEAD falls to a tenth by day 5, its last. The second choice is made
	// then: DEAD was traded up to day 5.
	want := [][]string{{"DEAD", "OAK"}, {"DEAD", "LATE", "OAK"}}
	if len(seen) != 2 || !slices.Equal(seen[0], want[0]) || !slices.Equal(seen[1], want[1]) {
		t.Errorf("seen %v, not %v", seen, want)
	}
	wealth := 1.0
	var path []float64
	for _, r := range result.Tracks[0].Returns {
		wealth *= 1 + r
		path = append(path, wealth)
	}
	// Halves: 0.5 + 0.5, then 0.25 + 0.5, then 0.05 + 1 = 1.05. Thirds of that: LATE
	// doubles, OAK halves on the third day, and DEAD stays.
	third := 1.05 / 3
	for i, want := range []float64{1, 0.75, 1.05, third + 2*third + third, third + 2*third + third, third + 2*third + third/2} {
		if math.Abs(path[i]-want) > 1e-12 {
			t.Errorf("wealth %d is %v, not %v", i, path[i], want)
		}
	}
	if r := result.Tracks[0].Rebalances[0]; !slices.Equal(r.Weights, []float64{0.5, 0, 0.5}) || !slices.Equal(r.Columns, []int{0, 2}) {
		t.Errorf("rebalance %+v", r)
	}
}
