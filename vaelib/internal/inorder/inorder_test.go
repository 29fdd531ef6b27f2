package inorder_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"vaefolio/vaelib/internal/inorder"
)

func TestSumDependsOnNumbersAlone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 70 {
		here, there := make([]float64, n+1)[:n], make([]float64, n+1)[1:]
		for i := range here {
			here[i] = r.NormFloat64()
		}
		copy(there, here)
		if a, b := inorder.Sum(here), inorder.Sum(there); a != b {
			t.Errorf("%d numbers: %v, and 8 bytes later %v", n, a, b)
		}
	}
	if got := inorder.Mean([]float64{1, 2, 6}); got != 3 {
		t.Errorf("mean of 1, 2, 6 is %v", got)
	}
	if got := inorder.Mean(nil); !math.IsNaN(got) {
		t.Errorf("mean of nothing is %v, want NaN", got)
	}
}
