package universe_test

import (
	"math"
	"reflect"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
)

// market is a universe of three assets whose volatilities are 1, 2 and 4 %, without
// correlation.
func market(scale float64) *universe.Universe {
	u := &universe.Universe{Mean: []float64{0.001 * scale, 0, 0.002 * scale}, Cov: mat.NewSymDense(3, nil), Periods: 100,
		Cap: 1}
	for i, s := range []float64{0.01, 0.02, 0.04} {
		u.Cov.SetSym(i, i, s*s*scale*scale)
	}
	return u
}

// What is asked is told without a scale, each behind whether it is asked.
func TestAskedFacts(t *testing.T) {
	mean := 0.001
	for _, test := range []struct {
		name  string
		asked universe.Asked
		at    int
		want  float64
	}{
		{"nothing", universe.Asked{}, -1, 0},
		{"the geometric mean of the volatilities", universe.Asked{Volatility: 0.02}, 0, 0},
		{"half of it", universe.Asked{Volatility: 0.01}, 0, -math.Ln2},
		{"a return of half a standard error", universe.Asked{Return: &mean}, 2, 4 * math.Tanh(0.5/4)},
		{"all assets", universe.Asked{Effective: 3}, 4, 1},
		{"a largest weight", universe.Asked{Largest: 0.5}, 6, math.Log(1.5) - universe.UsualRoom},
	} {
		got, want := test.asked.Facts(market(1)), [universe.AskedFacts]float64{}
		if test.at >= 0 {
			want[test.at], want[test.at+1] = 1, test.want
		}
		for k := range got {
			if math.Abs(got[k]-want[k]) > 1e-12 {
				t.Errorf("%s: told %v, want %v", test.name, got, want)
				break
			}
		}
	}
	half := 0.0005 // in a market of half the returns
	a, b := universe.Asked{Volatility: 0.01, Return: &mean}, universe.Asked{Volatility: 0.005, Return: &half}
	one, other := a.Facts(market(1)), b.Facts(market(0.5))
	if !floats.EqualApprox(one[:], other[:], 1e-12) {
		t.Errorf("told %v, in another unit %v", one, other)
	}
}

// An asset is told what is asked of its group, as far as it belongs to it.
func TestAskedTokens(t *testing.T) {
	a := universe.Asked{Groups: []universe.Group{{Members: []float64{1, 0, 0.5}, Share: 0.75}}}
	want := mat.NewDense(3, universe.AskedFeatures, []float64{1, 0.5, 0.25, 0, 0, 0, 0.5, 0.25, 0.125})
	if got := a.Tokens(3); !mat.EqualApprox(got, want, 1e-12) {
		t.Errorf("told %v", mat.Formatted(got))
	}
}

// What is drawn to be asked of a portfolio is what it has.
func TestAsk(t *testing.T) {
	u, w := market(1), []float64{0.5, 0.3, 0.2}
	rng, nothing, open, groups := stream.New(1, "universe.test.ask", 0), 0, 0, 0
	for range 400 {
		a := u.Ask(w, rng)
		if reflect.DeepEqual(a, new(universe.Asked)) {
			nothing++
		}
		for _, test := range []struct {
			asked bool
			value float64
			want  float64
		}{
			{a.Volatility > 0, a.Volatility, math.Sqrt(0.25e-4 + 0.36e-4 + 0.64e-4)},
			{a.Effective > 0, a.Effective, 1 / 0.38}, {a.Largest > 0, a.Largest, 0.5},
		} {
			if !test.asked {
				open++
			} else if math.Abs(test.value-test.want) > 1e-12 {
				t.Fatalf("asked for %+v of %v", a, w)
			}
		}
		if a.Return != nil && math.Abs(*a.Return-0.0009) > 1e-12 {
			t.Fatalf("asked for a return of %v", *a.Return)
		}
		for _, g := range a.Groups {
			groups++
			if math.Abs(g.Share-floats.Dot(g.Members, w)) > 1e-12 {
				t.Fatalf("asked for %+v of %v", g, w)
			}
		}
	}
	// Half are asked for by nothing, others by each fact in .35, and by 2 groups on average in
	// as many; .65^5 of these by nothing either. That is 223, 990 and 140 on average, here
	// within five standard deviations.
	if math.Abs(float64(nothing-223)) > 50 || math.Abs(float64(open-990)) > 85 || math.Abs(float64(groups-140)) > 90 {
		t.Errorf("%d of 400 ask for nothing, %d of 1,200 facts are open, %d groups", nothing, open, groups)
	}
}
