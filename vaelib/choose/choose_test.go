package choose

import (
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

const assets = 6

var daily = metrics.Settings{PeriodsPerYear: 365}

// training is draws of a Dirichlet.
func training() *mat.Dense {
	d, err := simplex.Symmetric(assets, 0.8)
	if err != nil {
		panic(err)
	}
	rng := stream.New(1, "test", 0)
	x := mat.NewDense(2000, assets, nil)
	for i := range 2000 {
		d.Rand(x.RawRowView(i), rng)
	}
	return x
}

// feasible is count of them, projected onto a set.
func feasible(t testing.TB, set simplex.Set, count int) *mat.Dense {
	t.Helper()
	w := mat.DenseCopyOf(training().Slice(0, count, 0, assets))
	if err := simplex.ProjectAll(t.Context(), set, w, w, nil); err != nil {
		t.Fatal(err)
	}
	return w
}

func capped(upper float64) simplex.Set {
	return simplex.Set{N: assets, Upper: slices.Repeat([]float64{upper}, assets)}
}

// returns are T x assets of a factor model with means that differ.
func returns() *mat.Dense {
	rng := stream.New(2, "test", 0)
	r := mat.NewDense(400, assets, nil)
	for t := range 400 {
		market := rng.NormFloat64()
		for j := range assets {
			r.Set(t, j, 0.002*float64(j)/assets+0.02*market+0.02*rng.NormFloat64())
		}
	}
	return r
}
