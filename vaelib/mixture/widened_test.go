package mixture

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Noise added to draws adds its variances to the covariance of every component:
// the density is that of a mixture made with the sums, and draws spread as it says.
func TestWidened(t *testing.T) {
	factor := func(a, b, c float64) []float64 { // of [[a, b], [b, c]]
		l := math.Sqrt(a)
		return []float64{l, 0, b / l, math.Sqrt(c - b*b/a)}
	}
	weights, means := []float64{0.25, 0.75}, [][]float64{{-3, 1}, {2, 0}}
	m := assemble(2, weights, means, [][]float64{factor(1, 0.5, 2), factor(0.3, -0.1, 0.2)})
	got := m.Widened([]float64{0.7, 0})
	want := assemble(2, weights, means, [][]float64{factor(1.7, 0.5, 2), factor(1, -0.1, 0.2)})
	for _, x := range [][]float64{{0, 0}, {-3, 1}, {2.5, -0.3}, {40, -7}} {
		if a, b := got.LogProb(x), want.LogProb(x); math.Abs(a-b) > 1e-9*max(1, math.Abs(b)) {
			t.Errorf("log density at %v is %v, want %v", x, a, b)
		}
	}
	x := mat.NewDense(20000, 2, nil)
	if err := got.Draw(t.Context(), x, rand.New(rand.NewPCG(1, 2))); err != nil {
		t.Fatal(err)
	}
	if v, want := stat.Variance(mat.Col(nil, 0, x), nil), 0.25*1.7+0.75+0.25*0.75*25; math.Abs(v-want) > 0.05*want {
		t.Errorf("draws have the variance %v, want %v", v, want)
	}
	if again := m.Widened([]float64{0, 0}); math.Abs(again.LogProb([]float64{1, 1})-m.LogProb([]float64{1, 1})) > 1e-12 {
		t.Error("no noise changes the density")
	}
}
