package generate

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// toldAssets is the number of assets of the conditional test model.
const toldAssets = 6

// told are Dirichlet portfolios of many concentrations, with conditions that
// follow from the weights and one, the number of the row's kind, that does not.
func told(rows int, index uint64) (weights, conditions *mat.Dense) {
	rng := stream.New(1, "generate.test.told", index)
	weights, conditions = mat.NewDense(rows, toldAssets, nil), mat.NewDense(rows, 4, nil)
	for i := range rows {
		d, err := simplex.Symmetric(toldAssets, math.Exp(4*rng.Float64()-1.5))
		if err != nil {
			panic(err)
		}
		d.Rand(weights.RawRowView(i), rng)
		for j := range toldMeasures {
			conditions.Set(i, j, toldMeasures[j].Value(weights.RawRowView(i)))
		}
		conditions.Set(i, 3, float64(rng.IntN(2)))
	}
	return weights, conditions
}

var toldMeasures = []portfolio.Measure{
	{Name: "sector.A", Form: portfolio.Linear, Vector: []float64{1, 1, 0.5, 0, 0, 0}},
	{Name: "volatility", Form: portfolio.Norm, Matrix: [][]float64{{1, 0, 0}, {0.8, 0.2, 0}, {0.5, 0, 0.5}, {0.4, 0.4, 0}, {0.2, 0, 0.3}, {0.1, 0.1, 0.1}}},
	{Name: "max_weight", Form: portfolio.Largest},
}

var toldConditions = []vae.Condition{
	{Name: "sector.A"}, {Name: "volatility"}, {Name: "max_weight", Cap: true}, {Name: "regime", Levels: []string{"calm", "wild"}},
}

// toldModel is a conditional model and its donors, trained once.
var toldModel = sync.OnceValues(func() (*vae.Model, *Donors) {
	backend, err := vae.Open("go")
	if err != nil {
		panic(err)
	}
	c := vae.DefaultConfig(toldAssets)
	c.Latent, c.Hidden, c.Head, c.Conditions, c.Control = 4, []int{32, 16}, "softmax", toldConditions, 3
	s := vae.DefaultSchedule()
	s.Steps, s.Batch, s.LearningRate, s.EvalEvery = 1500, 64, 5e-3, 500
	weights, conditions := told(4000, 0)
	model, _, err := vae.Train(context.Background(), backend, c, s, weights, nil, vae.TrainOptions{Conditions: conditions, Measures: toldMeasures})
	if err != nil {
		panic(err)
	}
	return model, NewDonors(model.Config(), weights, conditions, toldMeasures)
})

func toldGenerator(t *testing.T, set simplex.Set) (*Generator, *Donors) {
	t.Helper()
	model, donors := toldModel()
	g, err := New(model, set)
	if err != nil {
		t.Fatal(err)
	}
	return g, donors
}

func wish(t *testing.T, text string, d *Donors) portfolio.Wish {
	t.Helper()
	w, err := portfolio.ParseWish(text, d.Names, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// A wish is met: by the constraint set where it can hold a term, near it
// elsewhere, and nearer than rejection at the same number of draws.
func TestOrder(t *testing.T) {
	g, donors := toldGenerator(t, simplex.Set{N: toldAssets})
	w := wish(t, "volatility=0.5,sector.A>=0.4,max_weight<=0.45", donors)
	o, err := g.Order(t.Context(), w, donors, 200, OrderSettings{Seed: 1, Draws: 4, Rivals: true})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		row := o.Weights.RawRowView(i)
		if a, m := toldMeasures[0].Value(row), toldMeasures[2].Value(row); a < 0.4-1e-12 || m > 0.45+1e-12 || math.Abs(floats.Sum(row)-1) > 1e-12 {
			t.Fatalf("row %d has sector.A %v, max_weight %v, sum %v", i, a, m, floats.Sum(row))
		}
		if got, want := o.Achieved.At(i, 1), toldMeasures[1].Value(row); got != want {
			t.Fatalf("row %d achieves %v by the record, %v by the measure", i, got, want)
		}
		if o.Asked.At(i, 1) != 0.5 || o.Asked.At(i, 2) != 0.45 || o.Asked.At(i, 0) < 0.4 {
			t.Fatalf("row %d was asked for %v", i, o.Asked.RawRowView(i))
		}
	}
	volatility := o.Terms[0]
	if volatility.Held || !o.Terms[1].Held || !o.Terms[2].Held {
		t.Errorf("terms held by the set: %v, %v, %v", volatility.Held, o.Terms[1].Held, o.Terms[2].Held)
	}
	if !(volatility.Miss < 0.5*volatility.Rejection) || math.Abs(volatility.Achieved-0.5) > 0.02 {
		t.Errorf("volatility: achieved %v, missed by %v, by rejection %v", volatility.Achieved, volatility.Miss, volatility.Rejection)
	}
	if !(volatility.Rejection1000 < volatility.Rejection) {
		t.Errorf("rejection from 1,000 draws misses by %v, from 4 by %v", volatility.Rejection1000, volatility.Rejection)
	}
	if o.Far > 0.5 {
		t.Errorf("the wish is %v from the donors, which have all of it", o.Far)
	}
	again, err := g.Order(t.Context(), w, donors, 200, OrderSettings{Seed: 1, Draws: 4})
	if err != nil || !mat.Equal(o.Weights, again.Weights) {
		t.Errorf("one seed gave two orders, %v", err)
	}
	if !math.IsNaN(again.Terms[0].Rejection) {
		t.Error("rejection was measured without being asked for")
	}
}

// The first portfolios of a long order are those of a short one, bit for bit.
func TestOrderOfAnyLength(t *testing.T) {
	g, donors := toldGenerator(t, simplex.Set{N: toldAssets})
	w := wish(t, "volatility=0.5,max_weight<=0.45", donors)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 2500).Draw(t, "N")
		k := rapid.IntRange(1, min(n, 300)).Draw(t, "k")
		settings := OrderSettings{Seed: rapid.Uint64().Draw(t, "seed"), Draws: rapid.IntRange(1, 3).Draw(t, "draws")}
		long, err := g.Order(context.Background(), w, donors, n, settings)
		if err != nil {
			t.Fatal(err)
		}
		short, err := g.Order(context.Background(), w, donors, k, settings)
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			what        string
			short, long *mat.Dense
		}{
			{"codes", short.Codes, long.Codes}, {"conditions", short.Asked, long.Asked},
			{"decoded portfolios", short.Decoded, long.Decoded}, {"weights", short.Weights, long.Weights},
		} {
			_, columns := test.long.Dims()
			if !mat.Equal(test.short, test.long.Slice(0, k, 0, columns)) {
				t.Fatalf("%s of an order of %d are not the first of one of %d", test.what, k, n)
			}
		}
	})
}

// What a model without prices can't measure is not claimed, and a wish beyond the
// data is seen to be.
func TestOrderUnmeasured(t *testing.T) {
	g, donors := toldGenerator(t, simplex.Set{N: toldAssets})
	o, err := g.Order(t.Context(), wish(t, "regime=1,volatility=0.6", donors), donors, 10, OrderSettings{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsNaN(o.Terms[0].Miss) || !math.IsNaN(o.Achieved.At(0, 3)) {
		t.Errorf("regime has no measure, and a miss of %v", o.Terms[0].Miss)
	}
	if far, err := donors.Far(wish(t, "volatility=2", donors)); err != nil || far < 2 {
		t.Errorf("volatility 2 is %v from the donors, of which none has more than 1.5", far)
	}
}

func TestOrderErrors(t *testing.T) {
	g, donors := toldGenerator(t, simplex.Set{N: toldAssets})
	var infeasible *simplex.InfeasibleError
	if _, err := g.Order(t.Context(), wish(t, "max_weight<=0.1", donors), donors, 5, OrderSettings{}); !errors.As(err, &infeasible) {
		t.Errorf("six weights of at most 0.1: %v, want an InfeasibleError", err)
	}
	for _, test := range []struct {
		wish portfolio.Wish
		n    int
		want string
	}{
		{portfolio.Wish{{Name: "beta", Value: 1}}, 5, "knows no condition beta"},
		{portfolio.Wish{{Name: "regime", Value: 0.5}}, 5, "number of a level"},
		{nil, 5, "at least 1"},
		{portfolio.Wish{{Name: "volatility", Value: 2}}, 5, "lies from 0.173"},
		{portfolio.Wish{{Name: "volatility", Relation: portfolio.AtMost, Value: 0.1}}, 5, "lies from 0.173"},
		{portfolio.Wish{{Name: "volatility", Value: 0.27}, {Name: "max_weight", Relation: portfolio.AtLeast, Value: 0.95}}, 5, "the nearest has volatility"},
		{portfolio.Wish{{Name: "volatility", Value: 1}}, 0, "at least 1"},
	} {
		if _, err := g.Order(t.Context(), test.wish, donors, test.n, OrderSettings{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("wish %v: error %v, want one with %q", test.wish, err, test.want)
		}
	}
	if _, err := g.Sample(t.Context(), 5, Prior{}, 1); err == nil || !strings.Contains(err.Error(), "conditions") {
		t.Errorf("a sample of a conditional model without conditions: %v", err)
	}
}

// Under typical conditions a conditional model is searched like any other.
func TestTypical(t *testing.T) {
	model, donors := toldModel()
	typical, err := donors.Typical(model, wish(t, "volatility=0.5,max_weight<=0.5", donors))
	if err != nil {
		t.Fatal(err)
	}
	if typical[1] != 0.5 || typical[2] != 0.5 {
		t.Errorf("typical conditions are %v", typical)
	}
	given, err := model.Given(typical)
	if err != nil {
		t.Fatal(err)
	}
	g, err := New(given, simplex.Set{N: toldAssets})
	if err != nil {
		t.Fatal(err)
	}
	b, err := g.Sample(t.Context(), 300, Prior{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	var miss float64
	for i := range 300 {
		miss += math.Abs(toldMeasures[1].Value(b.Weights.RawRowView(i))-0.5) / 300
	}
	if miss > 0.05 {
		t.Errorf("portfolios under volatility 0.5 miss it by %v on average", miss)
	}
	// The same in one call.
	conditional, _ := toldGenerator(t, simplex.Set{N: toldAssets})
	again, conditions, err := conditional.Given(donors, wish(t, "volatility=0.5,max_weight<=0.5", donors))
	if err != nil || !slices.Equal(conditions, typical) {
		t.Fatalf("given %v, %v, want %v", conditions, err, typical)
	}
	if other, err := again.Sample(t.Context(), 300, Prior{}, 1); err != nil || !mat.Equal(other.Weights, b.Weights) {
		t.Errorf("it samples other portfolios (%v)", err)
	}
	if _, _, err := conditional.Given(donors, portfolio.Wish{{Name: "regime", Value: 2}}); err == nil || !strings.Contains(err.Error(), "regime is 2") {
		t.Errorf("a level that there is none of: %v", err)
	}
}

// Far is in standard deviations: none where a donor has what is wished for, and
// in proportion to the excess beyond them all.
func TestFar(t *testing.T) {
	donors := &Donors{Names: []string{"a", "b"}, Rows: [][]float64{{0, 1}, {2, 1}, {4, 1}}}
	for _, test := range []struct {
		wish portfolio.Wish
		want float64
	}{
		{nil, 0},
		{portfolio.Wish{{Name: "a", Value: 2}}, 0},
		{portfolio.Wish{{Name: "a", Relation: portfolio.AtMost, Value: 3}}, 0},
		{portfolio.Wish{{Name: "a", Value: 10}}, 3},                        // (10 - 4)/2
		{portfolio.Wish{{Name: "a", Value: 10}, {Name: "b", Value: 5}}, 5}, // 3 and 4
	} {
		if got, err := donors.Far(test.wish); err != nil || got != test.want {
			t.Errorf("%s: %v (%v), want %v", test.wish, got, err, test.want)
		}
	}
	if _, err := donors.Far(portfolio.Wish{{Name: "c"}}); err == nil {
		t.Error("an unknown condition is near")
	}
}

// Held-out conditions are met far better than shuffled ones, and caps are kept.
func TestMeasureControl(t *testing.T) {
	g, donors := toldGenerator(t, simplex.Set{N: toldAssets})
	_, heldOut := told(800, 1)
	controls, err := g.MeasureControl(t.Context(), heldOut, donors, nil, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(controls) != 3 {
		t.Fatalf("%d conditions were judged, want those 3 that have a measure", len(controls))
	}
	for _, c := range controls {
		t.Logf("%+v", c)
		if c.Cap {
			if *c.Violations > 0.02 || *c.ShuffledViolations < 0.1 {
				t.Errorf("%s is exceeded by %v of the decoded portfolios, shuffled by %v", c.Name, *c.Violations, *c.ShuffledViolations)
			}
			continue
		}
		if !(c.Error < 0.15) || !(c.Shuffled > 6*c.Error) || !(c.Error < c.Best8) {
			t.Errorf("%s: error %v, shuffled %v, best of 8 %v", c.Name, c.Error, c.Shuffled, c.Best8)
		}
	}
}

func TestDonorsFile(t *testing.T) {
	model, donors := toldModel()
	path := filepath.Join(t.TempDir(), "donors.json")
	if err := run.WriteJSON(path, donors); err != nil {
		t.Fatal(err)
	}
	got, err := ReadDonors(path, model.Config())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Names, donors.Names) || len(got.Rows) != len(donors.Rows) || !slices.Equal(got.Rows[7], donors.Rows[7]) {
		t.Error("donors read are not those written")
	}
	for _, test := range []struct{ text, want string }{
		{`{"names":["volatility"],"rows":[[1]],"measures":[]}`, "train again"},
		{`{"names":["sector.A","volatility","max_weight","regime"],"rows":[],"measures":[]}`, "no donors"},
		{`{"names":["sector.A","volatility","max_weight","regime"],"rows":[[1,2]],"measures":[]}`, "2 conditions, want 4"},
		{`{"names":["sector.A","volatility","max_weight","regime"],"rows":[[1,2,3,7]],"measures":[]}`, "level"},
		{`{"names":["sector.A","volatility","max_weight","regime"],"rows":[[1,2,3,1]],"measures":[{"name":"x","form":"linear","vector":[1]}]}`, "1 numbers for 6"},
		{`{"rows":1e999}`, "not a readable JSON"},
		{`[`, "not a readable JSON"},
	} {
		if err := os.WriteFile(path, []byte(test.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadDonors(path, model.Config()); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%.60s: error %v, want one with the path and %q", test.text, err, test.want)
		}
	}
}
