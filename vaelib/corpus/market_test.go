package corpus

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"

	"vaefolio/vaelib/features"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/regime"
	"vaefolio/vaelib/sharedtest"
	"vaefolio/vaelib/simplex"
)

// Altering returns after period t leaves all that is known at t as it was, to
// the bit: the weights of every row whose window has ended, its conditions of
// the market and, where they are measured over the window, of risk and return.
// What is fitted to the training part (measures, thresholds and models of the
// regime, the mean and scale that conditions are standardised by) and the
// conditions that follow from it keep as they were for t at the cut or later.
func TestNothingIsKnownBeforeItsTime(t *testing.T) {
	whole, sectors := sample(t)
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.IntRange(0, 900).Draw(t, "from")
		window := whole.Slice(from, from+400)
		config := Config{
			Source: Mixed, N: 60, Seed: rapid.Uint64().Draw(t, "seed"), Lookbacks: []int{60, 90},
			Measured: rapid.SampledFrom([]string{MeasuredTraining, MeasuredRolling}).Draw(t, "measured"),
			Market:   true, Assets: []string{"momentum.30", "volatility.7"},
		}
		build := func(w *market.Window) *Corpus {
			c, err := Build(context.Background(), w, capped(12, 0.4), sectors, config, nil)
			if err != nil {
				t.Fatal(err)
			}
			return c
		}
		before := build(window)
		last := rapid.IntRange(60, 398).Draw(t, "t")
		altered := &market.Window{Symbols: window.Symbols, Times: window.Times, Returns: mat.DenseCopyOf(window.Returns)}
		factor := rapid.SampledFrom([]float64{-1.5, -0.3, 0.5, 2}).Draw(t, "factor")
		for period := last + 1; period < 400; period++ {
			for j := range 12 {
				altered.Returns.Set(period, j, max(-0.9, factor*altered.Returns.At(period, j)+0.01))
			}
		}
		after := build(altered)
		if !slices.Equal(portfolio.Names(before.Schema), portfolio.Names(after.Schema)) {
			t.Fatal("the columns changed")
		}
		fixed := last >= before.cut-1 // the training part is as it was
		for i, row := range before.Rows {
			if before.Spans[row.Span].To-1 > last {
				continue
			}
			if !slices.Equal(before.Portfolios.Weights.RawRowView(i), after.Portfolios.Weights.RawRowView(i)) {
				t.Fatalf("weights of row %d changed", i)
			}
			for k, condition := range before.Schema {
				fitted := condition.Basis == portfolio.TrainingReturns || condition.Basis == portfolio.FittedMarket
				if a, b := before.Portfolios.Conditions.Values.At(i, k), after.Portfolios.Conditions.Values.At(i, k); a != b && (fixed || !fitted) {
					t.Fatalf("%s of row %d was %v and is %v", condition.Name, i, a, b)
				}
			}
		}
		if !fixed {
			return
		}
		a, b := before.Summary(), after.Summary()
		if !same(a.Grid, b.Grid) || !same(a.HMM, b.HMM) || !same(before.Measures(), after.Measures()) {
			t.Fatal("what is fitted to the training part changed")
		}
		x, _ := before.SplitConditions()
		y, _ := after.SplitConditions()
		if !mat.Equal(x, y) {
			t.Fatal("training conditions, and so their mean and scale, changed")
		}
	})
}

// same says whether two values are the same as JSON.
func same(a, b any) bool {
	return bytes.Equal(must(json.Marshal(a)), must(json.Marshal(b)))
}

// The conditions of the market are what the basket did, computed here from the
// returns of the last periods of the row's window.
func TestMarketConditionsAreThoseOfTheTime(t *testing.T) {
	window, sectors := sample(t)
	c := build(t, window, simplex.Set{N: 12}, sectors, Config{
		Source: Dirichlet, N: 200, Seed: 5, Market: true, Assets: []string{"volatility.30"},
	})
	value := func(i int, name string) float64 {
		return c.Portfolios.Conditions.Values.At(i, slices.Index(c.Portfolios.Conditions.Names, name))
	}
	basket := make([]float64, len(window.Times))
	for period := range basket {
		basket[period] = mat.Sum(window.Returns.RowView(period)) / 12
	}
	var volatilities []float64 // of the training part
	for end := 20; end <= c.cut; end++ {
		volatilities = append(volatilities, stat.StdDev(basket[end-20:end], nil))
	}
	slices.Sort(volatilities)
	for i, row := range c.Rows {
		end := c.Spans[row.Span].To
		wealth, sum, high := 1.0, 0.0, 1.0
		for _, r := range basket[end-60 : end] {
			wealth *= 1 + r
			sum += wealth
			high = max(high, wealth)
		}
		trend := wealth/(sum/60) - 1
		short := 1.0
		for _, r := range basket[end-20 : end] {
			short *= 1 + r
		}
		volatility := stat.StdDev(basket[end-20:end], nil)
		var dispersion, squares, weight float64
		for period := end - 20; period < end; period++ {
			dispersion += stat.StdDev(window.Returns.RawRowView(period), nil) / 20
		}
		for _, r := range basket[:end] {
			squares, weight = 0.94*squares+0.06*r*r, 0.94*weight+0.06
		}
		level := 0.0
		if volatility >= stat.Quantile(1.0/3, stat.Empirical, volatilities, nil) {
			level += 2
		}
		if volatility >= stat.Quantile(2.0/3, stat.Empirical, volatilities, nil) {
			level += 2
		}
		if trend >= 0 {
			level++
		}
		for name, want := range map[string]float64{
			"market.volatility_index": 100 * math.Sqrt(365*squares/weight),
			"market.trend.60":         trend,
			"market.momentum.20":      (short - 1) / (volatility * math.Sqrt(20)),
			"market.dispersion.20":    dispersion,
			"market.drawdown.60":      1 - wealth/high,
			"regime":                  level,
			"ALDER.volatility.30":     stat.StdDev(mat.Col(nil, 0, window.Returns)[end-30:end], nil),
		} {
			// A volatility within rounding of a threshold may fall on either side.
			if got := value(i, name); math.Abs(got-want) > 1e-10*(1+math.Abs(want)) {
				t.Errorf("row %d: %s is %v, want %v", i, name, got, want)
			}
		}
	}
	summary := c.Summary()
	probabilities, _, err := summary.HMM.Filter(mat.NewDense(len(basket), 1, basket))
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range c.Rows {
		if got, want := value(i, "regime.calm"), probabilities.At(c.Spans[row.Span].To-1, 0); math.Abs(got-want) > 1e-12 {
			t.Errorf("row %d: the calm regime has probability %v, want %v", i, got, want)
		}
	}
	if got := c.Schema[slices.Index(c.Portfolios.Conditions.Names, RegimeCondition)].Levels; len(got) != regime.GridStates {
		t.Errorf("the regime has the levels %q", got)
	}
}

// Conditions of the market change neither rows nor weights, and what can't be
// had is left out with a reason rather than made up.
func TestMarketConditionsLeaveTheRowsAlone(t *testing.T) {
	window, sectors := sample(t)
	flat := &market.Window{Symbols: []string{"A", "B"}, Returns: mat.NewDense(200, 2, nil)}
	for i := range 200 {
		flat.Times = append(flat.Times, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i))
	}
	all := []string{"market.volatility_index", "market.trend.60", "market.momentum.20", "market.dispersion.20", "market.drawdown.60", "regime", "regime.calm"}
	for _, test := range []struct {
		name      string
		window    *market.Window
		lookbacks []int
		leftOut   []string
	}{
		{"default", window, nil, nil},
		{"59 periods", window, []int{59, 120}, []string{"market.trend.60", "market.drawdown.60", "regime"}},
		{"20 periods", window, []int{20}, []string{"market.volatility_index", "market.trend.60", "market.drawdown.60", "regime"}},
		{"50 returns", window.Slice(0, 50), []int{10}, all[:6]},
		{"nothing moves", flat, []int{60}, []string{"market.momentum.20", "regime", "regime.calm"}},
	} {
		set := simplex.Set{N: len(test.window.Symbols)}
		if test.window == flat {
			sectors = nil
		}
		config := Config{Source: Dirichlet, N: 100, Seed: 4, Lookbacks: test.lookbacks}
		without := build(t, test.window, set, sectors, config)
		config.Market = true
		with := build(t, test.window, set, sectors, config)
		if !mat.Equal(with.Portfolios.Weights, without.Portfolios.Weights) || !slices.Equal(with.Rows, without.Rows) {
			t.Errorf("%s: other rows", test.name)
		}
		names := slices.Clone(without.Portfolios.Conditions.Names)
		for _, name := range all {
			if !slices.Contains(test.leftOut, name) {
				names = append(names, name)
			}
		}
		if !slices.Equal(with.Portfolios.Conditions.Names, names) {
			t.Errorf("%s: conditions %v, want %v", test.name, with.Portfolios.Conditions.Names, names)
		}
		var leftOut []string
		for _, left := range with.Summary().LeftOut {
			leftOut = append(leftOut, left.Condition)
			if left.Reason == "" {
				t.Errorf("%s: no reason for %s", test.name, left.Condition)
			}
		}
		if !slices.Equal(leftOut, test.leftOut) {
			t.Errorf("%s: left out %v, want %v", test.name, leftOut, test.leftOut)
		}
		if err := with.Portfolios.Check(); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestMarketConditionsRefuse(t *testing.T) {
	window, _ := sample(t)
	late := &features.Series{Name: "VIX", Times: window.Times[700:], Values: make([]float64, len(window.Times)-700), MaxAge: 7 * 24 * time.Hour}
	for _, test := range []struct {
		config Config
		want   string
	}{
		{Config{Assets: []string{"beta.60"}}, "mean, volatility or momentum"},
		{Config{Assets: []string{"momentum"}}, "momentum.60"},
		{Config{Assets: []string{"momentum.1"}}, "at least 2"},
		{Config{Assets: []string{"momentum.060"}}, "momentum.60"},
		{Config{Assets: []string{"mean.20", "mean.20"}}, "twice"},
		{Config{Assets: []string{"momentum.61"}}, "ALDER.momentum.61 is undefined at 2020-03-01"},
		{Config{Assets: []string{"momentum.9999"}}, "longer than"},
		{Config{Market: true, Index: late}, "market.volatility_index is undefined at 2020-03-01"},
		{Config{Index: late}, "ask for these"},
	} {
		if _, err := Build(context.Background(), window, simplex.Set{N: 12}, nil, test.config, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v %v: error %v, want %q", test.config.Assets, test.config.Market, err, test.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Build(ctx, window, simplex.Set{N: 12}, nil, Config{Market: true}, nil); err != context.Canceled && !strings.Contains(err.Error(), "canceled") {
		t.Errorf("cancelled: error %v", err)
	}
}

// With a series the index is its value, and the rest as it was.
func TestMarketIndex(t *testing.T) {
	panel, _, err := market.Load(sharedtest.Path(t, "data", "crypto", "bybit_linear_daily"), market.Options{
		Symbols: []string{"BTCUSDT", "ETHUSDT"}, From: time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	window, _, err := panel.Window()
	if err != nil {
		t.Fatal(err)
	}
	dvol, err := features.ReadSeries(sharedtest.Path(t, "data", "crypto", "deribit_dvol_btc_daily.csv"), features.SeriesOptions{Name: "DVOL"})
	if err != nil {
		t.Fatal(err)
	}
	end, _ := slices.BinarySearchFunc(window.Times, dvol.Times[len(dvol.Times)-1], time.Time.Compare)
	window = window.Slice(0, min(end, len(window.Times)))
	c := build(t, window, simplex.Set{N: 2}, nil, Config{Source: Dirichlet, N: 100, Market: true, Index: dvol})
	k := slices.Index(c.Portfolios.Conditions.Names, "market.volatility_index")
	if !strings.Contains(c.Schema[k].Meaning, "DVOL") {
		t.Errorf("the index means %q", c.Schema[k].Meaning)
	}
	for i, row := range c.Rows {
		// The candle of a day and the index's day close together.
		at, found := slices.BinarySearchFunc(dvol.Times, window.Times[c.Spans[row.Span].To-1], time.Time.Compare)
		if found && c.Portfolios.Conditions.Values.At(i, k) != dvol.Values[at] {
			t.Fatalf("row %d has the index %v, want %v", i, c.Portfolios.Conditions.Values.At(i, k), dvol.Values[at])
		}
	}
}

func TestReadSchema(t *testing.T) {
	window, sectors := sample(t)
	c := build(t, window, simplex.Set{N: 12}, sectors, Config{Source: Dirichlet, N: 100, Market: true})
	dir := t.TempDir()
	if err := c.Write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := ReadSchema(filepath.Join(dir, WeightsFile))
	if err != nil || !same(got, c.Schema) {
		t.Errorf("corpus.json reads back as %v (%v)", got, err)
	}
	if got, err := ReadSchema(filepath.Join(t.TempDir(), WeightsFile)); got != nil || err != nil {
		t.Errorf("without a file: %v, %v, want neither", got, err)
	}
	for _, test := range []struct{ text, want string }{
		{"", "JSON"},
		{"{}", "no conditions"},
		{`{"conditions":3}`, "JSON"},
		{`{"conditions":[{"unit":"share"}]}`, `condition 1 is called ""`},
		{`{"conditions":[{"name":"a"},{"name":"a"}]}`, `condition 2 is called "a"`},
		{`{"conditions":[{"name":"a","levels":["x"]}]}`, "two or more"},
		{`{"conditions":[{"name":"a","levels":["x",""]}]}`, "each with a name"},
		{"{" + strings.Repeat(" ", mostJSON) + "}", "64 MiB"},
	} {
		if _, err := decodeSchema(strings.NewReader(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.60s: error %v, want %q", test.text, err, test.want)
		}
	}
}
