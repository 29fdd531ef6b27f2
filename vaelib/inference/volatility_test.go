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
