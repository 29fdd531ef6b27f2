package inference

import (
	"math"
	"testing"
)

func TestHolm(t *testing.T) {
	// statsmodels 0.14: multipletests([.01, .04, .03, .005, .6], method="holm"), by hand the same.
	got := Holm([]float64{.01, .04, math.NaN(), .03, .005, .6})
	for k, want := range []float64{.04, .09, math.NaN(), .09, .025, .6} {
		if math.Abs(got[k]-want) > 1e-15 || math.IsNaN(got[k]) != math.IsNaN(want) {
			t.Errorf("value %d is %v, want %v", k, got[k], want)
		}
	}
	if got := Holm([]float64{.9, .8}); got[0] != 1 || got[1] != 1 {
		t.Errorf("%v, want ones", got)
	}
}
