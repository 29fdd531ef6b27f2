package vae

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// The backends draw other numbers, so that trainings agree as those of several
// seeds do: the means over three seeds within four standard errors of their
// difference, or what can't matter. One model's answers are the same on both.
func TestBackendsAgree(t *testing.T) {
	if _, err := findPlugin(); err != nil {
		t.Skip(err)
	}
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	const seeds = 3
	gopher, xla := openTest(t, "go"), openTest(t, "xla")
	train, heldOut := tiltedRows(t, 1000, 0), tiltedRows(t, 300, 1)
	for _, likelihood := range []string{"gaussian", "dirichlet"} {
		c, s := small()
		c.Likelihood, c.Beta = likelihood, 0.5
		s.Steps, s.LearningRate, s.EvalEvery = 1200, 5e-3, 1200
		figures := func(b *Backend) map[string][]float64 {
			all := map[string][]float64{}
			for seed := range seeds {
				c.Seed = uint64(seed + 1)
				m, _ := mustTrain(t, b, c, s, train, nil, TrainOptions{})
				d, err := Diagnose(t.Context(), m, train, heldOut)
				if err != nil {
					t.Fatal(err)
				}
				e, err := m.Evidence(t.Context(), heldOut, nil, 20, 1)
				if err != nil {
					t.Fatal(err)
				}
				for name, v := range map[string]float64{"R2": d.R2, "KL": d.KL, "active units": float64(d.ActiveUnits), "log likelihood": e.LogLikelihood} {
					all[name] = append(all[name], v)
				}
			}
			return all
		}
		one, other := figures(gopher), figures(xla)
		for name, least := range map[string]float64{"R2": 0.002, "KL": 0.02, "active units": 0, "log likelihood": 0.02} {
			mean, sd := stat.MeanStdDev(one[name], nil)
			mean2, sd2 := stat.MeanStdDev(other[name], nil)
			within := max(least, 4*math.Sqrt((sd*sd+sd2*sd2)/seeds))
			t.Logf("%s: %s of Go %.4f, of XLA %.4f", likelihood, name, one[name], other[name])
			if !(math.Abs(mean-mean2) <= within) {
				t.Errorf("%s: mean %s is %.4f on Go and %.4f on XLA, want within %.4f", likelihood, name, mean, mean2, within)
			}
		}
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
