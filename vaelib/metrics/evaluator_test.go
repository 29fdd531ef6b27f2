package metrics

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/vaelib/sharpe"
)

func newEvaluator(t testing.TB, returns *mat.Dense, settings Settings) *Evaluator {
	t.Helper()
	if settings.PeriodsPerYear == 0 {
		settings.PeriodsPerYear = 365
	}
	e, err := NewEvaluator(returns, settings)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func evaluate(t testing.TB, e *Evaluator, w ...float64) Figures {
	t.Helper()
	f, err := e.Evaluate(w)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func column(returns ...float64) *mat.Dense { return mat.NewDense(len(returns), 1, returns) }

// TestDefinitions computes every figure of random portfolios once more, term
// by term as the package comment defines it, with sorting for order
// statistics. A third of the assets have many tied returns.
func TestDefinitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		periods, n := rapid.IntRange(2, 300).Draw(t, "periods"), rapid.IntRange(1, 12).Draw(t, "assets")
		seed := rapid.Uint64().Draw(t, "seed")
		s := Settings{
			PeriodsPerYear: rapid.SampledFrom([]float64{365, 252, 8760}).Draw(t, "periods per year"),
			RiskFree:       rapid.SampledFrom([]float64{0, 0.03}).Draw(t, "risk-free"),
			MAR:            rapid.SampledFrom([]float64{0, 0.1, -0.1}).Draw(t, "MAR"),
			Level:          rapid.SampledFrom([]float64{0.95, 0.99, 0.9, 0.5}).Draw(t, "level"),
		}
		returns, weights := market(seed, periods, n), simplexRows(seed, 1, n)
		if rapid.Bool().Draw(t, "single") { // one asset: its ties survive
			clear(weights.RawRowView(0))
			weights.Set(0, 0, 1)
		}
		e, err := NewEvaluator(returns, s)
		if err != nil {
			t.Fatal(err)
		}
		w := weights.RawRowView(0)
		got, err := e.Evaluate(w)
		if err != nil {
			t.Fatal(err)
		}
		want := definitions(returns, w, s)
		for figure := range figureCount {
			value, defined := got.Value(figure).Float()
			expected := want[figure]
			if math.IsNaN(expected) || math.IsInf(expected, 0) {
				if defined {
					t.Fatalf("%s is %v where it is undefined", figureNames[figure], value)
				}
				continue
			}
			if !defined {
				t.Fatalf("%s is undefined (%s), want %v", figureNames[figure], got.Value(figure).Reason(), expected)
			}
			if math.Abs(value-expected) > 1e-9*math.Max(1e-3, math.Abs(expected)) {
				t.Fatalf("%s is %.15g, want %.15g", figureNames[figure], value, expected)
			}
		}
	})
}

func definitions(returns *mat.Dense, w []float64, s Settings) (want [figureCount]float64) {
	periods, n := returns.Dims()
	count := float64(periods)
	y := make([]float64, periods)
	std := func(x []float64) float64 {
		var mean, sum float64
		for _, v := range x {
			mean += v / count
		}
		for _, v := range x {
			sum += (v - mean) * (v - mean)
		}
		if sum < 1e-26 {
			return 0
		}
		return math.Sqrt(sum / (count - 1))
	}
	var weighted, squares float64
	for j := range n {
		asset := mat.Col(nil, j, returns)
		weighted += w[j] * std(asset)
		squares += w[j] * w[j]
		for t, r := range asset {
			y[t] += w[j] * r
		}
	}
	mean, downside, wealth, peak, depth := 0.0, 0.0, 1.0, 1.0, 0.0
	for _, r := range y {
		mean += r / count
		downside += math.Pow(math.Min(r-s.MAR/s.PeriodsPerYear, 0), 2) / count
		wealth *= 1 + r
		peak = math.Max(peak, wealth)
		depth = math.Max(depth, 1-wealth/peak)
	}
	sigma, annual := std(y), math.Sqrt(s.PeriodsPerYear)
	want[AnnualReturn] = mean * s.PeriodsPerYear
	want[CAGR] = math.Pow(wealth, s.PeriodsPerYear/count) - 1
	want[Volatility] = sigma * annual
	want[Sharpe] = (mean*s.PeriodsPerYear - s.RiskFree) / (sigma * annual)
	want[Sortino] = (mean*s.PeriodsPerYear - s.MAR) / (math.Sqrt(downside) * annual)
	want[MaxDrawdown] = depth
	want[Calmar] = want[CAGR] / depth
	want[DiversificationRatio] = weighted / sigma
	want[EffectiveAssets] = 1 / squares

	slices.Sort(y)
	mass := (1 - s.Level) * count
	if math.Abs(mass-math.Round(mass)) < 1e-9 {
		mass = math.Round(mass)
	}
	k := int(math.Max(1, math.Ceil(mass)))
	want[VaR] = -y[k-1]
	// Rockafellar and Uryasev: the minimum over a of a + mean of the excess
	// over a, in units of the tail, is at a = VaR.
	var excess float64
	for _, r := range y {
		excess += math.Max(-r-want[VaR], 0)
	}
	want[CVaR] = want[VaR] + excess/mass

	var second, third, fourth float64
	for _, r := range y {
		d := r - mean
		second += d * d / count
		third += d * d * d / count
		fourth += d * d * d * d / count
	}
	sr := (mean - s.RiskFree/s.PeriodsPerYear) / sigma
	want[PSR] = math.NaN()
	if sigma > 0 {
		want[PSR] = sharpe.Probabilistic(sr, 0, periods, third/math.Pow(second, 1.5), fourth/(second*second))
	}
	return want
}

// Figures don't depend on how portfolios are batched, nor on the number of
// cores, down to the last bit.
func TestBatchesHaveTheSameBits(t *testing.T) {
	for _, n := range []int{1, 5, 40} {
		e := newEvaluator(t, market(1, 143, n), Settings{})
		weights := simplexRows(2, 3*lanes+5, n)
		rows, _ := weights.Dims()
		batch := make([]Figures, rows)
		if err := e.EvaluateAll(t.Context(), weights, batch); err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			if single := evaluate(t, e, weights.RawRowView(i)...); single != batch[i] {
				t.Fatalf("row %d of %d assets alone gives %+v, in a batch %+v", i, n, single, batch[i])
			}
		}
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
		for _, workers := range []int{1, 3, 8} {
			runtime.GOMAXPROCS(workers)
			again := make([]Figures, rows)
			if err := e.EvaluateAll(t.Context(), weights, again); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(again, batch) {
				t.Fatalf("%d workers give other figures", workers)
			}
		}
	}
}

// The figures that are asked for are the same whichever others are.
func TestChosenFigures(t *testing.T) {
	returns, w := market(3, 200, 6), simplexRows(3, 1, 6).RawRowView(0)
	for _, convention := range Conventions() {
		whole := evaluate(t, newEvaluator(t, returns, Settings{Convention: convention}), w...)
		masks := []Mask{six}
		for f := range figureCount {
			masks = append(masks, Of(f))
		}
		for _, mask := range masks {
			some := evaluate(t, newEvaluator(t, returns, Settings{Convention: convention, Figures: mask}), w...)
			if some.Undefined != all&^mask {
				t.Errorf("%s: asked for %b, undefined are %b", convention, mask, some.Undefined)
			}
			for f := range figureCount {
				want, _ := whole.Value(f).Float()
				if got, defined := some.Value(f).Float(); defined && got != want || !defined && got != 0 {
					t.Errorf("%s: %s is %v when chosen by %b, want %v", convention, figureNames[f], got, mask, want)
				}
			}
			if notes := some.Notes(); notes != nil {
				t.Errorf("figures that nobody asked for are noted: %v", notes)
			}
		}
	}
}

func TestProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		periods, n := rapid.IntRange(2, 200).Draw(t, "periods"), rapid.IntRange(1, 10).Draw(t, "assets")
		seed := rapid.Uint64().Draw(t, "seed")
		convention := rapid.SampledFrom(Conventions()).Draw(t, "convention")
		settings := Settings{PeriodsPerYear: 365, Convention: convention, Level: rapid.Float64Range(0.5, 0.999).Draw(t, "level")}
		returns, w := market(seed, periods, n), simplexRows(seed, 1, n).RawRowView(0)
		figures := func(returns *mat.Dense, w []float64) Figures {
			e, err := NewEvaluator(returns, settings)
			if err != nil {
				t.Fatal(err)
			}
			f, err := e.Evaluate(w)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		f := figures(returns, w)
		for figure := range figureCount {
			if v, _ := f.Value(figure).Float(); math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%s is %v", figureNames[figure], v)
			}
		}
		if f.CVaR < f.VaR {
			t.Fatalf("CVaR %v is below VaR %v", f.CVaR, f.VaR)
		}
		if f.MaxDrawdown < 0 || f.MaxDrawdown > 1 && convention != SkfolioDefaults {
			t.Fatalf("drawdown %v", f.MaxDrawdown)
		}
		if f.EffectiveAssets < 1-1e-12 || f.EffectiveAssets > float64(n)+1e-9 {
			t.Fatalf("%v effective assets of %d", f.EffectiveAssets, n)
		}
		if f.Undefined&Of(DiversificationRatio) == 0 && f.DiversificationRatio < 1-1e-12 {
			t.Fatalf("diversification ratio %v", f.DiversificationRatio)
		}
		same := func(what string, got, want float64) {
			if math.Abs(got-want) > 1e-9*math.Max(1e-2, math.Abs(want)) {
				t.Fatalf("%s: %v, want %v", what, got, want)
			}
		}

		rng := rand.New(rand.NewPCG(seed, 1))
		assets, times := rng.Perm(n), rng.Perm(periods)
		permuted, shuffled, half := mat.NewDense(periods, n, nil), mat.NewDense(periods, n, nil), mat.NewDense(periods, n, nil)
		permutedWeights := make([]float64, n)
		for j := range n {
			permutedWeights[j] = w[assets[j]]
			for i := range periods {
				permuted.Set(i, j, returns.At(i, assets[j]))
				shuffled.Set(i, j, returns.At(times[i], j))
				half.Set(i, j, returns.At(i, j)/2)
			}
		}
		p, q, h := figures(permuted, permutedWeights), figures(shuffled, w), figures(half, w)
		for figure := range figureCount {
			got, _ := p.Value(figure).Float()
			want, _ := f.Value(figure).Float()
			same("order of assets: "+figureNames[figure], got, want)
			if figure != MaxDrawdown && figure != Calmar {
				got, _ = q.Value(figure).Float()
				same("order of periods: "+figureNames[figure], got, want)
			}
		}
		same("half the returns: Sharpe", h.Sharpe, f.Sharpe)
		same("half the returns: Sortino", h.Sortino, f.Sortino)
		same("half the returns: PSR", h.PSR, f.PSR)
		same("half the returns: diversification", h.DiversificationRatio, f.DiversificationRatio)
		same("half the returns: volatility", 2*h.Volatility, f.Volatility)
		same("half the returns: VaR", 2*h.VaR, f.VaR)
		same("half the returns: CVaR", 2*h.CVaR, f.CVaR)
	})
}

func TestUndefined(t *testing.T) {
	growth := column(0, 0, 0, 0, 0, 0)
	for i, price := 0, 1.0; i < 6; i++ { // equal but for rounding
		next := price * 1.01
		growth.Set(i, 0, next/price-1)
		price = next
	}
	tests := []struct {
		name      string
		returns   *mat.Dense
		weights   []float64
		undefined Mask
		reason    string
	}{
		{"constant growth", growth, []float64{1}, Of(Sharpe, Sortino, Calmar, DiversificationRatio, PSR), "same in every period"},
		{"nothing happens", column(0, 0, 0), []float64{1}, Of(Sharpe, Sortino, Calmar, DiversificationRatio, PSR), "same in every period"},
		{"constant loss", column(-0.25, -0.25), []float64{1}, Of(Sharpe, DiversificationRatio, PSR), "same in every period"},
		{"only gains", column(0.1, 0.2), []float64{1}, Of(Sortino, Calmar), "no return is below"},
		{"only losses", column(-0.1, -0.2), []float64{1}, 0, ""},
		{"loss of everything", column(0.1, -1, 0.3), []float64{1}, 0, ""},
		{"leveraged ruin", column(0.1, -0.5, 0.1), []float64{3}, Of(CAGR, MaxDrawdown, Calmar), "below -100 %"},
		{"leveraged ruin, empyrical", column(0.1, -0.5, 0.1), []float64{3}, Of(AnnualReturn, CAGR, MaxDrawdown, Calmar), "below -100 %"},
		{"no weights", column(0.1, -0.5), []float64{0}, Of(Sharpe, Sortino, Calmar, DiversificationRatio, EffectiveAssets, PSR), "every weight is 0"},
		{"two opposite assets", mat.NewDense(3, 2, []float64{0.1, -0.1, -0.2, 0.2, 0.05, -0.05}), []float64{0.5, 0.5}, Of(Sharpe, Sortino, Calmar, DiversificationRatio, PSR), "same in every period"},
	}
	for _, test := range tests {
		settings := Settings{}
		if strings.Contains(test.name, "empyrical") {
			settings.Convention = Empyrical
		}
		f := evaluate(t, newEvaluator(t, test.returns, settings), test.weights...)
		if f.Undefined != test.undefined {
			t.Errorf("%s: undefined are %v", test.name, f.Notes())
		}
		if len(f.Notes()) != test.undefined.Len() || !strings.Contains(strings.Join(f.Notes(), "\n"), test.reason) {
			t.Errorf("%s: notes are %q, want one of %q", test.name, f.Notes(), test.reason)
		}
		for figure := range figureCount {
			if v, defined := f.Value(figure).Float(); !defined && v != 0 || math.IsNaN(v) || math.IsInf(v, 0) {
				t.Errorf("%s: %s is %v", test.name, figureNames[figure], v)
			}
		}
	}
	everything := evaluate(t, newEvaluator(t, column(0.1, -1, 0.3), Settings{}), 1)
	if everything.CAGR != -1 || everything.MaxDrawdown != 1 {
		t.Errorf("a loss of everything has CAGR %v and drawdown %v, want -1 and 1", everything.CAGR, everything.MaxDrawdown)
	}
	boom := mat.NewDense(100, 1, nil)
	for i := range 100 {
		boom.Set(i, 0, float64(1+i%2)*1e6)
	}
	huge := evaluate(t, newEvaluator(t, boom, Settings{}), 1)
	if huge.Undefined != Of(CAGR, Sortino, Calmar) || !strings.Contains(strings.Join(huge.Notes(), "\n"), "cagr: the value is too large") {
		t.Errorf("wealth beyond float64: notes are %q", huge.Notes())
	}
	for figure := range figureCount {
		if v, _ := huge.Value(figure).Float(); math.IsNaN(v) || math.IsInf(v, 0) {
			t.Errorf("wealth beyond float64: %s is %v", figureNames[figure], v)
		}
	}
	if _, defined := everything.DeflatedSharpe(10, 0.1).Float(); !defined {
		t.Error("deflated Sharpe ratio is undefined where the PSR is defined")
	}
	constant := evaluate(t, newEvaluator(t, growth, Settings{}), 1)
	if _, defined := constant.DeflatedSharpe(10, 0.1).Float(); defined {
		t.Error("deflated Sharpe ratio is defined where the PSR isn't")
	}
}

// A loss on the first day is a drawdown: wealth starts at 1 before it.
func TestFirstLossCounts(t *testing.T) {
	f := evaluate(t, newEvaluator(t, column(-0.5, 0.1), Settings{}), 1)
	if f.MaxDrawdown != 0.5 {
		t.Errorf("drawdown %v, want 0.5", f.MaxDrawdown)
	}
}

// (1-0.95)*100 is 5.000000000000004 in floating point, and still 5 returns.
func TestTailSnapsToWholePeriods(t *testing.T) {
	returns := mat.NewDense(100, 1, nil)
	for i := range 100 {
		returns.Set(i, 0, float64(i-10)/1000)
	}
	e := newEvaluator(t, returns, Settings{})
	if e.TailPeriods() != 5 {
		t.Errorf("%v periods in the tail, want 5", e.TailPeriods())
	}
	f := evaluate(t, e, 1)
	near(t, "VaR", f.VaR, 0.006, 1e-15)
	near(t, "CVaR", f.CVaR, 0.008, 1e-14)
	f = evaluate(t, newEvaluator(t, returns, Settings{Convention: Skfolio}), 1)
	near(t, "skfolio's VaR", f.VaR, 0.005, 1e-15)
	near(t, "skfolio's CVaR", f.CVaR, 0.008, 1e-14)
}

func TestErrors(t *testing.T) {
	var settings *SettingsError
	for _, s := range []Settings{
		{}, {PeriodsPerYear: -1}, {PeriodsPerYear: math.NaN()}, {PeriodsPerYear: math.Inf(1)},
		{PeriodsPerYear: 1, RiskFree: math.NaN()}, {PeriodsPerYear: 1, MAR: math.Inf(-1)},
		{PeriodsPerYear: 1, Level: 1}, {PeriodsPerYear: 1, Level: -0.1}, {PeriodsPerYear: 1, Level: math.NaN()},
		{PeriodsPerYear: 1, Convention: "quantstats"}, {PeriodsPerYear: 1, Figures: 1 << 15},
	} {
		if _, err := NewEvaluator(column(0, 1), s); !errors.As(err, &settings) {
			t.Errorf("%+v gives %v, want a SettingsError", s, err)
		}
	}
	if _, err := NewEvaluator(column(0.1), Settings{PeriodsPerYear: 365}); !errors.Is(err, ErrTooShort) {
		t.Errorf("one return gives %v", err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1.0001, 1e200} {
		var at *ReturnError
		_, err := NewEvaluator(mat.NewDense(2, 3, []float64{0, 0, 0, 0, 0, bad}), Settings{PeriodsPerYear: 365})
		if !errors.As(err, &at) || at.Period != 1 || at.Asset != 2 {
			t.Errorf("a return of %v gives %v", bad, err)
		}
	}
	e := newEvaluator(t, mat.NewDense(2, 3, []float64{0, 0.1, 0, 0, 0, 0}), Settings{})
	var assets *AssetsError
	if _, err := e.Evaluate([]float64{1}); !errors.As(err, &assets) {
		t.Errorf("one weight for three assets gives %v", err)
	}
	if err := e.EvaluateAll(t.Context(), mat.NewDense(2, 2, nil), make([]Figures, 2)); !errors.As(err, &assets) {
		t.Errorf("two weights for three assets give %v", err)
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), -1e300} {
		var at *WeightError
		weights := mat.NewDense(40, 3, nil)
		weights.Set(33, 1, bad)
		err := e.EvaluateAll(t.Context(), weights, make([]Figures, 40))
		if !errors.As(err, &at) || at.Row != 33 || at.Asset != 1 {
			t.Errorf("a weight of %v gives %v", bad, err)
		}
		if err := e.Returns(make([]float64, 2), []float64{0, 0, bad}); !errors.As(err, &at) {
			t.Errorf("returns of a weight of %v give %v", bad, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.EvaluateAll(ended, mat.NewDense(40, 3, nil), make([]Figures, 40)); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gives %v", err)
	}
}

func TestErrorsReadAsOneLine(t *testing.T) {
	_, unknown := NewEvaluator(column(0, 1), Settings{PeriodsPerYear: 365, Convention: "quantstats"})
	_, level := NewEvaluator(column(0, 1), Settings{PeriodsPerYear: 365, Level: 95})
	for _, test := range []struct {
		err  error
		want string
	}{
		{unknown, `convention is "quantstats": want one of default, skfolio, skfolio-defaults, empyrical`},
		{level, "level is 95: want a number between 0 and 1, such as 0.95"},
		{&ReturnError{Period: 3, Asset: 1, Value: math.NaN()}, "return of asset 1 in period 3 (both from 0) is NaN: choose a window in which every asset has a price"},
		{&ReturnError{Period: 3, Asset: 1, Value: -5}, "return of asset 1 in period 3 (both from 0) is -5, a loss of more than everything: give simple returns as fractions"},
		{&WeightError{Row: 7, Asset: 2, Value: math.Inf(1)}, "weight of asset 2 in row 7 (both from 0) is +Inf: give a share of wealth, such as 0.25"},
		{&AssetsError{Got: 3, Want: 4}, "portfolio has 3 weights and the returns 4 assets: choose the same symbols for both"},
	} {
		if test.err == nil || test.err.Error() != test.want {
			t.Errorf("error reads %q, want %q", test.err, test.want)
		}
	}
}

func TestNames(t *testing.T) {
	want := "annual_return cagr volatility sharpe sortino max_drawdown calmar var95 cvar95 diversification_ratio effective_assets psr"
	if got := strings.Join(Settings{}.Names(), " "); got != want {
		t.Errorf("names are %s", got)
	}
	for level, want := range map[float64]string{0.975: "var97.5", 0.99: "var99", 0.9: "var90", 1 - 0.05: "var95"} {
		if got := VaR.Name(level); got != want {
			t.Errorf("VaR at %v is called %s, want %s", level, got, want)
		}
	}
}

func TestSelectSmallest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Map(rapid.IntRange(-5, 5), func(i int) float64 { return float64(i) }), 1, 60).Draw(t, "x")
		k := rapid.IntRange(1, len(x)).Draw(t, "k")
		sorted := slices.Clone(x)
		slices.Sort(sorted)
		selectSmallest(x, k)
		if x[k-1] != sorted[k-1] {
			t.Fatalf("%d-th smallest is %v, want %v", k, x[k-1], sorted[k-1])
		}
		slices.Sort(x[:k])
		if !slices.Equal(x[:k], sorted[:k]) {
			t.Fatalf("the %d smallest are %v, want %v", k, x[:k], sorted[:k])
		}
	})
}

func TestEvaluateAllDoesNotAllocateForPortfolios(t *testing.T) {
	e := newEvaluator(t, market(1, 100, 8), Settings{})
	allocations := func(rows int) float64 {
		weights, dst := simplexRows(1, rows, 8), make([]Figures, rows)
		return testing.AllocsPerRun(5, func() {
			if err := e.EvaluateAll(t.Context(), weights, dst); err != nil {
				t.Fatal(err)
			}
		})
	}
	if few, many := allocations(1000), allocations(8000); many > few+20 {
		t.Errorf("1000 portfolios take %v allocations, 8000 take %v", few, many)
	}
}

func TestEvaluateSeries(t *testing.T) {
	returns := market(8, 120, 3)
	e := newEvaluator(t, returns, Settings{})
	w := []float64{0.2, 0.3, 0.5}
	y := make([]float64, 120)
	if err := e.Returns(y, w); err != nil {
		t.Fatal(err)
	}
	got, err := EvaluateSeries(y, Settings{PeriodsPerYear: 365})
	if err != nil {
		t.Fatal(err)
	}
	want := evaluate(t, e, w...)
	for figure := range figureCount {
		value, defined := got.Value(figure).Float()
		expected, _ := want.Value(figure).Float()
		if ofWeights := figure == DiversificationRatio || figure == EffectiveAssets; defined == ofWeights {
			t.Errorf("%s of a series: defined is %v", figureNames[figure], defined)
		} else if defined {
			near(t, figureNames[figure], value, expected, 1e-12)
		}
	}
	if _, err := EvaluateSeries(nil, Settings{PeriodsPerYear: 365}); !errors.Is(err, ErrTooShort) {
		t.Errorf("no returns give %v", err)
	}
	var at *ReturnError
	if _, err := EvaluateSeries([]float64{0, math.NaN()}, Settings{PeriodsPerYear: 365}); !errors.As(err, &at) || at.Period != 1 {
		t.Errorf("a return of NaN gives %v", err)
	}
	var settings *SettingsError
	if _, err := EvaluateSeries(y, Settings{PeriodsPerYear: 365, Figures: Of(EffectiveAssets)}); !errors.As(err, &settings) {
		t.Errorf("effective assets of a series give %v", err)
	}
}

func ExampleEvaluator() {
	returns := mat.NewDense(5, 2, []float64{ // 5 days, 2 assets
		0.02, 0.01,
		-0.03, 0.00,
		0.01, -0.01,
		0.02, 0.03,
		-0.01, 0.01,
	})
	e, err := NewEvaluator(returns, Settings{PeriodsPerYear: 365})
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := e.Evaluate([]float64{0.5, 0.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("return %.2f, volatility %.2f, Sharpe %.2f\n", f.AnnualReturn, f.Volatility, f.Sharpe)
	fmt.Printf("drawdown %.3f, CVaR %.3f\n", f.MaxDrawdown, f.CVaR)
	// Output:
	// return 1.83, volatility 0.29, Sharpe 6.20
	// drawdown 0.015, CVaR 0.015
}

func ExampleFigures_Notes() {
	steady := mat.NewDense(3, 1, []float64{0.01, 0.01, 0.01})
	e, err := NewEvaluator(steady, Settings{PeriodsPerYear: 365, Figures: Of(AnnualReturn, Sharpe, Calmar)})
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := e.Evaluate([]float64{1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, note := range f.Notes() {
		fmt.Println(note)
	}
	// Output:
	// sharpe: the return is the same in every period
	// calmar: wealth never falls below an earlier peak
}
