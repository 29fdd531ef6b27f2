package generate

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/conditional"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// toldDensity is the density of the test model's codes under conditions.
var toldDensity = sync.OnceValue(func() *conditional.Mixture {
	model, _ := toldModel()
	weights, conditions := told(4000, 0)
	m, err := conditional.Fit(context.Background(), model, weights, conditional.Settings{Components: 20, Conditions: conditions, Seed: 1})
	if err != nil {
		panic(err)
	}
	return m
})

// A generator under conditions draws codes that fit them, and a second stage that
// is told of conditions does too.
func TestDrawsUnderConditions(t *testing.T) {
	g, donors := toldGenerator(t, simplex.Set{N: toldAssets})
	model, _ := toldModel()
	weights, conditions := told(1000, 0)
	second, err := FitTwoStage(t.Context(), model, weights, TwoStageSettings{Hidden: []int{8}, Steps: 100, Conditions: conditions})
	if err != nil {
		t.Fatal(err)
	}
	if !second.Conditional() {
		t.Error("the second stage of a conditional model knows of no conditions")
	}
	under, given, err := g.Given(donors, wish(t, "volatility=0.5", donors))
	if err != nil {
		t.Fatal(err)
	}
	for _, density := range []Density{toldDensity(), second} {
		a, err := under.Sample(t.Context(), 50, density, 1)
		if err != nil {
			t.Fatal(err)
		}
		asked := mat.NewDense(50, len(given), nil)
		for i := range 50 {
			asked.SetRow(i, given)
		}
		codes, err := g.drawGiven(t.Context(), density, asked, stream.New(1, "generate.sample", 0))
		if err != nil || !mat.Equal(codes, a.Codes) {
			t.Errorf("%T: codes under conditions are not those drawn under them (%v)", density, err)
		}
	}
}

// A polished order meets what it can, says how far it was moved, and moves nothing
// without being asked.
func TestOrderIsPolished(t *testing.T) {
	g, donors := toldGenerator(t, simplex.Set{N: toldAssets})
	w := wish(t, "volatility=0.5,sector.A>=0.4,max_weight<=0.45", donors)
	settings := OrderSettings{Seed: 1, Density: toldDensity(), Rivals: true}
	o, err := g.Order(t.Context(), w, donors, 100, settings)
	if err != nil {
		t.Fatal(err)
	}
	settings.Unpolished, settings.Rivals = true, false
	raw, err := g.Order(t.Context(), w, donors, 100, settings)
	if err != nil {
		t.Fatal(err)
	}
	volatility := o.Terms[0]
	t.Logf("%+v, unpolished missed by %v", volatility, raw.Terms[0].Miss)
	if volatility.Miss > 1e-4 || raw.Terms[0].Miss < 10*volatility.Miss || raw.Moved != nil {
		t.Errorf("missed by %v, unpolished by %v", volatility.Miss, raw.Terms[0].Miss)
	}
	if volatility.NearestPolished > 1e-4 || !(volatility.Nearest > 0) || !(volatility.Interpolated > 0) {
		t.Errorf("rivals %+v", volatility)
	}
	for i := range 100 {
		want := math.Sqrt(squaredDistance(o.Weights.RawRowView(i), raw.Weights.RawRowView(i)))
		if math.Abs(o.Moved[i]-want) > 1e-12 {
			t.Fatalf("row %d was moved by %v, by the record %v", i, want, o.Moved[i])
		}
	}
}

// Orders of the test model hold against held-out portfolios: no copies, nearly as
// varied (a light model's, held to its conditions harder than by default), hard to
// tell apart; the nearest training row has no variety at all, and what is
// real has all of it.
func TestStudyOrders(t *testing.T) {
	if testing.Short() {
		t.Skip("400 orders out of 4,000 portfolios, judged by a forest")
	}
	g, donors := toldGenerator(t, simplex.Set{N: toldAssets})
	weights, conditions := told(4000, 0)
	held, heldTold := told(400, 1)
	study, err := g.StudyOrders(t.Context(), weights, conditions, held, heldTold, donors,
		OrderSettings{Seed: 1, Density: toldDensity(), Rivals: true})
	if err != nil {
		t.Fatal(err)
	}
	scores := map[string]conditional.Score{}
	for _, s := range study {
		t.Logf("%s: missed by %.3f, moved %.3f, %s", s.Name, s.MeanMiss(), s.Moved, s)
		scores[s.Name] = s
	}
	ours, real, nearest := scores[madeToOrder], scores["held out"], scores["nearest training row"]
	if study[0].Asked != 400 || study[0].Name != madeToOrder {
		t.Errorf("%d asked for, first %s", study[0].Asked, study[0].Name)
	}
	if ours.MeanMiss() > 0.01 || ours.JointEnergy > 0.02 || ours.Recall < 0.85 || ours.Coverage < 0.8 || ours.Spread < 0.65 || ours.AUC > 0.85 || ours.Copies > 0 {
		t.Errorf("orders: missed by %v, %s", ours.MeanMiss(), ours)
	}
	if nearest.Spread != 0 || nearest.Copies != 1 {
		t.Errorf("nearest training row: %s", nearest)
	}
	if math.Abs(real.JointEnergy) > 0.01 || real.MeanMiss() > 1e-12 || math.Abs(real.Spread-1) > 0.2 || math.Abs(real.AUC-0.5) > 0.1 {
		t.Errorf("held out: missed by %v, %s", real.MeanMiss(), real)
	}
	if _, err := g.StudyOrders(t.Context(), weights, conditions, pickRows(held, []int{1, 2}), pickRows(heldTold, []int{1, 2}), donors,
		OrderSettings{Seed: 1, Density: toldDensity()}); err == nil {
		t.Error("two held-out portfolios are enough")
	}
}

// The nearest rows are those of a search through all.
func TestKnownNear(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	conditions, asked := mat.NewDense(200, 2, nil), mat.NewDense(20, 2, nil)
	normals(conditions, rng)
	normals(asked, rng)
	k := known{conditions: conditions, scales: conditional.Scales{{SD: 1}, {SD: 0.5}}}
	near, err := k.near(t.Context(), asked, 5)
	if err != nil {
		t.Fatal(err)
	}
	for i := range near {
		distance := func(row int) float64 {
			a, b := conditions.At(row, 0)-asked.At(i, 0), 2*(conditions.At(row, 1)-asked.At(i, 1))
			return a*a + b*b
		}
		order := make([]int, 200)
		for r := range order {
			order[r] = r
		}
		slices.SortFunc(order, func(a, b int) int {
			if distance(a) < distance(b) {
				return -1
			}
			return 1
		})
		if !slices.Equal(near[i], order[:5]) {
			t.Fatalf("nearest to row %d are %v, want %v", i, near[i], order[:5])
		}
	}
}
