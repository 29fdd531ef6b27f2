package near

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
)

// All that are chosen keep the set and the floor, those that were moved lie on it, and the
// first is the nearest by the measure given.
func TestChoose(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const periods, n = 200, 5
	returns := mat.NewDense(periods, n, nil)
	for t := range periods {
		common := rng.NormFloat64()
		for j := range n {
			returns.Set(t, j, 0.001*float64(j+1)+0.01*(common+float64(1+j)*rng.NormFloat64()/2))
		}
	}
	set := simplex.Set{N: n, Upper: []float64{0.4, 0.4, 0.4, 0.4, 0.4},
		Groups: []simplex.Group{{Name: "first", Share: []float64{1, 1, 0, 0, 0}, Lo: 0.1, Hi: 0.5}}}
	settings := metrics.Settings{PeriodsPerYear: 252, RiskFree: 0.02}
	candidates, err := choose.Dirichlet("", set, rng).Draw(t.Context(), 300)
	if err != nil {
		t.Fatal(err)
	}
	wanted := []float64{0.4, 0, 0, 0.2, 0.4}
	away := func(w []float64) float64 { return floats.Distance(w, wanted, 1) }
	near, err := Choose(t.Context(), candidates, returns, set, settings,
		Settings{Within: 0.1, Count: 8, Away: away, Rng: rng})
	if err != nil {
		t.Fatal(err)
	}
	sharpe, err := metrics.NewObjective(metrics.MaximizeSharpe, returns, settings)
	if err != nil {
		t.Fatal(err)
	}
	inside := 0
	for i := range 300 {
		w := near.Weights.RawRowView(i)
		value, moved := sharpe.Value(w), floats.Distance(w, candidates.RawRowView(i), 2)
		if near.Moved[i] == 0 {
			inside++
		}
		switch {
		case set.Violation(w) > simplex.Tolerance:
			t.Fatalf("row %d violates the set by %v", i, set.Violation(w))
		case value < 0.9*near.Best*(1-1e-12) || value > near.Best*(1+1e-12):
			t.Fatalf("row %d: a ratio of %v, the best %v", i, value, near.Best)
		case near.Moved[i] > 0 && math.Abs(value-0.9*near.Best) > 1e-9:
			t.Fatalf("row %d was moved farther than the floor, to %v of %v", i, value, 0.9*near.Best)
		case math.Abs(moved-near.Moved[i]) > 1e-12:
			t.Fatalf("row %d was moved by %v, and %v is said", i, moved, near.Moved[i])
		case away(w) < away(near.Weights.RawRowView(near.Rows[0])):
			t.Fatalf("row %d is nearer than the first, row %d", i, near.Rows[0])
		}
	}
	least := math.Inf(1)
	for a, i := range near.Rows {
		for _, j := range near.Rows[:a] {
			least = min(least, floats.Distance(near.Weights.RawRowView(i), near.Weights.RawRowView(j), 2))
		}
	}
	if near.Inside != inside || inside == 0 || inside == 300 || len(near.Rows) != 8 || math.Abs(near.Least-least) > 1e-12 {
		t.Errorf("%d inside, %d chosen, at least %v apart: %+v", inside, len(near.Rows), least, near)
	}
	if !(near.Rival > 0) {
		t.Errorf("corners are %v apart", near.Rival)
	}
}

func TestChooseRefuses(t *testing.T) {
	returns := mat.NewDense(4, 2, []float64{0.01, 0.02, -0.01, 0.01, 0.02, -0.03, 0.01, 0.02})
	rows := mat.NewDense(1, 2, []float64{0.5, 0.5})
	rng := rand.New(rand.NewPCG(1, 2))
	settings := metrics.Settings{PeriodsPerYear: 252}
	for want, c := range map[string]struct {
		set      simplex.Set
		settings metrics.Settings
		near     Settings
	}{
		"minimum weight forbids": {simplex.Set{N: 2, MinWeight: 0.1}, settings, Settings{Within: 0.1, Count: 1, Rng: rng}},
		"give a share":           {simplex.Set{N: 2}, settings, Settings{Within: 1, Count: 1, Rng: rng}},
		"max-sharpe is not": {simplex.Set{N: 2}, metrics.Settings{PeriodsPerYear: 252, RiskFree: 90},
			Settings{Within: 0.1, Count: 1, Rng: rng}},
	} {
		if _, err := Choose(t.Context(), rows, returns, c.set, c.settings, c.near); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	near, err := Choose(t.Context(), rows, returns, simplex.Set{N: 2}, settings, Settings{Within: 0.1, Count: 3, Rng: rng})
	if err != nil || len(near.Rows) != 1 || near.Least != 0 || near.Rival != 0 {
		t.Errorf("one candidate: %+v, %v", near, err)
	}
}
