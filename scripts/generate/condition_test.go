package main

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/vae"
)

// conditional makes the folder of a model that is told two things of the test
// portfolios.
func conditional(t *testing.T) string {
	t.Helper()
	p, err := portfolio.ReadCSV(files.weights, portfolio.ReadOptions{Symbols: symbols})
	if err != nil {
		t.Fatal(err)
	}
	measures := []portfolio.Measure{
		{Name: "volatility", Form: portfolio.Norm, Matrix: [][]float64{{0.9, 0}, {0.6, 0.1}, {0.3, 0.2}, {0.1, 0.2}}},
		{Name: "sector.X", Form: portfolio.Linear, Vector: []float64{1, 0, 1, 0}},
	}
	told := mat.NewDense(p.Len(), 2, nil)
	for i := range p.Len() {
		for j := range measures {
			told.Set(i, j, measures[j].Value(p.Weights.RawRowView(i)))
		}
	}
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	c, s := vae.DefaultConfig(len(symbols)), vae.DefaultSchedule()
	c.Latent, c.Hidden, c.Control = 2, []int{16}, 3
	c.Conditions = []vae.Condition{{Name: "volatility"}, {Name: "sector.X"}}
	s.Steps, s.Batch, s.EvalEvery = 400, 64, 200
	model, _, err := vae.Train(context.Background(), backend, c, s, p.Weights, nil, vae.TrainOptions{Symbols: symbols, Conditions: told, Measures: measures})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := model.Save(dir); err != nil {
		t.Fatal(err)
	}
	if err := run.WriteJSON(filepath.Join(dir, generate.DonorsFile), generate.NewDonors(c, told, measures)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A wish is asked for, kept where a constraint can, and reported.
func TestCondition(t *testing.T) {
	model := conditional(t)
	out := filepath.Join(t.TempDir(), "wish")
	code, _, stderr := execute(t, "-model", model, "-mode", "condition", "-n", "40", "-wish", "volatility=0.5,sector.X<=0.6", "-prices", files.prices, "-out", out)
	if code != 0 || !strings.Contains(stderr, "volatility=0.5: achieved") || !strings.Contains(stderr, "over the prices given") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	p, err := portfolio.ReadCSV(filepath.Join(out, "weights.csv"), portfolio.ReadOptions{Symbols: symbols})
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Len() {
		if w := p.Weights.RawRowView(i); w[0]+w[2] > 0.6+1e-12 {
			t.Errorf("row %d holds %v of the sector", i, w[0]+w[2])
		}
	}
	text, err := os.ReadFile(filepath.Join(out, "provenance.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Order orderRecord
		Rows  []struct{ Achieved map[string]float64 } `json:"portfolios"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if p.Len() != 40 || len(r.Rows) != 40 || len(r.Order.Terms) != 2 || r.Order.Wish != "volatility=0.5,sector.X<=0.6" {
		t.Fatalf("%d rows, %d of them recorded, order %+v", p.Len(), len(r.Rows), r.Order)
	}
	volatility, sector := r.Order.Terms[0], r.Order.Terms[1]
	if math.Abs(*volatility.Achieved-0.5) > 0.02 || *volatility.OnPrices <= 0 || !(*volatility.Miss < *volatility.Rejection) {
		t.Errorf("volatility: %+v", volatility)
	}
	if !sector.Held || *sector.Miss > 1e-12 {
		t.Errorf("sector: %+v", sector)
	}
	var mean float64
	for _, row := range r.Rows {
		mean += row.Achieved["volatility"] / 40
	}
	if math.Abs(mean-*volatility.Achieved) > 1e-12 {
		t.Errorf("mean volatility of the rows is %v, of the order %v", mean, *volatility.Achieved)
	}
	// Every other mode works under a wish.
	code, stdout, stderr := execute(t, "-model", model, "-density", "prior", "-n", "3", "-wish", "volatility=0.5")
	if code != 0 || strings.Count(stdout, "\n") != 4 {
		t.Errorf("sample: exit code %d\n%s%s", code, stdout, stderr)
	}
}

func TestConditionRefuses(t *testing.T) {
	model := conditional(t)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-mode", "condition", "-wish", "volatility=0.5"}, 2, "knows no conditions"},
		{[]string{"-wish", "volatility=0.5"}, 2, "knows no conditions"},
		{[]string{"-model", model, "-mode", "condition"}, 2, "-wish"},
		{[]string{"-model", model}, 2, "-wish"},
		{[]string{"-model", model, "-mode", "condition", "-wish", "beta=1"}, 2, "unknown condition"},
		{[]string{"-model", model, "-mode", "condition", "-wish", "sector.X<=0.1", "-max-weight", "0.4"}, 1, "impossible"},
	} {
		code, _, stderr := execute(t, c.args...)
		if code != c.code || !strings.Contains(stderr, c.want) {
			t.Errorf("%v: exit code %d, want %d and %q\n%s", c.args, code, c.code, c.want, stderr)
		}
	}
}
