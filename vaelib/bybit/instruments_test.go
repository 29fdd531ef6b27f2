package bybit_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vaefolio/internal/bybittest"
	"vaefolio/vaelib/bybit"
	"vaefolio/vaelib/stream"
)

func market() *bybittest.Exchange {
	return bybittest.New(
		bybittest.Listing{Symbol: "AAAUSDT", Quote: "USDT", Launch: date("2020-03-30"), Turnover: 500},
		bybittest.Listing{Symbol: "BBBUSDT", Quote: "USDT", Turnover: 900},
		bybittest.Listing{Symbol: "CCCPERP", Quote: "USDC", Turnover: 5000},
		bybittest.Listing{Symbol: "DDDUSDT", Quote: "USDT", Turnover: 500},
		bybittest.Listing{Symbol: "EEEUSDT-27JUN25", Quote: "USDT", Turnover: 800, Future: true},
		bybittest.Listing{Symbol: "FFFUSDT", Quote: "USDT"},
		bybittest.Listing{Symbol: "GGGUSDT", Quote: "USDT", Turnover: 9000, Until: date("2023-01-01")},
	)
}

func TestInstruments(t *testing.T) {
	exchange := market()
	client := serve(t, exchange, nil)
	got, err := client.Instruments(t.Context(), bybit.Linear, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 6 || len(exchange.Requests()) != 3 {
		t.Errorf("%d instruments in %d pages, want 6 in 3", len(got), len(exchange.Requests()))
	}
	want := bybit.Instrument{
		Symbol: "AAAUSDT", Base: "AAA", Quote: "USDT", Status: "Trading", Perpetual: true, Launch: date("2020-03-30"), FundingInterval: 8 * time.Hour,
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Error(diff)
	}
	if !got[1].Launch.IsZero() || got[4].Perpetual {
		t.Errorf("launch of %+v should be unknown, %+v is no perpetual", got[1], got[4])
	}
}

func TestInstrumentsFaults(t *testing.T) {
	for name, body := range map[string]string{
		"page without end":  `{"retCode":0,"result":{"category":"linear","list":[{"symbol":"A"}],"nextPageCursor":"x"}}`,
		"no list":           `{"retCode":0,"result":{"category":"linear"}}`,
		"no symbol":         `{"retCode":0,"result":{"category":"linear","list":[{}]}}`,
		"other category":    `{"retCode":0,"result":{"category":"spot","list":[{"symbol":"A"}]}}`,
		"no category":       `{"retCode":0,"result":{"list":[{"symbol":"A"}]}}`,
		"turned symbol":     `{"retCode":0,"result":{"category":"linear","list":[{"symbol":"A\u202eB"}]}}`,
		"symbol in control": `{"retCode":0,"result":{"category":"linear","list":[{"symbol":"A\u001b[2J"}]}}`,
		"hidden letter":     `{"retCode":0,"result":{"category":"linear","list":[{"symbol":"A\u200bB"}]}}`,
		"launch time":       `{"retCode":0,"result":{"category":"linear","list":[{"symbol":"A","launchTime":"soon"}]}}`,
	} {
		var decode *bybit.DecodeError
		if _, err := replay(t, 200, nil, []byte(body)).Instruments(t.Context(), bybit.Linear, ""); !errors.As(err, &decode) {
			t.Errorf("%s: %v, want a DecodeError", name, err)
		}
	}
	for name, body := range map[string]string{
		"no list":  `{"retCode":0,"result":{"category":"linear"}}`,
		"symbol":   `{"retCode":0,"result":{"category":"linear","list":[{"symbol":"A\u2066B"}]}}`,
		"turnover": `{"retCode":0,"result":{"category":"linear","list":[{"symbol":"A","turnover24h":"much"}]}}`,
		"volume":   `{"retCode":0,"result":{"category":"linear","list":[{"symbol":"A","volume24h":[]}]}}`,
	} {
		var decode *bybit.DecodeError
		if _, err := replay(t, 200, nil, []byte(body)).Tickers(t.Context(), bybit.Linear); !errors.As(err, &decode) {
			t.Errorf("tickers, %s: %v, want a DecodeError", name, err)
		}
	}
}

func TestRecordedInstruments(t *testing.T) {
	for _, c := range []struct {
		file     string
		category bybit.Category
		want     []bybit.Instrument
	}{
		{"instruments_info_linear_btcusdt_live_2023.json", bybit.Linear, []bybit.Instrument{{"BTCUSDT", "BTC", "USDT", "Trading", true, date("2020-03-30"), 8 * time.Hour}}},
		{"docs_instruments_info_linear_perpetual.json", bybit.Linear, []bybit.Instrument{{"BTCUSDT", "BTC", "USDT", "Trading", true, date("2020-03-30"), 8 * time.Hour}}},
		{"instruments_info_spot_btcusdt_testnet_2026.json", bybit.Spot, []bybit.Instrument{{Symbol: "BTCUSDT", Base: "BTC", Quote: "USDT", Status: "Trading"}}},
		{"instruments_info_spot_unknown_symbol_empty.json", bybit.Spot, nil},
	} {
		t.Run(c.file, func(t *testing.T) {
			got, err := replay(t, 200, nil, recorded(t, c.file)).Instruments(t.Context(), c.category, "")
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Error(diff, err)
			}
		})
	}
}

func TestRecordedTickers(t *testing.T) {
	for file, want := range map[string][]bybit.Ticker{
		"tickers_linear_btcusdt.json":          {{"BTCUSDT", 164954.492, 3878849719.0390005}},
		"tickers_linear_two_rows_trimmed.json": {{"10000NFTUSDT", 5262760, 26004.58638998}, {"1000BONKUSDT", 8126625900, 6229294.0131}},
		"docs_tickers_spot.json":               {{"BTCUSDT", 11801.27771, 243765620.65899866}},
	} {
		t.Run(file, func(t *testing.T) {
			category := bybit.Linear
			if strings.Contains(file, "spot") {
				category = bybit.Spot
			}
			got, err := replay(t, 200, nil, recorded(t, file)).Tickers(t.Context(), category)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%v, %v, want %v", got, err, want)
			}
		})
	}
}

func TestMostTraded(t *testing.T) {
	client := serve(t, market(), nil)
	for _, c := range []struct {
		category bybit.Category
		quote    string
		n        int
		want     []string
	}{
		{bybit.Linear, "USDT", 2, []string{"BBBUSDT", "AAAUSDT"}},
		{bybit.Linear, "USDT", 10, []string{"BBBUSDT", "AAAUSDT", "DDDUSDT"}},
		{bybit.Linear, "USDC", 10, []string{"CCCPERP"}},
		{bybit.Spot, "USDT", 2, []string{"BBBUSDT", "EEEUSDT-27JUN25"}}, // spot has no contracts
		{bybit.Linear, "EUR", 10, nil},
	} {
		instruments, err := client.MostTraded(t.Context(), c.category, c.quote, c.n)
		var got []string
		for _, i := range instruments {
			got = append(got, i.Symbol)
		}
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%d most traded of %s against %s: %v, %v, want %v", c.n, c.category, c.quote, got, err, c.want)
		}
	}
}

func TestFunding(t *testing.T) {
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT", First: date("2023-01-01")})
	client := serve(t, exchange, nil)
	for _, c := range []struct {
		from, to time.Time
		payments int
	}{
		{date("2022-06-01"), time.Time{}, 3*425 + 2}, // 7 pages
		{date("2024-02-01"), date("2024-02-02"), 4},
		{date("2022-01-01"), date("2022-02-01"), 0},
	} {
		got, err := client.Funding(t.Context(), bybit.FundingQuery{Category: bybit.Linear, Symbol: "AAAUSDT", From: c.from, To: c.to})
		to := c.to
		if to.IsZero() {
			to = start
		}
		if want := exchange.Funding("AAAUSDT", c.from, to); err != nil || len(want) != c.payments || !slices.Equal(got, want) {
			t.Errorf("funding from %s: %d payments, the truth has %d, want %d (%v)", c.from, len(got), len(want), c.payments, err)
		}
	}
	if _, err := client.Funding(t.Context(), bybit.FundingQuery{Category: bybit.Linear, Symbol: "ZZZ", From: start.Add(-time.Hour)}); !errors.Is(err, bybit.ErrSymbol) {
		t.Errorf("funding of an unknown symbol: %v", err)
	}
}

// Whatever goes wrong on the way, the payments are the truth, or there is a typed
// error. Bad answers that agree with each other may hide some; a step longer
// than any on the exchange then shows it.
func TestFundingFaultSchedules(t *testing.T) {
	schedules := 200
	if testing.Short() {
		schedules = 40
	}
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT", First: date("2023-01-01")})
	now := start
	client := serve(t, exchange, func(o *bybit.Options) {
		o.Timeout = time.Second
		o.Now = func() time.Time { return now }
	})
	whole, failed := 0, 0
	for seed := range uint64(schedules) {
		rng := stream.New(seed, "bybit.funding faults", 0)
		now = now.Add(time.Hour) // past any ban
		exchange.SetFault(schedule(rng))
		from := date("2022-12-20").Add(time.Duration(rng.IntN(300*24)) * time.Hour)
		to := from.Add(time.Duration(rng.IntN(200*24)) * time.Hour)
		got, err := client.Funding(t.Context(), bybit.FundingQuery{Category: bybit.Linear, Symbol: "AAAUSDT", From: from, To: to})
		want := exchange.Funding("AAAUSDT", from, to)
		switch {
		case err != nil && !typed(err):
			t.Fatalf("seed %d: error %T %v has no type", seed, err, err)
		case err != nil:
			failed++
		case slices.Equal(got, want):
			whole++
		}
		if err != nil {
			continue
		}
		end := from.Add(-bybittest.FundingInterval) // of what is accounted for
		for _, p := range append(got, bybit.Funding{Time: to.Add(bybittest.FundingInterval)}) {
			for len(want) > 0 && want[0].Time.Before(p.Time) {
				if p.Time.Sub(end) <= bybittest.FundingInterval {
					t.Fatalf("seed %d: the payment of %v is missing, and no step shows it", seed, want[0].Time)
				}
				want = want[1:]
			}
			if len(want) > 0 {
				if want[0] != p {
					t.Fatalf("seed %d: payment %v, want %v", seed, p, want[0])
				}
				want = want[1:]
			}
			end = p.Time
		}
	}
	t.Logf("%d schedules: %d whole, %d typed errors, %d with a gap that bad answers agreed on", schedules, whole, failed, schedules-whole-failed)
	if whole < schedules/2 || failed == 0 {
		t.Errorf("the faults are not what they should be: %d of %d whole, %d failed", whole, schedules, failed)
	}
}

func TestRecordedFunding(t *testing.T) {
	client := replay(t, 200, nil, recorded(t, "funding_history_linear_btcusdt.json"))
	got, err := client.Funding(t.Context(), bybit.FundingQuery{
		Category: bybit.Linear, Symbol: "BTCUSDT", From: time.UnixMilli(1786780800000), To: time.UnixMilli(1786820638506),
	})
	want := []bybit.Funding{{time.UnixMilli(1786780800000).UTC(), 0.00004737}, {time.UnixMilli(1786809600000).UTC(), 0.00004403}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for name, body := range map[string]string{
		"other symbol": `{"retCode":0,"result":{"category":"linear","list":[{"symbol":"X","fundingRate":"0","fundingRateTimestamp":"1786780800000"}]}}`,
		"no rate":      `{"retCode":0,"result":{"category":"linear","list":[{"symbol":"BTCUSDT","fundingRate":"","fundingRateTimestamp":"1786780800000"}]}}`,
		"no time":      `{"retCode":0,"result":{"category":"linear","list":[{"symbol":"BTCUSDT","fundingRate":"0","fundingRateTimestamp":null}]}}`,
		"two rates":    `{"retCode":0,"result":{"category":"linear","list":[{"symbol":"BTCUSDT","fundingRate":"0","fundingRateTimestamp":"1786780800000"},{"symbol":"BTCUSDT","fundingRate":"1","fundingRateTimestamp":"1786780800000"}]}}`,
		"no list":      `{"retCode":0,"result":{"category":"linear"}}`,
	} {
		var decode *bybit.DecodeError
		if _, err := replay(t, 200, nil, []byte(body)).Funding(t.Context(), bybit.FundingQuery{Category: bybit.Linear, Symbol: "BTCUSDT", To: time.UnixMilli(1786820638506), From: time.UnixMilli(1)}); !errors.As(err, &decode) {
			t.Errorf("%s: %v, want a DecodeError", name, err)
		}
	}
}
