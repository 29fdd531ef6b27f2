package vae

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/inorder"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// reconstructions runs a likelihood in float64 on rows x and what they are
// compared with (N x n, the outputs N x n or 2n).
func reconstructions(
	t *testing.T, b *Backend, l likelihood, x, xhat, output *mat.Dense, parameters []float64,
) []float64 {
	t.Helper()
	e, err := graph.NewExec(b.engine, func(x, xhat, output, parameters *graph.Node) *graph.Node {
		return l.reconstruction(reading{
			x: graph.Transpose(x, 0, 1), xhat: graph.Transpose(xhat, 0, 1), output: graph.Transpose(output, 0,
				1), parameters: parameters, variance: graph.Scalar(x.Graph(), x.DType(), 0.02),
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	matrix := func(m *mat.Dense) *tensors.Tensor {
		rows, columns := m.Dims()
		return tensors.FromFlatDataAndDimensions(mat.DenseCopyOf(m).RawMatrix().Data, rows, columns)
	}
	return call64(t, e, matrix(x), matrix(xhat), matrix(output), parameters)[0]
}

// faceRows are rows of the simplex in which all but a random number of weights,
// of at least one, are exactly 0.
func faceRows(rows, n int, index uint64) *mat.Dense {
	rng := stream.New(1, "vae.test.faces", index)
	x := mat.NewDense(rows, n, nil)
	for i := range rows {
		row := x.RawRowView(i)
		var sum float64
		for _, j := range rng.Perm(n)[:1+rng.IntN(n)] {
			row[j] = 0.01 + rng.ExpFloat64()
			sum += row[j]
		}
		for j := range row {
			row[j] /= sum
		}
	}
	return x
}

// The loss is the negative log density of package simplex's distribution, at
// rows moved inward by 1e-4: also of rows with exact zeros, which have none
// unless they are moved.
func TestDirichletDensity(t *testing.T) {
	const rows, n, inward = 200, 5, 1e-4
	x, xhat := faceRows(rows, n, 0), dirichletRows(rows, n, 2)
	for i := range rows / 2 { // half of the rows without zeros
		x.SetRow(i, dirichletRows(rows, n, 3).RawRowView(i))
	}
	forBackends(t, func(t *testing.T, b *Backend) {
		for _, kappa := range []float64{0.5, 5, 80, 3000} {
			got := reconstructions(t, b, dirichletLikelihood, x, xhat, xhat, []float64{math.Log(kappa)})
			for i := range rows {
				alpha, moved := make([]float64, n), make([]float64, n)
				for j := range n {
					alpha[j] = kappa * xhat.At(i, j)
					moved[j] = (x.At(i, j) + inward) / (1 + n*inward)
				}
				d, err := simplex.NewDirichlet(alpha)
				if err != nil {
					t.Fatal(err)
				}
				if want := -d.LogProb(moved); math.Abs(got[i]-want) > 1e-8*max(1, math.Abs(want)) {
					t.Fatalf("concentration %v, row %d: loss %v, want %v", kappa, i+1, got[i], want)
				}
			}
		}
	})
}

// tiltedRows are Dirichlet rows with concentration 60 around a mean that moves
// with two factors.
func tiltedRows(t *testing.T, rows int, index uint64) *mat.Dense {
	t.Helper()
	rng := stream.New(1, "vae.test.tilted", index)
	tilts := [2][6]float64{{1, 0.6, 0, 0, -0.6, -1}, {-0.5, 1, -0.5, 0.5, -1, 0.5}}
	x := mat.NewDense(rows, 6, nil)
	for i := range rows {
		f, g := rng.NormFloat64(), rng.NormFloat64()
		alpha := make([]float64, 6)
		for j := range alpha {
			alpha[j] = math.Exp(f*tilts[0][j] + g*tilts[1][j])
		}
		concentration := 60 / inorder.Sum(alpha)
		for j := range alpha {
			alpha[j] *= concentration
		}
		d, err := simplex.NewDirichlet(alpha)
		if err != nil {
			t.Fatal(err)
		}
		d.Rand(x.RawRowView(i), rng)
	}
	return x
}

// On data of its own kind the model is likelier than the best constant answer,
// the Dirichlet distribution fitted to the training rows, and finds their
// concentration.
func TestDirichletLearns(t *testing.T) {
	if testing.Short() {
		t.Skip("trains as other tests do, for long: run without -short")
	}
	train, heldOut := tiltedRows(t, 2000, 0), tiltedRows(t, 400, 1)
	c, s := small()
	c.Latent, c.Hidden, c.Likelihood, c.Beta = 2, []int{24}, "dirichlet", 1
	s.Steps, s.Batch, s.LearningRate = 1500, 64, 1e-2

	// The concentration at the start is that of a constant answer with the
	// training rows' variance.
	scaling, err := newScaling(train)
	if err != nil {
		t.Fatal(err)
	}
	n := newNetwork(c)
	start := math.Exp(float64(n.initial(1, scaling)[n.own]))
	var sum float64
	for j, v := range dirichletLikelihood.noise(c, scaling, []float32{float32(math.Log(start))}) {
		if m := scaling.mean[j]; math.Abs(v-m*(1-m)/(start+1)) > 1e-6*v {
			t.Errorf("variance of asset %d is %v at the concentration %v", j+1, v, start)
		}
		sum += v / 6
	}
	if math.Abs(sum-scaling.variance) > 1e-6*scaling.variance {
		t.Errorf("concentration starts at %v, which has the variance %v, not %v", start, sum, scaling.variance)
	}

	m, _ := mustTrain(t, openTest(t, "go"), c, s, train, nil, TrainOptions{})
	e, err := m.Evidence(t.Context(), heldOut, nil, 20, 1)
	if err != nil {
		t.Fatal(err)
	}
	moved := func(x *mat.Dense) *mat.Dense {
		y := mat.DenseCopyOf(x)
		y.Apply(func(_, _ int, v float64) float64 { return (v + dirichletInward) / (1 + 6*dirichletInward) }, y)
		return y
	}
	constant, err := simplex.FitDirichlet(moved(train))
	if err != nil {
		t.Fatal(err)
	}
	var alone float64
	for i := range 400 {
		alone += constant.LogProb(moved(heldOut).RawRowView(i)) / 400
	}
	kappa := math.Exp(float64(m.own()[0]))
	t.Logf("log likelihood %.2f, of the constant answer %.2f; concentration %.1f from %.1f", e.LogLikelihood, alone, kappa,
		start)
	if e.LogLikelihood < alone+2 {
		t.Errorf("log likelihood is %.2f, of the constant answer %.2f: want 2 nats more", e.LogLikelihood, alone)
	}
	if math.Abs(kappa-60) > 15 {
		t.Errorf("concentration is %.1f, want 60 within 15", kappa)
	}
	d, err := Diagnose(t.Context(), m, train, heldOut)
	if err != nil {
		t.Fatal(err)
	}
	if d.ActiveUnits != 2 || d.R2 < 0.7 {
		t.Errorf("%d active units and R2 %.3f, want 2 and 0.7", d.ActiveUnits, d.R2)
	}
}
