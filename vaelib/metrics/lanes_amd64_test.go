package metrics

import (
	"testing"

	"gonum.org/v1/gonum/mat"
)

// Every kernel gives the bits of the scalar code: for all conventions, blocks
// that are not full, and returns and weights of any size and sign.
func TestKernelsAgree(t *testing.T) {
	defer func(avx2, avx512 bool) { hasAVX2, hasAVX512 = avx2, avx512 }(hasAVX2, hasAVX512)
	kernels := []struct {
		name         string
		avx2, avx512 bool
		runs         bool
	}{
		{"plain", false, false, true},
		{"AVX2", true, false, hasAVX2},
		{"AVX-512", true, true, hasAVX512},
	}
	wild := market(7, 61, 5) // ruin, everything lost, overflow
	wild.Set(3, 0, -1)
	wild.Set(17, 1, -1)
	wild.Set(20, 2, 1e15)
	flat := mat.NewDense(9, 3, nil)
	for _, kernel := range kernels {
		if !kernel.runs {
			t.Logf("no %s on this machine", kernel.name)
			continue
		}
		for _, convention := range Conventions() {
			for _, returns := range []*mat.Dense{market(6, 2, 3), market(6, 143, 40), market(6, 64, 1), wild, flat} {
				_, n := returns.Dims()
				e := newEvaluator(t, returns, Settings{Convention: convention, RiskFree: 0.02, MAR: 0.01})
				weights := simplexRows(8, lanes+13, n)
				weights.Set(1, 0, -2.5)
				weights.Set(2, n-1, 1e15)
				weights.Set(3, n-1, -1e15)
				clear(weights.RawRowView(4))
				rows, _ := weights.Dims()
				batch := make([]Figures, rows)
				hasAVX2, hasAVX512 = kernel.avx2, kernel.avx512
				if err := e.EvaluateAll(t.Context(), weights, batch); err != nil {
					t.Fatal(err)
				}
				for i, got := range batch {
					if want := evaluate(t, e, weights.RawRowView(i)...); got != want {
						t.Fatalf("%s, %s: row %d of %d assets is %+v, want %+v", kernel.name, convention, i, n, got, want)
					}
				}
			}
		}
	}
}
