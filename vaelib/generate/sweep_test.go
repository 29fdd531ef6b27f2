package generate

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

func TestPrincipalPlane(t *testing.T) {
	// Codes that vary along (1, 1, 0) most and along (0, 0, 1) next.
	codes := mat.NewDense(4, 3, []float64{
		3, 3, 1,
		-1, -1, 1,
		1, 1, 2,
		1, 1, 0,
	})
	p, err := PrincipalPlane(codes)
	if err != nil {
		t.Fatal(err)
	}
	root := math.Sqrt(0.5)
	for j := range 3 {
		if math.Abs(p.Origin[j]-1) > 1e-12 || math.Abs(p.Right[j]-[]float64{root, root, 0}[j]) > 1e-12 || math.Abs(p.Up[j]-[]float64{0, 0, 1}[j]) > 1e-12 {
			t.Fatalf("plane %+v", p)
		}
	}
	grid, ticks, err := p.Grid(3, 2)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ticks, []float64{-2, 0, 2}) {
		t.Errorf("ticks %v", ticks)
	}
	// Row 0 of the grid is the bottom, its column 2 the right end.
	for j, want := range []float64{1 + 2*root, 1 + 2*root, -1} {
		if math.Abs(grid.At(2, j)-want) > 1e-12 {
			t.Errorf("bottom right is %v", grid.RawRowView(2))
		}
	}
	if _, _, err := p.Grid(1, 2); err == nil {
		t.Error("no error for a grid of one point")
	}
	if _, err := PrincipalPlane(mat.NewDense(5, 1, nil)); err == nil {
		t.Error("no error for a plane in one dimension")
	}
}

func TestHaltonFillsThePrior(t *testing.T) {
	const n, d = 1024, 6
	codes, err := halton(n, d, 1)
	if err != nil {
		t.Fatal(err)
	}
	fewer, err := halton(100, d, 1)
	if err != nil || !mat.Equal(fewer, codes.Slice(0, 100, 0, d)) {
		t.Errorf("the first codes depend on how many there are (%v)", err)
	}
	// Moments are those of N(0, I), much closer than the 1/sqrt(n) = .03 of
	// random draws, and each octile of the first (base 2) holds exactly n/8.
	for j := range d {
		column := mat.Col(nil, j, codes)
		if mean := floats.Sum(column) / n; math.Abs(mean) > 0.012 {
			t.Errorf("dimension %d: mean %v", j, mean)
		}
		if second := floats.Dot(column, column) / n; math.Abs(second-1) > 0.03 {
			t.Errorf("dimension %d: second moment %v", j, second)
		}
	}
	below := 0
	for _, v := range mat.Col(nil, 0, codes) {
		if v < -1.1503493803760079 { // the first octile
			below++
		}
	}
	if below != n/8 {
		t.Errorf("%d codes in the lowest octile of dimension 1, want %d", below, n/8)
	}
	if _, err := halton(0, 3, 1); err == nil {
		t.Error("no error for no codes")
	}
}
