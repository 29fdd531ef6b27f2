package polish

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// assets is the number of assets of the tests.
const assets = 6

var (
	volatility = &portfolio.Measure{Name: "volatility", Form: portfolio.Norm, Matrix: [][]float64{
		{0.5, 0, 0}, {0.4, 0.1, 0}, {0.3, 0, 0.2}, {0.2, 0.2, 0}, {0.1, 0, 0.1}, {0.05, 0.05, 0.05},
	}}
	sector    = &portfolio.Measure{Name: "sector.A", Form: portfolio.Linear, Vector: []float64{1, 1, 0.5, 0, 0, 0}}
	effective = &portfolio.Measure{Name: "effective_assets", Form: portfolio.Effective}
	largestOf = &portfolio.Measure{Name: "max_weight", Form: portfolio.Largest}
	measures  = []*portfolio.Measure{volatility, sector, effective, largestOf}
	scales    = []float64{0.1, 0.2, 1, 0.2}
)

// exactly is the goal that a measure is a value.
func exactly(k int, value float64) Goal {
	return Goal{Measure: measures[k], Lo: value, Hi: value, Scale: scales[k]}
}

// feasible are N portfolios of a set, from sparse to even.
func feasible(set simplex.Set, n int, seed uint64) *mat.Dense {
	rng := stream.New(seed, "polish.test", 0)
	w := mat.NewDense(n, set.N, nil)
	for i := range n {
		d, err := simplex.Symmetric(set.N, math.Exp(3*rng.Float64()-1.5))
		if err != nil {
			panic(err)
		}
		d.Rand(w.RawRowView(i), rng)
	}
	if err := simplex.ProjectAll(context.Background(), set, w, w, nil); err != nil {
		panic(err)
	}
	return w
}

func Example() {
	set := simplex.Set{N: assets}
	w := mat.NewDense(1, assets, []float64{0.5, 0.1, 0.1, 0.1, 0.1, 0.1})
	goals := []Goal{exactly(0, 0.25), {Measure: sector, Lo: math.Inf(-1), Hi: 0.5, Scale: 0.2}}
	moved := make([]float64, 1)
	if err := All(context.Background(), set, w, func(int) []Goal { return goals }, moved); err != nil {
		fmt.Println(err)
		return
	}
	row := w.RawRowView(0)
	fmt.Printf("volatility %.4f, sector %.4f, sum %.4f, moved by %.3f\n", volatility.Value(row), sector.Value(row),
		floats.Sum(row), moved[0])
	// Output: volatility 0.2500, sector 0.3553, sum 1.0000, moved by 0.289
}

// sets are of each kind: open, capped, in groups, and with a minimum holding.
func sets(t *rapid.T) simplex.Set {
	set := simplex.Set{N: assets}
	switch rapid.IntRange(0, 3).Draw(t, "set") {
	case 1:
		set.Upper = slices.Repeat([]float64{rapid.Float64Range(0.2, 0.9).Draw(t, "cap")}, assets)
	case 2:
		set.Groups = []simplex.Group{{Name: "B", Share: []float64{0, 0, 0, 1, 1, 1}, Lo: 0.2, Hi: 0.7}}
	case 3:
		set.MinWeight = 0.05
	}
	return set
}

// Whatever is asked for, no portfolio leaves the set, none gets worse, the
// distances are those moved, and a second time nothing moves that has arrived.
func TestPolishNeverHarms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		set := sets(t)
		before := feasible(set, 8, rapid.Uint64().Draw(t, "seed"))
		var goals []Goal
		for k := range measures {
			switch value := rapid.Float64Range(0, 1).Draw(t, "value"); rapid.IntRange(0, 3).Draw(t, "relation") {
			case 1:
				goals = append(goals, exactly(k, value*[]float64{0.5, 1, 6, 1}[k]))
			case 2:
				goals = append(goals, Goal{measures[k], math.Inf(-1), value * []float64{0.5, 1, 6, 1}[k], scales[k]})
			case 3:
				goals = append(goals, Goal{measures[k], value * []float64{0.5, 1, 6, 1}[k], math.Inf(1), scales[k]})
			}
		}
		after, moved := mat.DenseCopyOf(before), make([]float64, 8)
		all := func(w *mat.Dense, moved []float64) {
			if err := All(context.Background(), set, w, func(int) []Goal { return goals }, moved); err != nil {
				t.Fatal(err)
			}
		}
		all(after, moved)
		again, further := mat.DenseCopyOf(after), make([]float64, 8)
		all(again, further)
		for i := range 8 {
			a, b := before.RawRowView(i), after.RawRowView(i)
			if v := set.Violation(b); v > simplex.Tolerance {
				t.Fatalf("row %d violates the set by %v", i, v)
			}
			if was, is := misses(goals, a), misses(goals, b); is > was {
				t.Fatalf("row %d missed by %v, and now by %v", i, was, is)
			}
			if worst(goals, a) <= met && !slices.Equal(a, b) || math.Abs(moved[i]-floats.Distance(a, b, 2)) > 1e-15 {
				t.Fatalf("row %d: moved by %v from %v to %v", i, moved[i], a, b)
			}
			if worst(goals, b) <= met && further[i] != 0 {
				t.Fatalf("row %d has arrived, and moves on by %v", i, further[i])
			}
		}
	})
}

// Goals that a portfolio of the set is known to have are met from any other, where
// that means to hold other assets too: few of them, and not those held at first.
func TestPolishChangesAssets(t *testing.T) {
	set := simplex.Set{N: assets}
	rng := stream.New(3, "polish.test.corners", 0)
	from, to := feasible(set, 400, 4), mat.NewDense(400, assets, nil)
	for i := range 400 {
		large, small := rng.IntN(assets), rng.IntN(assets)
		to.Set(i, large, 1)
		if i%2 == 0 {
			to.Set(i, large, 0.9)
			to.Set(i, small, to.At(i, small)+0.1)
		}
	}
	goals := func(i int) (all []Goal) {
		for k := range 3 {
			all = append(all, exactly(k, measures[k].Value(to.RawRowView(i))))
		}
		return all
	}
	if err := All(t.Context(), set, from, goals, nil); err != nil {
		t.Fatal(err)
	}
	missed := 0
	for i := range 400 {
		if worst(goals(i), from.RawRowView(i)) > 0.01 {
			missed++
		}
	}
	t.Logf("%d of 400 portfolios miss what another has", missed)
	if missed > 8 {
		t.Errorf("%d of 400 portfolios miss what another has", missed)
	}
}

// Goals that a portfolio of the set is known to have are met, from portfolios
// near to it.
func TestPolishArrives(t *testing.T) {
	t.Run("capped", func(t *testing.T) { arrives(t, simplex.Set{N: assets, Upper: slices.Repeat([]float64{0.6}, assets)}) })
	t.Run("turnover", func(t *testing.T) {
		arrives(t, simplex.Set{N: assets, Turnover: &simplex.Turnover{Held: []float64{0.3, 0.2, 0.1, 0.1, 0.1, 0.1}, Most: 0.6}})
	})
}

func arrives(t *testing.T, set simplex.Set) {
	from, to := feasible(set, 400, 1), feasible(set, 400, 2)
	goals := make([][]Goal, 400)
	for i := range goals {
		// Halfway between the two there is a portfolio that has what is asked for.
		middle := to.RawRowView(i)
		floats.Add(middle, from.RawRowView(i))
		floats.Scale(0.5, middle)
		for k := range 3 {
			goals[i] = append(goals[i], exactly(k, measures[k].Value(middle)))
		}
		goals[i] = append(goals[i], Goal{largestOf, math.Inf(-1), largestOf.Value(middle), scales[3]})
	}
	moved := make([]float64, 400)
	if err := All(t.Context(), set, from, func(i int) []Goal { return goals[i] }, moved); err != nil {
		t.Fatal(err)
	}
	missed, further := 0, 0
	start := feasible(set, 400, 1)
	for i := range goals {
		if worst(goals[i], from.RawRowView(i)) > 1e-6 {
			missed++
		}
		if moved[i] > floats.Distance(start.RawRowView(i), to.RawRowView(i), 2)+1e-9 {
			further++
		}
	}
	t.Logf("of 400 portfolios %d miss what there is halfway to another, and %d moved further than there", missed, further)
	if missed > 8 {
		t.Errorf("%d of 400 portfolios miss what there is halfway to another", missed)
	}
	if further > 40 {
		t.Errorf("%d of 400 portfolios moved further than to one that is known to have what is asked for", further)
	}
}

// What a set allows: attained by portfolios, exceeded by none.
func TestAttainable(t *testing.T) {
	for name, set := range map[string]simplex.Set{
		"open":     {N: assets},
		"capped":   {N: assets, Upper: slices.Repeat([]float64{0.3}, assets)},
		"short":    {N: assets, Lower: slices.Repeat([]float64{-0.2}, assets), Upper: slices.Repeat([]float64{0.5}, assets)},
		"groups":   {N: assets, Groups: []simplex.Group{{Name: "B", Share: []float64{0, 0, 0, 1, 1, 1}, Lo: 0.2, Hi: 0.4}}},
		"turnover": {N: assets, Turnover: &simplex.Turnover{Held: []float64{0.3, 0.2, 0.1, 0.1, 0.1, 0.1}, Most: 0.6}},
	} {
		w := feasible(set, 2000, 1)
		for k, m := range measures {
			least, greatest, err := Attainable(t.Context(), set, m)
			if err != nil {
				t.Fatal(err)
			}
			from, to := math.Inf(1), math.Inf(-1)
			for i := range 2000 {
				v := m.Value(w.RawRowView(i))
				from, to = min(from, v), max(to, v)
			}
			if from < least-1e-9 || to > greatest+1e-9 {
				t.Errorf("%s, %s: portfolios from %v to %v, attainable %v to %v", name, m.Name, from, to, least, greatest)
			}
			// The exact ends are come near to by moving there.
			for end, goal := range map[float64]bool{least: k < 2, greatest: k == 1 || k == 2} {
				rows := mat.DenseCopyOf(w.Slice(0, 20, 0, assets))
				if err := All(t.Context(), set, rows, func(int) []Goal { return []Goal{exactly(k, end)} }, nil); err != nil {
					t.Fatal(err)
				}
				near := math.Inf(1)
				for i := range 20 {
					near = min(near, math.Abs(m.Value(rows.RawRowView(i))-end))
				}
				if goal && near > 1e-3*max(1, end) {
					t.Errorf("%s, %s: the end %v is missed by %v", name, m.Name, end, near)
				}
			}
		}
	}
}

func BenchmarkAll(b *testing.B) {
	set := simplex.Set{N: assets}
	from, to := feasible(set, 1000, 1), feasible(set, 1000, 2)
	for b.Loop() {
		w := mat.DenseCopyOf(from)
		if err := All(b.Context(), set, w, func(i int) []Goal {
			return []Goal{exactly(0, volatility.Value(to.RawRowView(i))), exactly(1, sector.Value(to.RawRowView(i)))}
		}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
