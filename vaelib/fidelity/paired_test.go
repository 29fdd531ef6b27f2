package fidelity_test

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/fidelity"
)

// The energy of pairs is the mean over choices of pairs of that of two samples, and
// its standard error is how much it differs between samples.
func TestPairedEnergy(t *testing.T) {
	const n = 200
	pairs := func(seed uint64) (a, b *mat.Dense) {
		common, own := normals(n, 2, seed), normals(n, 2, seed+1000)
		a, b = mat.NewDense(n, 2, nil), mat.NewDense(n, 2, nil)
		for i := range n {
			a.SetRow(i, []float64{common.At(i, 0), common.At(i, 1)})
			b.SetRow(i, []float64{common.At(i, 0), 0.7*common.At(i, 1) + 0.7*own.At(i, 0)})
		}
		return shifted(a, 0.2), b
	}
	a, b := pairs(1)
	energy, _, err := fidelity.PairedEnergy(ctx, a, b)
	if err != nil {
		t.Fatal(err)
	}
	var halves []float64
	for seed := range uint64(200) {
		x, y := reordered(a, seed), reordered(b, seed)
		got := must[fidelity.TwoSample](t)(fidelity.Distinguish(ctx, x.Slice(0, n/2, 0, 2).(*mat.Dense),
			y.Slice(n/2, n, 0, 2).(*mat.Dense), fidelity.TestSettings{Permutations: 1, Bandwidth: 1}))
		halves = append(halves, got.Energy)
	}
	mean, deviation := moments(halves)
	near(t, "energy of pairs", energy, mean, 4*deviation/math.Sqrt(float64(len(halves))))

	var energies, errors []float64
	for seed := range uint64(100) {
		a, b := pairs(10 + 3*seed)
		e, se, err := fidelity.PairedEnergy(ctx, a, b)
		if err != nil {
			t.Fatal(err)
		}
		energies, errors = append(energies, e), append(errors, se)
	}
	_, deviation = moments(energies)
	if se, _ := moments(errors); se < 0.9*deviation || se > 1.4*deviation {
		t.Errorf("a standard error of %v on average, the deviation is %v", se, deviation)
	}

	if e, se, err := fidelity.PairedEnergy(ctx, a, a); err != nil || math.Abs(e) > 1e-15 || se > 1e-15 {
		t.Errorf("a sample beside itself: %v ± %v (%v)", e, se, err)
	}
	if _, _, err := fidelity.PairedEnergy(ctx, a, b.Slice(0, n-1, 0, 2).(*mat.Dense)); err == nil {
		t.Error("a row without its pair is accepted")
	}
}
