package bybit_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vaefolio/internal/bybittest"
	"vaefolio/vaelib/bybit"
	"vaefolio/vaelib/stream"
)

func date(text string) time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return t
}

func TestIntervals(t *testing.T) {
	for _, c := range []struct {
		interval          bybit.Interval
		time, floor, next string
	}{
		{"1", "2024-02-29T23:59:59.999Z", "2024-02-29T23:59:00Z", "2024-03-01T00:00:00Z"},
		{"1", "2024-02-29T23:59:00Z", "2024-02-29T23:59:00Z", "2024-03-01T00:00:00Z"},
		{"240", "2024-02-29T11:00:00+02:00", "2024-02-29T08:00:00Z", "2024-02-29T12:00:00Z"},
		{"720", "2024-02-29T13:00:00Z", "2024-02-29T12:00:00Z", "2024-03-01T00:00:00Z"},
		{"D", "1969-12-31T01:00:00Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z"},
		{"W", "2024-03-03T23:59:59Z", "2024-02-26T00:00:00Z", "2024-03-04T00:00:00Z"},
		{"W", "1970-01-04T00:00:00Z", "1969-12-29T00:00:00Z", "1970-01-05T00:00:00Z"},
		{"M", "2023-12-31T12:00:00Z", "2023-12-01T00:00:00Z", "2024-01-01T00:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339Nano, c.time)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.interval.Floor(at).Format(time.RFC3339Nano); got != c.floor {
			t.Errorf("%s: floor of %s is %s, want %s", c.interval, c.time, got, c.floor)
		}
		if got := c.interval.Next(at).Format(time.RFC3339Nano); got != c.next {
			t.Errorf("%s: next of %s is %s, want %s", c.interval, c.time, got, c.next)
		}
	}
}

// The series is the truth for every interval and range, whatever the pages.
func TestKlines(t *testing.T) {
	first := date("2021-05-13")
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT", First: first})
	client := serve(t, exchange, nil)
	for _, c := range []struct {
		interval bybit.Interval
		from, to time.Time
		candles  int
		missing  []bybit.Span
	}{
		{"D", date("2024-02-01"), date("2024-02-10"), 10, nil},
		{"D", date("2024-02-01").Add(time.Hour), date("2024-02-10").Add(time.Hour), 9, nil}, // start is floored
		{"D", date("2024-02-20"), time.Time{}, 10, nil},                                     // the open day is not there
		{"D", date("2024-03-01"), time.Time{}, 0, nil},
		{"D", date("2030-01-01"), date("2030-02-01"), 0, nil},
		{"D", date("2021-05-01"), date("2021-05-15"), 3, []bybit.Span{{date("2021-05-01"), first, 12}}},
		{"D", date("2021-05-01"), date("2021-05-02"), 0, []bybit.Span{{date("2021-05-01"), date("2021-05-03"), 2}}},
		{"D", first, time.Time{}, 1023, nil}, // two pages
		{"60", date("2023-11-01"), date("2024-03-01").Add(7 * time.Hour), 24*121 + 8, nil},
		{"60", start.Truncate(time.Hour).Add(-time.Hour), start, 1, nil},
		{"1", start.Add(-30 * time.Second), start.Add(-30 * time.Second), 0, nil},
		{"1", start.Add(-90 * time.Second), start, 1, nil},
		{"W", date("2024-01-30"), time.Time{}, 3, nil},
		{"M", date("2023-11-02"), time.Time{}, 3, nil},
		{"M", date("2021-01-01"), date("2021-08-01"), 3, []bybit.Span{{date("2021-01-01"), date("2021-06-01"), 5}}},
	} {
		s, err := client.Klines(t.Context(), bybit.KlineQuery{Category: bybit.Linear, Symbol: "AAAUSDT", Interval: c.interval, From: c.from, To: c.to})
		if err != nil {
			t.Fatal(err)
		}
		to := c.to
		if to.IsZero() {
			to = start
		}
		if want := exchange.Series("AAAUSDT", c.interval, c.from, to); len(want) != c.candles || !slices.Equal(s.Candles, want) {
			t.Errorf("%s from %s to %s: %d candles, the truth has %d, want %d", c.interval, c.from, c.to, len(s.Candles), len(want), c.candles)
		}
		if diff := cmp.Diff(c.missing, s.Missing); diff != "" {
			t.Errorf("%s from %s to %s: missing: %s", c.interval, c.from, c.to, diff)
		}
	}
}

// Gaps of the exchange are seen, those of one bad answer are not believed.
func TestGaps(t *testing.T) {
	gone := func(t time.Time) bool { return t.Day() == 5 || t.Day() == 6 }
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT", Gap: gone, Until: date("2024-02-20")})
	query := bybit.KlineQuery{Category: bybit.Linear, Symbol: "AAAUSDT", Interval: bybit.Day, From: date("2024-01-02"), Now: start}
	client := serve(t, exchange, nil)
	s, err := client.Klines(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	want := []bybit.Span{
		{date("2024-01-05"), date("2024-01-07"), 2}, {date("2024-02-05"), date("2024-02-07"), 2}, {date("2024-02-20"), date("2024-03-01"), 10},
	}
	if diff := cmp.Diff(want, s.Missing); diff != "" || !slices.Equal(s.Candles, exchange.Series("AAAUSDT", "D", query.From, start)) {
		t.Errorf("missing: %s", diff)
	}
	for _, fault := range []bybittest.Fault{bybittest.Hole, bybittest.Empty} {
		exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT"})
		exchange.SetFault(func(number int, _ *http.Request) bybittest.Fault {
			if number == 0 {
				return fault
			}
			return bybittest.None
		})
		s, err := serve(t, exchange, nil).Klines(t.Context(), query)
		if err != nil || len(s.Missing) > 0 || !slices.Equal(s.Candles, exchange.Series("AAAUSDT", "D", query.From, start)) {
			t.Errorf("fault %d, once: missing %v, %v", fault, s.Missing, err)
		}
	}
}

// Pages that are sound but strange change nothing.
func TestStrangePages(t *testing.T) {
	for _, fault := range []bybittest.Fault{
		bybittest.Repeat, bybittest.Unsorted, bybittest.Twice, bybittest.Numbers, bybittest.Gzip, bybittest.Skew,
	} {
		exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT"})
		exchange.PageRows = 7
		exchange.SetFault(func(int, *http.Request) bybittest.Fault { return fault })
		from := date("2024-01-02")
		s, err := serve(t, exchange, nil).Klines(t.Context(), bybit.KlineQuery{Category: bybit.Spot, Symbol: "AAAUSDT", Interval: bybit.Day, From: from})
		if err != nil || len(s.Missing) > 0 || !slices.Equal(s.Candles, exchange.Series("AAAUSDT", "D", from, start)) {
			t.Errorf("fault %d: %d candles, missing %v, %v", fault, len(s.Candles), s.Missing, err)
		}
	}
}

func TestKlinesAll(t *testing.T) {
	var listings []bybittest.Listing
	var queries []bybit.KlineQuery
	for i := range 40 {
		symbol := fmt.Sprintf("S%02dUSDT", i)
		queries = append(queries, bybit.KlineQuery{Category: bybit.Linear, Symbol: symbol, Interval: bybit.Day, From: date("2020-01-01")})
		if i != 7 {
			listings = append(listings, bybittest.Listing{Symbol: symbol, First: date("2020-01-01").AddDate(0, i, 0)})
		}
	}
	exchange := bybittest.New(listings...)
	var under, most atomic.Int64
	client := serve(t, exchange, func(o *bybit.Options) {
		o.Parallel = 3
		o.HTTP = &http.Client{Transport: counting{&under, &most}}
	})
	seen := make([]bool, len(queries))
	err := client.KlinesAll(t.Context(), queries, func(i int, s *bybit.Series, err error) error {
		seen[i] = true
		if i == 7 {
			if !errors.Is(err, bybit.ErrSymbol) || !strings.Contains(err.Error(), "S07USDT") {
				t.Errorf("the unknown symbol gives %v", err)
			}
			return nil
		}
		if err != nil || !slices.Equal(s.Candles, exchange.Series(queries[i].Symbol, "D", queries[i].From, start)) {
			t.Errorf("query %d: %v", i, err)
		}
		return nil
	})
	if err != nil || slices.Contains(seen, false) {
		t.Errorf("error %v, seen %v", err, seen)
	}
	if got := most.Load(); got > 3 || got < 1 {
		t.Errorf("%d requests under way at once, want at most 3", got)
	}
	enough := errors.New("enough")
	calls := 0
	err = client.KlinesAll(t.Context(), queries, func(int, *bybit.Series, error) error { calls++; return enough })
	if !errors.Is(err, enough) || calls != 1 {
		t.Errorf("each that fails: %v after %d calls", err, calls)
	}
	exchange.SetFault(func(int, *http.Request) bybittest.Fault { return bybittest.Forbidden })
	calls = 0
	err = client.KlinesAll(t.Context(), queries, func(_ int, s *bybit.Series, err error) error {
		if calls++; s != nil || !errors.Is(err, bybit.ErrRefused) {
			t.Errorf("refused: %v", err)
		}
		return nil
	})
	if err != nil || calls != len(queries) {
		t.Errorf("refused: %v after %d calls", err, calls)
	}
}

// counting is a transport that counts requests under way.
type counting struct{ under, most *atomic.Int64 }

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	n := c.under.Add(1)
	defer c.under.Add(-1)
	for old := c.most.Load(); n > old && !c.most.CompareAndSwap(old, n); old = c.most.Load() {
	}
	return http.DefaultTransport.RoundTrip(r)
}

// Whatever goes wrong on the way, the series is the truth, and says where it
// isn't, or there is a typed error.
func TestFaultSchedules(t *testing.T) {
	schedules := 1000
	if testing.Short() {
		schedules = 100
	}
	exchange := bybittest.New(bybittest.Listing{
		Symbol: "AAAUSDT", First: date("2023-12-01"), Gap: func(t time.Time) bool { return t.Hour() == 3 && t.Day() == 9 },
	})
	exchange.PageRows = 40
	now := start
	client := serve(t, exchange, func(o *bybit.Options) {
		o.Timeout = time.Second
		o.Now = func() time.Time { return now }
	})
	whole, failed := 0, 0
	for seed := range uint64(schedules) {
		rng := stream.New(seed, "bybit.faults", 0)
		now = now.Add(time.Hour) // past any ban
		exchange.SetFault(schedule(rng))
		from := date("2023-11-28").Add(time.Duration(rng.IntN(90*24)) * time.Hour)
		to := from.Add(time.Duration(rng.IntN(10*24)) * time.Hour)
		s, err := client.Klines(t.Context(), bybit.KlineQuery{Category: bybit.Linear, Symbol: "AAAUSDT", Interval: "60", From: from, To: to})
		if err != nil {
			failed++
			if !typed(err) {
				t.Fatalf("seed %d: error %T %v has no type", seed, err, err)
			}
			continue
		}
		truth := exchange.Series("AAAUSDT", "60", from, to)
		if slices.Equal(s.Candles, truth) {
			whole++
		}
		if err := explained(s, truth, "60"); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
	t.Logf("%d schedules: %d whole, %d typed errors, %d with a gap that two bad answers agreed on, and told", schedules, whole, failed, schedules-whole-failed)
	if whole < schedules/4 || failed == 0 {
		t.Errorf("the faults are not what they should be: %d whole, %d failed", whole, failed)
	}
}

// schedule draws the faults of one run: most requests are sound.
func schedule(rng *rand.Rand) func(int, *http.Request) bybittest.Fault {
	faults := make([]bybittest.Fault, 64)
	share := 0.6 * rng.Float64()
	for i := range faults {
		if rng.Float64() < share {
			if faults[i] = bybittest.Fault(rng.IntN(int(bybittest.Faults))); faults[i] == bybittest.Slow && rng.IntN(50) > 0 {
				faults[i] = bybittest.Cut // the same to the client, and faster
			}
		}
	}
	return func(number int, _ *http.Request) bybittest.Fault { return faults[number%len(faults)] }
}

func typed(err error) bool {
	var api *bybit.APIError
	var answer *bybit.HTTPError
	var connection *bybit.ConnectionError
	var decode *bybit.DecodeError
	return errors.As(err, &api) || errors.As(err, &answer) || errors.As(err, &connection) || errors.As(err, &decode)
}

// explained says whether the series differs from the truth other than by
// candles that it states as missing.
func explained(s *bybit.Series, truth []bybit.Candle, interval bybit.Interval) error {
	for i, candle := range s.Candles {
		if i > 0 && !candle.Start.After(s.Candles[i-1].Start) {
			return fmt.Errorf("candle %d is not after the one before", i)
		}
	}
	rest := s.Candles
	for _, want := range truth {
		if len(rest) > 0 && rest[0].Start.Equal(want.Start) {
			if rest[0] != want {
				return fmt.Errorf("candle is %v, want %v", rest[0], want)
			}
			rest = rest[1:]
			continue
		}
		if !slices.ContainsFunc(s.Missing, func(m bybit.Span) bool { return !want.Start.Before(m.From) && want.Start.Before(m.Until) }) {
			return fmt.Errorf("candle of %s is neither there nor missing", want.Start)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("candle of %s is not true", rest[0].Start)
	}
	return nil
}

// The recorded pages: what is closed by the time of their answer comes out.
func TestRecordedKlines(t *testing.T) {
	for _, c := range []struct {
		file          string
		symbol        string
		category      bybit.Category
		interval      bybit.Interval
		from, now     int64
		opens, closes []float64
	}{
		{"kline_linear_1m_open_candle.json", "BTCUSDT", bybit.Linear, "1", 1687589400000, 1687589659062, []float64{30678.6, 30689.9, 30708, 30707.9}, []float64{30689.9, 30708, 30707.9, 30709.9}},
		{"kline_linear_60_open_candle.json", "BTCUSDT", bybit.Linear, "60", 1786816800000, 1786820637599, []float64{63044.4}, []float64{63027.8}},
		{"kline_linear_D_start_end_inclusive.json", "BTCUSDT", bybit.Linear, "D", 1632009600000, 1677516322292, []float64{48300, 47274.5, 43057}, []float64{47274.5, 43057, 40724.5}},
		{"kline_spot_1m_start_floored.json", "BTCUSDT", bybit.Spot, "1", 1683472808000, 1683523483533, []float64{28959.94}, []float64{28945.63}},
		{"kline_spot_5m_single_row.json", "KASUSDT", bybit.Spot, "5", 1727764200000, 1727764249578, nil, nil},
		{"kline_spot_empty_list.json", "KASUSDT", bybit.Spot, "5", 1727663000000, 1727663723656, nil, nil},
		{"docs_kline.json", "BTCUSD", bybit.Inverse, "60", 1670601600000, 1672025956592, []float64{17086.5, 17071.5, 17071}, []float64{17071.5, 17071, 17055.5}},
	} {
		t.Run(c.file, func(t *testing.T) {
			client := replay(t, 200, nil, recorded(t, c.file))
			s, err := client.Klines(t.Context(), bybit.KlineQuery{
				Category: c.category, Symbol: c.symbol, Interval: c.interval, From: time.UnixMilli(c.from), Now: time.UnixMilli(c.now),
			})
			if err != nil {
				t.Fatal(err)
			}
			var opens, closes []float64
			for _, candle := range s.Candles {
				opens, closes = append(opens, candle.Open), append(closes, candle.Close)
			}
			if !slices.Equal(opens, c.opens) || !slices.Equal(closes, c.closes) {
				t.Errorf("opens %v, closes %v, want %v and %v", opens, closes, c.opens, c.closes)
			}
		})
	}
}

func TestQueryErrors(t *testing.T) {
	client := serve(t, bybittest.New(), nil)
	for _, q := range []bybit.KlineQuery{
		{Category: "linear", Interval: "D", From: start},
		{Category: "option", Symbol: "AAAUSDT", Interval: "D", From: start},
		{Category: "linear", Symbol: "AAAUSDT", Interval: "2", From: start},
		{Category: "linear", Symbol: "AAAUSDT", Interval: "D"},
	} {
		if _, err := client.Klines(t.Context(), q); err == nil {
			t.Errorf("%+v is accepted", q)
		}
	}
	if _, err := client.Instruments(t.Context(), "option", ""); err == nil {
		t.Error("instruments of options are accepted")
	}
	if _, err := client.Tickers(t.Context(), "option"); err == nil {
		t.Error("tickers of options are accepted")
	}
	for _, q := range []bybit.FundingQuery{{Category: "spot", Symbol: "AAAUSDT"}, {Category: "linear"}} {
		if _, err := client.Funding(t.Context(), q); err == nil {
			t.Errorf("%+v is accepted", q)
		}
	}
}

// All perpetuals, five years by the day, from a server on the same machine: the
// client's own part, without the exchange's limit.
func BenchmarkKlinesAll(b *testing.B) {
	var listings []bybittest.Listing
	var queries []bybit.KlineQuery
	for i := range 329 {
		symbol := fmt.Sprintf("S%03dUSDT", i)
		listings = append(listings, bybittest.Listing{Symbol: symbol})
		queries = append(queries, bybit.KlineQuery{
			Category: bybit.Linear, Symbol: symbol, Interval: bybit.Day, From: start.AddDate(0, 0, -1800), Now: start,
		})
	}
	exchange := bybittest.New(listings...)
	exchange.SetNow(start)
	server := httptest.NewServer(exchange)
	defer server.Close()
	client, err := bybit.New(options(server.URL))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		candles := 0
		err := client.KlinesAll(b.Context(), queries, func(_ int, s *bybit.Series, err error) error {
			if err == nil {
				candles += len(s.Candles)
			}
			return err
		})
		if err != nil || candles != 329*1799 {
			b.Fatalf("%d candles, %v", candles, err)
		}
	}
}

// A server that answers what it was not asked for is refused.
func TestOtherAnswers(t *testing.T) {
	exchange := bybittest.New(bybittest.Listing{Symbol: "AAAUSDT"})
	query := bybit.KlineQuery{Category: bybit.Spot, Symbol: "AAAUSDT", Interval: bybit.Day, From: date("2020-01-02"), To: date("2020-03-02")}
	for fault, text := range map[bybittest.Fault]string{
		bybittest.Mislabelled: `result is of category "option", not spot`,
		bybittest.Ignoring:    "this server ignores start and end",
	} {
		exchange.SetFault(func(int, *http.Request) bybittest.Fault { return fault })
		var decode *bybit.DecodeError
		s, err := serve(t, exchange, nil).Klines(t.Context(), query)
		if !errors.As(err, &decode) || !strings.Contains(err.Error(), text) {
			t.Errorf("fault %d: %v, %v, want a DecodeError with %q", fault, s, err, text)
		}
	}
}
