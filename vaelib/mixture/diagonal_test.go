package mixture

import (
	"math"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/stream"
)

// Without correlations an iteration has the log likelihood of [Mixture.LogProb], and
// never lowers it; one component is the normal of each column by itself.
func TestDiagonal(t *testing.T) {
	rng := stream.New(1, "mixture.test.diagonal", 0)
	x := mat.NewDense(700, 5, nil)
	for i := range 700 {
		side := float64(2*(i%2) - 1)
		for j := range 5 {
			x.Set(i, j, side*float64(j)+0.3*rng.NormFloat64())
		}
	}
	x, _ = centred(x)
	for _, workers := range []int{1, 3} {
		was := runtime.GOMAXPROCS(workers)
		m := start(x, 6, meanSquare(x), stream.New(1, "mixture.test.diagonal", 1))
		step := newDiagonal(x, 6, 0)
		last := math.Inf(-1)
		for range 15 {
			var want float64
			for i := range 700 {
				want += m.LogProb(x.RawRowView(i))
			}
			next, got, err := step(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(got-want) > 1e-8*math.Abs(want) || got < last-1e-9*math.Abs(last) && next.Components() == m.Components() {
				t.Fatalf("log likelihood %v, want %v, after %v", got, want, last)
			}
			m, last = next, got
		}
		runtime.GOMAXPROCS(was)
	}
	one, err := Fit(t.Context(), x, Settings{Components: 1, Diagonal: true, Ridge: 1e-12}, rng)
	if err != nil {
		t.Fatal(err)
	}
	for j := range 5 {
		_, deviation := stat.PopMeanStdDev(mat.Col(nil, j, x), nil)
		if got := one.factors[0][j*5+j]; math.Abs(got-deviation) > 1e-9 || j > 0 && one.factors[0][j*5] != 0 {
			t.Errorf("column %d: deviation %v, want %v", j, got, deviation)
		}
	}
	many, err := Fit(t.Context(), x, Settings{Components: 2, Diagonal: true}, rng)
	if err != nil {
		t.Fatal(err)
	}
	var single, double float64
	for i := range 700 {
		single += one.LogProb(x.RawRowView(i)) / 700
		double += many.LogProb(x.RawRowView(i)) / 700
	}
	if double < single+3 { // two clouds far apart in four columns
		t.Errorf("two components have %v nats a row, one %v", double, single)
	}
}
