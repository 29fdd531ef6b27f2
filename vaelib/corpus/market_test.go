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

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/features"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/regime"
	"vaefolio/vaelib/run"
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
			Validation: 0.2,
			Source:     Mixed, N: 60, Seed: rapid.Uint64().Draw(t, "seed"), Lookbacks: []int{60, 90},
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
		Validation: 0.2,
		Source:     Dirichlet, N: 200, Seed: 5, Lookbacks: []int{60, 120}, Market: true, Assets: []string{"volatility.30"},
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
		for _, r := range basket[max(0, end-365):end] {
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
	for i, row := range c.Rows {
		end := c.Spans[row.Span].To
		past := basket[max(0, end-365):end]
		probabilities, _, err := summary.HMM.Filter(mat.NewDense(len(past), 1, past))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := value(i, "regime.calm"), probabilities.At(len(past)-1, 0); math.Abs(got-want) > 1e-12 {
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
	if testing.Short() {
		t.Skip("builds corpora as other tests do, which the race detector makes slow: run without -short")
	}
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
		{"60 periods", window, []int{60, 120}, nil},
		{"59 periods", window, []int{59, 120}, []string{"market.trend.60", "market.drawdown.60", "regime"}},
		{"default, of 20 periods", window, nil, []string{"market.volatility_index", "market.trend.60", "market.drawdown.60", "regime"}},
		{"50 returns", window.Slice(0, 50), []int{10}, all[:6]},
		{"nothing moves", flat, []int{60}, []string{"market.momentum.20", "regime", "regime.calm"}},
	} {
		set := simplex.Set{N: len(test.window.Symbols)}
		if test.window == flat {
			sectors = nil
		}
		config := Config{Source: Dirichlet, N: 100, Seed: 4, Lookbacks: test.lookbacks, Validation: 0.2}
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

// What is asked of a later market is what the rows of the corpus had whose
// windows ended there, to the bit: whatever comes before the returns looked back
// over, and once the market has been written and read.
func TestTermsAreThoseOfTheRows(t *testing.T) {
	if testing.Short() {
		t.Skip("builds corpora as other tests do, which the race detector makes slow: run without -short")
	}
	window, sectors := sample(t)
	c := build(t, window, simplex.Set{N: 12}, sectors, Config{
		Validation: 0.2,
		Source:     Dirichlet, N: 300, Seed: 6, Lookbacks: []int{60, 120}, Market: true, Assets: []string{"volatility.30", "momentum.20"},
	})
	dir := t.TempDir()
	if err := c.Write(dir); err != nil {
		t.Fatal(err)
	}
	m, err := ReadMarket(filepath.Join(dir, SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	beside := filepath.Join(dir, "market.json")
	if err := run.WriteJSON(beside, m); err != nil {
		t.Fatal(err)
	}
	if m, err = ReadMarket(beside); err != nil {
		t.Fatal(err)
	}
	names := c.Portfolios.Conditions.Names
	own := portfolio.Names(Config{}.Schema(sectors, window.Symbols)) // of the portfolios
	if got := names[:len(own)]; !slices.Equal(got, own) {
		t.Fatalf("conditions of the portfolios are %v, want %v", got, own)
	}
	if want := names[len(own):]; len(want) != 7+24 || !slices.Equal(m.Names(), want) {
		t.Fatalf("conditions of the market are %v, want %v", m.Names(), want)
	}
	wish := portfolio.Wish{{Name: "market.trend.60", Relation: portfolio.AtLeast}, {Name: "volatility"}}
	compared, each := 0, 1
	if testing.Short() {
		each = 5
	}
	for i, row := range c.Rows {
		end := c.Spans[row.Span].To
		if end < m.History || i%each > 0 {
			continue
		}
		for _, from := range []int{0, end - m.History, (end - m.History) / 2} {
			terms, err := m.Terms(t.Context(), window.Slice(from, end), names, wish)
			if err != nil {
				t.Fatal(err)
			}
			if len(terms) != 7+24-1 {
				t.Fatalf("%d terms", len(terms))
			}
			for _, term := range terms {
				want := c.Portfolios.Conditions.Values.At(i, slices.Index(names, term.Name))
				if term.Relation != portfolio.Equal || term.Value != want || term.Name == "market.trend.60" {
					t.Fatalf("row %d, returns from %d: %s, want %v", i, from, term, want)
				}
			}
		}
		compared++
	}
	if compared < 100/each {
		t.Errorf("%d rows compared", compared)
	}
}

func TestTermsRefuse(t *testing.T) {
	window, _ := sample(t)
	c := build(t, window, simplex.Set{N: 12}, nil, Config{Source: Dirichlet, N: 100, Lookbacks: []int{60}, Market: true, Validation: 0.2})
	m := c.Summary().Market
	dvol := m
	dvol.Index = "DVOL"
	flat := &market.Window{Symbols: window.Symbols, Times: window.Times[:400], Returns: mat.NewDense(400, 12, nil)}
	weekly := &market.Window{Symbols: window.Symbols, Times: slices.Clone(window.Times), Returns: window.Returns}
	for i := range weekly.Times {
		weekly.Times[i] = window.Times[0].AddDate(0, 0, 7*i)
	}
	fewer := &market.Window{Symbols: window.Symbols[1:], Times: window.Times, Returns: window.Returns.Slice(0, len(window.Times), 1, 12).(*mat.Dense)}
	names := []string{"volatility", "market.volatility_index", "market.momentum.20"}
	for _, test := range []struct {
		name   string
		market Market
		window *market.Window
		want   string
	}{
		{"other symbols", m, fewer, "give those, in this order"},
		{"short", m, window.Slice(0, 364), "364 returns are too few for the conditions of the market, which look back over 365"},
		{"weekly", m, weekly, "are of periods of 24h0m0s, not 168h0m0s"},
		{"a series", dvol, window, "market.volatility_index is DVOL, which doesn't follow from prices"},
		{"nothing moves", m, flat, "market.momentum.20 is undefined at 2021-02-0"},
	} {
		if terms, err := test.market.Terms(t.Context(), test.window, names, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, error %v, want %q", test.name, terms, err, test.want)
		}
	}
	// What the wish says of the market, and what isn't of it, need no returns.
	wish := portfolio.Wish{{Name: names[1]}, {Name: names[2], Relation: portfolio.AtMost}}
	if terms, err := dvol.Terms(t.Context(), fewer, names, wish); terms != nil || err != nil {
		t.Errorf("terms %v, error %v, want neither", terms, err)
	}
}

func TestReadMarket(t *testing.T) {
	for _, text := range []string{`{}`, `{"symbols":["A"],"periods_per_year":365,"interval_seconds":86400}`} {
		if m, err := decodeMarket(strings.NewReader(text)); m != nil || err != nil {
			t.Errorf("%s: %v, %v, want neither", text, m, err)
		}
	}
	if m, err := ReadMarket(filepath.Join(t.TempDir(), "market.json")); m != nil || err != nil {
		t.Errorf("without a file: %v, %v, want neither", m, err)
	}
	sound := `{"symbols":["A","B"],"periods_per_year":365,"interval_seconds":86400,"market_history":365,"market_features":["market.trend.60"],"asset_features":["mean.20"],"regime_grid":{"low":1,"high":2,"trend":0}}`
	m, err := decodeMarket(strings.NewReader(sound))
	if err != nil || !slices.Equal(m.Names(), []string{"market.trend.60", "regime", "A.mean.20", "B.mean.20"}) {
		t.Errorf("%v, %v", m, err)
	}
	for _, test := range []struct{ old, new, want string }{
		{sound, "", "JSON"},
		{`["A","B"]`, "[]", "without symbols"},
		{`"periods_per_year":365`, `"periods_per_year":0`, "periods per year"},
		{"86400", "0", "0 seconds"},
		{"86400", "9223372036854775807", "seconds"},
		{`"market_history":365`, `"market_history":1`, "look back over 1 returns"},
		{"trend.60", "trend.61", "unknown feature"},
		{"mean.20", "beta.20", "mean, volatility or momentum"},
		{`"low":1`, `"low":2`, "must rise"},
		{`"regime_grid"`, `"regime_model":{"dimension":1,"initial":[1],"transition":[[1]],"means":[[0]],"cholesky":[[1]]},"regime_grid"`, "1 states of 1 values"},
	} {
		if _, err := decodeMarket(strings.NewReader(strings.Replace(sound, test.old, test.new, 1))); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s for %s: error %v, want %q", test.new, test.old, err, test.want)
		}
	}
}

// What is read tells what it names, or nothing, of any returns.
func FuzzDecodeMarket(f *testing.F) {
	for _, text := range []string{
		`{"symbols":["A","B"],"periods_per_year":365,"interval_seconds":86400,"market_history":90,"market_features":["market.trend.60","market.volatility_index"],"asset_features":["mean.20"],"regime_grid":{"low":1,"high":2,"trend":0}}`,
		`{"symbols":["A","B"],"periods_per_year":8760,"interval_seconds":3600,"market_history":2,"regime_model":{"dimension":1,"initial":[1,0],"transition":[[0.9,0.1],[0.2,0.8]],"means":[[0],[0]],"cholesky":[[0.01],[0.04]]}}`,
		`{}`, `[]`, `null`, `{"regime_grid":{}}`,
	} {
		f.Add([]byte(text))
	}
	w := &market.Window{Symbols: []string{"A", "B"}, Returns: mat.NewDense(90, 2, nil)}
	for t := range 90 {
		w.Times = append(w.Times, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, t))
		w.Returns.SetRow(t, []float64{0.01 * math.Sin(float64(t)), 0.02 * math.Cos(float64(3*t))})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decodeMarket(bytes.NewReader(data))
		if m == nil || err != nil {
			return
		}
		values, err := m.observe(t.Context(), w, nil)
		for name := range values {
			if err != nil || !slices.Contains(m.Names(), name) {
				t.Errorf("%s of %s: %v", name, data, err)
			}
		}
	})
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
		{Config{Assets: []string{"momentum.61"}, Lookbacks: []int{60}}, "ALDER.momentum.61 is undefined at 2020-03-01"},
		{Config{Assets: []string{"momentum.9999"}}, "longer than"},
		{Config{Market: true, Index: late, Lookbacks: []int{60}}, "market.volatility_index is undefined at 2020-03-01"},
		{Config{Index: late}, "ask for these"},
	} {
		if _, err := Build(context.Background(), window, simplex.Set{N: 12}, nil, test.config, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v %v: error %v, want %q", test.config.Assets, test.config.Market, err, test.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Build(ctx, window, simplex.Set{N: 12}, nil, Config{Market: true, Validation: 0.2}, nil); err != context.Canceled && !strings.Contains(err.Error(), "canceled") {
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
	c := build(t, window, simplex.Set{N: 2}, nil, Config{Source: Dirichlet, N: 100, Market: true, Index: dvol, Validation: 0.2})
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
	if testing.Short() {
		t.Skip("builds corpora as other tests do, which the race detector makes slow: run without -short")
	}
	window, sectors := sample(t)
	c := build(t, window, simplex.Set{N: 12}, sectors, Config{Source: Dirichlet, N: 100, Market: true, Validation: 0.2})
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
