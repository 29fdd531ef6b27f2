package market_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/market"
)

func load(t testing.TB, path string, opt market.Options) (*market.Panel, *market.Cleaning) {
	t.Helper()
	p, c, err := market.Load(path, opt)
	if err != nil {
		t.Fatal(err)
	}
	return p, c
}

// universe reads the symbols of one of the stored universes.
func universe(t *testing.T, name string) (symbols []string) {
	t.Helper()
	var all map[string]json.RawMessage
	sharedtest.JSON(t, &all, "data", "crypto", "universe.json")
	var one struct{ Symbols []string }
	if err := json.Unmarshal(all[name], &one); err != nil {
		t.Fatal(err)
	}
	return one.Symbols
}

// The spans and correlations are those that the data's own description states.
func TestBybitDaily(t *testing.T) {
	path := sharedtest.Path(t, "data", "crypto", "bybit_linear_daily")
	for _, c := range []struct {
		universe    string
		first       string
		days        int
		correlation float64
	}{{"core12", "2021-10-15", 1490, 0.679}, {"wide40", "2021-12-06", 1438, 0.651}} {
		symbols := universe(t, c.universe)
		p, cleaning := load(t, path, market.Options{Symbols: symbols})
		w, dropped, err := p.Window()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(w.Symbols, symbols) {
			t.Errorf("%s: symbols %v", c.universe, w.Symbols)
		}
		if dropped.First.Format(time.DateOnly) != c.first || dropped.Kept != c.days || len(w.Times) != c.days-1 {
			t.Errorf("%s: %v", c.universe, dropped)
		}
		if w.PeriodsPerYear() != 365 || len(cleaning.Gaps)+cleaning.Duplicates+cleaning.Sorted+cleaning.Unfinished > 0 {
			t.Errorf("%s: %v", c.universe, cleaning)
		}
		if !slices.Equal(cleaning.IgnoredColumns, []string{"turnover"}) {
			t.Errorf("%s: ignored columns %v", c.universe, cleaning.IgnoredColumns)
		}
		// One odd row is known: the listing of BCHUSDT, with an open of 0.
		if cleaning.Odd != 1 || cleaning.Oddities[0].Symbol != "BCHUSDT" || cleaning.Oddities[0].Line != 2 {
			t.Errorf("%s: oddities %v", c.universe, cleaning.Oddities)
		}
		logs := mat.DenseCopyOf(w.Returns)
		logs.Apply(func(_, _ int, r float64) float64 { return math.Log1p(r) }, logs)
		var correlation mat.SymDense
		stat.CorrelationMatrix(&correlation, logs, nil)
		n := len(symbols)
		if mean := (mat.Sum(&correlation) - float64(n)) / float64(n*(n-1)); math.Abs(mean-c.correlation) > 0.0005 {
			t.Errorf("%s: mean correlation %.4f, not %.3f", c.universe, mean, c.correlation)
		}
	}
}

// The wide file of all symbols holds the closes of the kline files.
func TestWideAgreesWithKlines(t *testing.T) {
	klines, _ := load(t, sharedtest.Path(t, "data", "crypto", "bybit_linear_daily"), market.Options{})
	wide, cleaning := load(t, sharedtest.Path(t, "data", "crypto", "bybit_linear_daily_close_all.csv"), market.Options{Symbols: klines.Symbols})
	if len(klines.Symbols) != 40 || len(cleaning.Gaps) > 0 {
		t.Errorf("%d symbols, gaps %v", len(klines.Symbols), cleaning.Gaps)
	}
	if !slices.EqualFunc(klines.Times, wide.Times, time.Time.Equal) {
		t.Fatalf("%d and %d times", len(klines.Times), len(wide.Times))
	}
	for i := range klines.Times {
		for j, s := range klines.Symbols {
			if a, b := klines.Close.At(i, j), wide.Close.At(i, j); a != b && !(math.IsNaN(a) && math.IsNaN(b)) {
				t.Fatalf("%s on %v: %v and %v", s, klines.Times[i], a, b)
			}
		}
	}
	all, _ := load(t, sharedtest.Path(t, "data", "crypto", "bybit_linear_daily_close_all.csv"), market.Options{})
	if len(all.Symbols) != 329 || len(all.Times) != 1824 {
		t.Errorf("%d symbols, %d times", len(all.Symbols), len(all.Times))
	}
	full := 0
	for j := range all.Symbols {
		i := slices.IndexFunc(all.Times, func(t time.Time) bool { return t.Year() == 2022 })
		if !math.IsNaN(all.Close.At(i, j)) {
			full++
		}
	}
	if full != 88 {
		t.Errorf("%d symbols since 2022, not 88", full)
	}
}

// The stored closes of core12 are the window of the kline files.
func TestCore12(t *testing.T) {
	symbols := universe(t, "core12")
	p, _ := load(t, sharedtest.Path(t, "data", "crypto", "bybit_linear_daily"), market.Options{Symbols: symbols})
	w, _, err := p.Window()
	if err != nil {
		t.Fatal(err)
	}
	q, _ := load(t, sharedtest.Path(t, "cases", "data", "core12_close.csv"), market.Options{Symbols: symbols})
	v, dropped, err := q.Window()
	if err != nil {
		t.Fatal(err)
	}
	if dropped.Before+dropped.After+dropped.Inside > 0 || w.Hash() != v.Hash() {
		t.Errorf("windows differ: %v", dropped)
	}
}

// A file just as a downloader left it: one page border twice, and a last
// candle of the day of the download.
func TestAsDownloaded(t *testing.T) {
	dir := t.TempDir()
	raw, err := os.ReadFile(sharedtest.Path(t, "data", "crypto", "bybit_linear_raw", "BTCUSDT_D_as_downloaded.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "BTCUSDT.csv"), raw, 0o600); err != nil {
		t.Fatal(err)
	}
	p, c := load(t, dir, market.Options{AsOf: time.Date(2025, 11, 13, 15, 0, 0, 0, time.UTC)})
	if !strings.Contains(c.String(), "BTCUSDT.csv:828 of 2023-02-18") || !strings.Contains(c.String(), "that of 2025-11-13") {
		t.Errorf("the duplicate and the unfinished candle are not named: %v", c)
	}
	if c.Duplicates != 1 || c.Unfinished != 1 || !slices.Equal(c.IgnoredColumns, []string{"date", "turnover"}) {
		t.Errorf("cleaning %v", c)
	}
	q, _ := load(t, sharedtest.Path(t, "data", "crypto", "bybit_linear_daily"), market.Options{Symbols: []string{"BTCUSDT"}})
	if !mat.Equal(p.Close, q.Close) {
		t.Error("closes differ from those of the cleaned file")
	}
	// A year later the clock can't tell; the file is taken at its word, and
	// that is said.
	_, c = load(t, dir, market.Options{})
	if c.Unfinished != 0 || !strings.Contains(c.String(), "last candles: kept as finished") {
		t.Errorf("cleaning %v", c)
	}
}

// Spot of another exchange: longer, with one more column, and near the
// perpetuals of the first but for one day.
func TestSpot(t *testing.T) {
	spot, c := load(t, sharedtest.Path(t, "data", "crypto", "binance_spot_daily"), market.Options{})
	if len(spot.Symbols) != 24 || spot.Times[0].Format(time.DateOnly) != "2018-01-01" || len(c.Gaps)+c.Duplicates+c.Odd > 0 || !slices.Equal(c.IgnoredColumns, []string{"quote_volume", "trades"}) {
		t.Errorf("cleaning %v", c)
	}
	perpetual, _ := load(t, sharedtest.Path(t, "data", "crypto", "bybit_linear_daily"), market.Options{Symbols: []string{"SOLUSDT"}})
	apart := 0
	for i, at := range perpetual.Times {
		j := slices.IndexFunc(spot.Times, at.Equal)
		p, s := perpetual.Close.At(i, 0), spot.Close.At(j, slices.Index(spot.Symbols, "SOLUSDT"))
		if math.Abs(p/s-1) > 0.02 {
			if apart++; at.Format(time.DateOnly) < "2022-11-08" || at.Format(time.DateOnly) > "2022-11-12" {
				t.Errorf("SOLUSDT at %v: perpetual %v, spot %v", at, p, s)
			}
		}
	}
	if apart == 0 {
		t.Error("the dislocation of November 2022 isn't there")
	}
}

func TestDelisted(t *testing.T) {
	p, c := load(t, sharedtest.Path(t, "data", "crypto", "binance_spot_delisted"), market.Options{})
	spans := map[string]string{}
	for _, s := range c.Spans {
		spans[s.Symbol] = s.First.Format(time.DateOnly) + " " + s.Last.Format(time.DateOnly)
	}
	for symbol, want := range map[string]string{
		"LUNAUSDT": "2020-08-21 2022-05-13", "MATICUSDT": "2019-04-26 2024-09-10", "FTMUSDT": "2019-06-11 2025-01-13", "KLAYUSDT": "2022-02-04 2024-10-30",
	} {
		if spans[symbol] != want {
			t.Errorf("%s lived from %s, not %s", symbol, spans[symbol], want)
		}
	}
	w, dropped, err := p.Window("LUNAUSDT", "MATICUSDT")
	if err != nil {
		t.Fatal(err)
	}
	if got := dropped.Last.Format(time.DateOnly); got != "2022-05-13" || !slices.Equal(dropped.FirstToEnd, []string{"LUNAUSDT"}) {
		t.Errorf("%v", dropped)
	}
	if worst := mat.Min(w.Returns.ColView(0)); worst > -0.98 || worst <= -1 {
		t.Errorf("worst day of LUNA is %v", worst)
	}
}

func TestHourly(t *testing.T) {
	from, to, err := market.ParseSpan("2024-03-01", "2024-03-31", 0)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := load(t, sharedtest.Path(t, "data", "crypto", "bybit_linear_hourly"), market.Options{From: from, To: to})
	w, dropped, err := p.Window()
	if err != nil {
		t.Fatal(err)
	}
	if w.PeriodsPerYear() != 8760 || dropped.Kept != 31*24 || len(w.Symbols) != 5 {
		t.Errorf("%v periods a year, %v", w.PeriodsPerYear(), dropped)
	}
}

// Stocks: no weekends, CRLF in one file, different listing days and a
// bankruptcy in the other, and the closed exchanges of September 2001.
func TestStocks(t *testing.T) {
	p, c := load(t, sharedtest.Path(t, "data", "equities", "sp500_20stocks_adjclose.csv"), market.Options{})
	w, _, err := p.Window()
	if err != nil {
		t.Fatal(err)
	}
	if w.PeriodsPerYear() != 252 || len(w.Times) != 8312 || len(w.Symbols) != 20 {
		t.Errorf("%d x %d returns, %v periods a year", len(w.Times), len(w.Symbols), w.PeriodsPerYear())
	}
	if len(c.Gaps) != 1 || c.Gaps[0].After.Format(time.DateOnly) != "2001-09-10" || c.Gaps[0].Missing != 4 {
		t.Errorf("gaps %v", c.Gaps)
	}
	p, _ = load(t, sharedtest.Path(t, "data", "equities", "pyportfolioopt_stock_prices.csv"), market.Options{})
	w, dropped, err := p.Window("GE", "BABA", "XOM")
	if err != nil {
		t.Fatal(err)
	}
	if dropped.First.Format(time.DateOnly) != "2014-09-19" || !slices.Equal(dropped.LastToStart, []string{"BABA"}) || w.PeriodsPerYear() != 252 {
		t.Errorf("%v", dropped)
	}
}
