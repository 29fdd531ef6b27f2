package cholesky

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The factor of an exact case, by hand.
func TestFactor(t *testing.T) {
	a := []float64{4, 9, 9, 2, 10, 9, -2, 2, 6} // above the diagonal: what is left alone
	if !Factor(a, 3) {
		t.Fatal("not positive definite")
	}
	if want := []float64{2, 9, 9, 1, 3, 9, -1, 1, 2}; !slices.Equal(a, want) {
		t.Errorf("got %v, want %v", a, want)
	}
	for _, a := range [][]float64{{0}, {-1}, {math.NaN()}, {1, 0, 1, 1}, {1, 0, 2, 1}} {
		if n := int(math.Sqrt(float64(len(a)))); Factor(slices.Clone(a), n) {
			t.Errorf("%v is positive definite", a)
		}
	}
}

// A factor gives back the matrix that it was made into.
func TestFactorBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "n")
		l := make([]float64, n*n)
		for i := range n {
			for j := range i {
				l[i*n+j] = rapid.Float64Range(-2, 2).Draw(t, "below")
			}
			l[i*n+i] = rapid.Float64Range(0.5, 2).Draw(t, "diagonal")
		}
		a := make([]float64, n*n)
		for i := range n {
			for j := range n {
				for k := range min(i, j) + 1 {
					a[i*n+j] += l[i*n+k] * l[j*n+k]
				}
			}
		}
		if !Factor(a, n) {
			t.Fatal("not positive definite")
		}
		for i := range n {
			for j := range i + 1 {
				if math.Abs(a[i*n+j]-l[i*n+j]) > 1e-6 {
					t.Fatalf("entry %d, %d is %v, want %v", i, j, a[i*n+j], l[i*n+j])
				}
			}
		}
	})
}
