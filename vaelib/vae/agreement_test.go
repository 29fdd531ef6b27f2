package vae

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The backends are given the same random numbers, so that they train the same
// model but for roundings, and one model's answers are the same on both.
func TestBackendsAgree(t *testing.T) {
	if _, err := findPlugin(); err != nil {
		t.Skip(err)
	}
	gopher, xla := openTest(t, "go"), openTest(t, "xla")
	train, heldOut := tiltedRows(t, 1000, 0), tiltedRows(t, 300, 1)
	for name, change := range map[string]func(c *Config){
		"gaussian":        func(c *Config) {},
		"dirichlet":       func(c *Config) { c.Likelihood = "dirichlet" },
		"logistic-normal": func(c *Config) { c.Likelihood = "logistic-normal" },
		"capped":          func(c *Config) { c.Head, c.MaxWeight = "capped", 1 },
		"target rate":     func(c *Config) { c.TargetRate = 2 },
	} {
		c, s := small()
		c.Beta = 0.5
		change(&c)
		s.Steps, s.EvalEvery = 600, 100
		m, one := mustTrain(t, gopher, c, s, train, heldOut, TrainOptions{})
		m2, other := mustTrain(t, xla, c, s, train, heldOut, TrainOptions{})
		for i, p := range one.Points {
			q := other.Points[i]
			for what, pair := range map[string][2]float64{
				"training loss": {p.Train.Total, q.Train.Total}, "KL": {p.Train.KL, q.Train.KL}, "beta": {p.Beta, q.Beta},
				"validation loss": {p.Validation.Total, q.Validation.Total}, "validation KL": {p.Validation.KL, q.Validation.KL},
			} {
				if math.Abs(pair[0]-pair[1]) > 1e-4*(1+math.Abs(pair[0])) {
					t.Errorf("%s: after %d steps the %s is %v on Go and %v on XLA", name, p.Step, what, pair[0], pair[1])
				}
			}
		}
		e, err := m.Evidence(t.Context(), heldOut, nil, 20, 1)
		if err != nil {
			t.Fatal(err)
		}
		e2, err := m2.Evidence(t.Context(), heldOut, nil, 20, 1)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(e.LogLikelihood-e2.LogLikelihood) > 1e-3 {
			t.Errorf("%s: log likelihood %v on Go and %v on XLA", name, e.LogLikelihood, e2.LogLikelihood)
		}
		t.Logf("%s: loss %v and %v, log likelihood %v and %v", name, one.Points[5].Train.Total, other.Points[5].Train.Total,
			e.LogLikelihood, e2.LogLikelihood)
	}

	m, conditions := conditionalModel(t, gopher, 100)
	dir := t.TempDir()
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(xla, dir)
	if err != nil {
		t.Fatal(err)
	}
	x := dirichletRows(200, 6, 0)
	mean, logvar, err := m.EncodeGiven(t.Context(), x, conditions)
	if err != nil {
		t.Fatal(err)
	}
	mean2, logvar2, err := loaded.EncodeGiven(t.Context(), x, conditions)
	if err != nil || !mat.EqualApprox(mean, mean2, 1e-4) || !mat.EqualApprox(logvar, logvar2, 1e-4) {
		t.Errorf("a model encodes otherwise on XLA: %v", err)
	}
	w, err := m.DecodeGiven(t.Context(), mean, conditions)
	if err != nil {
		t.Fatal(err)
	}
	if w2, err := loaded.DecodeGiven(t.Context(), mean, conditions); err != nil || !mat.EqualApprox(w, w2, 1e-5) {
		t.Errorf("a model decodes otherwise on XLA: %v", err)
	}
}

// Large networks and batches are laid out otherwise on XLA: they train the model
// that the Go backend trains but for roundings, and go on from a checkpoint to the
// bit.
func TestLayoutsAgree(t *testing.T) {
	if _, err := findPlugin(); err != nil {
		t.Skip(err)
	}
	gopher, xla := openTest(t, "go"), openTest(t, "xla")
	train, heldOut := tiltedRows(t, 1000, 0), tiltedRows(t, 300, 1)
	for name, change := range map[string]func(c *Config, s *Schedule){
		"large network": func(c *Config, _ *Schedule) { c.Hidden, c.Likelihood = []int{256, 256}, "gaussian-sigma" },
		"large batch":   func(_ *Config, s *Schedule) { s.Batch = apartRows },
	} {
		c, s := small()
		change(&c, &s)
		s.Steps, s.EvalEvery, s.LearningRate, s.Patience = 40, 10, 1e-3, 3
		if l := newNetwork(c).layout(s.Batch, true); l == (layout{}) {
			t.Fatalf("%s: laid out as any network", name)
		}
		_, one := mustTrain(t, gopher, c, s, train, heldOut, TrainOptions{})
		var halfway *Checkpoint
		m, other := mustTrain(t, xla, c, s, train, heldOut, TrainOptions{
			CheckpointEvery: 20, Checkpoint: func(c *Checkpoint) error { halfway = c; return nil },
		})
		for i, p := range one.Points {
			q := other.Points[i]
			if math.Abs(p.Train.Total-q.Train.Total) > 1e-3*(1+math.Abs(p.Train.Total)) ||
				math.Abs(p.Validation.Total-q.Validation.Total) > 1e-3*(1+math.Abs(p.Validation.Total)) {
				t.Errorf("%s: after %d steps the losses are %v and %v on Go, %v and %v on XLA",
					name, p.Step, p.Train.Total, p.Validation.Total, q.Train.Total, q.Validation.Total)
			}
		}
		again, _ := mustTrain(t, xla, c, s, train, heldOut, TrainOptions{CheckpointEvery: 20, Resume: halfway})
		if !slices.Equal(m.theta, again.theta) {
			t.Errorf("%s: a resumed training gives another model", name)
		}
	}
}
