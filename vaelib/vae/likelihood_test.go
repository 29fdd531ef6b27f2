package vae

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/stream"
)

// factorRows have one factor and independent noise of the given standard
// deviations.
func factorRows(rows int, noise []float64) *mat.Dense {
	rng := stream.New(1, "vae.test.factor", 0)
	x := mat.NewDense(rows, len(noise), nil)
	for i := range rows {
		f := rng.NormFloat64()
		for j, s := range noise {
			x.Set(i, j, f*float64(1+j%2)+s*rng.NormFloat64())
		}
	}
	return x
}

// A linear VAE with learned variances is factor analysis: it finds the noise
// of each asset. Saved and loaded it decodes and weighs the same.
func TestLearnedVariances(t *testing.T) {
	if testing.Short() {
		t.Skip("trains as other tests do, for long: run without -short")
	}
	noise := []float64{0.3, 0.5, 0.7, 0.9, 1.1, 0.6}
	c, s := small()
	c.Latent, c.Hidden, c.Head, c.Likelihood, c.Beta = 1, nil, "linear", "gaussian-learned", 1
	s.Steps, s.Batch, s.LearningRate = 2000, 128, 1e-2
	forBackends(t, func(t *testing.T, b *Backend) {
		m, _ := mustTrain(t, b, c, s, factorRows(4000, noise), nil, TrainOptions{})
		v := m.DecoderVariances()
		for j, sd := range noise {
			if want := sd * sd; math.Abs(v[j]-want) > 0.1*want {
				t.Errorf("variance of asset %d is %v, want %v", j+1, v[j], want)
			}
		}
		dir := t.TempDir()
		if err := m.Save(dir); err != nil {
			t.Fatal(err)
		}
		loaded, err := Load(b, dir)
		if err != nil {
			t.Fatal(err)
		}
		if got := loaded.Beta(); got != m.Beta() || !(got > 0 && got < 1) {
			t.Errorf("beta without unit is %v, after loading %v", m.Beta(), got)
		}
	})
}

// Rows without noise send the learned variance to its floor, not to 0.
func TestLearnedVarianceFloor(t *testing.T) {
	c, s := small()
	c.Latent, c.Hidden, c.Head, c.Likelihood, c.Beta = 2, nil, "linear", "gaussian-learned", 1
	s.Steps, s.LearningRate = 800, 3e-2
	m, _ := mustTrain(t, openTest(t, "go"), c, s, factorRows(500, make([]float64, 6)), nil, TrainOptions{})
	for j, v := range m.DecoderVariances() {
		if r := v / m.Variance(); !(r >= varianceFloor && r < 5*varianceFloor) {
			t.Errorf("variance of asset %d is %v of the rows', want near %v", j+1, r, varianceFloor)
		}
	}
}

// A linear VAE with one learned variance is probabilistic PCA, in whose optimum
// the variance is the mean of the eigenvalues left out (Tipping & Bishop 1999,
// eq. 8). Saved and loaded it is the same.
func TestOneLearnedVariance(t *testing.T) {
	if testing.Short() {
		t.Skip("trains as other tests do, for long: run without -short")
	}
	x := gaussianRows(4000, []float64{4, 2, 0.8, 0.5, 0.3, 0.1})
	linear, err := FitLinear(x, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := stat.Mean(linear.values[2:], nil)
	c, s := small()
	c.Latent, c.Hidden, c.Head, c.Likelihood, c.Beta = 2, nil, "linear", "gaussian-sigma", 1
	s.Steps, s.Batch, s.LearningRate = 2000, 128, 1e-2
	forBackends(t, func(t *testing.T, b *Backend) {
		m, _ := mustTrain(t, b, c, s, x, nil, TrainOptions{})
		for j, v := range m.DecoderVariances() {
			if math.Abs(v-want) > 0.05*want || v != m.DecoderVariances()[0] {
				t.Errorf("variance of asset %d is %v, want %v for all", j+1, v, want)
			}
		}
		dir := t.TempDir()
		if err := m.Save(dir); err != nil {
			t.Fatal(err)
		}
		loaded, err := Load(b, dir)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(loaded.DecoderVariances(), m.DecoderVariances()) {
			t.Errorf("variances are %v, after loading %v", m.DecoderVariances(), loaded.DecoderVariances())
		}
	})
}
