package generate

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
)

func TestInterpolateGoesFromEndToEnd(t *testing.T) {
	g := generator(t, simplex.Set{N: assets})
	a := []float64{0.7, 0.1, 0.1, 0.05, 0.03, 0.02}
	b := []float64{0.02, 0.03, 0.05, 0.1, 0.1, 0.7}
	model, _ := trained()
	ends := mat.NewDense(2, assets, slices.Concat(a, b))
	mean, _, err := model.Encode(ends)
	if err != nil {
		t.Fatal(err)
	}
	want, err := g.Decode(context.Background(), mean)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []Path{Linear, Spherical, Weights} {
		batch, err := g.Interpolate(context.Background(), a, b, 7, path)
		if err != nil {
			t.Fatal(err)
		}
		first, last := batch.Weights.RawRowView(0), batch.Weights.RawRowView(6)
		start, end := want.Weights.RawRowView(0), want.Weights.RawRowView(1)
		if path == Weights {
			start, end = a, b
		}
		for j := range assets {
			if math.Abs(first[j]-start[j]) > 1e-6 || math.Abs(last[j]-end[j]) > 1e-6 {
				t.Errorf("%s: from %v to %v, want from %v to %v", path, first, last, start, end)
				break
			}
		}
	}
	for _, c := range []struct {
		a, b  []float64
		steps int
		path  Path
		want  string
	}{
		{a, b, 1, Linear, "at least 2 steps"},
		{a[:3], b, 5, Linear, "3 and 6 assets"},
		{a, b, 5, "crooked", "unknown path"},
	} {
		if _, err := g.Interpolate(context.Background(), c.a, c.b, c.steps, c.path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

func TestSlerpKeepsTheLength(t *testing.T) {
	a, b, dst := []float64{3, 0, 0}, []float64{0, 3, 0}, make([]float64, 3)
	for _, at := range []float64{0, 0.25, 0.5, 1} {
		slerp(dst, a, b, at)
		if length := math.Hypot(dst[0], dst[1]); math.Abs(length-3) > 1e-12 {
			t.Errorf("at %v the length is %v, want 3", at, length)
		}
	}
	slerp(dst, a, []float64{-3, 0, 0}, 0.5) // no arc is defined: the straight line
	if dst[0] != 0 {
		t.Errorf("half way to the opposite is %v", dst)
	}
	slerp(dst, []float64{0, 0, 0}, b, 0.5)
	if dst[1] != 1.5 {
		t.Errorf("half way from the origin is %v", dst)
	}
}

func TestCourses(t *testing.T) {
	g := generator(t, capped(0.8))
	a := []float64{0.7, 0.1, 0.1, 0.05, 0.03, 0.02}
	b := []float64{0.02, 0.03, 0.05, 0.1, 0.1, 0.7}
	e := evaluator(t)
	courses, err := g.Courses(t.Context(), a, b, 9, e, training())
	if err != nil {
		t.Fatal(err)
	}
	if len(courses) != 3 {
		t.Fatalf("%d courses", len(courses))
	}
	control := courses[2]
	near := func(got, want, tolerance float64) bool { return math.Abs(got-want) <= tolerance }
	if control.Path != Weights || !near(control.Detour, 1, 1e-9) || !near(control.Unevenness, 1, 1e-9) || !near(control.Bend, 0, 1e-9) || !near(control.EndMiss, 0, 1e-12) {
		t.Errorf("the straight line is %+v", control)
	}
	ends := max(control.Figures[0].Volatility, control.Figures[8].Volatility)
	if control.LargestVolatility > ends+1e-12 {
		t.Errorf("volatility %v along the straight line, %v at its ends", control.LargestVolatility, ends)
	}
	for _, c := range courses {
		if c.Detour < 1-1e-9 || c.Unevenness < 1-1e-9 || c.LeastEffectiveAssets > c.MeanEffectiveAssets || c.MeanVolatility > c.LargestVolatility || c.Nearest == nil || !(*c.Nearest > 0) {
			t.Errorf("%s: %+v", c.Path, c)
		}
		want, err := e.Evaluate(c.Batch.Weights.RawRowView(4))
		if err != nil || want != c.Figures[4] {
			t.Errorf("%s: figures %+v, want %+v (%v)", c.Path, c.Figures[4], want, err)
		}
	}
	if math.Abs(courses[0].EndMiss) < 1e-6 {
		t.Error("a reconstruction is exact, which no model's is")
	}
	still, err := g.Courses(t.Context(), a, a, 2, e, nil)
	if err != nil || still[2].Detour != 1 || still[2].Length != 0 || still[2].Nearest != nil {
		t.Errorf("from a portfolio to itself: %+v, error %v", still, err)
	}
	if _, err := g.Courses(t.Context(), a, b, 1, e, nil); err == nil {
		t.Error("no error for 1 step")
	}
}
