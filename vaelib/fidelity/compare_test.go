package fidelity_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// The exact sampler beside two that know only the training portfolios. Those
// resampled pass every test but that for copies. The Gaussian has the right
// covariance until it is projected; then it is too narrow, misses a quarter of
// the region, and is told apart.
func ExampleCompare() {
	ctx := context.Background()
	dirichlet, err := simplex.Symmetric(12, 0.3)
	if err != nil {
		fmt.Println(err)
		return
	}
	draw := func(n int, index uint64) *mat.Dense {
		x, source := mat.NewDense(n, 12, nil), stream.New(1, "example", index)
		for i := range n {
			dirichlet.Rand(x.RawRowView(i), source)
		}
		return x
	}
	training, heldOut := draw(2000, 0), draw(1000, 1)
	resampled, err := fidelity.Resample(training, 500, stream.New(1, "resampled", 0))
	if err != nil {
		fmt.Println(err)
		return
	}
	gaussian, err := fidelity.PCAGaussian(training, 11, 500, stream.New(1, "gaussian", 0))
	if err != nil {
		fmt.Println(err)
		return
	}
	set := simplex.Set{N: 12}
	if err := simplex.ProjectAll(ctx, set, gaussian, gaussian, make([]float64, 500)); err != nil {
		fmt.Println(err)
		return
	}
	rows, err := fidelity.Compare(ctx, training, heldOut, []fidelity.Candidate{
		{Name: "exact", Weights: draw(500, 2)},
		{Name: "resampled", Weights: resampled},
		{Name: "pca+gaussian", Weights: gaussian},
	}, fidelity.Settings{Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("              coverage  told apart  copies  dispersion")
	for _, r := range rows {
		fmt.Printf("%-12s %9.2f %11v %7d %11.2f\n", r.Name, r.Overlap.Coverage, r.Test.EnergyP < 0.01, r.Memorisation.Copies,
			r.Dispersion.Ratio)
	}
	// Output:
	//               coverage  told apart  copies  dispersion
	// held out          0.98       false       0        0.98
	// exact             0.97       false       0        1.00
	// resampled         0.95       false     500        1.02
	// pca+gaussian      0.72        true       0        0.69
}

// All samples of a table are of one size: that of the smallest.
func TestCompareLikeWithLike(t *testing.T) {
	training := portfolios(t, 500, 1, 1)
	for _, test := range []struct{ held, candidate, limit, want int }{
		{401, 300, 0, 200}, {400, 150, 0, 150}, {400, 300, 120, 120},
	} {
		var notes []string
		rows := must[[]fidelity.Row](t)(fidelity.Compare(ctx, training, portfolios(t, test.held, 1, 2),
			[]fidelity.Candidate{{Name: "same", Weights: portfolios(t, test.candidate, 1, 3)},
				{Name: "training", Weights: training}},
			fidelity.Settings{Rows: test.limit, Permutations: 19, Neighbours: 3, Progress: func(done, total int, note string) {
				notes = append(notes, fmt.Sprint(done, "/", total, " ", note))
			}}))
		for i, name := range []string{fidelity.Floor, "same", "training"} {
			r := rows[i]
			if r.Name != name {
				t.Errorf("row %d is %q, want %q", i, r.Name, name)
			}
			for _, n := range []int{r.Overlap.Real, r.Overlap.Generated, r.Test.RowsA, r.Test.RowsB, r.Memorisation.HeldOut,
				r.Memorisation.Generated} {
				if n != test.want {
					t.Errorf("%+v: %s has a sample of %d rows, want %d", test, name, n, test.want)
				}
			}
			if r.Overlap.K != 3 || r.Test.Permutations != 19 || r.Memorisation.Training != 500 ||
				r.Test.Bandwidth != rows[0].Test.Bandwidth {
				t.Errorf("%+v was measured by other settings", r)
			}
		}
		if want := []string{"0/3 held out", "1/3 same", "2/3 training", "3/3 compared"}; !slices.Equal(notes, want) {
			t.Errorf("progress %q, want %q", notes, want)
		}
		if rows[2].Memorisation.Copies != test.want || rows[2].Memorisation.AUC != 1 {
			t.Errorf("the training sample isn't known as such: %+v", rows[2].Memorisation)
		}
		if rows[1].Memorisation.Copies != 0 || math.Abs(rows[1].Memorisation.AUC-0.5) > 0.15 {
			t.Errorf("new portfolios look like copies: %+v", rows[1].Memorisation)
		}
	}
}

// A row is what its functions give when asked one by one.
func TestCompareAgreesWithItsParts(t *testing.T) {
	training, heldOut := portfolios(t, 300, 1, 1), portfolios(t, 400, 1, 2)
	x := portfolios(t, 200, 2, 3)
	row := must[[]fidelity.Row](t)(fidelity.Compare(ctx, training, heldOut, []fidelity.Candidate{{Name: "x", Weights: x}},
		fidelity.Settings{Seed: 5}))[1]
	real := mat.NewDense(200, 12, nil)
	for i, from := range stream.New(5, "fidelity.halves", 0).Perm(400)[:200] {
		real.SetRow(i, heldOut.RawRowView(from))
	}
	if want := must[fidelity.Overlap](t)(fidelity.MeasureOverlap(ctx, real, x, 5)); row.Overlap != want {
		t.Errorf("overlap %+v, want %+v", row.Overlap, want)
	}
	if want := must[fidelity.TwoSample](t)(fidelity.Distinguish(ctx, x, real,
		fidelity.TestSettings{Seed: 5, Bandwidth: row.Test.Bandwidth})); row.Test != want {
		t.Errorf("tests %+v, want %+v", row.Test, want)
	}
	if want := must[fidelity.Memorisation](t)(fidelity.MeasureMemorisation(ctx, training, real,
		x)); row.Memorisation != want {
		t.Errorf("memorisation %+v, want %+v", row.Memorisation, want)
	}
	if want := must[fidelity.Dispersion](t)(fidelity.MeasureDispersion(x, real)); row.Dispersion.Ratio != want.Ratio {
		t.Errorf("dispersion %v, want %v", row.Dispersion.Ratio, want.Ratio)
	}
}

// The seed decides the split, and nothing else does: equal seeds give equal
// tables, others don't.
func TestCompareSeed(t *testing.T) {
	training, heldOut := portfolios(t, 300, 1, 1), portfolios(t, 300, 1, 2)
	energy := func(seed uint64) float64 {
		rows := must[[]fidelity.Row](t)(fidelity.Compare(ctx, training, heldOut, nil,
			fidelity.Settings{Seed: seed, Permutations: 19}))
		return rows[0].Test.Energy
	}
	if energy(1) != energy(1) || energy(1) == energy(2) {
		t.Error("the seed doesn't decide the split")
	}
}

func TestCompareRefuses(t *testing.T) {
	good := portfolios(t, 100, 1, 1)
	for _, test := range []struct {
		name              string
		training, heldOut *mat.Dense
		settings          fidelity.Settings
		want              string
	}{
		{"no neighbours", good, good, fidelity.Settings{Neighbours: -1}, "-1 nearest neighbours"},
		{"no rows", good, good, fidelity.Settings{Rows: -5}, "at most -5 rows"},
		{"fewer rows than neighbours", good, good, fidelity.Settings{Rows: 5}, "5 rows of each sample"},
		{"no permutations", good, good, fidelity.Settings{Permutations: -1}, "-1 permutations"},
		{"training without spread", mat.NewDense(50, 12, nil), good, fidelity.Settings{},
			"the training sample: all rows are the same"},
		{"real without spread", good, mat.NewDense(50, 12, nil), fidelity.Settings{},
			"all rows of the reference are the same"},
		{"half too small", good, portfolios(t, 11, 1, 1), fidelity.Settings{}, "at least 12 are needed"},
	} {
		_, err := fidelity.Compare(ctx, test.training, test.heldOut, nil, test.settings)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want one with %q", test.name, err, test.want)
		}
	}
	var few *fidelity.TooFewRowsError
	_, err := fidelity.Compare(ctx, good, good, []fidelity.Candidate{{Name: "vae", Weights: portfolios(t, 5, 1, 1)}},
		fidelity.Settings{})
	if !errors.As(err, &few) || few.Sample != "vae" || few.Rows != 5 || few.Need != 6 {
		t.Errorf("error %v doesn't say that vae has too few rows", err)
	}
}

func BenchmarkCompare(b *testing.B) {
	training, heldOut, x := portfolios(b, 10000, 1, 1), portfolios(b, 4000, 1, 2), portfolios(b, 2000, 1, 3)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := fidelity.Compare(ctx, training, heldOut, []fidelity.Candidate{{Name: "x", Weights: x}},
			fidelity.Settings{}); err != nil {
			b.Fatal(err)
		}
	}
}
