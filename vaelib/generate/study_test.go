package generate

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
)

// Rows are named in one length by their place in the whole, and what the set
// doesn't hold is refused.
func TestRows(t *testing.T) {
	g := generator(t, capped(0.5))
	batch, err := g.Sample(t.Context(), 3, Prior{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := g.Rows(batch, 97, 100)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"g098", "g099", "g100"} {
		r := rows[i]
		if r.ID != want || r.Repair != batch.Repair[i] || !slices.Equal(r.Code, batch.Codes.RawRowView(i)) ||
			*r.LogPrior != (Prior{}).LogProb(r.Code) {
			t.Errorf("row %d is %+v, want %s", i, r, want)
		}
	}
	_, n := batch.Weights.Dims()
	corner := mat.NewDense(1, n, nil)
	corner.Set(0, 0, 1)
	inside, err := g.Project(t.Context(), corner)
	if err != nil {
		t.Fatal(err)
	}
	rows, err = g.Rows(inside, 0, 1)
	if err != nil || rows[0].Code != nil || rows[0].LogPrior != nil || corner.At(0, 0) != 1 {
		t.Errorf("a projected portfolio: %+v, %v", rows, err)
	}
	outside := &Batch{Weights: corner, Repair: []float64{0}}
	if _, err := g.Rows(outside, 0, 1); err == nil || !strings.Contains(err.Error(), "g1 violates") {
		t.Errorf("a corner of the simplex: error %v", err)
	}
}

// A square and a Halton sequence have a row of their table for each portfolio.
func TestSweepsSayWhere(t *testing.T) {
	g := generator(t, capped(0.5))
	known, err := g.Sample(t.Context(), 50, Prior{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	square, places, err := g.Square(t.Context(), known.Codes, 3)
	if err != nil {
		t.Fatal(err)
	}
	reach := Radius95(2)
	if len(square.Repair) != 9 || len(places.Rows) != 9 || !slices.Equal(places.Rows[5], []float64{reach, 0}) {
		t.Errorf("%d portfolios at %v", len(square.Repair), places.Rows)
	}
	spread, numbers, err := g.Halton(t.Context(), 7, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(spread.Repair) != 7 || len(numbers.Rows) != 7 || numbers.Rows[6][0] != 7 {
		t.Errorf("%d portfolios called %v", len(spread.Repair), numbers.Rows)
	}
}

// What lies between styles has figures of the returns held out, and each
// portfolio given has a style.
func TestStudyStyles(t *testing.T) {
	if testing.Short() {
		t.Skip("judges every style twice")
	}
	g := generator(t, simplex.Set{N: assets})
	known := mat.DenseCopyOf(training().Slice(0, 200, 0, assets))
	all := returns()
	periods, n := all.Dims()
	earlier := all.Slice(0, periods/2, 0, n).(*mat.Dense)
	later := all.Slice(periods/2, periods, 0, n).(*mat.Dense)
	group := make([]float64, n)
	group[0] = 1
	in := Input{Returns: earlier, Metrics: metrics.Settings{PeriodsPerYear: 365}, Known: known, Seed: 1}
	s, err := g.StudyStyles(t.Context(), in, later, map[string][]float64{"sector.X": group}, 2)
	if err != nil {
		t.Fatal(err)
	}
	evaluator, err := metrics.NewEvaluator(later, in.Metrics)
	if err != nil {
		t.Fatal(err)
	}
	want, err := evaluator.Figures(t.Context(), s.Batch.Weights)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Between) != len(want) || len(s.Clusterings) != 2 || !slices.Equal(s.Figures, want) {
		t.Errorf("%d portfolios between %v, of %d clusterings", len(want), s.Between, len(s.Clusterings))
	}
	if i := slices.IndexFunc(s.Traits, func(t Trait) bool { return t.Name == "sector.X" }); i < 0 || len(s.Traits) != 4 {
		t.Errorf("traits are %+v", s.Traits)
	}
	if s.Centres[0]["volatility"] <= 0 || math.Abs(s.Agreement) > 1 {
		t.Errorf("centres %v, agreement %v", s.Centres, s.Agreement)
	}
	labels := s.Labels()
	if len(labels.Rows) != 200 || labels.Rows[199][0] != 200 || labels.Rows[0][1] < 1 {
		t.Errorf("%d labels", len(labels.Rows))
	}
}
