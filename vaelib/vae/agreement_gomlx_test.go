//go:build !race

// GoMLX 0.28's Go backend fails the pointer checks that come with the race detector.

package vae

import (
	"fmt"
	"math"
	"testing"

	"github.com/gomlx/compute/gobackend"
	"gonum.org/v1/gonum/mat"
)

// openGoMLX is the backend go as GoMLX's own runs it.
func openGoMLX(t *testing.T) *Backend {
	t.Helper()
	engine, err := gobackend.New("ops_sequential")
	if err != nil {
		t.Fatal(err)
	}
	b := &Backend{name: "go", engine: engine, stepsPerCall: 1, programs: map[string]*programs{}}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// Every program of every network gives what it gives on GoMLX's own backend, but
// for roundings: training steps, evaluation, encoding, decoding, its
// vector-Jacobian product, densities.
func TestProgramsAsOnGoMLX(t *testing.T) {
	here, reference := openTest(t, "go"), openGoMLX(t)
	type instance struct {
		Config
		rows, batch int
	}
	all := map[string]instance{}
	for name, c := range networks() {
		if c.Conditions == nil { // conditional ones: TestConditionsAsOnGoMLX
			all[name] = instance{c, 200, 32}
		}
	}
	for _, n := range []int{2, 3, 17, 500} {
		for _, head := range []string{"softmax", "capped"} {
			c := Config{Assets: n, Latent: 3, Hidden: []int{9}, Beta: 0.3, Likelihood: "gaussian", Head: head, Activation: "silu"}
			if head == "capped" {
				c.MaxWeight = 0.8
			}
			all[fmt.Sprintf("%d assets, %s", n, head)] = instance{c, 40, 7}
			all[fmt.Sprintf("%d assets, %s, one row a step", n, head)] = instance{c, 3, 1}
		}
	}
	for name, c := range all {
		t.Run(name, func(t *testing.T) {
			s := DefaultSchedule()
			s.Steps, s.EvalEvery, s.Batch, s.LearningRate = 12, 4, c.batch, 1e-3
			x, heldOut := mildRows(c.rows, c.Assets, 0), mildRows(30, c.Assets, 1)
			m, one := mustTrain(t, here, c.Config, s, x, heldOut, TrainOptions{})
			_, other := mustTrain(t, reference, c.Config, s, x, heldOut, TrainOptions{})
			for i, p := range one.Points {
				q := other.Points[i]
				for what, pair := range map[string][2]float64{
					"training loss": {p.Train.Total, q.Train.Total}, "KL": {p.Train.KL, q.Train.KL},
					"validation loss": {p.Validation.Total, q.Validation.Total},
				} {
					near(t, fmt.Sprintf("%s at step %d", what, p.Step), pair[0], pair[1], 1e-3)
				}
			}
			dir := t.TempDir()
			if err := m.Save(dir); err != nil {
				t.Fatal(err)
			}
			m2, err := Load(reference, dir)
			if err != nil {
				t.Fatal(err)
			}
			compareModels(t, m, m2, heldOut)
		})
	}
}

// mildRows are portfolios near equal weights, within every cap of the networks.
func mildRows(rows, n int, seed uint64) *mat.Dense {
	x := dirichletRows(rows, n, seed)
	x.Apply(func(_, _ int, w float64) float64 { return 0.15*w + 0.85/float64(n) }, x)
	return x
}

// compareModels compares what one model on two backends answers.
func compareModels(t *testing.T, m, m2 *Model, x *mat.Dense) {
	t.Helper()
	mean, logvar, err := m.Encode(x)
	if err != nil {
		t.Fatal(err)
	}
	mean2, logvar2, err := m2.Encode(x)
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "mean codes", mean, mean2)
	nearAll(t, "log variances", logvar, logvar2)
	w, err := m.Decode(mean)
	if err != nil {
		t.Fatal(err)
	}
	w2, err := m2.Decode(mean)
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "weights", w, w2)
	g, err := m.DecodeVJP(mean, x)
	if err != nil {
		t.Fatal(err)
	}
	g2, err := m2.DecodeVJP(mean, x)
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "vector-Jacobian products", g, g2)
	e, err := m.Evidence(t.Context(), x, nil, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	e2, err := m2.Evidence(t.Context(), x, nil, 3, 1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "log likelihood", e.LogLikelihood, e2.LogLikelihood, 1e-3)
}

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*(1+math.Abs(want))) {
		t.Errorf("%s: %v, on GoMLX's backend %v", what, got, want)
	}
}

func nearAll(t *testing.T, what string, got, want *mat.Dense) {
	t.Helper()
	for i, v := range got.RawMatrix().Data {
		near(t, fmt.Sprintf("%s, element %d", what, i), v, want.RawMatrix().Data[i], 1e-4)
	}
}

// So does a conditional model with controls and caps.
func TestConditionsAsOnGoMLX(t *testing.T) {
	m, conditions := conditionalModel(t, openTest(t, "go"), 50)
	m2, _ := conditionalModel(t, openGoMLX(t), 50)
	x := dirichletRows(200, 6, 0)
	mean, logvar, err := m.EncodeGiven(t.Context(), x, conditions)
	if err != nil {
		t.Fatal(err)
	}
	mean2, logvar2, err := m2.EncodeGiven(t.Context(), x, conditions)
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "mean codes", mean, mean2)
	nearAll(t, "log variances", logvar, logvar2)
	w, err := m.DecodeGiven(t.Context(), mean, conditions)
	if err != nil {
		t.Fatal(err)
	}
	w2, err := m2.DecodeGiven(t.Context(), mean, conditions)
	if err != nil {
		t.Fatal(err)
	}
	nearAll(t, "weights", w, w2)
}
