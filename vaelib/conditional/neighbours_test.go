package conditional

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/stream"
)

// Codes that are known under a condition, z = (c + e/2, ±1.5 by the level + .3 e'), of a
// posterior of spread .1 each: the density draws them so, and none as it was.
func TestNeighboursKnowTheTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("draws from many rows")
	}
	rng := stream.New(1, "conditional.test.neighbours", 0)
	const rows = 20_000
	b := &Neighbours{
		kernel:     usual,
		scales:     Scales{{Name: "c", Mean: 0.25, SD: 2}, {Name: "side", Levels: 2}},
		conditions: mat.NewDense(rows, 3, nil), means: mat.NewDense(rows, 2, nil), spreads: mat.NewDense(rows, 2, nil),
	}
	for i := range rows {
		c, level := rng.NormFloat64(), float64(rng.IntN(2))
		b.conditions.SetRow(i, []float64{c, 1 - level, level})
		b.means.SetRow(i, []float64{c + 0.5*rng.NormFloat64(), 3*level - 1.5 + 0.3*rng.NormFloat64()})
		b.spreads.SetRow(i, []float64{0.1, 0.1})
	}
	for _, test := range []struct{ c, level float64 }{{-1, 0}, {0, 1}, {1, 0}, {1, 1}} {
		codes, conditions := mat.NewDense(4000, 2, nil), mat.NewDense(4000, 2, nil)
		for i := range 4000 { // near to each other, so that the posteriors near aren't always the same
			conditions.SetRow(i, []float64{0.25 + 2*(test.c+0.2*rng.Float64()-0.1), test.level})
		}
		if err := b.DrawGiven(t.Context(), codes, conditions, rng); err != nil {
			t.Fatal(err)
		}
		for j, want := range []struct{ mean, sd float64 }{{test.c, 0.5}, {3*test.level - 1.5, 0.3}} {
			mean, sd := stat.MeanStdDev(mat.Col(nil, j, codes), nil)
			wide := math.Sqrt(want.sd*want.sd*(1+usual.Smoothing*usual.Smoothing) + 0.1*0.1)
			if math.Abs(mean-want.mean) > 0.06 || math.Abs(sd/wide-1) > 0.06 {
				t.Errorf("under %+v code %d is %.3f ± %.3f, want %v ± %.3f", test, j, mean, sd, want.mean, wide)
			}
		}
		again := mat.NewDense(4000, 2, nil)
		if err := b.DrawGiven(t.Context(), again, conditions, rng); err != nil || mat.Equal(again, codes) {
			t.Errorf("two draws are alike (%v)", err)
		}
	}
}

// What is written draws what was to be drawn, the first of more codes are those of
// fewer, and a damaged file is an error that says what is wrong.
func TestNeighboursFile(t *testing.T) {
	_, model := fitted(t)
	weights, conditions := mat.NewDense(60, 3, nil), mat.NewDense(60, 2, nil)
	rng := stream.New(2, "conditional.test.neighbours", 0)
	for i := range 60 {
		a := rng.Float64()
		weights.SetRow(i, []float64{a, (1 - a) / 2, (1 - a) / 2})
		conditions.SetRow(i, []float64{a, float64(i % 2)})
	}
	density, err := NewNeighbours(t.Context(), model, weights, conditions, 1)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(density)
	if err != nil {
		t.Fatal(err)
	}
	var read Neighbours
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if err := read.Check(model); err != nil {
		t.Error(err)
	}
	a, b := mat.NewDense(60, 2, nil), mat.NewDense(20, 2, nil)
	for codes, from := range map[*mat.Dense]*Neighbours{a: density, b: &read} {
		if err := from.DrawGiven(t.Context(), codes, conditions, stream.New(3, "test", 0)); err != nil {
			t.Fatal(err)
		}
	}
	if !mat.Equal(b, a.Slice(0, 20, 0, 2)) {
		t.Error("what was read draws other codes, or fewer codes are others")
	}
	var older Neighbours
	named := `"nearest":40,"bandwidth":0.5,"smoothing":0.4,`
	if err := json.Unmarshal([]byte(strings.Replace(string(text), named, "", 1)), &older); err != nil ||
		!strings.Contains(string(text), named) || older.kernel != density.kernel {
		t.Errorf("an older file, which doesn't name its kernel, has %+v (%v)", older.kernel, err)
	}
	if err := density.DrawGiven(t.Context(), mat.NewDense(1, 3, nil), conditions, rng); err == nil {
		t.Error("codes of three dimensions are drawn from a density of two")
	}
	for _, test := range []struct{ old, new, want string }{
		{`"rows":60`, `"rows":0`, "no density"},
		{`"rows":60`, `"rows":59`, "are not 59 rows"},
		{`"dimension":2`, `"dimension":1`, "are not 60 rows of 1"},
		{`"nearest":40`, `"nearest":0`, "0 nearest"},
		{`"bandwidth":0.5`, `"bandwidth":-1`, "bandwidth of -1"},
		{`"levels":2`, `"levels":-2`, "-2 levels"},
		{`"means":"`, `"means":"AADAfwAA`, "are not"},
	} {
		changed := strings.Replace(string(text), test.old, test.new, 1)
		if err := json.Unmarshal([]byte(changed), &read); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.new, err, test.want)
		}
	}
}

// Where conditions are levels alone, codes are drawn of all portfolios that are as near
// as any, not of the first of them.
func TestNeighboursThatAreEquallyNear(t *testing.T) {
	const rows = 300
	b := &Neighbours{
		kernel: usual, scales: Scales{{Name: "side", Levels: 2}},
		conditions: mat.NewDense(rows, 2, nil), means: mat.NewDense(rows, 1, nil), spreads: mat.NewDense(rows, 1, nil),
	}
	for i := range rows {
		b.conditions.SetRow(i, []float64{float64(i % 2), float64((i + 1) % 2)})
		b.means.Set(i, 0, float64(i))
	}
	weights, means, variances := b.Under([]float64{1})
	if len(weights) != rows/2 || means.At(0, 0) != 0 || means.At(rows/2-1, 0) != rows-2 {
		t.Fatalf("%d portfolios are near, %v", len(weights), mat.Formatted(means.T()))
	}
	// 0, 2 ... 298 have the variance (150² - 1)/3.
	want := usual.Smoothing * usual.Smoothing * (150*150 - 1) / 3
	for k, weight := range weights {
		if math.Abs(weight-2.0/rows) > 1e-12 || math.Abs(variances.At(k, 0)-want) > 1e-6 {
			t.Errorf("portfolio %d has weight %v and variance %v, want %v and %v", k, weight, variances.At(k, 0), 2.0/rows, want)
		}
	}
}
