package inference

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/stream"
)

func near(t testing.TB, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Max(1e-3, math.Abs(want))) {
		t.Errorf("%s is %.17g, want %.17g", name, got, want)
	}
}

// market makes returns that look like daily crypto returns: one common factor,
// fat tails, and ties, since prices move in ticks.
func market(seed uint64, periods, n int) *mat.Dense {
	rng := stream.New(seed, "metrics.test.returns", 0)
	returns := mat.NewDense(periods, n, nil)
	for t := range periods {
		scale := 0.02
		if rng.Float64() < 0.1 {
			scale = 0.05
		}
		common := scale * rng.NormFloat64()
		for j := range n {
			r := 0.0005 + common + 0.6*scale*rng.NormFloat64()
			if j%3 == 0 {
				r = float64(int(r*500)) / 500
			}
			returns.Set(t, j, max(r, -0.9))
		}
	}
	return returns
}

// autoregressive is x_t = phi x_{t-1} + noise.
func autoregressive(seed uint64, n int, phi float64) []float64 {
	rng := stream.New(seed, "metrics.test.ar", 0)
	x := make([]float64, n)
	for t := 1; t < n; t++ {
		x[t] = phi*x[t-1] + rng.NormFloat64()
	}
	return x
}

func TestCSCVErrors(t *testing.T) {
	good := market(1, 64, 3)
	for _, blocks := range []int{0, 1, 3, 26, -2} {
		if _, err := CSCV(good, blocks); err == nil {
			t.Errorf("%d blocks are no error", blocks)
		}
	}
	if _, err := CSCV(market(1, 64, 1), 4); err == nil {
		t.Error("one trial is no error")
	}
	if _, err := CSCV(market(1, 3, 3), 4); err == nil {
		t.Error("fewer periods than blocks are no error")
	}
	flat := mat.DenseCopyOf(good)
	for i := range 64 {
		flat.Set(i, 1, 0.01)
	}
	const want = "trial 4 (from 0) has the same return in every period of a split: leave it out or use fewer blocks"
	if got := (&SplitError{Trial: 4}).Error(); got != want {
		t.Errorf("the error reads %q, want %q", got, want)
	}
	var trial *SplitError
	if _, err := CSCV(flat, 4); !errors.As(err, &trial) || trial.Trial != 1 {
		t.Errorf("a flat trial gives %v", err)
	}
	flat.Set(7, 2, math.NaN())
	var at *metrics.ReturnError
	if _, err := CSCV(flat, 4); !errors.As(err, &at) || at.Period != 7 || at.Asset != 2 {
		t.Errorf("a missing return gives %v", err)
	}
}

// A trial that is best everywhere is never overfitted, and one of many equal
// in distribution is about every other time.
func TestCSCVFindsSkill(t *testing.T) {
	returns := market(2, 320, 10)
	for i := range 320 {
		returns.Set(i, 4, returns.At(i, 4)+0.02)
	}
	o, err := CSCV(returns, 8)
	if err != nil {
		t.Fatal(err)
	}
	if o.PBO != 0 || len(o.Logits) != 70 {
		t.Errorf("probability of overfitting of a skilled trial is %v over %d splits", o.PBO, len(o.Logits))
	}
}

func TestStationaryIndices(t *testing.T) {
	const n, draws = 50, 200_000
	indices := make([]int, draws)
	for _, mean := range []float64{1, 5, 20} {
		StationaryIndices(indices, n, mean, stream.New(1, "metrics.test.blocks", uint64(mean)))
		counts := make([]float64, n)
		starts := 1.0
		for i, t := range indices {
			counts[t]++
			if i > 0 && t != (indices[i-1]+1)%n {
				starts++
			}
		}
		// A new block goes on by chance with probability 1/n.
		if got, want := draws/starts*(1-1/float64(n)), mean; math.Abs(got-want) > 0.03*want {
			t.Errorf("blocks of mean %v have %v periods", want, got)
		}
		for period, count := range counts {
			if share := count * n / draws; math.Abs(share-1) > 0.12*math.Sqrt(mean) {
				t.Errorf("blocks of mean %v draw period %d %.2f times as often as they should", mean, period, share)
			}
		}
	}
}

func TestResampleKeepsRows(t *testing.T) {
	returns := market(3, 30, 4)
	out := Resample(returns, 100, 5, stream.New(1, "metrics.test.resample", 0))
	for i := range 100 {
		found := false
		for k := range 30 {
			found = found || slices.Equal(out.RawRowView(i), returns.RawRowView(k))
		}
		if !found {
			t.Fatalf("resampled row %d is no row of the returns", i)
		}
	}
}

// The optimum for an AR(1) process is ((2 phi/(1-phi^2))^2 n)^(1/3) (Politis &
// White 2004, section 3.1).
func TestBlockLength(t *testing.T) {
	for _, phi := range []float64{0.3, 0.5, 0.7} {
		if testing.Short() {
			break // the same sums once more, 50,000 numbers of them
		}
		const n = 50_000
		want := math.Cbrt(math.Pow(2*phi/(1-phi*phi), 2) * n)
		if got := BlockLength(autoregressive(3, n, phi)); math.Abs(got-want) > 0.2*want {
			t.Errorf("block length for phi %v is %v, want about %v", phi, got, want)
		}
	}
	for name, x := range map[string][]float64{"short": {1, 2, 3}, "flat": make([]float64, 100)} {
		if got := BlockLength(x); got != 1 {
			t.Errorf("block length of %s data is %v, want 1", name, got)
		}
	}
	trend := make([]float64, 100)
	for i := range trend {
		trend[i] = float64(i)
	}
	if got := BlockLength(trend); got < 1 || got > 30 {
		t.Errorf("block length of a trend is %v, outside [1, 30]", got)
	}
}

func mean(x []float64) float64 { return stat.Mean(x, nil) }

func TestBootstrap(t *testing.T) {
	// Independent data: the standard error of the mean is sigma/sqrt(n).
	x := autoregressive(1, 400, 0)
	interval, err := Bootstrap(t.Context(), x, mean, BootstrapSettings{Seed: 1, MeanBlock: 1})
	if err != nil {
		t.Fatal(err)
	}
	want := stat.StdDev(x, nil) / 20
	near(t, "standard error", interval.StdErr, want, 0.05)
	near(t, "width", interval.High-interval.Low, 2*1.96*want, 0.06)
	if interval.Estimate != mean(x) || interval.Low > interval.Estimate || interval.High < interval.Estimate {
		t.Errorf("interval %+v doesn't hold the mean %v", interval, mean(x))
	}

	// Dependent data: long blocks find the larger error, 1/(1-phi) times.
	y := autoregressive(2, 2000, 0.7)
	long, err := Bootstrap(t.Context(), y, mean, BootstrapSettings{Seed: 1, Resamples: 500})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "standard error of dependent data", long.StdErr, 1/(1-0.7)/math.Sqrt(2000), 0.25)
	if long.MeanBlock < 10 {
		t.Errorf("mean block of dependent data is %v", long.MeanBlock)
	}

	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, workers := range []int{1, 3} {
		runtime.GOMAXPROCS(workers)
		again, err := Bootstrap(t.Context(), x, mean, BootstrapSettings{Seed: 1, MeanBlock: 1})
		if err != nil || again != interval {
			t.Errorf("%d workers give %+v with error %v, want %+v", workers, again, err, interval)
		}
	}
}

func TestBootstrapErrors(t *testing.T) {
	x := autoregressive(1, 50, 0)
	var settings *metrics.SettingsError
	for _, s := range []BootstrapSettings{{Resamples: 1}, {Confidence: 1}, {Confidence: math.NaN()}, {MeanBlock: 0.5}, {MeanBlock: math.Inf(1)}} {
		if _, err := Bootstrap(t.Context(), x, mean, s); !errors.As(err, &settings) {
			t.Errorf("%+v gives %v", s, err)
		}
	}
	if _, err := Bootstrap(t.Context(), x[:1], mean, BootstrapSettings{}); !errors.Is(err, metrics.ErrTooShort) {
		t.Errorf("one return gives %v", err)
	}
	if _, err := Bootstrap(t.Context(), x, func([]float64) float64 { return math.NaN() }, BootstrapSettings{}); err == nil {
		t.Error("a statistic of NaN is no error")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Bootstrap(ended, x, mean, BootstrapSettings{}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gives %v", err)
	}
}

// 20 exceedances in 252 days at 95 %, 6 of them after another: LR 3.91, 9.53
// and 13.44 (Jorion, "Value at Risk", chapter on backtesting).
func TestCoverage(t *testing.T) {
	kupiec, err := Kupiec(252, 20, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "Kupiec", kupiec.Statistic, 3.91, 0.005/3.91)
	near(t, "Kupiec's p-value", kupiec.PValue, 0.048, 0.0005/0.048)

	// 14 runs of exceedances with 20 in all: 218 transitions between none, 14
	// into a run, 14 out of one, 6 within.
	var hits []bool
	for run := range 14 {
		hits = append(hits, make([]bool, 15)...)
		hits = append(hits, true)
		if run < 6 {
			hits = append(hits, true)
		}
	}
	hits = append(hits, make([]bool, 253-len(hits))...)
	c, err := Christoffersen(hits, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if c.Exceedances != 20 {
		t.Errorf("%d exceedances, want 20", c.Exceedances)
	}
	near(t, "independence", c.Independence.Statistic, 9.53, 0.005/9.53)
	near(t, "conditional", c.Conditional.Statistic, c.Unconditional.Statistic+c.Independence.Statistic, 1e-15)

	right, err := Kupiec(100, 5, 0.95)
	if err != nil {
		t.Fatal(err)
	}
	if right.Statistic > 1e-12 || right.PValue < 0.999999 {
		t.Errorf("exact coverage gives %+v, want a statistic of 0", right)
	}
	none, err := Kupiec(250, 0, 0.99)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "no exceedance", none.Statistic, -2*250*math.Log(0.99), 1e-12)
	for _, bad := range [][2]int{{0, 0}, {10, 11}, {10, -1}} {
		if _, err := Kupiec(bad[0], bad[1], 0.95); err == nil {
			t.Errorf("%d exceedances in %d periods are no error", bad[1], bad[0])
		}
	}
	var settings *metrics.SettingsError
	if _, err := Kupiec(10, 1, 1); !errors.As(err, &settings) {
		t.Errorf("a level of 1 gives %v", err)
	}
	if _, err := Christoffersen([]bool{true}, 0.95); err == nil {
		t.Error("one period is no error")
	}
	if got := Exceedances([]float64{-0.02, -0.01, 0.03}, []float64{0.01, 0.01, 0.01}); !slices.Equal(got, []bool{true, false, false}) {
		t.Errorf("exceedances are %v", got)
	}
}

// Five cases of the probability of backtest overfitting; the reference agrees
// with a second implementation (phacker 0.1.0) in every logit.
func TestReferenceOverfitting(t *testing.T) {
	var reference struct {
		Cases []struct {
			Name        string
			S           int
			Expected    map[string]float64
			FirstLogits []float64 `json:"first10_logits"`
		}
	}
	sharedtest.JSON(t, &reference, "cases", "overfit", "pbo.json")
	noise := sharedtest.Table(t, 0, "cases", "overfit", "noise_640x50.csv")
	twice := mat.NewDense(640, 20, nil)
	for i := range 640 {
		for j := range 20 {
			twice.Set(i, j, noise.At(i, j%10))
		}
	}
	inputs := map[string]*mat.Dense{"noise": noise, "noise_S8": noise, "duplicates_20": twice}
	checked := 0
	for _, test := range reference.Cases {
		returns, ok := inputs[test.Name]
		if !ok {
			continue // its input isn't part of the reference data
		}
		checked++
		o, err := CSCV(returns, test.S)
		if err != nil {
			t.Fatal(err)
		}
		if len(o.Logits) != int(test.Expected["n_combinations"]) {
			t.Errorf("%s: %d splits, want %v", test.Name, len(o.Logits), test.Expected["n_combinations"])
		}
		near(t, test.Name+" pbo", o.PBO, test.Expected["pbo"], 1e-12)
		near(t, test.Name+" mean logit", o.MeanLogit, test.Expected["mean_logit"], 1e-8)
		near(t, test.Name+" median logit", o.MedianLogit, test.Expected["median_logit"], 1e-8)
		near(t, test.Name+" loss", o.ProbabilityOfLoss, test.Expected["prob_oos_loss"], 1e-8)
		near(t, test.Name+" slope", o.Slope, test.Expected["degradation_slope"], 1e-8)
		near(t, test.Name+" intercept", o.Intercept, test.Expected["degradation_intercept"], 1e-8)
		near(t, test.Name+" r2", o.R2, test.Expected["degradation_r2"], 1e-8)
		near(t, test.Name+" in sample", o.MeanInSample, test.Expected["mean_is_sr"], 1e-8)
		near(t, test.Name+" out of sample", o.MeanOutOfSample, test.Expected["mean_oos_sr"], 1e-8)
		for i, want := range test.FirstLogits {
			near(t, fmt.Sprint(test.Name, " logit ", i), o.Logits[i], want, 1e-12)
		}
	}
	if checked != len(inputs) {
		t.Errorf("checked %d cases, want %d", checked, len(inputs))
	}
}
