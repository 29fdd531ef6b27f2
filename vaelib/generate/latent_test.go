package generate

import (
	"errors"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

var daily = metrics.Settings{PeriodsPerYear: 365}

// objectives are those of package metrics and the constrained one.
func objectives(t testing.TB, set simplex.Set) map[string]metrics.Objective {
	t.Helper()
	all := map[string]metrics.Objective{}
	for _, name := range metrics.Objectives() {
		o, err := metrics.NewObjective(name, returns(), daily)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = o
	}
	o, _, err := optimize.ReturnAtVolatility(t.Context(), returns(), set, 0.43, daily)
	if err != nil {
		t.Fatal(err)
	}
	all["return at a volatility"] = o
	return all
}

// The upstream gradient is that of the objective of the projected portfolio.
func TestGradientsThroughTheProjection(t *testing.T) {
	group := capped(0.35)
	group.Groups = []simplex.Group{{Name: "first three", Share: []float64{1, 1, 1, 0, 0, 0}, Lo: 0.2, Hi: 0.45}}
	for setName, set := range map[string]simplex.Set{"capped": capped(0.35), "group": group} {
		g := generator(t, set)
		decoded := training().Slice(0, 40, 0, assets).(*mat.Dense)
		for name, objective := range objectives(t, set) {
			c := newClimber(g, objective, 40)
			if err := c.score(t.Context(), decoded); err != nil {
				t.Fatal(err)
			}
			var off, checked int
			w, v := make([]float64, assets), make([]float64, assets)
			at := func(i, j int, h float64) float64 {
				copy(v, decoded.RawRowView(i))
				v[j] += h
				if _, err := g.projector.Project(w, v); err != nil {
					t.Fatal(err)
				}
				return objective.Value(w)
			}
			const h = 1e-6
			for i := range 40 {
				for j := range assets {
					up, middle, down := at(i, j, h), at(i, j, 0), at(i, j, -h)
					slope := (up - down) / (2 * h)
					if math.Abs(up+down-2*middle)/h > 1e-4*(1+math.Abs(slope)) {
						continue // a kink: of the projection's faces or of the objective
					}
					checked++
					if got := c.upstream.At(i, j); math.Abs(got-slope) > 1e-5*(1+math.Abs(slope)) {
						off++
					}
				}
			}
			if off > 0 || checked < 120 {
				t.Errorf("%s, %s: %d of %d slopes are off", setName, name, off, checked)
			}
		}
	}
}

// The best of a pool climb, and are counted.
func TestOptimizeFromAPool(t *testing.T) {
	g, objective := generator(t, capped(0.4)), sharpe(t)
	all, err := g.Optimize(t.Context(), objective, Prior{}, OptimizeSettings{Starts: 40, Iterations: 1, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	few, err := g.Optimize(t.Context(), objective, Prior{}, OptimizeSettings{Starts: 3, Pool: 40, Iterations: 1, Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	best := slices.Sorted(slices.Values(all.Values))
	slices.Reverse(best)
	if !slices.Equal(few.Values, best[:3]) || few.Evaluated != 2*(40+3) {
		t.Errorf("of the best %v there climb %v, %d evaluations", best[:3], few.Values, few.Evaluated)
	}
	if _, err := g.Optimize(t.Context(), objective, Prior{}, OptimizeSettings{Starts: 3, Pool: 2}); err == nil {
		t.Error("3 of 2 codes climb")
	}
}

// No search finds more than the convex optimum, and a good one comes close.
func TestOptimizeStaysBelowTheBound(t *testing.T) {
	set := capped(0.4)
	g := generator(t, set)
	for name, objective := range objectives(t, set) {
		o, err := g.Optimize(t.Context(), objective, Prior{}, OptimizeSettings{Starts: 12, Iterations: 40, Seed: 5})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		bound, err := optimize.Bound(t.Context(), name, returns(), set, daily)
		var unsupported *optimize.UnsupportedError
		switch {
		case name == "return at a volatility":
			if _, bound, err = optimize.ReturnAtVolatility(t.Context(), returns(), set, 0.43, daily); err != nil {
				t.Fatal(err)
			}
		case name == metrics.MaximizeSortino || name == metrics.MinimizeDrawdown:
			if !errors.As(err, &unsupported) {
				t.Errorf("%s has the bound %v, error %v", name, bound, err)
			}
			continue
		case err != nil:
			t.Fatalf("%s: %v", name, err)
		}
		best := o.Values[o.Best]
		if best > bound.Value+1e-9 {
			t.Errorf("%s: found %v, more than the bound %v", name, best, bound.Value)
		}
		var random float64 = math.Inf(-1)
		d, _ := simplex.Symmetric(assets, 1)
		rng, w := stream.New(1, "test.bound", 0), make([]float64, assets)
		projector, _ := simplex.NewProjector(set)
		for range 300 {
			d.Rand(w, rng)
			if _, err := projector.Project(w, w); err != nil {
				t.Fatal(err)
			}
			if v := objective.Value(w); v > bound.Value+1e-9 {
				t.Fatalf("%s: a random portfolio has %v, more than the bound %v", name, v, bound.Value)
			} else {
				random = max(random, v)
			}
		}
		if best < random-0.1*math.Abs(random) {
			t.Errorf("%s: found %v where 300 random portfolios have %v", name, best, random)
		}
	}
	if _, err := optimize.Bound(t.Context(), "luck", returns(), set, daily); err == nil {
		t.Error("no error for an unknown objective")
	}
}

func TestOptimizeStopsWhenNothingImproves(t *testing.T) {
	g := generator(t, capped(0.4))
	settings := OptimizeSettings{Starts: 8, Iterations: 500, Radius: 1, Seed: 2, Patience: 20, Tolerance: 1e-4}
	o, err := g.Optimize(t.Context(), sharpe(t), Prior{}, settings)
	if err != nil {
		t.Fatal(err)
	}
	if o.Stop != stopConverged || len(o.Trace) >= 500 || o.Evaluated != 2*8*len(o.Trace) {
		t.Fatalf("stopped by %s after %d iterations and %d evaluations", o.Stop, len(o.Trace), o.Evaluated)
	}
	if rise := o.Trace[len(o.Trace)-1] - o.Trace[len(o.Trace)-21]; rise > 20*1e-4 {
		t.Errorf("the best value rose by %v within the patience", rise)
	}
	settings.Iterations = 10
	if o, err = g.Optimize(t.Context(), sharpe(t), Prior{}, settings); err != nil || o.Stop != stopIterations {
		t.Errorf("stopped by %s, error %v", o.Stop, err)
	}
	if _, err := g.Optimize(t.Context(), sharpe(t), Prior{}, OptimizeSettings{Patience: -1}); err == nil {
		t.Error("no error for a patience of -1")
	}
}

func TestLogPriorIsThatOfTheCodes(t *testing.T) {
	o, err := generator(t, capped(0.4)).Optimize(t.Context(), sharpe(t), Prior{}, OptimizeSettings{Starts: 5, Iterations: 5})
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range o.LogPrior {
		length := mat.Norm(o.Codes.RowView(i), 2)
		if want := -length*length/2 - 1.5*math.Log(2*math.Pi); math.Abs(got-want) > 1e-12 {
			t.Errorf("start %d: log prior %v, want %v", i, got, want)
		}
	}
}

func TestSweepRadius(t *testing.T) {
	g := generator(t, capped(0.4))
	radii := []float64{0.5, 1.5, 3}
	points, err := g.SweepRadius(t.Context(), sharpe(t), Prior{}, radii, training(), OptimizeSettings{Starts: 10, Iterations: 30})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range points {
		if p.Radius != radii[i] || p.Length > radii[i]*(1+1e-12) || p.Nearest == nil || !(*p.Nearest > 0) {
			t.Errorf("point %d: %+v", i, p)
		}
		if i > 0 && (p.Value < points[i-1].Value || p.Inside <= points[i-1].Inside) {
			t.Errorf("radius %v: value %v and share %v, after %v and %v", p.Radius, p.Value, p.Inside, points[i-1].Value, points[i-1].Inside)
		}
	}
	// Chi-square with 3 degrees of freedom: 7.815 is its 95 % point.
	if p, err := g.SweepRadius(t.Context(), sharpe(t), Prior{}, []float64{math.Sqrt(7.8147)}, nil, OptimizeSettings{Starts: 2, Iterations: 2}); err != nil || math.Abs(p[0].Inside-0.95) > 1e-5 || p[0].Nearest != nil {
		t.Errorf("%+v, error %v", p, err)
	}
	for _, bad := range [][]float64{nil, {0}, {2, 1}} {
		if _, err := g.SweepRadius(t.Context(), sharpe(t), Prior{}, bad, nil, OptimizeSettings{Starts: 2, Iterations: 2}); err == nil {
			t.Errorf("no error for radii %v", bad)
		}
	}
	if !slices.Equal(radii, []float64{0.5, 1.5, 3}) {
		t.Error("the radii were changed")
	}
}

// The penalty on |z|² is part of what is climbed, with its gradient, and holds the
// codes near the prior's centre.
func TestPriorWeight(t *testing.T) {
	g := generator(t, capped(0.35))
	objective, err := metrics.NewObjective("sharpe", returns(), daily)
	if err != nil {
		t.Fatal(err)
	}
	const weight = 0.3
	rng := stream.New(1, "test.prior-weight", 0)
	codes := mat.NewDense(30, g.Latent(), nil)
	codes.Apply(func(_, _ int, _ float64) float64 { return rng.NormFloat64() }, codes)
	c := newClimber(g, objective, 30)
	score := func(codes *mat.Dense) []float64 {
		decoded, err := g.model.Decode(codes)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.score(t.Context(), decoded); err != nil {
			t.Fatal(err)
		}
		scores := slices.Clone(c.values)
		for i := range scores {
			scores[i] -= weight * math.Pow(mat.Norm(codes.RowView(i), 2), 2)
		}
		return scores
	}
	score(codes)
	slope, err := g.slope(codes, c.upstream, weight)
	if err != nil {
		t.Fatal(err)
	}
	const h = 1e-2 // the decoder has float32
	near := 0
	for j := range g.Latent() {
		moved := func(by float64) *mat.Dense {
			x := mat.DenseCopyOf(codes)
			x.Apply(func(_, k int, v float64) float64 {
				if k == j {
					v += by
				}
				return v
			}, x)
			return x
		}
		up, down := score(moved(h)), score(moved(-h))
		for i := range up {
			if math.Abs((up[i]-down[i])/(2*h)-slope.At(i, j)) < 0.02*(0.1+math.Abs(slope.At(i, j))) {
				near++
			}
		}
	}
	if all := 30 * g.Latent(); near < all*9/10 { // kinks of the projection aside
		t.Errorf("%d of %d slopes are those of the penalised objective", near, all)
	}

	last, value := math.Inf(1), math.Inf(1)
	for _, weight := range []float64{0, 0.03, 0.3, 3} {
		o, err := g.Optimize(t.Context(), objective, Prior{},
			OptimizeSettings{Starts: 12, Iterations: 60, PriorWeight: weight, Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		length := mat.Norm(o.Codes.RowView(o.Best), 2)
		if length >= last || o.Values[o.Best] > value+1e-9 {
			t.Errorf("weight %v: |z| %v after %v, value %v after %v", weight, length, last, o.Values[o.Best], value)
		}
		if got := o.Values[o.Best] - weight*length*length; math.Abs(got-o.Scores[o.Best]) > 1e-9 {
			t.Errorf("weight %v: the score is %v, want %v", weight, o.Scores[o.Best], got)
		}
		last, value = length, o.Values[o.Best]
	}
	if _, err := g.Optimize(t.Context(), objective, Prior{}, OptimizeSettings{PriorWeight: -1}); err == nil {
		t.Error("no error for a negative weight")
	}
}
