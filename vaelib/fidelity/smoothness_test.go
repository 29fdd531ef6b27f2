package fidelity_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/stream"
)

func ExampleMeasurePath() {
	p, err := fidelity.MeasurePath(mat.NewDense(3, 2, []float64{
		1, 0,
		1, 1,
		0, 1,
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("detour %.3f, longest step %.1f of the way\n", p.Detour, p.LongestStep)
	// Output: detour 1.414, longest step 0.5 of the way
}

// A linear decoder has one speed in each direction: all are between its
// smallest and its largest singular value.
func TestSpeedsOfLinearDecoder(t *testing.T) {
	decoder := mat.NewDense(2, 3, []float64{3, 0, 0, 0, 0.5, 0}) // singular values 3 and .5
	codes := normals(4000, 2, 1)
	moved := fidelity.Steps(codes, 0.01, stream.New(1, "steps", 0))
	var weights, movedWeights, difference mat.Dense
	weights.Mul(codes, decoder)
	movedWeights.Mul(moved, decoder)
	difference.Sub(moved, codes)
	for i := range 4000 {
		near(t, "step", mat.Norm(difference.RowView(i), 2), 0.01, 1e-14)
	}
	s := must[fidelity.Speeds](t)(fidelity.MeasureSpeeds(codes, &weights, moved, &movedWeights))
	// At angle a the speed is sqrt(9 cos² a + sin² a/4), and quantiles of it
	// are those of cos² a, which is arcsine distributed.
	for _, q := range []struct{ got, p float64 }{
		{s.Distance.P5, 0.05}, {s.Distance.P25, 0.25}, {s.Distance.P50, 0.5}, {s.Distance.P75, 0.75}, {s.Distance.P95, 0.95},
	} {
		c2 := math.Pow(math.Sin(math.Pi*q.p/2), 2)
		near(t, fmt.Sprint("speed at ", q.p), q.got, math.Sqrt(9*c2+(1-c2)/4), 0.06)
	}
	if s.Steps != 4000 || s.Turnover.P95 > (3+0.5)/2 || s.Turnover.P5 < 0.25 {
		t.Errorf("%+v leaves what the decoder can do", s)
	}
}

func TestSpeedsRefuse(t *testing.T) {
	x := normals(5, 2, 1)
	for _, test := range []struct {
		want         string
		codes, moved *mat.Dense
	}{
		{"row 0 of the moved codes hasn't moved", x, x},
		{"don't pair up", x, normals(4, 2, 2)},
		{"columns", x, normals(5, 3, 2)},
	} {
		if _, err := fidelity.MeasureSpeeds(test.codes, x, test.moved, x); err == nil || !strings.Contains(err.Error(),
			test.want) {
			t.Errorf("error %v, want one with %q", err, test.want)
		}
	}
}

func TestPath(t *testing.T) {
	ends := portfolios(t, 2, 1, 1)
	straight := mat.NewDense(11, 12, nil)
	for i := range 11 {
		for j := range 12 {
			u := float64(i) / 10
			straight.Set(i, j, (1-u)*ends.At(0, j)+u*ends.At(1, j))
		}
	}
	p := must[fidelity.Path](t)(fidelity.MeasurePath(straight))
	near(t, "detour of the straight line", p.Detour, 1, 1e-12)
	near(t, "its longest step", p.LongestStep, 0.1, 1e-12)
	jump := must[fidelity.Path](t)(fidelity.MeasurePath(column(0, 0, 1, 1)))
	near(t, "longest step of a jump", jump.LongestStep, 1, 0)
	arc := mat.NewDense(1001, 2, nil)
	for i := range 1001 {
		sin, cos := math.Sincos(math.Pi * float64(i) / 1000)
		arc.SetRow(i, []float64{cos, sin})
	}
	near(t, "detour of half a circle", must[fidelity.Path](t)(fidelity.MeasurePath(arc)).Detour, math.Pi/2, 1e-5)
	if _, err := fidelity.MeasurePath(column(0, 1, 0)); err == nil || !strings.Contains(err.Error(), "where it began") {
		t.Errorf("a round trip: error %v", err)
	}
}
