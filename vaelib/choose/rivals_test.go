package choose

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// rivals of one seed, with their reports.
func rivals(t *testing.T, ctx context.Context, set simplex.Set, count int) ([]Rival, error) {
	t.Helper()
	objective, err := metrics.NewObjective(metrics.MaximizeSharpe, returns(), daily)
	if err != nil {
		t.Fatal(err)
	}
	last := 0
	found, err := Rivals(ctx, objective, []Sampler{
		Dirichlet("uniform", set, stream.New(1, "test.uniform", 0)),
		DirichletMixture("mixture", set, stream.New(1, "test.mixture", 0)),
	}, count, func(done, total int, _ string) {
		if done <= last || total != 2*count {
			t.Errorf("reported %d of %d after %d", done, total, last)
		}
		last = done
	})
	for _, r := range found {
		if r.Value != objective.Value(r.Weights) || set.Violation(r.Weights) > simplex.Tolerance {
			t.Errorf("%s: value %v of weights that have %v and violate the set by %v",
				r.Name, r.Value, objective.Value(r.Weights), set.Violation(r.Weights))
		}
	}
	return found, err
}

func TestRivals(t *testing.T) {
	set := capped(0.4)
	found, err := rivals(t, t.Context(), set, 5000)
	if err != nil {
		t.Fatal(err)
	}
	bound, err := optimize.Bound(t.Context(), metrics.MaximizeSharpe, returns(), set, daily)
	if err != nil {
		t.Fatal(err)
	}
	was := runtime.GOMAXPROCS(1)
	again, err := rivals(t, t.Context(), set, 5000)
	runtime.GOMAXPROCS(was)
	if err != nil {
		t.Fatal(err)
	}
	fewer, err := rivals(t, t.Context(), set, 10)
	if err != nil {
		t.Fatal(err)
	}
	for k, r := range found {
		if r.Value > bound.Value || fewer[k].Value > r.Value {
			t.Errorf("%s: %v, of ten draws %v, bound %v", r.Name, r.Value, fewer[k].Value, bound.Value)
		}
		if again[k].Value != r.Value || !slices.Equal(again[k].Weights, r.Weights) {
			t.Errorf("%s depends on the number of cores", r.Name)
		}
	}
	if _, err := rivals(t, t.Context(), set, 0); err == nil {
		t.Error("no error for no evaluations")
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := rivals(t, ended, set, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v of a context that has ended", err)
	}
}

// table is an objective with a value for each first weight.
type table map[float64]float64

func (o table) Value(w []float64) float64       { return o[w[0]] }
func (o table) Gradient(_, w []float64) float64 { return o[w[0]] }
func (o table) Clone() metrics.Objective        { return o }

func TestBest(t *testing.T) {
	weights := mat.NewDense(5, 2, []float64{0.1, 0.9, 0.2, 0.8, 0.3, 0.7, 0.4, 0.6, 0.5, 0.5})
	for _, c := range []struct {
		values table
		row    int
		value  float64
	}{
		{table{0.1: 1, 0.2: 3, 0.3: 2, 0.4: 3, 0.5: 0}, 1, 3}, // the first of two
		{table{0.1: math.NaN(), 0.2: math.Inf(1), 0.3: -7, 0.4: math.Inf(-1), 0.5: -8}, 2, -7},
		{table{0.1: math.NaN(), 0.2: math.NaN(), 0.3: math.NaN(), 0.4: math.NaN(), 0.5: math.Inf(1)}, -1, math.Inf(-1)},
	} {
		row, value, err := Best(t.Context(), c.values, weights)
		if err != nil || row != c.row || value != c.value {
			t.Errorf("%v: row %d with %v, error %v; want row %d with %v", c.values, row, value, err, c.row, c.value)
		}
	}
}

func TestRowsRunOut(t *testing.T) {
	s := Rows("given", mat.NewDense(3, 1, []float64{1, 2, 3}))
	for _, c := range []struct {
		rows  int
		first float64 // 0: there are no more
	}{{2, 1}, {2, 0}, {1, 3}, {1, 0}} {
		got, err := s.Draw(t.Context(), c.rows)
		if c.first == 0 {
			if err == nil {
				t.Errorf("%d rows more than there are", c.rows)
			}
			continue
		}
		if err != nil || got.At(0, 0) != c.first {
			t.Errorf("%v, error %v, want %v first", got, err, c.first)
		}
	}
}
