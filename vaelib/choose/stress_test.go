package choose

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
)

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
		t.Error("no error for values traded of other assets")
	}
}

// The median of an even number of values lies between the middle two.
func TestMedianTraded(t *testing.T) {
	nan := math.NaN()
	panel := &market.Panel{Symbols: []string{"A", "B", "C"}, Times: make([]time.Time, 4),
		Close: mat.NewDense(4, 3, []float64{nan, 5, 7, 2, 1, nan, 1, 9, nan, nan, 3, nan})}
	got, err := MedianTraded(panel)
	if want := []float64{1.5, 4, 7}; err != nil || !slices.Equal(got, want) {
		t.Errorf("medians %v (%v), want %v", got, err, want)
	}
	panel.Close.Set(0, 2, nan)
	if _, err := MedianTraded(panel); err == nil || !strings.Contains(err.Error(), "C") {
		t.Errorf("nothing traded at all: error %v", err)
	}
}

func TestRunStresses(t *testing.T) {
	weights := feasible(t, simplex.Set{N: assets}, 200)
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
	results, err := RunStresses(t.Context(), weights, stresses, func(done, total int, _ string) { reports = done })
	if err != nil || reports != 4 || len(results) != 4 {
		t.Fatalf("%d results, %d reports, error %v", len(results), reports, err)
	}
	was := runtime.GOMAXPROCS(1)
	again, err := RunStresses(t.Context(), weights, stresses, nil)
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
	if len(zero.Drivers) != 1 || zero.Drivers[0].Asset != 2 || zero.Losses[7] != weights.At(7, 2) {
		t.Errorf("%s: %+v", zero.Name, zero.Drivers)
	}
	// The worst week of the data is at least as bad for equal weights as any other.
	equal := slices.Repeat([]float64{1. / assets}, assets)
	worst, _ := (&Scenarios{Names: weeks.Names, Returns: weeks.Returns}).worst(equal)
	if math.Abs(worst-floats.Dot(equal, weeks.Returns.RawRowView(0))) > 1e-15 {
		t.Error("the worst week doesn't come first")
	}
	if _, err := RunStresses(t.Context(), weights, nil, nil); err == nil {
		t.Error("no error without stresses")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := RunStresses(ctx, weights, stresses, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}
