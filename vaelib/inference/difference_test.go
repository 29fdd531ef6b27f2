package inference

import (
	"errors"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/stream"
)

// core12 returns BTC, the inverse-volatility and the equal-weight portfolio of the
// reference prices, constant weights.
func core12(t testing.TB) (btc, inverse, equal []float64) {
	t.Helper()
	prices := sharedtest.Table(t, 1, "cases", "data", "core12_close.csv")
	rows, n := prices.Dims()
	returns := mat.NewDense(rows-1, n, nil)
	weights := make([]float64, n)
	var sum float64
	for j := range n {
		for i := range rows - 1 {
			returns.Set(i, j, prices.At(i+1, j)/prices.At(i, j)-1)
		}
		weights[j] = 1 / stat.StdDev(mat.Col(nil, j, returns), nil)
		sum += weights[j]
	}
	inverse, equal = make([]float64, rows-1), make([]float64, rows-1)
	for i := range rows - 1 {
		for j := range n {
			inverse[i] += weights[j] / sum * returns.At(i, j)
			equal[i] += returns.At(i, j) / float64(n)
		}
	}
	return mat.Col(nil, 0, returns), inverse, equal
}

// Every case of the reference, to its tolerance of 1e-8.
func TestReferenceSharpeDifference(t *testing.T) {
	type estimate struct{ Diff, SE, Z, P float64 }
	var reference struct {
		Cases []struct {
			Name     string
			Memmel   estimate
			IID      estimate `json:"lw2008_iid"`
			Bartlett estimate `json:"lw2008_bartlett_L5"`
			Parzen   estimate `json:"lw2008_parzen_S10"`
		}
	}
	sharedtest.JSON(t, &reference, "cases", "overfit", "sharpe_difference.json")
	btc, inverse, equal := core12(t)
	first := map[string][]float64{"BTC vs equal weight": btc, "inverse vol vs equal weight": inverse}
	for _, c := range reference.Cases {
		a, ok := first[c.Name]
		if !ok {
			t.Fatalf("unknown case %s", c.Name)
		}
		memmel, err := JobsonKorkie(a, equal)
		if err != nil {
			t.Fatal(err)
		}
		near(t, c.Name+" Memmel z", memmel.Statistic, c.Memmel.Z, 1e-8)
		near(t, c.Name+" Memmel p", memmel.PValue, c.Memmel.P, 1e-8)
		for _, s := range []struct {
			settings DifferenceSettings
			want     estimate
		}{
			{DifferenceSettings{Kernel: NoKernel}, c.IID},
			{DifferenceSettings{Kernel: Bartlett, Bandwidth: 6}, c.Bartlett},
			{DifferenceSettings{Kernel: Parzen, Bandwidth: 10}, c.Parzen},
		} {
			d, err := LedoitWolf(a, equal, s.settings)
			if err != nil {
				t.Fatal(err)
			}
			name := c.Name + " " + string(s.settings.Kernel)
			near(t, name+" difference", d.Value/s.want.Diff, 1, 1e-8)
			near(t, name+" se", d.StdErr/s.want.SE, 1, 1e-8)
			near(t, name+" z", d.Z, s.want.Z, 1e-8)
			near(t, name+" p", d.PValue, s.want.P, 1e-8)
		}
	}
}

// A scalar autoregression has the long-run variance sigma^2/(1-phi)^2, which all
// kernels with Andrews' bandwidth come near, prewhitened ones nearest.
func TestLongRunVariance(t *testing.T) {
	const periods, phi = 6000, 0.5
	x := autoregressive(3, periods, phi)
	for _, kernel := range Kernels()[:3] {
		column := mat.NewDense(periods, 1, x)
		bandwidth := andrews(column, kernel)
		near(t, string(kernel), longRun(x, kernel, bandwidth), 1/((1-phi)*(1-phi)), 0.15)
		white, recolour := prewhitened(column, []float64{1})
		y := mat.Col(nil, 0, white)
		got := recolour[0] * recolour[0] * longRun(y, kernel, andrews(white, kernel))
		near(t, string(kernel)+" prewhitened", got, 1/((1-phi)*(1-phi)), 0.08)
	}
	// Parzen's and Bartlett's weights by hand, and their limits.
	for _, c := range []struct {
		kernel Kernel
		x, at  float64
	}{
		{Parzen, 0.25, 1 - 6*0.0625 + 6*0.015625}, {Parzen, 0.5, 0.25}, {Parzen, 0.75, 0.03125}, {Parzen, 1, 0},
		{Bartlett, 0.25, 0.75}, {QuadraticSpectral, 1e-3, 1}, {QuadraticSpectral, 5.0 / 6, 3 / (math.Pi * math.Pi)},
	} {
		near(t, string(c.kernel), c.kernel.at(c.x), c.at, 1e-5)
	}
}

// The test of two equal Sharpe ratios rejects as often as its level says, where
// periods depend on each other.
func TestSharpeDifferenceKeepsItsLevel(t *testing.T) {
	const worlds, periods = 400, 300
	rejected := map[bool]int{}
	for w := range worlds {
		rng := stream.New(uint64(w), "inference.test.level", 0)
		a, b := make([]float64, periods), make([]float64, periods)
		for i := 1; i < periods; i++ {
			common := rng.NormFloat64()
			a[i] = 0.05 + 0.3*(a[i-1]-0.05) + common + rng.NormFloat64()
			b[i] = 0.05 + 0.3*(b[i-1]-0.05) + common + rng.NormFloat64()
		}
		for _, prewhiten := range []bool{false, true} {
			d, err := LedoitWolf(a, b, DifferenceSettings{Prewhiten: prewhiten, Kernel: QuadraticSpectral})
			if err != nil {
				t.Fatal(err)
			}
			if d.PValue < 0.05 {
				rejected[prewhiten]++
			}
		}
	}
	for prewhiten, count := range rejected {
		if share := float64(count) / worlds; share < 0.02 || share > 0.1 {
			t.Errorf("prewhitened %v: %v rejected of equal ratios, want about .05", prewhiten, share)
		}
	}
}

// A p-value far in the tail is small, not 0.
func TestJobsonKorkieTail(t *testing.T) {
	good, bad := make([]float64, 400), make([]float64, 400)
	for i := range good {
		good[i], bad[i] = 0.01*float64(1+2*(i%2)), -0.01*float64(1+2*(i/2%2))
	}
	test, err := JobsonKorkie(good, bad)
	if err != nil {
		t.Fatal(err)
	}
	if want := math.Erfc(test.Statistic / math.Sqrt2); test.Statistic < 15 || math.Abs(test.PValue/want-1) > 1e-9 {
		t.Errorf("z = %g: p-value %g, want %g", test.Statistic, test.PValue, want)
	}
}

func TestSharpeDifferenceRefuses(t *testing.T) {
	x := autoregressive(1, 50, 0)
	twice, flat := make([]float64, 50), make([]float64, 50)
	for i := range x {
		twice[i], flat[i] = 2*x[i], 0.01
	}
	for _, kernel := range Kernels() {
		if _, err := LedoitWolf(x, twice, DifferenceSettings{Kernel: kernel}); !errors.Is(err, ErrSame) {
			t.Errorf("%s of a multiple gives %v", kernel, err)
		}
	}
	if _, err := JobsonKorkie(x, twice); !errors.Is(err, ErrSame) {
		t.Errorf("Memmel of a multiple gives %v", err)
	}
	var constant *FlatError
	if _, err := LedoitWolf(x, flat, DifferenceSettings{}); !errors.As(err, &constant) || !constant.Second {
		t.Errorf("a constant gives %v", err)
	}
	if _, err := LedoitWolf(x[:5], twice[:5], DifferenceSettings{}); !errors.Is(err, metrics.ErrTooShort) {
		t.Errorf("five periods give %v", err)
	}
	var settings *metrics.SettingsError
	for _, s := range []DifferenceSettings{{Kernel: "box"}, {Bandwidth: -1}, {Bandwidth: math.NaN()}} {
		if _, err := LedoitWolf(x, autoregressive(2, 50, 0), s); !errors.As(err, &settings) {
			t.Errorf("%+v gives %v", s, err)
		}
	}
	bad := append([]float64{math.NaN()}, x[1:]...)
	var value *metrics.ReturnError
	if _, err := LedoitWolf(x, bad, DifferenceSettings{}); !errors.As(err, &value) || value.Asset != 1 {
		t.Errorf("NaN gives %v", err)
	}
}

// Block lengths and intervals of arch 8.0.0.
func TestReferenceBootstrap(t *testing.T) {
	type interval struct {
		Block float64
		CI    []float64 `json:"ci95_percentile"`
	}
	var reference struct {
		Cases []struct {
			Sharpe      float64
			Length      map[string]float64 `json:"optimal_block_length"`
			OfSquares   map[string]float64 `json:"optimal_block_length_of_squares"`
			Stationary  interval           `json:"stationary_10"`
			Circular    interval           `json:"circular_10"`
			Stationary3 interval           `json:"stationary_30"`
		}
	}
	sharedtest.JSON(t, &reference, "cases", "overfit", "bootstrap_sharpe.json")
	_, _, equal := core12(t)
	squares := make([]float64, len(equal))
	for i, r := range equal {
		squares[i] = r * r
	}
	annual := func(r []float64) float64 { return stat.Mean(r, nil) / stat.StdDev(r, nil) * math.Sqrt(365) }
	c := reference.Cases[0]
	near(t, "length", BlockLength(equal), c.Length["stationary"], 1e-8)
	near(t, "circular length", BlockLength(equal)*math.Cbrt(1.5), c.Length["circular"], 1e-8)
	near(t, "length of squares", BlockLength(squares), c.OfSquares["stationary"], 1e-8)
	near(t, "circular length of squares", BlockLength(squares)*math.Cbrt(1.5), c.OfSquares["circular"], 1e-8)
	near(t, "Sharpe", annual(equal), c.Sharpe, 1e-12)
	for _, s := range []struct {
		interval
		circular bool
	}{{c.Stationary, false}, {c.Circular, true}, {c.Stationary3, false}} {
		got, err := Bootstrap(t.Context(), equal, annual, BootstrapSettings{
			Resamples: 5000, MeanBlock: s.Block, Circular: s.circular, Seed: 1,
		})
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got.Low-s.CI[0]) > 0.05 || math.Abs(got.High-s.CI[1]) > 0.05 {
			t.Errorf("blocks of %v, circular %v: from %v to %v, want %v", s.Block, s.circular, got.Low, got.High, s.CI)
		}
	}
}

// One track alone has the interval of [Bootstrap], and statistics of several
// tracks are those of their own.
func TestBootstrapTracks(t *testing.T) {
	returns := market(5, 200, 3)
	draws, err := BootstrapTracks(t.Context(), returns, 2, func(dst, r []float64) { dst[0], dst[1] = stat.MeanStdDev(r, nil) },
		BootstrapSettings{Seed: 4, Resamples: 300, MeanBlock: 5})
	if err != nil {
		t.Fatal(err)
	}
	for k := range 3 {
		want, err := Bootstrap(t.Context(), mat.Col(nil, k, returns), mean, BootstrapSettings{Seed: 4, Resamples: 300, MeanBlock: 5})
		if err != nil {
			t.Fatal(err)
		}
		low, high, deviation := Percentiles(mat.Col(nil, 2*k, draws.Values), 0.95)
		if low != want.Low || high != want.High || deviation != want.StdErr {
			t.Errorf("track %d: %v to %v, %v; alone %+v", k, low, high, deviation, want)
		}
	}
	if low, _, _ := Percentiles([]float64{1, math.NaN(), 2}, 0.95); !math.IsNaN(low) {
		t.Errorf("an undefined draw gives %v", low)
	}
}

// Of strategies as good as the benchmark the tests reject at about their level, and
// they find one that is better.
func TestSuperiority(t *testing.T) {
	if testing.Short() {
		t.Skip("looks at many worlds, one after the other: run without -short")
	}
	const worlds, periods, strategies, resamples = 60, 250, 8, 200
	test := func(seed uint64, skill float64) (Superior, []float64) {
		rng := stream.New(seed, "inference.test.superior", 0)
		returns := mat.NewDense(periods, strategies+1, nil)
		for i := range periods {
			common := rng.NormFloat64()
			for k := range strategies + 1 {
				returns.Set(i, k, common+rng.NormFloat64())
			}
			returns.Set(i, 3, returns.At(i, 3)+skill)
		}
		ratio := func(r []float64) float64 { return stat.Mean(r, nil) / stat.StdDev(r, nil) }
		draws, err := BootstrapTracks(t.Context(), returns, 1, func(dst, r []float64) { dst[0] = ratio(r) },
			BootstrapSettings{Seed: seed, Resamples: resamples, MeanBlock: 1})
		if err != nil {
			t.Fatal(err)
		}
		differences := make([]float64, strategies)
		against := mat.NewDense(resamples, strategies, nil)
		for k := range strategies {
			differences[k] = ratio(mat.Col(nil, k+1, returns)) - ratio(mat.Col(nil, 0, returns))
			for b := range resamples {
				against.Set(b, k, draws.Values.At(b, k+1)-draws.Values.At(b, 0))
			}
		}
		return SPA(differences, against, periods), StepDown(differences, against)
	}
	rejected, found := 0, 0
	for w := range uint64(worlds) {
		null, adjusted := test(w, 0)
		if null.Lower > null.PValue || null.PValue > null.Upper {
			t.Errorf("p-values %+v aren't in order", null)
		}
		if null.Statistic > 0 && math.Abs(adjusted[null.Best]-null.Upper) > 0.02 {
			t.Errorf("the best one's adjusted p-value is %v, the reality check's %v", adjusted[null.Best], null.Upper)
		}
		if null.PValue < 0.1 {
			rejected++
		}
		if skilled, p := test(w, 0.6); skilled.Best == 2 && skilled.PValue < 0.05 && p[2] < 0.05 {
			found++
		}
	}
	if rejected > worlds/4 {
		t.Errorf("%d of %d worlds without skill are rejected at 10 %%", rejected, worlds)
	}
	if found < worlds*9/10 {
		t.Errorf("skill is found in %d of %d worlds", found, worlds)
	}
}

// Where no strategy is ahead of the benchmark, the best is the one that is least behind.
func TestSuperiorityWhereAllAreBehind(t *testing.T) {
	draws := mat.NewDense(3, 2, []float64{-0.5, -0.2, -0.4, -0.1, -0.6, -0.3})
	got := SPA([]float64{-0.5, -0.2}, draws, 100)
	if want := (Superior{Best: 1, PValue: 1, Lower: 1, Upper: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
