package generate

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// A portfolio whose return is +10 % or -10 % with equal probability has a
// binomial future.
func TestOutcomesOfACoin(t *testing.T) {
	coin := mat.NewDense(2, 1, []float64{0.1, -0.1})
	one := mat.NewDense(1, 1, []float64{1})
	const paths = 20000
	out, err := Outcomes(t.Context(), one, coin, OutcomeSettings{Paths: paths, Horizon: 4, MeanBlock: 1, Drawdown: 0.15, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	o := out[0]
	// Of four flips, two heads make .9801 and lose; three or four gain: 5/16.
	if want := 11. / 16; math.Abs(o.Loss-want) > 4*math.Sqrt(want*(1-want)/paths) {
		t.Errorf("probability of a loss %v, want %v", o.Loss, want)
	}
	// A fall of more than 15 % takes two tails in a row, as tail, head, tail is
	// one of 10.9 %: 8 of the 16 sequences have them.
	if want := 8. / 16; math.Abs(o.Drawdown-want) > 4*math.Sqrt(want*(1-want)/paths) {
		t.Errorf("probability of a drawdown %v, want %v", o.Drawdown, want)
	}
	if math.Abs(o.MeanFinal-1) > 4*0.2/math.Sqrt(paths) {
		t.Errorf("mean wealth %v, want 1", o.MeanFinal)
	}
	if r, c := o.Fan.Dims(); r != 5 || c != 5 || o.Fan.At(0, 0) != 1 || o.Fan.At(0, 4) != 1 {
		t.Errorf("the fan is %d x %d and starts at %v", r, c, o.Fan.RawRowView(0))
	}
	if math.Abs(o.Fan.At(4, 2)-0.9801) > 1e-12 {
		t.Errorf("median wealth %v, want .9801", o.Fan.At(4, 2))
	}
	if !slices.IsSorted(o.Final) || len(o.Final) != paths || math.Abs(o.Final[0]-math.Pow(0.9, 4)) > 1e-12 {
		t.Errorf("least final wealth %v of %d", o.Final[0], len(o.Final))
	}
	if math.Abs(o.LossError-math.Sqrt(o.Loss*(1-o.Loss)/paths)) > 1e-15 {
		t.Errorf("standard error %v", o.LossError)
	}
}

func TestOutcomesAreReproducible(t *testing.T) {
	weights := training().Slice(0, 3, 0, assets).(*mat.Dense)
	settings := OutcomeSettings{Paths: 50, Horizon: 30, Seed: 4}
	first, err := Outcomes(t.Context(), weights, returns(), settings)
	if err != nil {
		t.Fatal(err)
	}
	was := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(was)
	again, err := Outcomes(t.Context(), weights.Slice(1, 2, 0, assets).(*mat.Dense), returns(), settings)
	if err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(first[1].Fan, again[0].Fan) || !slices.Equal(first[1].Final, again[0].Final) || first[1].Drawdown != again[0].Drawdown {
		t.Error("a portfolio's outlook depends on its company or on the number of cores")
	}
	for row := range 31 {
		if !slices.IsSorted(first[0].Fan.RawRowView(row)) {
			t.Errorf("quantiles after period %d are not in order", row)
		}
	}
}

func TestOutcomesRefuse(t *testing.T) {
	w := training().Slice(0, 1, 0, assets).(*mat.Dense)
	for name, s := range map[string]OutcomeSettings{
		"one path": {Paths: 1}, "no horizon": {Horizon: -1}, "half a block": {MeanBlock: 0.5},
		"drawdown": {Drawdown: 1}, "quantile": {Quantiles: []float64{2}}, "order": {Quantiles: []float64{0.5, 0.1}},
	} {
		if _, err := Outcomes(t.Context(), w, returns(), s); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := Outcomes(t.Context(), mat.NewDense(1, 2, nil), returns(), OutcomeSettings{Paths: 5, Horizon: 5}); err == nil {
		t.Error("no error for weights of other assets")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Outcomes(ctx, w, returns(), OutcomeSettings{Paths: 5, Horizon: 5}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}
