package inference

import (
	"math"
	"slices"
	"testing"
)

func TestVolatilityInterval(t *testing.T) {
	x := []float64{.01, -.02, .015, .003, -.007, .012, -.001, .004, -.013, .02, .006, -.005}
	// By numpy 2.4 from the formulas.
	low, high := VolatilityInterval(x)
	for _, c := range [][2]float64{{low, 0.008034254878855306}, {high, 0.01726697432668929}} {
		if math.Abs(c[0]/c[1]-1) > 1e-12 {
			t.Errorf("%v, want %v", c[0], c[1])
		}
	}
	moved := slices.Clone(x)
	for i := range moved {
		moved[i] = 3*moved[i] + 0.1
	}
	if a, b := VolatilityInterval(moved); math.Abs(a/(3*low)-1) > 1e-12 || math.Abs(b/(3*high)-1) > 1e-12 {
		t.Errorf("of 3x + .1: %v to %v, want three times %v to %v", a, b, low, high)
	}
	if a, b := VolatilityInterval(slices.Repeat([]float64{0.1}, 50)); a != 0 || b != 0 {
		t.Errorf("of a constant: %v to %v, want 0 to 0", a, b)
	}
	if a, b := VolatilityInterval(x[:7]); !math.IsNaN(a) || !math.IsNaN(b) {
		t.Errorf("of 7 periods: %v to %v, want NaN", a, b)
	}
}

// Of made-up returns, by numpy 2.4 from the formulas.
func TestIntervalsOfSpread(t *testing.T) {
	var x, y []float64
	for i := 1.0; i <= 240; i++ {
		r := 0.001 + 0.02*math.Sin(1.7*i) + 0.01*math.Cos(0.3*i*i)
		x, y = append(x, r), append(y, 0.5*r+0.01*math.Sin(2.3*i))
	}
	var got []float64
	add := func(low, high float64) { got = append(got, low, high) }
	add(CorrelationInterval(x, y))
	add(VaRInterval(x, 0.95))
	add(CVaRInterval(x, 0.95))
	add(VaRInterval(x, 0.90))
	add(CVaRInterval(x, 0.90))
	want := []float64{0.727985027392304, 0.7812812517134111, 0.02045659668463279, 0.026998588340809627,
		0.02506155262022596, 0.028412549269020718, 0.01886370886051686, 0.02259648347850581,
		0.023099021575162554, 0.026585661503506743}
	for k := range want {
		if !(math.Abs(got[k]/want[k]-1) <= 1e-12) {
			t.Errorf("number %d is %v, want %v", k, got[k], want[k])
		}
	}
	flat := slices.Repeat([]float64{0.1}, len(x))
	for name, of := range map[string]func() (float64, float64){
		"a correlation of 7 periods": func() (float64, float64) { return CorrelationInterval(x[:7], y[:7]) },
		"one with a constant":        func() (float64, float64) { return CorrelationInterval(x, flat) },
		"a VaR of 59 periods":        func() (float64, float64) { return VaRInterval(x[:59], 0.95) },
		"a CVaR of 239 periods":      func() (float64, float64) { return CVaRInterval(x[:239], 0.95) },
	} {
		if low, high := of(); !math.IsNaN(low) || !math.IsNaN(high) {
			t.Errorf("%s: %v to %v, want NaN", name, low, high)
		}
	}
	if low, high := CorrelationInterval(x, x); low != 1 || high != 1 {
		t.Errorf("a track with itself: %v to %v, want 1", low, high)
	}
	if low, high := VaRInterval(x[:60], 0.95); !(low < high) {
		t.Errorf("a VaR of 60 periods: %v to %v", low, high)
	}
}

// The sum that is carried on is the one over all lags.
func TestBartlett(t *testing.T) {
	for _, bandwidth := range []float64{1, 2, 2.4, 30, 72.3, 240} {
		var y []float64
		for i := 1.0; i <= 240; i++ {
			y = append(y, math.Sin(0.2*i)+math.Cos(0.3*i*i))
		}
		if got, want := bartlett(y, bandwidth), longRun(y, Bartlett, bandwidth); !(math.Abs(got-want) <= 1e-11) {
			t.Errorf("bandwidth %v: %v, want %v", bandwidth, got, want)
		}
	}
}
