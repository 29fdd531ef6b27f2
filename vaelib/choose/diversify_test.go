package choose

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/vaelib/metrics"
)

// The front is that of the definition, compared pair by pair.
func TestParetoIsTheDefinition(t *testing.T) {
	goals := DefaultGoals()
	rapid.Check(t, func(t *rapid.T) {
		// Few different values, so that ties are common.
		value := rapid.IntRange(0, 4)
		figures := make([]metrics.Figures, rapid.IntRange(0, 30).Draw(t, "rows"))
		points := make([][3]int, len(figures))
		for i := range figures {
			p := [3]int{value.Draw(t, "return"), value.Draw(t, "volatility"), value.Draw(t, "assets")}
			figures[i] = metrics.Figures{AnnualReturn: float64(p[0]), Volatility: float64(p[1]), EffectiveAssets: float64(p[2])}
			points[i] = [3]int{p[0], -p[1], p[2]}
		}
		front, err := Pareto(figures, goals)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range points {
			free := true
			for j, q := range points {
				better := q[0] >= p[0] && q[1] >= p[1] && q[2] >= p[2]
				if better && (q != p || j < i) {
					free = false
				}
			}
			if slices.Contains(front, i) != free {
				t.Fatalf("row %d %v: on the front %v, want %v", i, p, !free, free)
			}
		}
		if !slices.IsSortedFunc(front, func(a, b int) int { return points[b][0] - points[a][0] }) {
			t.Fatalf("the front %v is not in order of the first goal", front)
		}
	})
	undefined := []metrics.Figures{{Undefined: metrics.Of(metrics.Volatility)}, {AnnualReturn: -1}}
	if front, err := Pareto(undefined, goals); err != nil || !slices.Equal(front, []int{1}) {
		t.Errorf("front %v, error %v", front, err)
	}
	if _, err := Pareto(undefined, nil); err == nil {
		t.Error("no error without goals")
	}
}

func TestVariedSpreadsOut(t *testing.T) {
	weights := training().Slice(0, 400, 0, assets).(*mat.Dense)
	chosen, least, err := Varied(t.Context(), weights, nil, 20)
	if err != nil {
		t.Fatal(err)
	}
	closest, covered := math.Inf(1), 0.0
	for k, i := range chosen {
		for _, j := range chosen[:k] {
			closest = min(closest, floats.Distance(weights.RawRowView(i), weights.RawRowView(j), 2))
		}
	}
	for i := range 400 {
		near := math.Inf(1)
		for _, j := range chosen {
			near = min(near, floats.Distance(weights.RawRowView(i), weights.RawRowView(j), 2))
		}
		covered = max(covered, near)
	}
	if len(chosen) != 20 || chosen[0] != 0 || math.Abs(closest-least) > 1e-12 {
		t.Errorf("chosen %v, %v apart, said to be %v", chosen, closest, least)
	}
	// What is left lies no farther from the chosen than they from each other:
	// the argument behind the factor of two.
	if covered > least+1e-12 {
		t.Errorf("a portfolio %v from the chosen, which are %v apart", covered, least)
	}
	some, _, err := Varied(t.Context(), weights, []int{5, 7, 5, 9}, 10)
	if err != nil || len(some) != 3 || some[0] != 5 {
		t.Errorf("of three portfolios: %v, error %v", some, err)
	}
	for _, c := range []struct {
		from  []int
		count int
	}{{nil, 0}, {[]int{}, 1}, {[]int{400}, 1}} {
		if _, _, err := Varied(t.Context(), weights, c.from, c.count); err == nil {
			t.Errorf("no error for %+v", c)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := Varied(ctx, weights, nil, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

func ExampleVaried() {
	weights := mat.NewDense(4, 2, []float64{
		0.5, 0.5,
		0.6, 0.4,
		1.0, 0.0,
		0.0, 1.0,
	})
	rows, apart, err := Varied(context.Background(), weights, nil, 3)
	fmt.Printf("rows %v, at least %.3f apart, %v\n", rows, apart, err)
	// Output: rows [0 2 3], at least 0.707 apart, <nil>
}
