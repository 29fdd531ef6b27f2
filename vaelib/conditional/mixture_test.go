package conditional

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// Codes that are known under a condition: z = (c + e/2, e', ...) of a number c, on
// one side or the other of 0 by the level. The density draws them so.
func TestMixtureKnowsTheTruth(t *testing.T) {
	rng := stream.New(1, "generate.test.truth", 0)
	const rows = 6000
	joint := mat.NewDense(rows, 5, nil) // two codes, the number, two indicators
	for i := range rows {
		c, level := rng.NormFloat64(), rng.IntN(2)
		side := 3.0*float64(level) - 1.5
		joint.SetRow(i, []float64{c + 0.5*rng.NormFloat64(), side + 0.3*rng.NormFloat64(), c, float64(1 - level), float64(level)})
	}
	m, err := mixture.Fit(t.Context(), joint, mixture.Settings{Components: 4}, rng)
	if err != nil {
		t.Fatal(err)
	}
	given, err := m.Given(3)
	if err != nil {
		t.Fatal(err)
	}
	density := &Mixture{joint: m, given: given,
		conditions: Scales{{Name: "c", Mean: 0.25, SD: 2}, {Name: "side", Levels: 2}}}
	for _, test := range []struct{ c, level float64 }{{-1, 0}, {0, 1}, {1.5, 0}, {1.5, 1}} {
		codes, conditions := mat.NewDense(4000, 2, nil), mat.NewDense(4000, 2, nil)
		for i := range 4000 {
			conditions.SetRow(i, []float64{0.25 + 2*test.c, test.level})
		}
		if err := density.DrawGiven(t.Context(), codes, conditions, rng); err != nil {
			t.Fatal(err)
		}
		mean, sd := stat.MeanStdDev(mat.Col(nil, 0, codes), nil)
		if math.Abs(mean-test.c) > 0.06 || math.Abs(sd-0.5) > 0.04 {
			t.Errorf("under %+v the first code is %.3f ± %.3f, want %v ± 0.5", test, mean, sd, test.c)
		}
		mean, sd = stat.MeanStdDev(mat.Col(nil, 1, codes), nil)
		if math.Abs(mean-(3*test.level-1.5)) > 0.05 || math.Abs(sd-0.3) > 0.03 {
			t.Errorf("under %+v the second code is %.3f ± %.3f, want %v ± 0.3", test, mean, sd, 3*test.level-1.5)
		}
	}
}

// fitted is a density of the codes of a model that is told a weight and a level.
func fitted(t *testing.T) (*Mixture, *vae.Model) {
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { backend.Close() })
	c, s := vae.DefaultConfig(3), vae.DefaultSchedule()
	c.Latent, c.Hidden, c.Head = 2, []int{8}, "softmax"
	c.Conditions = []vae.Condition{{Name: "first"}, {Name: "side", Levels: []string{"left", "right"}}}
	s.Steps, s.Batch, s.EvalEvery, s.LearningRate = 50, 32, 50, 5e-3
	rng := stream.New(2, "conditional.test", 0)
	weights, conditions := mat.NewDense(300, 3, nil), mat.NewDense(300, 2, nil)
	for i := range 300 {
		a, b, level := rng.Float64(), rng.Float64(), rng.IntN(2)
		weights.SetRow(i, []float64{a, (1 - a) * b, (1 - a) * (1 - b)})
		conditions.SetRow(i, []float64{a, float64(level)})
	}
	model, _, err := vae.Train(t.Context(), backend, c, s, weights, nil, vae.TrainOptions{Conditions: conditions})
	if err != nil {
		t.Fatal(err)
	}
	density, err := Fit(t.Context(), model, weights, Settings{Components: 3, Conditions: conditions, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return density, model
}

// What is written is what is read, and it belongs to its model.
func TestMixtureFile(t *testing.T) {
	density, model := fitted(t)
	text, err := json.Marshal(density)
	if err != nil {
		t.Fatal(err)
	}
	var read Mixture
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if err := read.Check(model); err != nil {
		t.Error(err)
	}
	conditions := []float64{0.5, 1}
	z := []float64{0.1, -0.2}
	if a, b := density.Under(conditions).LogProb(z), read.Under(conditions).LogProb(z); a != b {
		t.Errorf("log density %v, of what was read %v", a, b)
	}
	other := read
	other.conditions = slices.Clone(read.conditions)
	other.conditions[0].Name = "beta"
	if err := other.Check(model); err == nil {
		t.Error("a density under other conditions belongs to the model")
	}
	for _, test := range []struct{ text, want string }{
		{`{}`, "no mixture"},
		{`{"conditions":[{"name":"a","mean":0,"sd":0}],"mixture":{"weights":[1],"means":[[0,0]],"cholesky":[[1,0,0,1]],"dimension":2}}`, "standard deviation of 0"},
		{`{"conditions":[{"name":"a","mean":0,"sd":1},{"name":"b","mean":0,"sd":1}],"mixture":{"weights":[1],"means":[[0,0]],"cholesky":[[1,0,0,1]],"dimension":2}}`, "can't be given"},
	} {
		if err := json.Unmarshal([]byte(test.text), &read); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.text, err, test.want)
		}
	}
}
