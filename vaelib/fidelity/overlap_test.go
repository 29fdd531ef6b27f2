package fidelity_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/vaelib/fidelity"
)

func ExampleMeasureOverlap() {
	real := mat.NewDense(4, 1, []float64{0, 1, 2, 10})
	generated := mat.NewDense(3, 1, []float64{0.5, 1.5, 30})
	o, err := fidelity.MeasureOverlap(context.Background(), real, generated, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("precision %.2f, recall %.2f, density %.2f, coverage %.2f\n", o.Precision, o.Recall, o.Density, o.Coverage)
	// Output: precision 0.67, recall 1.00, density 1.33, coverage 0.75
}

// Worked out by hand, on a line.
func TestOverlapByHand(t *testing.T) {
	for _, test := range []struct {
		name            string
		real, generated []float64
		k               int
		want            fidelity.Overlap
	}{
		{"one mode of two", []float64{0, 1, 100, 101}, []float64{0.25, 0.75}, 1,
			// Real radii 1, 1, 1, 1; generated radii .5, .5.
			fidelity.Overlap{Precision: 1, Recall: 0.5, Density: 2, Coverage: 0.5}},
		{"far away", []float64{0, 1, 2}, []float64{50, 51}, 1,
			fidelity.Overlap{}},
		{"half of it noise", []float64{0, 1, 2, 3}, []float64{0.5, 2.5, 40, 80}, 1,
			// Generated radii 2, 2, 37.5, 40: the noise's balls reach 2.5, so 3.
			fidelity.Overlap{Precision: 0.5, Recall: 1, Density: 1, Coverage: 1}},
		{"collapsed", []float64{0, 1, 2, 3}, []float64{1, 1, 1}, 2,
			// Real radii 2, 1, 1, 2: all reach 1 but that of 3, which just does.
			fidelity.Overlap{Precision: 1, Recall: 0.25, Density: 2, Coverage: 1}},
	} {
		got := must[fidelity.Overlap](t)(fidelity.MeasureOverlap(ctx, column(test.real...), column(test.generated...),
			test.k))
		test.want.K, test.want.Real, test.want.Generated = test.k, len(test.real), len(test.generated)
		if got != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}

// Balls are closed: a sample against itself has all of itself, repeated rows
// and all.
func TestOverlapWithItself(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.IntRange(-3, 3), 24, 90).Draw(t, "values")
		n := len(values) / 3
		x := mat.NewDense(n, 3, nil)
		for i := range n * 3 {
			x.Set(i/3, i%3, float64(values[i])/7)
		}
		k := rapid.IntRange(1, 7).Draw(t, "k")
		o, err := fidelity.MeasureOverlap(ctx, x, x, k)
		if err != nil {
			t.Fatal(err)
		}
		if o.Precision != 1 || o.Recall != 1 || o.Coverage != 1 || o.Density < 1 {
			t.Fatalf("a sample against itself: %+v", o)
		}
	})
}

// The order of rows doesn't matter, and neither does a common scale or shift.
func TestOverlapInvariance(t *testing.T) {
	x, y := normals(300, 4, 1), shifted(normals(250, 4, 2), 0.7)
	want := must[fidelity.Overlap](t)(fidelity.MeasureOverlap(ctx, x, y, 5))
	if got := must[fidelity.Overlap](t)(fidelity.MeasureOverlap(ctx, reordered(x, 1), reordered(y, 2), 5)); got != want {
		t.Errorf("reordered rows: %+v, want %+v", got, want)
	}
	var x2, y2 mat.Dense
	x2.Scale(4, x)
	y2.Scale(4, y)
	if got := must[fidelity.Overlap](t)(fidelity.MeasureOverlap(ctx, &x2, &y2, 5)); got != want {
		t.Errorf("scaled rows: %+v, want %+v", got, want)
	}
}

// Expected coverage and density of two samples of one distribution, in closed
// form (Naeem et al. 2020).
func TestOverlapOfOneDistribution(t *testing.T) {
	for _, test := range []struct{ n, m, k int }{{400, 400, 3}, {400, 400, 5}, {300, 600, 2}} {
		const repeats = 20
		var coverage, density float64
		for r := range repeats {
			o := must[fidelity.Overlap](t)(fidelity.MeasureOverlap(ctx, normals(test.n, 3, uint64(2*r)),
				normals(test.m, 3, uint64(2*r+1)), test.k))
			coverage += o.Coverage / repeats
			density += o.Density / repeats
		}
		missed := 1.0
		for j := 1; j <= test.k; j++ {
			missed *= float64(test.n-j) / float64(test.n+test.m-j)
		}
		// The spread of the mean coverage is about sqrt(missed/(n repeats)).
		near(t, fmt.Sprintf("coverage at %+v", test), coverage, 1-missed, 4*math.Sqrt(missed/float64(test.n*repeats)))
		near(t, fmt.Sprintf("density at %+v", test), density, 1, 0.03)
	}
}

func BenchmarkMeasureOverlap(b *testing.B) {
	for _, n := range []int{2000, 5000} {
		b.Run(fmt.Sprint(n, "x12"), func(b *testing.B) {
			x, y := portfolios(b, n, 1, 1), portfolios(b, n, 1, 2)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := fidelity.MeasureOverlap(ctx, x, y, 5); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
