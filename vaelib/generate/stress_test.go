package generate

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
)

func TestPrincipalPlane(t *testing.T) {
	// Codes that vary along (1, 1, 0) most and along (0, 0, 1) next.
	codes := mat.NewDense(4, 3, []float64{
		3, 3, 1,
		-1, -1, 1,
		1, 1, 2,
		1, 1, 0,
	})
	p, err := PrincipalPlane(codes)
	if err != nil {
		t.Fatal(err)
	}
	root := math.Sqrt(0.5)
	for j := range 3 {
		if math.Abs(p.Origin[j]-1) > 1e-12 || math.Abs(p.Right[j]-[]float64{root, root, 0}[j]) > 1e-12 || math.Abs(p.Up[j]-[]float64{0, 0, 1}[j]) > 1e-12 {
			t.Fatalf("plane %+v", p)
		}
	}
	grid, ticks, err := p.Grid(3, 2)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ticks, []float64{-2, 0, 2}) {
		t.Errorf("ticks %v", ticks)
	}
	// Row 0 of the grid is the bottom, its column 2 the right end.
	for j, want := range []float64{1 + 2*root, 1 + 2*root, -1} {
		if math.Abs(grid.At(2, j)-want) > 1e-12 {
			t.Errorf("bottom right is %v", grid.RawRowView(2))
		}
	}
	if _, _, err := p.Grid(1, 2); err == nil {
		t.Error("no error for a grid of one point")
	}
	if _, err := PrincipalPlane(mat.NewDense(5, 1, nil)); err == nil {
		t.Error("no error for a plane in one dimension")
	}
}

func TestHaltonFillsThePrior(t *testing.T) {
	const n, d = 1024, 6
	codes, err := Halton(n, d, 1)
	if err != nil {
		t.Fatal(err)
	}
	fewer, err := Halton(100, d, 1)
	if err != nil || !mat.Equal(fewer, codes.Slice(0, 100, 0, d)) {
		t.Errorf("the first codes depend on how many there are (%v)", err)
	}
	// Moments are those of N(0, I), much closer than the 1/sqrt(n) = .03 of
	// random draws, and each octile of the first (base 2) holds exactly n/8.
	for j := range d {
		column := mat.Col(nil, j, codes)
		if mean := floats.Sum(column) / n; math.Abs(mean) > 0.012 {
			t.Errorf("dimension %d: mean %v", j, mean)
		}
		if second := floats.Dot(column, column) / n; math.Abs(second-1) > 0.03 {
			t.Errorf("dimension %d: second moment %v", j, second)
		}
	}
	below := 0
	for _, v := range mat.Col(nil, 0, codes) {
		if v < -1.1503493803760079 { // the first octile
			below++
		}
	}
	if below != n/8 {
		t.Errorf("%d codes in the lowest octile of dimension 1, want %d", below, n/8)
	}
	if _, err := Halton(0, 3, 1); err == nil {
		t.Error("no error for no codes")
	}
}

func TestTraversal(t *testing.T) {
	codes, err := Traversal([]float64{1, 2, 3}, 1, 5, 2)
	if err != nil || !slices.Equal(mat.Col(nil, 1, codes), []float64{-2, -1, 0, 1, 2}) || codes.At(4, 0) != 1 || codes.At(4, 2) != 3 {
		t.Errorf("%v, error %v", codes, err)
	}
	if _, err := Traversal([]float64{1}, 1, 5, 2); err == nil {
		t.Error("no error for a dimension that isn't there")
	}
}

func TestStressLosses(t *testing.T) {
	cov := mat.NewSymDense(2, []float64{0.04, 0.01, 0.01, 0.09})
	w := []float64{0.5, 0.5}
	variance := 0.25*0.04 + 0.25*0.09 + 2*0.25*0.01
	liquidation, err := Liquidation(cov, []float64{1e6, 1e8}, 1e6)
	if err != nil {
		t.Fatal(err)
	}
	crash := &Scenarios{Names: []string{"crash"}, Returns: mat.NewDense(1, 2, []float64{-0.4, 0.1})}
	for _, c := range []struct {
		stress Stress
		name   string
		want   float64
	}{
		{crash.Stresses()[0], "crash", 0.2 - 0.05},
		{AssetToZero(1, "ETH"), "ETH to zero", 0.5},
		{VolatilityTimes(2, cov, 3, 4), "volatility times 2", 1 - math.Exp(-2*3*2*math.Sqrt(variance))},
		{CorrelationsToOne(cov, 3, 4), "correlations to one", 1 - math.Exp(-3*2*(0.5*0.2+0.5*0.3))},
		{liquidation, "liquidation", 0.5*0.2*math.Sqrt(0.5) + 0.5*0.3*math.Sqrt(0.005)},
	} {
		parts := make([]float64, 2)
		c.stress.Contribute(parts, w)
		if got := parts[0] + parts[1]; math.Abs(got-c.want) > 1e-12 || c.stress.Name != c.name {
			t.Errorf("%s: loss %v, want %v", c.stress.Name, got, c.want)
		}
	}
	// A pair that is long and short moves by the difference of its sides.
	parts := make([]float64, 2)
	CorrelationsToOne(cov, 1, 1).Contribute(parts, []float64{1, -1})
	if got, want := floats.Sum(parts), 1-math.Exp(-0.1); math.Abs(got-want) > 1e-12 {
		t.Errorf("long and short: loss %v, want %v", got, want)
	}
	CorrelationsToOne(cov, 1, 1).Contribute(parts, []float64{3, -2})
	if math.Abs(floats.Sum(parts)) > 1e-12 {
		t.Errorf("sides that cancel: loss %v, want 0", floats.Sum(parts))
	}
	for _, stress := range []Stress{VolatilityTimes(2, mat.NewSymDense(2, nil), 1, 1), CorrelationsToOne(mat.NewSymDense(2, nil), 1, 1)} {
		if stress.Contribute(parts, w); floats.Sum(parts) != 0 {
			t.Errorf("%s, without variance: %v", stress.Name, parts)
		}
	}
	if _, err := Liquidation(cov, []float64{0, 1}, 1); err == nil {
		t.Error("no error for an asset that isn't traded")
	}
	if _, err := Liquidation(cov, []float64{1}, 1); err == nil {
		t.Error("no error for turnovers of other assets")
	}
}

func TestRunStresses(t *testing.T) {
	g := generator(t, simplex.Set{N: assets})
	codes, err := Halton(200, g.Latent(), 1)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := g.Decode(t.Context(), codes)
	if err != nil {
		t.Fatal(err)
	}
	crises, err := WorstWindows(returns(), 3, 7)
	if err != nil {
		t.Fatal(err)
	}
	weeks, err := CrisisScenarios(returns(), crises)
	if err != nil {
		t.Fatal(err)
	}
	stresses := append(weeks.Stresses(), AssetToZero(2, "C"))
	reports := 0
	results, err := RunStresses(t.Context(), batch.Weights, stresses, func(done, total int, _ string) { reports = done })
	if err != nil || reports != 4 || len(results) != 4 {
		t.Fatalf("%d results, %d reports, error %v", len(results), reports, err)
	}
	was := runtime.GOMAXPROCS(1)
	again, err := RunStresses(t.Context(), batch.Weights, stresses, nil)
	runtime.GOMAXPROCS(was)
	if err != nil {
		t.Fatal(err)
	}
	for k, r := range results {
		var sum, typical float64
		for _, d := range r.Drivers {
			sum += d.Loss
		}
		for _, d := range r.Typical {
			typical += d.Loss
		}
		if math.Abs(sum-r.Losses[r.Worst]) > 1e-12 || math.Abs(typical-r.Mean) > 1e-12 || r.Losses[r.Worst] != slices.Max(r.Losses) {
			t.Errorf("%s: drivers sum to %v of %v and %v of %v", r.Name, sum, r.Losses[r.Worst], typical, r.Mean)
		}
		if !slices.Equal(r.Losses, again[k].Losses) || !slices.Equal(r.Typical, again[k].Typical) {
			t.Errorf("%s depends on the number of cores", r.Name)
		}
	}
	zero := results[3]
	if len(zero.Drivers) != 1 || zero.Drivers[0].Asset != 2 || zero.Losses[7] != batch.Weights.At(7, 2) {
		t.Errorf("%s: %+v", zero.Name, zero.Drivers)
	}
	// The worst week of the data is at least as bad for equal weights as any other.
	equal := slices.Repeat([]float64{1. / assets}, assets)
	worst, _ := (&Scenarios{Names: weeks.Names, Returns: weeks.Returns}).worst(equal)
	if math.Abs(worst-floats.Dot(equal, weeks.Returns.RawRowView(0))) > 1e-15 {
		t.Error("the worst week doesn't come first")
	}
	if _, err := RunStresses(t.Context(), batch.Weights, nil, nil); err == nil {
		t.Error("no error without stresses")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := RunStresses(ctx, batch.Weights, stresses, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}
