package vae

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
)

// gaussianRows are normal draws with the given eigenvalues, turned by a
// rotation that mixes all coordinates.
func gaussianRows(rows int, eigenvalues []float64) *mat.Dense {
	n := len(eigenvalues)
	rng := stream.New(1, "vae.test.gaussian", 0)
	var qr mat.QR
	qr.Factorize(mat.NewDense(n, n, normals(rng, n*n, 1)))
	var q, x mat.Dense
	qr.QTo(&q)
	z := mat.NewDense(rows, n, normals(rng, rows*n, 1))
	for j, l := range eigenvalues {
		for i := range rows {
			z.Set(i, j, z.At(i, j)*math.Sqrt(l))
		}
	}
	x.Mul(z, q.T())
	return &x
}

// A linear VAE on Gaussian data has its optimum in closed form (Lucas et al.
// 2019): direction i is kept with distortion D_i = min(lambda_i, beta v), so
// the loss is
//
//	sum_i D_i/(2v) + beta/2 log(lambda_i/D_i)
//
// over the kept directions plus the dropped ones' lambda_i/(2v), the KL is
// sum_i log(lambda_i/D_i)/2, and each active unit's variance of E[z|x] is
// 1 - beta v/lambda_i. The loss must come within 1 % of it, and the number of
// active units must be right on both sides of each threshold.
func TestLinearVAEClosedForm(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	eigenvalues := []float64{4, 2, 1, 0.5, 0.25, 0.25}
	x := gaussianRows(8192, eigenvalues)
	thresholds, err := Thresholds(x)
	if err != nil {
		t.Fatal(err)
	}
	scaling, err := newScaling(x)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range eigenvalues { // trace 8, n = 6
		if want := l * 6 / 8; math.Abs(thresholds[i]-want) > 0.05*want {
			t.Errorf("threshold %d is %v, want %v", i+1, thresholds[i], want)
		}
	}
	b := openTest(t, "go")
	c := DefaultConfig(6)
	c.Latent, c.Hidden, c.Head = 4, nil, "linear"
	s := Schedule{Steps: 4000, Batch: 128, LearningRate: 0.01, Warmup: 0.2, EvalEvery: 4000}
	betas := []float64{0.1, 0.95 * thresholds[2], 1.05 * thresholds[2], 0.95 * thresholds[0], 1.05 * thresholds[0]}
	for _, beta := range betas {
		c.Beta = beta
		m, h := mustTrain(t, b, c, s, x, x, TrainOptions{})
		var loss, kl, variances float64
		active := 0
		for i, threshold := range thresholds {
			lambda := threshold * scaling.variance
			distortion := lambda
			if i < c.Latent && threshold > beta {
				distortion = beta * scaling.variance
				active++
				variances += 1 - beta/threshold
			}
			loss += distortion/(2*scaling.variance) + beta/2*math.Log(lambda/distortion)
			kl += math.Log(lambda/distortion) / 2
		}
		got := h.Points[len(h.Points)-1].Validation
		if math.Abs(got.Total-loss) > 0.01*loss {
			t.Errorf("beta %.3f: loss %v, closed form %v", beta, got.Total, loss)
		}
		d, err := Diagnose(t.Context(), m, x, x)
		if err != nil {
			t.Fatal(err)
		}
		// A direction that is about to die may share several units, whose variances
		// add up to its own.
		var sum float64
		for _, v := range d.MeanVariances {
			sum += v
		}
		if math.Abs(sum-variances) > 0.01*variances+0.01 {
			t.Errorf("beta %.3f: units with variances %.3f, want a sum of %.3f", beta, d.MeanVariances, variances)
		}
		if d.ActiveUnits < active || (d.ActiveUnits > 0) != (active > 0) {
			t.Errorf("beta %.3f: %d active units with variances %.3f, want %d", beta, d.ActiveUnits, d.MeanVariances, active)
		}
		if math.Abs(d.KL-kl) > 0.02*kl+0.01 {
			t.Errorf("beta %.3f: KL %v, closed form %v", beta, d.KL, kl)
		}
		if (d.Warning != "") != (active == 0) {
			t.Errorf("beta %.3f: %d active units and the warning %q", beta, d.ActiveUnits, d.Warning)
		}
	}
}

// A network on Dirichlet rows is alive well below beta = n/(n-1) and dead well
// above. (In between its transition is slow, and for such skewed rows late.)
func TestDirichletCollapse(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	const n = 6
	train, heldOut := dirichletRows(2000, n, 0), dirichletRows(500, n, 1)
	b := openTest(t, "go")
	c, s := small()
	s.Steps, s.EvalEvery, s.Warmup = 1500, 500, 0.5
	for _, test := range []struct {
		beta   float64
		active int
	}{{0.3, 3}, {2.5, 0}} {
		c.Beta = test.beta
		m, _ := mustTrain(t, b, c, s, train, nil, TrainOptions{})
		d, err := Diagnose(t.Context(), m, train, heldOut)
		if err != nil {
			t.Fatal(err)
		}
		if d.ActiveUnits != test.active {
			t.Errorf("beta %v: %d active units with variances %.3f, want %d", test.beta, d.ActiveUnits, d.MeanVariances,
				test.active)
		}
		if test.active > 0 {
			if d.Warning != "" || d.R2 < 0.3 {
				t.Errorf("beta %v: R2 %v, warning %q", test.beta, d.R2, d.Warning)
			}
			continue
		}
		if !strings.HasPrefix(d.Warning, "POSTERIOR COLLAPSE: 0 of 3") || !strings.Contains(d.Warning, "lower beta") ||
			d.KL > 0.05 {
			t.Errorf("beta %v: KL %v, warning %q", test.beta, d.KL, d.Warning)
		}
	}
}

// Every symmetric Dirichlet distribution dies at n/(n-1), but for the
// direction of the sum, which holds nothing.
func TestDirichletThresholds(t *testing.T) {
	thresholds, err := Thresholds(dirichletRows(200_000, 5, 0))
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range thresholds {
		want := 5.0 / 4
		if i == 4 {
			want = 0
		}
		if math.Abs(got-want) > 0.02 {
			t.Errorf("threshold %d is %v, want %v", i+1, got, want)
		}
	}
}

func TestDiagnosticsReference(t *testing.T) {
	train, heldOut := gaussianRows(500, []float64{9, 4, 1, 0.01}), gaussianRows(600, []float64{9, 4, 1, 0.01})
	b := openTest(t, "go")
	c := DefaultConfig(4)
	c.Latent, c.Hidden, c.Head = 2, nil, "linear"
	s := Schedule{Steps: 1, Batch: 8, LearningRate: 1e-3, EvalEvery: 1}
	m, _ := mustTrain(t, b, c, s, train, nil, TrainOptions{})
	d, err := Diagnose(t.Context(), m, train, heldOut)
	if err != nil {
		t.Fatal(err)
	}
	// Principal components by singular values of the centred rows.
	mean := m.Mean()
	centred := mat.DenseCopyOf(train)
	centred.Apply(func(_, j int, v float64) float64 { return v - mean[j] }, centred)
	var svd mat.SVD
	svd.Factorize(centred, mat.SVDThin)
	var v, codes, back mat.Dense
	svd.VTo(&v)
	top := v.Slice(0, 4, 0, 2)
	test := mat.DenseCopyOf(heldOut)
	test.Apply(func(_, j int, x float64) float64 { return x - mean[j] }, test)
	codes.Mul(test, top)
	back.Mul(&codes, top.T())
	back.Sub(test, &back)
	want := 1 - math.Pow(mat.Norm(&back, 2)/mat.Norm(test, 2), 2)
	if math.Abs(d.R2PCA-want) > 1e-10 {
		t.Errorf("R2 of PCA is %v, want %v", d.R2PCA, want)
	}
	var sum float64
	for _, kl := range d.KLPerDimension {
		sum += kl
	}
	if len(d.KLPerDimension) != 2 || math.Abs(sum-d.KL) > 1e-12 || d.Rows != 600 {
		t.Errorf("KL %v is not the sum of %v over %d rows", d.KL, d.KLPerDimension, d.Rows)
	}
	// The second moment of q(z|x) over all rows is the mean of mu^2 + sigma^2.
	mu, logvar, err := m.Encode(heldOut)
	if err != nil {
		t.Fatal(err)
	}
	for j := range 2 {
		var second float64
		for i := range 600 {
			second += (mu.At(i, j)*mu.At(i, j) + math.Exp(logvar.At(i, j))) / 600
		}
		if got := d.CodeVariances[j] + d.CodeMeans[j]*d.CodeMeans[j]; math.Abs(got-second) > 1e-12*second {
			t.Errorf("dimension %d: second moment of the codes %v, want %v", j+1, got, second)
		}
	}
}

func TestDispersion(t *testing.T) {
	x := dirichletRows(100, 4, 0)
	var half mat.Dense
	half.Scale(0.5, x)
	if got, err := Dispersion(&half, x); err != nil || math.Abs(got-0.5) > 1e-12 {
		t.Errorf("dispersion of rows drawn together by half is %v, %v", got, err)
	}
	same := mat.NewDense(3, 4, nil)
	if _, err := Dispersion(x, same); err == nil {
		t.Error("dispersion beside rows without spread is no error")
	}
	if _, err := Thresholds(same); err == nil {
		t.Error("thresholds of rows without spread are no error")
	}
}
