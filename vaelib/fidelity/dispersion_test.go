package fidelity_test

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/fidelity"
)

func ExampleMeasureDispersion() {
	reference := mat.NewDense(4, 2, []float64{0, 0, 4, 0, 0, 2, 4, 2})
	narrow := mat.NewDense(4, 2, []float64{1, 0, 3, 0, 1, 2, 3, 2})
	d, err := fidelity.MeasureDispersion(narrow, reference)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.3f in all, %.1f by direction\n", d.Ratio, d.Directions)
	// Output: 0.632 in all, [0.5 1.0] by direction
}

func TestDispersion(t *testing.T) {
	x := portfolios(t, 300, 0.5, 1)
	var third mat.Dense
	third.Scale(1.0/3, x)
	for _, test := range []struct {
		name   string
		sample *mat.Dense
		want   float64
	}{
		{"itself", x, 1}, {"moved", shifted(x, 5), 1}, {"reordered", reordered(x, 1), 1},
		{"a third", &third, 1.0 / 3}, {"collapsed", mat.NewDense(10, 12, nil), 0},
	} {
		d := must[fidelity.Dispersion](t)(fidelity.MeasureDispersion(test.sample, x))
		near(t, test.name, d.Ratio, test.want, 1e-12)
		if len(d.Directions) != 11 { // weights sum to 1
			t.Errorf("%s: %d directions, want 11", test.name, len(d.Directions))
		}
		for i, ratio := range d.Directions {
			near(t, fmt.Sprintf("%s in direction %d", test.name, i), ratio, test.want, 1e-9)
		}
		var total float64
		for i, value := range d.ReferenceSpectrum {
			total += value
			near(t, "eigenvalue", d.Spectrum[i], test.want*test.want*value, 1e-12)
			if i > 0 && value > d.ReferenceSpectrum[i-1] {
				t.Errorf("eigenvalue %d is larger than the one before", i)
			}
		}
		if total <= 0 || math.IsNaN(total) {
			t.Errorf("total variance %v", total)
		}
	}
	if _, err := fidelity.MeasureDispersion(x, mat.NewDense(10, 12, nil)); err == nil {
		t.Error("a reference without spread was accepted")
	}
}
