package choose

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/stream"
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

// By regimes, what is near depends on what is now: after a calm stretch the first
// weeks are calmer than after a turbulent one, and a bootstrap of single periods,
// which knows no state, lies between the two. Stays are those of the data.
func TestOutcomesByRegimes(t *testing.T) {
	const stretch, stretches = 60, 10
	rng := stream.New(5, "test.regimes", 0)
	var data []float64
	for i := range stretches * stretch {
		deviation := 0.004
		if i/stretch%2 == 1 {
			deviation = 0.04
		}
		data = append(data, deviation*rng.NormFloat64())
	}
	spread := func(data []float64, s OutcomeSettings) (float64, Outlook) {
		s.Paths, s.Horizon, s.Seed = 2000, 10, 3
		o, err := Outcomes(t.Context(), mat.NewDense(1, 1, []float64{1}), mat.NewDense(len(data), 1, data), s)
		if err != nil {
			t.Fatal(err)
		}
		return stat.StdDev(o[0].Final, nil), o[0]
	}
	turbulent, o := spread(data, OutcomeSettings{Regimes: 2})
	calm, _ := spread(data[:len(data)-stretch], OutcomeSettings{Regimes: 2})
	blind, _ := spread(data, OutcomeSettings{MeanBlock: 1})
	if !(calm < 0.5*blind && blind < 0.9*turbulent) {
		t.Errorf("deviation of wealth %.4f after calm, %.4f without a state, %.4f after turbulence", calm, blind, turbulent)
	}
	if len(o.Stays) != 2 || o.MeanBlock != 0 {
		t.Fatalf("stays %v and blocks of %v", o.Stays, o.MeanBlock)
	}
	for k, stay := range o.Stays {
		if stay < stretch/2 || stay > stretch*2 {
			t.Errorf("mean stay in regime %d: %.0f periods, of %d", k, stay, stretch)
		}
	}
}

func TestOutcomesRefuse(t *testing.T) {
	w := training().Slice(0, 1, 0, assets).(*mat.Dense)
	for name, s := range map[string]OutcomeSettings{
		"one path": {Paths: 1}, "no horizon": {Horizon: -1}, "half a block": {MeanBlock: 0.5}, "one regime": {Regimes: 1}, "regimes in blocks": {Regimes: 2, MeanBlock: 5},
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
