package fidelity_test

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/stream"
)

func mixtureOf(k int) mixture.Settings { return mixture.Settings{Components: k} }

func TestResample(t *testing.T) {
	x := portfolios(t, 50, 1, 1)
	y := must[*mat.Dense](t)(fidelity.Resample(x, 2000, stream.New(1, "resample", 0)))
	m := must[fidelity.Memorisation](t)(fidelity.MeasureMemorisation(ctx, x, portfolios(t, 50, 1, 2), y))
	if m.Copies != 2000 || m.HeldOutCopies != 0 {
		t.Errorf("%d copies of 2000 and %d held-out ones", m.Copies, m.HeldOutCopies)
	}
	near(t, "dispersion", must[fidelity.Dispersion](t)(fidelity.MeasureDispersion(y, x)).Ratio, math.Sqrt(49.0/50), 0.02)
}

// The Gaussian has the training sample's mean, and its variance in the first
// directions only.
func TestPCAGaussian(t *testing.T) {
	x := portfolios(t, 500, 0.5, 1)
	const n = 40000
	for _, components := range []int{1, 4, 11, 12} {
		y := must[*mat.Dense](t)(fidelity.PCAGaussian(x, components, n, stream.New(1, "pca", 0)))
		d := must[fidelity.Dispersion](t)(fidelity.MeasureDispersion(y, x))
		for i, ratio := range d.Directions {
			if i < components {
				near(t, "standard deviation ratio", ratio, 1, 0.02)
			} else if ratio > 1e-6 {
				t.Errorf("%d components: ratio %v in direction %d", components, ratio, i)
			}
		}
		for j := range 12 {
			near(t, "mean weight", stat.Mean(mat.Col(nil, j, y), nil), stat.Mean(mat.Col(nil, j, x), nil), 0.004)
		}
		for i := range 100 {
			near(t, "sum of weights", mat.Sum(y.RowView(i)), 1, 1e-12)
		}
	}
}

func TestWeightMixture(t *testing.T) {
	x := portfolios(t, 2000, 0.5, 1)
	y := must[*mat.Dense](t)(fidelity.WeightMixture(ctx, x, mixtureOf(5), 5000, stream.New(1, "mixture", 0)))
	d := must[fidelity.Dispersion](t)(fidelity.MeasureDispersion(y, x))
	near(t, "dispersion", d.Ratio, 1, 0.02)
}

func TestReferencesRefuse(t *testing.T) {
	x, rng := portfolios(t, 50, 1, 1), stream.New(1, "r", 0)
	for _, test := range []struct {
		want string
		call func() (*mat.Dense, error)
	}{
		{"0 rows to draw", func() (*mat.Dense, error) { return fidelity.Resample(x, 0, rng) }},
		{"-1 rows to draw", func() (*mat.Dense, error) { return fidelity.PCAGaussian(x, 2, -1, rng) }},
		{"0 rows to draw", func() (*mat.Dense, error) { return fidelity.WeightMixture(ctx, x, mixtureOf(2), 0, rng) }},
		{"0 principal components of 12", func() (*mat.Dense, error) { return fidelity.PCAGaussian(x, 0, 5, rng) }},
		{"13 principal components of 12", func() (*mat.Dense, error) { return fidelity.PCAGaussian(x, 13, 5, rng) }},
	} {
		if _, err := test.call(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want one with %q", err, test.want)
		}
	}
}
