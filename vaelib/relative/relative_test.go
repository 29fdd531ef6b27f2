package relative_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/relative"
)

// draw returns a benchmark and a portfolio that follows it in part.
func draw(r *rand.Rand, periods int) (b, p []float64) {
	b, p = make([]float64, periods), make([]float64, periods)
	for t := range b {
		b[t] = 0.001 + 0.02*r.NormFloat64()
		p[t] = 0.7*b[t] + 0.01*r.NormFloat64()
	}
	return b, p
}

// over applies a function to each return.
func over(x []float64, f func(float64) float64) []float64 {
	y := make([]float64, len(x))
	for t, v := range x {
		y[t] = f(v)
	}
	return y
}

func evaluator(t *testing.T, b relative.Benchmark, settings metrics.Settings) *relative.Evaluator {
	t.Helper()
	if settings.PeriodsPerYear == 0 {
		settings.PeriodsPerYear = 252
	}
	e, err := relative.NewEvaluator(b, settings)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func figures(t *testing.T, b, p []float64, settings metrics.Settings) *relative.Figures {
	t.Helper()
	f := evaluator(t, relative.Benchmark{Returns: b}, settings).Evaluate(p, nil)
	return &f
}

// value is a figure that has to be defined.
func value(t *testing.T, f *relative.Figures, figure relative.Figure) float64 {
	t.Helper()
	x, ok := f.Value(figure).Float()
	if !ok {
		t.Errorf("%s is undefined: %s", figure.Name(), f.Value(figure).Reason())
	}
	return x
}

// check fails unless a figure is near what is wanted.
func check(t *testing.T, f *relative.Figures, figure relative.Figure, want float64) {
	t.Helper()
	if got := value(t, f, figure); !(math.Abs(got-want) <= 1e-10*max(1, math.Abs(want))) {
		t.Errorf("%s is %.17g, want %.17g", figure.Name(), got, want)
	}
}

// Expected values were computed by numpy 2.4.6: np.mean, np.std and np.cov with ddof=1,
// of p = [.01, -.02, .03, 0, .015] and b = [.02, -.01, .01, -.02, 0], 252 periods, rf .05.
func TestGoldenVector(t *testing.T) {
	b, p := []float64{.02, -.01, .01, -.02, 0}, []float64{.01, -.02, .03, 0, .015}
	f := figures(t, b, p, metrics.Settings{RiskFree: 0.05})
	for figure, want := range map[relative.Figure]float64{
		relative.ActiveReturn: 1.764, relative.TrackingError: .24847535089018388,
		relative.InformationRatio: 7.099295739719538, relative.Beta: .7, relative.Alpha: 1.749,
		relative.Correlation: .5958795715311241, relative.UpCapture: 4. / 3, relative.DownCapture: 2. / 3,
	} {
		check(t, f, figure, want)
	}
}

// A portfolio that is its benchmark has a tracking error of exactly 0, and a beta and a
// correlation of exactly 1.
func TestItself(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 50 {
		b, _ := draw(r, 2+r.IntN(300))
		f := figures(t, b, b, metrics.Settings{RiskFree: 0.02})
		for figure, want := range map[relative.Figure]float64{
			relative.ActiveReturn: 0, relative.TrackingError: 0, relative.Beta: 1, relative.Alpha: 0, relative.Correlation: 1,
		} {
			if got := value(t, f, figure); got != want {
				t.Errorf("%s of the benchmark is %v, want exactly %v", figure.Name(), got, want)
			}
		}
		if _, ok := f.Value(relative.InformationRatio).Float(); ok {
			t.Error("the benchmark has an information ratio")
		}
	}
}

// A portfolio of twice the benchmark has twice its beta, and captures of 2.
func TestTwice(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	b, _ := draw(r, 250)
	f := figures(t, b, over(b, func(x float64) float64 { return 2 * x }), metrics.Settings{RiskFree: 0.03})
	m, err := metrics.EvaluateSeries(b, metrics.Settings{PeriodsPerYear: 252})
	if err != nil {
		t.Fatal(err)
	}
	for figure, want := range map[relative.Figure]float64{
		relative.ActiveReturn: m.AnnualReturn, relative.TrackingError: m.Volatility, relative.InformationRatio: m.Sharpe,
		relative.Beta: 2, relative.Alpha: 0.03, relative.Correlation: 1, relative.UpCapture: 2, relative.DownCapture: 2,
	} {
		check(t, f, figure, want)
	}
}

// TestAffine changes portfolio and benchmark by scales and constants, of which each figure
// either knows nothing or has a known part.
func TestAffine(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	for range 50 {
		b, p := draw(r, 10+r.IntN(200))
		c, k := 0.1+2*r.Float64(), 0.002*r.NormFloat64()
		base := figures(t, b, p, metrics.Settings{})
		of := func(figure relative.Figure) float64 { return value(t, base, figure) }

		scale := func(x float64) float64 { return c * x }
		scaled := figures(t, over(b, scale), over(p, scale), metrics.Settings{})
		for figure, want := range map[relative.Figure]float64{
			relative.ActiveReturn: c * of(relative.ActiveReturn), relative.TrackingError: c * of(relative.TrackingError),
			relative.InformationRatio: of(relative.InformationRatio), relative.Beta: of(relative.Beta),
			relative.Alpha: c * of(relative.Alpha), relative.Correlation: of(relative.Correlation),
			relative.UpCapture: of(relative.UpCapture), relative.DownCapture: of(relative.DownCapture),
		} {
			check(t, scaled, figure, want)
		}

		shift := func(x float64) float64 { return x + k }
		shifted := figures(t, over(b, shift), over(p, shift), metrics.Settings{})
		for _, figure := range []relative.Figure{relative.ActiveReturn, relative.TrackingError,
			relative.InformationRatio, relative.Beta, relative.Correlation} {
			check(t, shifted, figure, of(figure))
		}
		check(t, shifted, relative.Alpha, of(relative.Alpha)+252*k*(1-of(relative.Beta)))

		mixed := make([]float64, len(p)) // c of the portfolio, the rest in the benchmark
		for i := range p {
			mixed[i] = c*p[i] + (1-c)*b[i]
		}
		m := figures(t, b, mixed, metrics.Settings{})
		for figure, want := range map[relative.Figure]float64{
			relative.ActiveReturn: c * of(relative.ActiveReturn), relative.TrackingError: c * of(relative.TrackingError),
			relative.InformationRatio: of(relative.InformationRatio), relative.Beta: c*of(relative.Beta) + 1 - c,
			relative.Alpha: c * of(relative.Alpha), relative.UpCapture: c*of(relative.UpCapture) + 1 - c,
		} {
			check(t, m, figure, want)
		}
	}
}

// TestUndefined gives what has no value its reason, and never a NaN.
func TestUndefined(t *testing.T) {
	rising, falling := []float64{.01, .02, .03, .01}, []float64{-.01, -.02, -.03, -.01}
	flat, ruined := []float64{.001, .001, .001, .001}, []float64{-1, .02, -1.5, .01}
	mixed := []float64{.01, -.02, .03, -.01}
	empyrical := metrics.Settings{Convention: metrics.Empyrical}
	for _, c := range []struct {
		name     string
		b, p     []float64
		settings metrics.Settings
		want     map[relative.Figure]string
	}{
		{"a constant benchmark", flat, mixed, metrics.Settings{}, map[relative.Figure]string{
			relative.Beta: "benchmark's return is the same", relative.Alpha: "the same", relative.Correlation: "the same",
			relative.DownCapture: "loses in no period"}},
		{"no benchmark return at all", make([]float64, 4), mixed, metrics.Settings{}, map[relative.Figure]string{
			relative.Beta: "the same", relative.Alpha: "the same", relative.Correlation: "the same",
			relative.UpCapture: "gains in no period", relative.DownCapture: "loses in no period"}},
		{"a constant portfolio", mixed, flat, metrics.Settings{}, map[relative.Figure]string{
			relative.Correlation: "the return is the same"}},
		{"two constants", flat, make([]float64, 4), metrics.Settings{}, map[relative.Figure]string{
			relative.InformationRatio: "no tracking error", relative.Beta: "the same", relative.Alpha: "the same",
			relative.Correlation: "the same", relative.DownCapture: "loses in no period"}},
		{"rising", rising, mixed, metrics.Settings{}, map[relative.Figure]string{relative.DownCapture: "loses in no"}},
		{"falling", falling, mixed, metrics.Settings{}, map[relative.Figure]string{relative.UpCapture: "gains in no"}},
		{"ruin", mixed, ruined, metrics.Settings{}, nil},
		{"ruin compounded", mixed, ruined, empyrical, map[relative.Figure]string{relative.UpCapture: "-100 %"}},
		{"beyond float64", mixed, over(mixed, func(x float64) float64 { return 1e300 * x }), metrics.Settings{},
			map[relative.Figure]string{relative.TrackingError: "too large", relative.InformationRatio: "too large",
				relative.Correlation: "too large"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := figures(t, c.b, c.p, c.settings)
			for figure, v := range f.All() {
				_, ok := v.Float()
				want, undefined := c.want[figure]
				if figure == relative.ActiveShare {
					want, undefined = "weights are not known", true
				}
				if ok == undefined || !ok && !strings.Contains(v.Reason(), want) {
					t.Errorf("%s is %v, its reason %q, want %q", figure.Name(), v.Any(), v.Reason(), want)
				}
			}
		})
	}
}

func TestActiveShare(t *testing.T) {
	b, p := draw(rand.New(rand.NewPCG(1, 4)), 20)
	for _, c := range []struct {
		benchmark, w []float64
		want         float64
	}{
		{[]float64{.5, .5, 0}, []float64{.5, .5, 0}, 0},
		{[]float64{.5, .5, 0}, []float64{0, 0, 1}, 1},
		{[]float64{.5, .25, .25}, []float64{.25, .5, .25}, .25},
		{[]float64{0, 0, 0}, []float64{.2, .3, .5}, 1},    // an asset that is none of these
		{[]float64{.5, 0, 0}, []float64{.5, .5, 0}, .5},   // half of it is
		{[]float64{1, 0, 0}, []float64{1.5, -.5, 0}, .5},  // a short position
		{[]float64{.1, .2, .7}, []float64{.1, .2, .7}, 0}, // whose sum is 1 but for rounding
	} {
		f := evaluator(t, relative.Benchmark{Returns: b, Weights: c.benchmark}, metrics.Settings{}).Evaluate(p, c.w)
		if got := value(t, &f, relative.ActiveShare); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("the active share of %v beside %v is %v, want %v", c.w, c.benchmark, got, c.want)
		}
	}
}

// TestRows compares the figures of many portfolios with those of each.
func TestRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 5))
	returns, weights := mat.NewDense(40, 3, nil), mat.NewDense(100, 3, nil)
	for i := range 40 {
		for j := range 3 {
			returns.Set(i, j, 0.02*r.NormFloat64())
		}
	}
	for i := range 100 {
		a, b := r.Float64(), r.Float64()
		weights.SetRow(i, []float64{a, (1 - a) * b, (1 - a) * (1 - b)})
	}
	m, err := metrics.NewEvaluator(returns, metrics.Settings{PeriodsPerYear: 252})
	if err != nil {
		t.Fatal(err)
	}
	b := relative.Benchmark{Returns: mat.Col(nil, 0, returns), Weights: []float64{1, 0, 0}}
	e := evaluator(t, b, metrics.Settings{})
	all := make([]relative.Figures, 100)
	if err := e.EvaluateAll(t.Context(), m, weights, all); err != nil {
		t.Fatal(err)
	}
	series := make([]float64, 40)
	for i := range all {
		w := weights.RawRowView(i)
		if err := m.Returns(series, w); err != nil {
			t.Fatal(err)
		}
		if one := e.Evaluate(series, w); one != all[i] {
			t.Errorf("row %d is %v among others and %v alone", i, all[i], one)
		}
	}
	var wrong *metrics.AssetsError
	if err := e.EvaluateAll(t.Context(), m, mat.NewDense(1, 2, nil), all[:1]); !errors.As(err, &wrong) {
		t.Errorf("two weights for three assets give %v", err)
	}
}

func TestRefusals(t *testing.T) {
	if _, err := relative.NewEvaluator(relative.Benchmark{Returns: []float64{.1}},
		metrics.Settings{PeriodsPerYear: 1}); !errors.Is(err, metrics.ErrTooShort) {
		t.Errorf("one period gives %v", err)
	}
	var settings *metrics.SettingsError
	if _, err := relative.NewEvaluator(relative.Benchmark{Returns: []float64{.1, .2}},
		metrics.Settings{}); !errors.As(err, &settings) {
		t.Errorf("no periods a year give %v", err)
	}
	for _, x := range []float64{math.NaN(), math.Inf(1), -1.5, 1e16} {
		var wrong *metrics.ReturnError
		if _, err := relative.NewEvaluator(relative.Benchmark{Returns: []float64{.1, x}},
			metrics.Settings{PeriodsPerYear: 1}); !errors.As(err, &wrong) || wrong.Period != 1 {
			t.Errorf("a return of %v gives %v", x, err)
		}
	}
}
