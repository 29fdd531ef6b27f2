package features

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/data"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/stream"
)

var absent = math.NaN()

// days are times from 2024-01-01 on.
func days(n int) []time.Time {
	times := make([]time.Time, n)
	for i := range times {
		times[i] = time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC)
	}
	return times
}

// window is one of daily returns, a slice a symbol.
func window(returns ...[]float64) *market.Window {
	w := &market.Window{Times: days(len(returns[0])), Returns: mat.NewDense(len(returns[0]), len(returns), nil)}
	for j, r := range returns {
		w.Symbols = append(w.Symbols, string(rune('A'+j)))
		w.Returns.SetCol(j, r)
	}
	return w
}

func mustBuild(t testing.TB, w *market.Window, c Config) *Table {
	t.Helper()
	table, err := BuildWindow(t.Context(), w, c)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// wild returns have volatility that comes and goes, ties, and now and then a
// return of hundreds of percent.
func wild(n int, rng *rand.Rand) []float64 {
	r := make([]float64, n)
	for t := range r {
		scale := 0.01 * math.Exp(math.Sin(float64(t)/500))
		r[t] = max(-0.9, scale*rng.NormFloat64())
		switch rng.IntN(2000) {
		case 0:
			r[t] = 4
		case 1:
			r[t] = -0.97
		}
		if rng.IntN(4) == 0 {
			r[t] = math.Round(r[t]*1000) / 1000
		}
	}
	return r
}

// Every kind by hand, over two returns of two assets: +100 % and -50 % of A,
// 0 % and 10 % of B.
func TestByHand(t *testing.T) {
	table := mustBuild(t, window([]float64{1, -0.5, 0}, []float64{0, 0.1, 0}), Config{Windows: []int{2}, Lookback: 2, Annual: 365})
	// The basket returns 0.5, -0.2, 0: wealth 1.5, 1.2, 1.2.
	for _, test := range []struct {
		name string
		row  int
		want float64
	}{
		{"A.mean.2", 1, 0.25},
		{"A.volatility.2", 1, 1.5 / math.Sqrt2},
		{"A.momentum.2", 1, 0},
		{"B.momentum.2", 1, 0.1 / (0.1 / math.Sqrt2 * math.Sqrt2)},
		{"market.mean.2", 1, 0.15},
		{"market.volatility.2", 1, 0.7 / math.Sqrt2},
		{"market.momentum.2", 1, 0.2 / 0.7},
		{"market.trend.2", 1, 1.2/1.35 - 1},
		{"market.drawdown.2", 1, 0.2},
		{"market.drawdown.2", 2, 0.2},
		{"market.max_drawdown.2", 1, 0.2},
		{"market.var.2", 1, 0.2},
		{"market.cvar.2", 1, 0.2},
		{"market.dispersion.2", 1, (1 + 0.6) / math.Sqrt2 / 2},
	} {
		c, ok := table.Column(test.name)
		if !ok {
			t.Fatalf("no column %s among %v", test.name, table.Names())
		}
		if !c.Defined[test.row] || math.Abs(c.Values[test.row]-test.want) > 1e-14 {
			t.Errorf("%s at row %d is %v (defined: %v), not %v", test.name, test.row, c.Values[test.row], c.Defined[test.row], test.want)
		}
		if c.Defined[0] || c.Values[0] != 0 {
			t.Errorf("%s is defined in its warm-up", test.name)
		}
	}
	if c, _ := table.Column("market.volatility_index"); slices.Contains(c.Defined, true) {
		t.Error("the index is defined after 3 returns")
	}
	if known := table.Known(0); !known.Equal(table.Times[1]) {
		t.Errorf("row 0 is known at %v, not when its day has ended", known)
	}
}

// The reference computes each window afresh with 200 bits.
func TestAccuracy(t *testing.T) {
	const rows = 30_000
	r := wild(rows, stream.New(1, "features.test", 0))
	w := window(r)
	for t := range w.Times {
		w.Times[t] = time.Date(2022, 1, 1, t, 0, 0, 0, time.UTC)
	}
	table := mustBuild(t, w, Config{Windows: []int{5, 20, 60, 720}, Lookback: 720, NoAssets: true})
	column := func(kind Kind, window int) *Column {
		i := slices.IndexFunc(table.Columns, func(c Column) bool { return c.Kind == kind && c.Window == window })
		return &table.Columns[i]
	}
	check := func(c *Column, row int, want float64) {
		t.Helper()
		if !c.Defined[row] || math.Abs(c.Values[row]-want) > 1e-10*math.Abs(want) {
			t.Fatalf("%s at row %d is %v, not %v", c.Name, row, c.Values[row], want)
		}
	}
	for row := 719; row < rows; row += 631 {
		for _, width := range []int{5, 20, 60, 720} {
			mean, volatility, growth, trend := exactly(r[row+1-width : row+1])
			check(column(Mean, width), row, mean)
			check(column(Volatility, width), row, volatility)
			check(column(Momentum, width), row, (growth-1)/(volatility*math.Sqrt(float64(width))))
			check(column(Trend, width), row, trend)
		}
		returns := r[row+1-720 : row+1]
		drawdown, worst := drawdowns(returns)
		check(column(Drawdown, 720), row, drawdown)
		check(column(MaxDrawdown, 720), row, worst)
		sorted := slices.Sorted(slices.Values(returns))
		var tail float64
		for _, v := range sorted[:36] {
			tail -= v / 36
		}
		check(column(VaR, 720), row, -sorted[35])
		check(column(CVaR, 720), row, tail)
	}
	index := column(VolatilityIndex, 0)
	for row := 100; row < rows; row += 997 {
		num, den := number(0), number(0)
		for i := 0; i <= row && i < 2000; i++ { // 0.94^2000 is 1e-54
			weight := number(math.Pow(0.94, float64(i)))
			square := number(0).Mul(number(r[row-i]), number(r[row-i]))
			num.Add(num, square.Mul(square, weight))
			den.Add(den, weight)
		}
		variance, _ := num.Quo(num, den).Float64()
		check(index, row, 100*math.Sqrt(variance*8760))
	}
}

// The spread across assets too, after as many rows.
func TestDispersionAccuracy(t *testing.T) {
	const rows, width = 30_000, 60
	var returns [][]float64
	for j := range 3 {
		returns = append(returns, wild(rows, stream.New(1, "features.dispersion", uint64(j))))
	}
	table := mustBuild(t, window(returns...), Config{Windows: []int{width}, Lookback: width, NoAssets: true})
	i := slices.IndexFunc(table.Columns, func(c Column) bool { return c.Kind == Dispersion })
	for row := width - 1; row < rows; row += 619 {
		sum := number(0)
		for k := row + 1 - width; k <= row; k++ {
			_, spread, _, _ := exactly([]float64{returns[0][k], returns[1][k], returns[2][k]})
			sum.Add(sum, number(spread))
		}
		want, _ := sum.Quo(sum, number(width)).Float64()
		if got := table.Columns[i].Values[row]; math.Abs(got-want) > 1e-10*want {
			t.Fatalf("dispersion at row %d is %v, not %v", row, got, want)
		}
	}
}

func number(x float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(x) }

// exactly returns mean, standard deviation, growth and trend of returns.
func exactly(r []float64) (mean, volatility, growth, trend float64) {
	n := number(float64(len(r)))
	sum, wealth, wealths := number(0), number(1), number(0)
	for _, x := range r {
		sum.Add(sum, number(x))
		wealth.Mul(wealth, number(0).Add(number(1), number(x)))
		wealths.Add(wealths, wealth)
	}
	m := number(0).Quo(sum, n)
	squares := number(0)
	for _, x := range r {
		d := number(0).Sub(number(x), m)
		squares.Add(squares, d.Mul(d, d))
	}
	variance, _ := squares.Quo(squares, number(float64(len(r)-1))).Float64()
	mean, _ = m.Float64()
	growth, _ = wealth.Float64()
	above := number(0).Quo(number(0).Mul(wealth, n), wealths)
	trend, _ = above.Sub(above, number(1)).Float64()
	return mean, math.Sqrt(variance), growth, trend
}

// drawdowns are those of wealth that starts at 1, in long division.
func drawdowns(r []float64) (now, worst float64) {
	wealth, high := number(1), number(1)
	for _, x := range r {
		wealth.Mul(wealth, number(0).Add(number(1), number(x)))
		if wealth.Cmp(high) > 0 {
			high.Set(wealth)
		}
		fall := number(0).Quo(wealth, high)
		now, _ = number(0).Sub(number(1), fall).Float64()
		worst = max(worst, now)
	}
	return now, worst
}

// VaR and CVaR are those of package metrics, ties and awkward levels included.
func TestTailAgreesWithMetrics(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(2, 40).Draw(t, "window")
		level := rapid.SampledFrom([]float64{0.5, 0.8, 0.9, 0.93, 0.95, 0.99}).Draw(t, "level")
		r := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) float64 {
			return float64(rapid.IntRange(-90, 100).Draw(t, "percent")) / 100
		}), width, 120).Draw(t, "returns")
		newTail(width, level).slide(r, func(i int, valueAtRisk, conditional float64) {
			e, err := metrics.NewEvaluator(mat.NewDense(width, 1, slices.Clone(r[i+1-width:i+1])), metrics.Settings{PeriodsPerYear: 365, Level: level})
			if err != nil {
				t.Fatal(err)
			}
			f, err := e.Evaluate([]float64{1})
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(f.VaR-valueAtRisk) > 1e-12 || math.Abs(f.CVaR-conditional) > 1e-12 {
				t.Fatalf("VaR and CVaR at %d are %v and %v, not %v and %v", i, valueAtRisk, conditional, f.VaR, f.CVaR)
			}
		})
	})
}

// panelOf draws closes with holes, births and deaths.
func panelOf(t *rapid.T, rows, n int) *market.Panel {
	p := &market.Panel{Times: days(rows), Close: mat.NewDense(rows, n, nil)}
	for j := range n {
		p.Symbols = append(p.Symbols, string(rune('A'+j)))
		born := rapid.IntRange(0, rows/2).Draw(t, "born")
		price := 100.0
		for i := range rows {
			price *= math.Exp(rapid.Float64Range(-0.3, 0.3).Draw(t, "change"))
			p.Close.Set(i, j, price)
			if i < born || rapid.IntRange(0, 60).Draw(t, "hole") == 0 {
				p.Close.Set(i, j, absent)
			}
		}
	}
	return p
}

var perturbed = Config{Windows: []int{2, 5}, Lookback: 7, Decay: 0.5, Correlation: &Correlation{Lookback: 5, At: []int{6, 9, 12, 20, 30}}}

// Whatever happens after a row, nothing up to it changes by a bit. The same
// holds for scalers, whose training rows lie up to it.
func TestNoLookAhead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const rows, n = 40, 4
		p := panelOf(t, rows, n)
		before, err := Build(context.Background(), p, perturbed)
		if err != nil {
			t.Fatal(err)
		}
		now := rapid.IntRange(1, rows-2).Draw(t, "now") // the last close known; return now-1 ends with it
		for i := now + 1; i < rows; i++ {
			for j := range n {
				p.Close.Set(i, j, rapid.Float64Range(1e-3, 1e6).Draw(t, "price"))
				if rapid.IntRange(0, 9).Draw(t, "delisted") == 0 {
					p.Close.Set(i, j, absent)
				}
			}
		}
		after, err := Build(context.Background(), p, perturbed)
		if err != nil {
			t.Fatal(err)
		}
		for j, c := range before.Columns {
			d := after.Columns[j]
			for i := range now {
				if c.Defined[i] != d.Defined[i] || math.Float64bits(c.Values[i]) != math.Float64bits(d.Values[i]) {
					t.Fatalf("%s at row %d was %v (%v), and is %v (%v) after later prices changed", c.Name, i, c.Values[i], c.Defined[i], d.Values[i], d.Defined[i])
				}
			}
		}
		s, errBefore := before.Fit(0, now)
		u, errAfter := after.Fit(0, now)
		if (errBefore == nil) != (errAfter == nil) {
			t.Fatalf("scaler: %v before, %v after", errBefore, errAfter)
		}
		if errBefore == nil {
			a, _ := json.Marshal(s)
			b, _ := json.Marshal(u)
			if string(a) != string(b) {
				t.Fatalf("scaler was %s, and is %s after later prices changed", a, b)
			}
		}
	})
}

// Data that end earlier give the same rows: a live market sees what research saw.
func TestPrefix(t *testing.T) {
	w := sample(t)
	whole := mustBuild(t, w, Config{Correlation: &Correlation{At: []int{100, 200, 300}}})
	part := mustBuild(t, w.Slice(0, 400), Config{Correlation: &Correlation{At: []int{100, 200, 300}}})
	for j, c := range part.Columns {
		if !slices.Equal(c.Values, whole.Columns[j].Values[:400]) || !slices.Equal(c.Defined, whole.Columns[j].Defined[:400]) {
			t.Errorf("%s of 400 days is not that of the first 400 of all", c.Name)
		}
	}
}

// Values are finite, and 0 where they are not defined.
func TestMask(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, err := Build(context.Background(), panelOf(t, 40, 3), perturbed)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range table.Columns {
			for i, v := range c.Values {
				if math.IsNaN(v) || math.IsInf(v, 0) || !c.Defined[i] && v != 0 {
					t.Fatalf("%s at row %d is %v (defined: %v)", c.Name, i, v, c.Defined[i])
				}
			}
		}
	})
}

func TestConstantReturns(t *testing.T) {
	table := mustBuild(t, window(slices.Repeat([]float64{0.1}, 10), make([]float64, 10)), Config{Windows: []int{3}, Lookback: 3})
	for name, want := range map[string]float64{"A.mean.3": 0.1, "A.volatility.3": 0, "B.volatility.3": 0, "market.drawdown.3": 0, "market.cvar.3": -0.05} {
		c, _ := table.Column(name)
		for i := 2; i < 10; i++ {
			if !c.Defined[i] || math.Abs(c.Values[i]-want) > 1e-16 {
				t.Errorf("%s at row %d is %v, not %v", name, i, c.Values[i], want)
			}
		}
	}
	if c, _ := table.Column("A.momentum.3"); slices.Contains(c.Defined, true) {
		t.Error("momentum at zero volatility is defined")
	}
}

func TestRaggedBasket(t *testing.T) {
	b := Basket{Weights: []float64{3, 1, 0}}
	got := b.returns([][]float64{{0.1, absent, absent}, {0.5, 0.5, absent}, {9, 9, 9}})
	if math.Abs(got[0]-0.2) > 1e-15 || got[1] != 0.5 || !math.IsNaN(got[2]) {
		t.Errorf("basket returns %v, not 0.2, 0.5 and none", got)
	}
}

func sample(t testing.TB) *market.Window {
	t.Helper()
	panel, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, _, err := panel.Window()
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestScaler(t *testing.T) {
	table := mustBuild(t, sample(t), Config{NoAssets: true})
	s, err := table.Fit(0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var stored Scaler
	if err := json.Unmarshal(text, &stored); err != nil {
		t.Fatal(err)
	}
	scaled, err := stored.Apply(table)
	if err != nil {
		t.Fatal(err)
	}
	rows := scaled.Complete(0, 1000)
	if len(rows) != 1000-59 {
		t.Errorf("%d complete rows in 1000, not all past the longest window", len(rows))
	}
	for _, c := range scaled.Columns {
		var sum, squares, n float64
		for i := range 1000 {
			if c.Defined[i] {
				sum, squares, n = sum+c.Values[i], squares+c.Values[i]*c.Values[i], n+1
			}
		}
		if math.Abs(sum/n) > 1e-12 || math.Abs(squares/(n-1)-1) > 1e-12 {
			t.Errorf("%s has mean %v and mean square %v in training", c.Name, sum/n, squares/(n-1))
		}
	}
	x, err := scaled.Matrix(rows)
	if err != nil {
		t.Fatal(err)
	}
	row := make([]float64, len(scaled.Columns))
	if !scaled.Row(row, rows[7]) || !slices.Equal(row, x.RawRowView(7)) {
		t.Error("a row of the matrix is not that of the table")
	}
	if scaled.Row(row, 3) {
		t.Error("a row of the warm-up is complete")
	}
	if _, err := scaled.Matrix([]int{3}); err == nil || !strings.Contains(err.Error(), "is undefined at 2020-01-05") {
		t.Errorf("matrix of an undefined row: %v", err)
	}
	if _, err := table.Fit(0, 40); err == nil || !strings.Contains(err.Error(), "train on more rows") {
		t.Errorf("scaler of a warm-up: %v", err)
	}
	some := *table
	some.Columns = some.Columns[:2]
	if _, err := s.Apply(&some); err == nil {
		t.Error("a scaler was applied to other features")
	}
	if err := json.Unmarshal([]byte(`{"features":[{"name":"a","scale":0}]}`), &stored); err == nil {
		t.Error("a scale of 0 was read")
	}
}

func TestErrors(t *testing.T) {
	w := window([]float64{0.1, 0.2, -0.1}, []float64{0.1, 0.2, -0.1})
	small := Config{Windows: []int{2}, Lookback: 2}
	with := func(f func(c *Config)) Config {
		c := small
		f(&c)
		return c
	}
	for want, c := range map[string]Config{
		"longer than the 3 returns":      {},
		"too short":                      with(func(c *Config) { c.Windows = []int{1} }),
		"level 1":                        with(func(c *Config) { c.Level = 1 }),
		"decay 1":                        with(func(c *Config) { c.Decay = 1 }),
		"no basket":                      with(func(c *Config) { c.Baskets = []Basket{} }),
		"no name of its own":             with(func(c *Config) { c.Baskets = []Basket{{Name: "A"}} }),
		"1 weights for 2 symbols":        with(func(c *Config) { c.Baskets = []Basket{{Name: "m", Weights: []float64{1}}} }),
		"weight -1 of A":                 with(func(c *Config) { c.Baskets = []Basket{{Name: "m", Weights: []float64{-1, 2}}} }),
		"no weight above 0":              with(func(c *Config) { c.Baskets = []Basket{{Name: "m", Weights: []float64{0, 0}}} }),
		"correlation over 60 periods":    with(func(c *Config) { c.Correlation = &Correlation{} }),
		"3 components":                   with(func(c *Config) { c.Correlation = &Correlation{Lookback: 3, Components: 3} }),
		"row 3 of the correlation":       with(func(c *Config) { c.Correlation = &Correlation{Lookback: 3, At: []int{3}} }),
		"no row to compute the correlat": with(func(c *Config) { c.Correlation = &Correlation{Lookback: 3, At: []int{}} }),
	} {
		if _, err := BuildWindow(t.Context(), w, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
	for _, r := range []float64{-1, math.Inf(1), absent} {
		if _, err := BuildWindow(t.Context(), window([]float64{0, r, 0}), small); err == nil {
			t.Errorf("a return of %v was taken", r)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := BuildWindow(ctx, w, small); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
