package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/metrics"
)

// All the reference data, as any verb with -prices reads them: other exchanges,
// intervals, layouts, listings and delistings, and what is said of each.
func TestSharedData(t *testing.T) {
	raw := t.TempDir() // the raw file under the name that a symbol's has
	text, err := os.ReadFile(sharedtest.Path(t, "data", "crypto", "bybit_linear_raw", "BTCUSDT_D_as_downloaded.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(raw, "BTCUSDT.csv"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	shared := func(elem ...string) string { return sharedtest.Path(t, append([]string{"data"}, elem...)...) }
	for _, c := range []struct {
		path    string
		args    []string
		symbols int
		periods int // of the window
		perYear float64
		said    []string
	}{
		{shared("crypto", "bybit_linear_daily"), nil, 40, 1437, 365, []string{"ignored columns: turnover", "BCHUSDT.csv:2: BCHUSDT on 2020-12-14: open 0", "survivorship: all 40 symbols live", "returns: of prices alone"}},
		{shared("crypto", "bybit_linear_daily_close_all.csv"), nil, 329, 369, 365, []string{"symbols 329, times 1,824", "survivorship: all 329 symbols"}},
		{shared("crypto", "bybit_linear_hourly"), nil, 5, 31118, 8760, []string{"31119 shared times, 2021-10-15 to 2025-05-03T14:00:00Z"}},
		{raw, nil, 1, 1824, 365, []string{"BTCUSDT.csv:828 of 2023-02-18", "last candles: kept as finished by the clock"}},
		{raw, []string{"-as-of", "2025-11-13T12:00:00Z"}, 1, 1823, 365, []string{"BTCUSDT.csv:828 of 2023-02-18", "last closes of an unfinished interval, dropped: 1, that of 2025-11-13"}},
		{shared("crypto", "binance_spot_daily"), nil, 24, 1904, 365, []string{"ignored columns: quote_volume and trades", "survivorship: all 24 symbols"}},
		{shared("crypto", "binance_spot_delisted"), []string{"-symbols", "MATICUSDT,FTMUSDT"}, 2, 1918, 365, []string{"(MATICUSDT ends)"}},
		{shared("equities", "sp500_20stocks_adjclose.csv"), nil, 20, 8312, 252, []string{"gap of all symbols: 4 missing between 2001-09-10 and 2001-09-17"}},
		{shared("equities", "sp500_index.csv"), nil, 1, 8312, 252, nil},
		{shared("equities", "pyportfolioopt_stock_prices.csv"), []string{"-symbols", "GE,XOM,SHLD"}, 3, 0, 252, nil},
	} {
		data, settings := new(Data), new(metrics.Settings)
		code, _, stderr := execute(priced(data, settings), append([]string{"-prices", c.path}, c.args...)...)
		if code != 0 {
			t.Errorf("%s: exit code %d: %s", c.path, code, stderr)
			continue
		}
		if n, periods := len(data.Window.Symbols), len(data.Window.Times); n != c.symbols || c.periods > 0 && periods != c.periods || settings.PeriodsPerYear != c.perYear {
			t.Errorf("%s: %d periods of %d symbols, %v a year; want %d of %d, %v", c.path, periods, n, settings.PeriodsPerYear, c.periods, c.symbols, c.perYear)
		}
		for _, want := range c.said {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: stderr doesn't say %q:\n%s", c.path, want, stderr)
			}
		}
		if delisted := strings.Contains(c.path, "delisted"); delisted && strings.Contains(stderr, "survivorship") {
			t.Errorf("%s: delisted symbols are suspected of surviving: %s", c.path, stderr)
		}
	}
}
