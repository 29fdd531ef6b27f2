package market_test

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/market"
)

// Files as people have them: each is read right, or refused with the reason. The
// expected values stand in the files; those of two symbols are of the first and
// the last.
func TestFilesInTheWild(t *testing.T) {
	const usual = "AAA BBB 60 2024-01-02 2024-03-25 185 30"
	for name, want := range map[string]string{
		"annual.csv":                  "AAA BBB 50 1970-12-31 2019-12-31 10 20",
		"binance_dump_us":             "BTCUSDT BTCUSDT 60 2025-01-01 2025-03-01 42000 42000",
		"binance_dump_us_header":      "BTCUSDT BTCUSDT 60 2025-01-01 2025-03-01 42000 42000",
		"bloomberg.csv":               "SPX Index NDX Index 60 2024-01-02 2024-03-25 185 30",
		"business_month_end.csv":      "AAA BBB 92 2015-01-30 2022-08-31 10 20",
		"ccxt_csv":                    "BTC_USDT BTC_USDT 60 2024-01-01 2024-02-29 42000 42000",
		"closes.csv.gz":               usual,
		"cryptodatadownload":          "BTCUSDT BTCUSDT 60 2024-01-01 2024-02-29 42000 42000",
		"cryptodatadownload_no_url":   "BTCUSDT BTCUSDT 60 2024-01-01 2024-02-29 42000 42000",
		"datetime_header.csv":         usual,
		"duplicate_tickers.csv":       "symbol AAA is in column 2 already",
		"empty_volume":                "BTCUSDT BTCUSDT 60 2024-01-01 2024-02-29 42000 42000",
		"excel_serial.csv":            usual,
		"float_ms":                    "BTCUSDT BTCUSDT 60 2025-01-01 2025-03-01 42000 42000",
		"fred_blank_holiday_row.csv":  "SP500 NASDAQCOM 59 2024-01-02 2024-03-25 185 30",
		"fred_dots.csv":               "SP500 NASDAQCOM 59 2024-01-02 2024-03-25 185 30",
		"fred_new.csv":                "SP500 NASDAQCOM 59 2024-01-02 2024-03-25 185 30",
		"freqtrade_json":              "BTC_USDT BTC_USDT 60 2024-01-01 2024-02-29 42000 42000",
		"investing_com":               "BTC BTC 60 2024-01-01 2024-02-29 42000 42000",
		"latin1.csv":                  "Société Générale BBB 60 2024-01-02 2024-03-25 185 30",
		"microseconds":                "BTCUSDT BTCUSDT 60 2025-01-01 2025-03-01 42000 42000",
		"minutes_without_seconds":     "BTCUSDT BTCUSDT 60 2024-01-01 2024-02-29 42000 42000",
		"mixed_holidays.csv":          "-fill previous or -fill drop",
		"month_end.csv":               "AAA BBB 65 2015-01-31 2020-05-31 10 20",
		"month_names.csv":             usual,
		"mt5_tabs":                    "EURUSD EURUSD 60 2024-01-02 2024-03-25 1.08824 1.08824",
		"na_text.csv":                 "AAA NEW 60 2024-01-02 2024-03-25 185 NaN",
		"nan_before_listing.csv":      "AAA NEW 60 2024-01-02 2024-03-25 185 NaN",
		"nasdaq_com":                  "AAPL AAPL 60 2024-01-02 2024-03-25 185 185",
		"odd_tickers.csv":             "^GSPC Procter & Gamble, Co. 60 2024-01-02 2024-03-25 185.8254 184.071",
		"old_mac_cr.csv":              usual,
		"pandas_index.csv":            usual,
		"seconds":                     "BTCUSDT BTCUSDT 60 2025-01-01 2025-03-01 42000 42000",
		"semicolon_comma.csv":         usual,
		"semicolon_iso.csv":           usual,
		"stooq":                       "aapl.us aapl.us 60 2024-01-02 2024-03-25 185 185",
		"stooq_bulk":                  "AAPL.US AAPL.US 60 2024-01-02 2024-03-25 185 185",
		"stooq_index_no_volume":       "^spx ^spx 60 2024-01-02 2024-03-25 185 185",
		"thousands.csv":               "AAA BBB 60 2024-01-02 2024-03-25 18500 30",
		"tidy_kaggle.csv":             usual,
		"tidy_long.csv":               usual,
		"tiingo":                      "AAPL AAPL 60 2024-01-02 2024-03-25 179.45 179.45",
		"time_column":                 "BTCUSDT BTCUSDT 60 2024-01-01 2024-02-29 42000 42000",
		"tradingview":                 "BTCUSDT BTCUSDT 60 2025-01-01 2025-03-01 42000 42000",
		"unnamed_date_index.csv":      usual,
		"uppercase_extension":         "AAPL AAPL 60 2024-01-02 2024-03-25 185 185",
		"uppercase_extension_mixed":   "AAPL MSFT 60 2024-01-02 2024-03-25 185 185",
		"us_dates.csv":                usual,
		"utf16.csv":                   usual,
		"weekly.csv":                  "AAA BBB 58 2020-01-03 2021-02-05 10 20",
		"yahoo_null_rows":             "AAPL AAPL 59 2024-01-02 2024-03-25 179.45 179.45",
		"year_month.csv":              "AAA BBB 60 2010-01-01 2014-12-01 10 20",
		"year_only.csv":               "AAA BBB 50 1970-01-01 2019-01-01 10 20",
		"yfinance_two_level":          "AAPL AAPL 60 2024-01-02 2024-03-25 185 185",
		"yfinance_two_level_wide.csv": "AAPL MSFT 60 2024-01-02 2024-03-25 185 370",
		"bybit_public_trades":         "BTCUSDT BTCUSDT 1 2024-01-01 2024-01-01 42283.5 42283.5",

		"../03-compact-timestamp-as-unix-ms/closes8.csv":       "BTC ETH 200 2024-01-01 2024-07-18 100 100",
		"../03-compact-timestamp-as-unix-ms/closes12.csv":      "BTC ETH 200 2024-01-01 2024-07-18 100 100",
		"../03-compact-timestamp-as-unix-ms/closes14.csv":      "BTC ETH 200 2024-01-01 2024-07-18 100 100",
		"../04-columns-that-are-no-assets/investing_price.csv": "candles of one symbol",
		"../04-columns-that-are-no-assets/close_volume.csv":    "candles of one symbol",
		"../04-columns-that-are-no-assets/coingecko.csv":       "candles of one symbol",
		"../04-columns-that-are-no-assets/two_ohlcv.csv":       "BTC ETH 250 2023-01-02 2023-12-15 100 30",
		"../04-columns-that-are-no-assets/one_code.csv":        "600519 600519 250 2023-01-02 2023-12-15 100 100",
		"../05-alphavantage-unadjusted-close/prices":           "AAPL TSLA 200 2020-06-01 2021-03-05",
		"../06-mixed-intervals-in-one-folder/prices":           "has a row every day, and ",
		"../39-yfinance-dates-east-of-greenwich/frankfurt":     "BMW.DE SAP.DE 500 2022-01-03 2023-12-01 100 100",
		"../39-yfinance-dates-east-of-greenwich/tokyo":         "6758.T 7203.T 500 2022-01-03 2023-12-01 100 100",
		"../39-yfinance-dates-east-of-greenwich/newyork":       "AAPL KO 500 2022-01-03 2023-12-01 100 100",
		"../24-calendar-days-with-empty-weekends/closes.csv":   "SPY QQQ 65 2024-01-01 2024-03-29 400 350",
	} {
		t.Run(strings.TrimPrefix(name, "../"), func(t *testing.T) {
			panel, _, err := market.Load(sharedtest.Path(t, "cases", "wild", "17-formats-zoo", filepath.FromSlash(name)), market.Options{})
			if err != nil {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("refused: %v\nit should be %s", err, want)
				}
				return
			}
			last := len(panel.Symbols) - 1
			got := fmt.Sprintf("%s %s %d %s %s %v %v", panel.Symbols[0], panel.Symbols[last], len(panel.Times), panel.Times[0].Format(time.DateOnly),
				panel.Times[len(panel.Times)-1].Format(time.DateOnly), panel.Close.At(0, 0), panel.Close.At(0, last))
			if !strings.HasPrefix(got, want) {
				t.Errorf("read as %s\nit should be %s", got, want)
			}
		})
	}
	// The choices that are the user's.
	path := sharedtest.Path(t, "cases", "wild", "17-formats-zoo", "mixed_holidays.csv")
	for _, fill := range []market.Fill{market.FillPrevious, market.FillDrop} {
		panel, cleaning, err := market.Load(path, market.Options{Fill: fill})
		if err != nil {
			t.Fatal(err)
		}
		if len(panel.Times)+cleaning.Holed != 60 || cleaning.Filled+cleaning.Holed == 0 {
			t.Errorf("fill %s: %d rows, %v", fill, len(panel.Times), cleaning)
		}
		for _, v := range panel.Close.RawMatrix().Data {
			if math.IsNaN(v) {
				t.Fatalf("fill %s leaves a hole", fill)
			}
		}
	}
}
