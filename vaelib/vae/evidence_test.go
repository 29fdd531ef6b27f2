package vae

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distmv"

	"vaefolio/vaelib/stream"
)

// marginal is p(x) of a model without hidden layers and with the linear head,
// under conditions as the network sees them (K): normal, with the mean
// b + K'U and the covariance W'W plus the decoder's noise, for W (d x n) and
// U (K x n) the parts of its weights.
func marginal(t *testing.T, m *Model, conditions []float32) *distmv.Normal {
	t.Helper()
	n, last := m.config.Assets, m.programs.network.decoder[0]
	weight := func(i, j int) float64 { return float64(m.theta[last.offset+i*n+j]) }
	mean, covariance := make([]float64, n), mat.NewSymDense(n, nil)
	for j, noise := range m.DecoderVariances() {
		mean[j] = float64(m.theta[last.biasOffset()+j])
		for k, v := range conditions {
			mean[j] += float64(v) * weight(m.config.Latent+k, j)
		}
		for i := range j + 1 {
			var sum float64
			for k := range m.config.Latent {
				sum += weight(k, i) * weight(k, j)
			}
			if i == j {
				sum += noise
			}
			covariance.SetSym(i, j, sum)
		}
	}
	d, ok := distmv.NewNormal(mean, covariance, nil)
	if !ok {
		t.Fatal("covariance is not positive definite")
	}
	return d
}

// conditionalRows are rows of 5 numbers that a number and a category explain
// in part, with both as conditions.
func conditionalRows(rows int, index uint64) (x, conditions *mat.Dense) {
	rng := stream.New(1, "vae.test.conditional", index)
	x, conditions = mat.NewDense(rows, 5, nil), mat.NewDense(rows, 2, nil)
	for i := range rows {
		number, level := 3+2*rng.NormFloat64(), rng.IntN(2)
		conditions.SetRow(i, []float64{number, float64(level)})
		f := rng.NormFloat64()
		for j := range 5 {
			x.Set(i, j, 0.3*number*float64(j-2)+float64(level*j)/4+f*float64(1+j%2)+0.5*rng.NormFloat64())
		}
	}
	return x, conditions
}

// A linear VAE has p(x) in closed form, whatever its parameters are. The
// estimate meets it, in the middle of a training, where the ELBO does not, and at
// the end; with a Gaussian likelihood also for other betas, whose noise is not
// the training rows' variance.
func TestEvidenceClosedForm(t *testing.T) {
	if testing.Short() {
		t.Skip("trains as other tests do, for long: run without -short")
	}
	plain := gaussianRows(2000, []float64{4, 2, 0.8, 0.5, 0.3})
	given, givenConditions := conditionalRows(2000, 0)
	heldOut, heldOutConditions := conditionalRows(300, 1)
	b := openTest(t, "go")
	for _, test := range []struct {
		name, likelihood string
		beta             float64
		steps            int
		conditional      bool
	}{
		{"half trained", "gaussian", 1, 150, false},
		{"gaussian", "gaussian", 1, 1500, false},
		{"half beta", "gaussian", 0.4, 1500, false},
		{"sum of squares", "mse-sum", 1.5, 1500, false},
		{"variances", "gaussian-learned", 1, 1500, false},
		{"variance", "gaussian-sigma", 1, 1500, false},
		{"conditional", "gaussian", 0.3, 1500, true},
	} {
		c, s := small()
		c.Assets, c.Latent, c.Hidden, c.Head, c.Likelihood, c.Beta = 5, 2, nil, "linear", test.likelihood, test.beta
		s.Steps, s.Batch, s.LearningRate = test.steps, 64, 1e-2
		train, x, options, conditions := plain, plain.Slice(0, 300, 0, 5).(*mat.Dense), TrainOptions{}, (*mat.Dense)(nil)
		if test.conditional {
			c.Conditions = []Condition{{Name: "level"}, {Name: "regime", Levels: []string{"calm", "wild"}}}
			train, x, options.Conditions, conditions = given, heldOut, givenConditions, heldOutConditions
		}
		m, _ := mustTrain(t, b, c, s, train, nil, options)
		e, err := m.Evidence(t.Context(), x, conditions, 500, 1)
		if err != nil {
			t.Fatal(err)
		}
		want := make([]float64, 300)
		for i := range want {
			expanded := make([]float32, c.conditionWidth())
			if test.conditional {
				m.scaling.expand(expanded, c.Conditions, conditions.RawRowView(i))
			}
			want[i] = marginal(t, m, expanded).LogProb(x.RawRowView(i))
		}
		exact := stat.Mean(want, nil)
		t.Logf("%s: closed form %.4f, estimate %.4f, ELBO %.4f", test.name, exact, e.LogLikelihood, e.ELBO)
		if math.Abs(e.LogLikelihood-exact) > 0.02 {
			t.Errorf("%s: log likelihood %v, closed form %v", test.name, e.LogLikelihood, exact)
		}
		if e.ELBO > e.LogLikelihood || test.steps > 1000 && e.ELBO < exact-0.02 {
			t.Errorf("%s: ELBO %v is above the log likelihood %v, or a trained encoder's and far below it", test.name, e.ELBO,
				e.LogLikelihood)
		}
		if e.Rows != 300 || e.Samples != 500 || math.Abs(stat.Mean(e.ByRow, nil)-e.LogLikelihood) > 1e-9 {
			t.Errorf("%s: %d rows and %d codes, mean by row %v of %v", test.name, e.Rows, e.Samples, stat.Mean(e.ByRow, nil),
				e.LogLikelihood)
		}
	}
}

// One code gives the ELBO; more raise the bound, but for noise. A seed repeats,
// and rows come in blocks.
func TestEvidenceCodes(t *testing.T) {
	c, s := small()
	s.LearningRate, c.Beta = 1e-2, 1
	m, _ := mustTrain(t, openTest(t, "go"), c, s, dirichletRows(500, 6, 0), nil, TrainOptions{})
	x := dirichletRows(1100, 6, 1)
	evidence := func(samples int, seed uint64) *Evidence {
		e, err := m.Evidence(t.Context(), x, nil, samples, seed)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	before := evidence(1, 1)
	if math.Abs(before.ELBO-before.LogLikelihood) > 1e-9 {
		t.Errorf("with one code the ELBO is %v and the log likelihood %v", before.ELBO, before.LogLikelihood)
	}
	first := before
	for _, samples := range []int{4, 16, 64} {
		e := evidence(samples, 1)
		gain := make([]float64, len(e.ByRow))
		for i := range gain {
			gain[i] = e.ByRow[i] - before.ByRow[i]
		}
		if mean, sd := stat.MeanStdDev(gain, nil); mean < -3*sd/math.Sqrt(float64(len(gain))) {
			t.Errorf("%d codes: %v nats beside %v of fewer", samples, e.LogLikelihood, before.LogLikelihood)
		}
		before = e
	}
	if before.LogLikelihood < first.LogLikelihood+0.01 {
		t.Errorf("64 codes gain %v nats over one", before.LogLikelihood-first.LogLikelihood)
	}
	if again := evidence(64, 1); again.ELBO != before.ELBO || !slices.Equal(again.ByRow, before.ByRow) {
		t.Error("one seed gave two estimates")
	}
	if other := evidence(64, 2); slices.Equal(other.ByRow, before.ByRow) {
		t.Error("two seeds gave one estimate")
	}
}

func TestEvidenceErrors(t *testing.T) {
	b := openTest(t, "go")
	m := tiny(t, b)
	c, s := small()
	c.Beta, s.Steps = 0, 5
	silent, _ := mustTrain(t, b, c, s, dirichletRows(50, 6, 0), nil, TrainOptions{})
	c.Beta, c.Conditions = 0.1, []Condition{{Name: "level"}}
	conditions := mat.NewDense(50, 1, normals(stream.New(1, "vae.test.evidence", 0), 50, 1))
	conditional, _ := mustTrain(t, b, c, s, dirichletRows(50, 6, 0), nil, TrainOptions{Conditions: conditions})
	x := dirichletRows(3, 6, 0)
	for _, test := range []struct {
		want     string
		model    *Model
		x, given *mat.Dense
		samples  int
	}{
		{"0 codes a row, want at least 1", m, x, nil, 0},
		{"rows have 4 columns, want 6", m, dirichletRows(3, 4, 0), nil, 5},
		{"no rows", m, nil, nil, 5},
		{"conditions for a model without conditions", m, x, mat.NewDense(3, 1, nil), 5},
		{"the model has 1 conditions and none are given", conditional, x, nil, 5},
		{"conditions are 2 x 1, want 3 x 1", conditional, x, mat.NewDense(2, 1, nil), 5},
		{"no noise", silent, x, nil, 5},
	} {
		e, err := test.model.Evidence(t.Context(), test.x, test.given, test.samples, 1)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %+v, %v, want an error with %q", e, err, test.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Evidence(ctx, x, nil, 5, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled estimate returned %v", err)
	}
	// Given once or row by row, conditions are the same.
	given, err := conditional.Given([]float64{0.5})
	if err != nil {
		t.Fatal(err)
	}
	once, err := given.Evidence(t.Context(), x, nil, 5, 1)
	if err != nil {
		t.Fatal(err)
	}
	byRow, err := conditional.Evidence(t.Context(), x, mat.NewDense(3, 1, []float64{0.5, 0.5, 0.5}), 5, 1)
	if err != nil || !slices.Equal(once.ByRow, byRow.ByRow) {
		t.Errorf("evidence %v under given conditions, %v row by row: %v", once.ByRow, byRow.ByRow, err)
	}
}
