package vae

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distmv"
)

// The closed form against the normal density with the covariance W W' + s^2 I
// of probabilistic PCA, made without it.
func TestLinearLogLikelihood(t *testing.T) {
	const d = 2
	x := gaussianRows(400, []float64{4, 2, 1, 0.5, 0.25})
	train, heldOut := x.Slice(0, 300, 0, 5).(*mat.Dense), x.Slice(300, 400, 0, 5).(*mat.Dense)
	linear, err := FitLinear(train, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := linear.LogLikelihood(heldOut, nil, d)
	if err != nil {
		t.Fatal(err)
	}
	mean := make([]float64, 5)
	for j := range mean {
		mean[j] = stat.Mean(mat.Col(nil, j, train), nil)
	}
	var covariance mat.SymDense
	stat.CovarianceMatrix(&covariance, train, nil)
	covariance.ScaleSym(299.0/300, &covariance)
	var svd mat.SVD
	if !svd.Factorize(&covariance, mat.SVDFull) {
		t.Fatal("no singular values")
	}
	values := svd.Values(nil)
	noise := stat.Mean(values[d:], nil)
	var u mat.Dense
	svd.UTo(&u)
	model := mat.NewSymDense(5, nil)
	for j, v := range values {
		if j >= d {
			v = noise
		}
		model.SymRankOne(model, v, u.ColView(j))
	}
	normal, ok := distmv.NewNormal(mean, model, nil)
	if !ok {
		t.Fatal("the covariance is not positive")
	}
	var want float64
	for i := range 100 {
		want += normal.LogProb(heldOut.RawRowView(i)) / 100
	}
	if math.Abs(got-want) > 1e-9 {
		t.Errorf("log likelihood %v, by the density %v", got, want)
	}

	flat := dirichletRows(50, 4, 0) // three directions
	if linear, err = FitLinear(flat, nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, d := range []int{0, 3, 4, 9} {
		if v, err := linear.LogLikelihood(flat, nil, d); err == nil {
			t.Errorf("%d dimensions of weights in 3 directions: %v", d, v)
		}
	}
}

// A linear VAE that learns one variance is probabilistic PCA (Lucas et al.
// 2019), and in its optimum q(z|x) is the posterior: at beta 1 its evidence
// lower bound, and so its likelihood, is the closed form's, here within 1 %.
func TestEvidenceOfLinearModel(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	x := gaussianRows(4096, []float64{4, 2, 0.5, 0.5, 0.5})
	b := openTest(t, "go")
	c := DefaultConfig(5)
	c.Latent, c.Hidden, c.Head, c.Likelihood, c.Beta = 2, nil, "linear", "gaussian-sigma", 1
	s := Schedule{Steps: 3000, Batch: 128, LearningRate: 0.01, Warmup: 0.2, EvalEvery: 3000}
	m, _ := mustTrain(t, b, c, s, x, x, TrainOptions{})
	e, err := m.Evidence(t.Context(), x, nil, 64, 1)
	if err != nil {
		t.Fatal(err)
	}
	linear, err := FitLinear(x, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := linear.LogLikelihood(x, nil, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("ELBO %.4f, importance-weighted %.4f, probabilistic PCA %.4f", e.ELBO, e.LogLikelihood, want)
	if e.LogLikelihood < e.ELBO || math.Abs(e.ELBO-want) > 0.01*math.Abs(want) ||
		math.Abs(e.LogLikelihood-want) > 0.01*math.Abs(want) {
		t.Errorf("ELBO %v, importance-weighted %v, want within 1 %% of probabilistic PCA's %v", e.ELBO, e.LogLikelihood, want)
	}
}
