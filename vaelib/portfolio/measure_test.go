package portfolio

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func TestMeasures(t *testing.T) {
	w := []float64{0.5, 0.3, 0.2}
	for _, test := range []struct {
		measure Measure
		want    float64
	}{
		{Measure{Name: "sector.A", Form: Linear, Vector: []float64{1, 0, 0.5}}, 0.6},
		{Measure{Name: "volatility", Form: Norm, Matrix: [][]float64{{0.2, 0}, {0, 0.1}, {0.1, 0.3}}}, math.Hypot(0.5*0.2+0.2*0.1, 0.3*0.1+0.2*0.3)},
		{Measure{Name: "effective_assets", Form: Effective}, 1 / 0.38},
		{Measure{Name: "max_weight", Form: Largest}, 0.5},
	} {
		if err := test.measure.Check(3); err != nil {
			t.Error(err)
		}
		if got := test.measure.Value(w); math.Abs(got-test.want) > 1e-15 {
			t.Errorf("%s is %v, want %v", test.measure.Name, got, test.want)
		}
		gradient := make([]float64, 3)
		if got := test.measure.Gradient(gradient, w); got != test.measure.Value(w) {
			t.Errorf("%s is %v beside its gradient", test.measure.Name, got)
		}
		for i := range w {
			const h = 1e-6
			up, down := slices.Clone(w), slices.Clone(w)
			up[i], down[i] = w[i]+h, w[i]-h
			if want := (test.measure.Value(up) - test.measure.Value(down)) / (2 * h); math.Abs(gradient[i]-want) > 1e-7 {
				t.Errorf("%s has the derivative %v by weight %d, want %v", test.measure.Name, gradient[i], i, want)
			}
		}
	}
}

func TestMeasureErrors(t *testing.T) {
	for _, test := range []struct {
		measure Measure
		want    string
	}{
		{Measure{Name: "a", Form: Linear, Vector: []float64{1}}, "vector of 1"},
		{Measure{Name: "a", Form: Linear, Vector: []float64{1, math.NaN()}}, "NaN"},
		{Measure{Name: "a", Form: Norm, Matrix: [][]float64{{1}}}, "1 rows for 2"},
		{Measure{Name: "a", Form: Norm, Matrix: [][]float64{{1}, {1, 2}}}, "differ in length"},
		{Measure{Name: "a", Form: Largest, Vector: []float64{1, 2}}, "does not use"},
		{Measure{Name: "a", Form: "median"}, `form "median"`},
		{Measure{Form: Largest}, "no name"},
	} {
		if err := test.measure.Check(2); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: error %v, want one with %q", test.measure, err, test.want)
		}
	}
}
