package simplex_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"vaefolio/vaelib/simplex"
)

func TestCheckExplains(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	symbols := []string{"A", "B", "C", "D"}
	group := func(lo, hi float64, share ...float64) simplex.Group {
		return simplex.Group{Name: "L1", Share: share, Lo: lo, Hi: hi}
	}
	for _, c := range []struct {
		set  simplex.Set
		want string // "" where it is possible
	}{
		{simplex.Set{}, "0 assets: at least 1"},
		{simplex.Set{N: 3, Lower: []float64{0}}, "1 lower bounds for 3 assets"},
		{simplex.Set{N: 3, Upper: []float64{}}, "0 upper bounds for 3 assets"},
		{simplex.Set{N: 3, Symbols: symbols}, "4 symbols for 3 assets"},
		{simplex.Set{N: 4, Upper: fill(4, 0.2)}, "4 weights of at most 0.2 reach 0.8, below 1: allow at least 0.25 each"},
		{simplex.Set{N: 3, Upper: fill(3, 0.2)}, "allow at least 0.333334 each"},
		{simplex.Set{N: 3, Upper: fill(3, 1./3)}, ""},
		{simplex.Set{N: 3, Upper: fill(3, 0.3333333333333)}, ""},
		{simplex.Set{N: 3, Lower: fill(3, 0.3333333333334)}, ""},
		{simplex.Set{N: 2, Groups: []simplex.Group{{Name: "L1", Share: []float64{1e-10, 1e-10}, Lo: 6e-11, Hi: 1}}}, "below 1e-06 write 0"},
		{simplex.Set{N: 2, Groups: []simplex.Group{{Name: "L1", Share: []float64{1, 0}, Hi: 0.3}, {Name: "L2", Share: []float64{0, 1}, Hi: 0.4}}}, "can't sum to 1 with L1 <= 0.3 and L2 <= 0.4: relax one of them"},
		{simplex.Set{N: 2, Upper: []float64{0.2, 0.3}}, "upper bounds of 2 assets sum to 0.5, below 1"},
		{simplex.Set{N: 4, Lower: fill(4, 0.3)}, "4 weights of at least 0.3 need 1.2, above 1: ask for at most 0.25 each"},
		{simplex.Set{N: 2, Lower: []float64{0.9, 0.3}}, "lower bounds of 2 assets sum to 1.2, above 1"},
		{simplex.Set{N: 4, Upper: []float64{1, nan, 1, 1}, Symbols: symbols}, "upper bound NaN of B"},
		{simplex.Set{N: 4, Lower: []float64{0, 0, -inf, 0}}, "lower bound -Inf of asset 2: it is a number from -10 to 10"},
		{simplex.Set{N: 4, Upper: []float64{1, 1, 1, 11}}, "upper bound 11 of asset 3"},
		{simplex.Set{N: 4, Lower: []float64{0, 0.4, 0, 0}, Upper: []float64{1, 0.3, 1, 1}, Symbols: symbols}, "B is to be at least 0.4 and at most 0.3"},
		{simplex.Set{N: 4, MinWeight: nan}, "minimum weight NaN"},
		{simplex.Set{N: 4, MinWeight: -0.1}, "minimum weight -0.1"},
		{simplex.Set{N: 4, MinWeight: 0.1, Lower: fill(4, -0.1)}, "excludes short positions"},
		{simplex.Set{N: 4, MinWeight: 0.3, Lower: []float64{0.1, 0, 0, 0}, Upper: []float64{0.2, 1, 1, 1}, Symbols: symbols}, "A is to be at least 0.1 and at most 0.2, below the minimum weight 0.3"},
		{simplex.Set{N: 4, MinWeight: 0.4, Upper: fill(4, 0.45)}, "no number of holdings between 0.4 and 0.45 sums to 1: 2 of them reach 0.9 at most, 3 need 1.2 at least"},
		{simplex.Set{N: 4, MinWeight: 0.5, Upper: fill(4, 0.5)}, ""},
		{simplex.Set{N: 4, MinWeight: 1.1}, "minimum weight 1.1: it is a number from 0 to 1"},
		{simplex.Set{N: 4, MinWeight: 0.5, Upper: fill(4, 0.4)}, "the minimum weight 0.5 is above every upper bound: lower it to 0.4 at most"},
		{simplex.Set{N: 4, MinWeight: 0.4, Upper: []float64{0.45, 0.45, 0.45, 0.5}}, "no choice of holdings of at least 0.4"},
		{simplex.Set{N: 4, MinWeight: 0.4, Upper: []float64{0.45, 0.45, 0.45, 0.55}}, ""},
		{simplex.Set{N: 2, Groups: []simplex.Group{group(0, 1, 1)}}, "group L1 has 1 shares for 2 assets"},
		{simplex.Set{N: 2, Groups: []simplex.Group{group(0, 1, 1, 1.5)}}, "group L1 has the share 1.5 of asset 1"},
		{simplex.Set{N: 2, Groups: []simplex.Group{group(0, nan, 1, 0)}}, "group L1 has the limits 0 and NaN"},
		{simplex.Set{N: 2, Groups: []simplex.Group{group(0.5, 0.4, 1, 0)}}, "group L1 is to be at least 0.5 and at most 0.4"},
		{simplex.Set{N: 2, Groups: []simplex.Group{group(0.5, 1, 0, 0)}}, "upper bounds allow 0"},
		{simplex.Set{N: 2, Lower: []float64{0.3, 0}, Groups: []simplex.Group{group(0, 0.2, 1, 0)}}, "group L1 is to be at most 0.2, but its assets' lower bounds need 0.3"},
		{simplex.Set{N: 2, Upper: []float64{0.3, 1}, Groups: []simplex.Group{group(0.4, 1, 1, 0)}}, "group L1 is to be at least 0.4, but its assets' upper bounds allow 0.3"},
		{simplex.Set{N: 2, Groups: []simplex.Group{group(0, 0.4, 1, 1)}}, "can't sum to 1 with L1 <= 0.4"},
		{simplex.Set{N: 2, Groups: []simplex.Group{group(-inf, inf, 1, 1)}}, ""},
		{simplex.Set{N: 4, MinWeight: 0.3, Groups: []simplex.Group{group(0.1, 0.2, 1, 1, 0, 0)}}, "no choice of holdings of at least 0.3 within the limits of L1"},
		{simplex.Set{N: 4, MinWeight: 0.3, Groups: []simplex.Group{group(0.3, 0.4, 1, 1, 0, 0)}}, ""},
	} {
		err := c.set.Check()
		if c.want == "" {
			if err != nil {
				t.Errorf("%+v: %v", c.set, err)
			}
			continue
		}
		var reason *simplex.InfeasibleError
		if !errors.As(err, &reason) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
		if _, again := simplex.NewProjector(c.set); again == nil {
			t.Errorf("%q: there is a projector", c.want)
		}
	}
}

func TestViolation(t *testing.T) {
	set := simplex.Set{
		N: 3, MinWeight: 0.2, Upper: []float64{0.6, 0.6, 0.6},
		Groups: []simplex.Group{{Name: "a", Share: []float64{1, 0.5, 0}, Lo: 0.1, Hi: 0.5}},
	}
	for _, c := range []struct {
		w    []float64
		want float64
	}{
		{[]float64{0.4, 0, 0.6}, 0},
		{[]float64{0.25, 0.25, 0.25}, 0.25},
		{[]float64{0.3, 0, 0.7}, 0.1},                  // above its bound
		{[]float64{0.35, 0.05, 0.6}, 0.05},             // nearer to nothing
		{[]float64{0.25, 0.125, 0.625 - 0.1}, 0.1},     // the sum
		{[]float64{0.5, 0.4, 0.1}, 0.2},                // the group
		{[]float64{0, 0.18, 0.6}, 0.22},                // the sum before the rest
		{[]float64{-0.1, 0.5, 0.6}, 0.1},               // below zero
		{[]float64{math.NaN(), 0.5, 0.5}, math.Inf(1)}, // no number
	} {
		if got := set.Violation(c.w); got != c.want && !(math.Abs(got-c.want) < 1e-15) {
			t.Errorf("violation of %v is %v, want %v", c.w, got, c.want)
		}
	}
	if convex := set.Convex().Violation([]float64{0.35, 0.05, 0.6}); convex > 1e-16 {
		t.Errorf("violation of the convex set is %v", convex)
	}
}
