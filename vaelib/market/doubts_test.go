package market_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/market"
)

// walk is a path of closes with the given standard deviation of a day.
func walk(seed uint64, n int, deviation float64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 7))
	closes, level := make([]float64, n), 100.
	for i := range closes {
		level *= math.Exp(deviation * rng.NormFloat64())
		closes[i] = level
	}
	return closes
}

// A column that a spreadsheet made of the others is told.
func TestTotals(t *testing.T) {
	a, b, c := walk(1, 60, 0.02), walk(2, 60, 0.03), walk(3, 60, 0.01)
	sum, mean, nearly := make([]float64, 60), make([]float64, 60), make([]float64, 60)
	for i := range sum {
		sum[i] = a[i] + b[i] + c[i]
		mean[i] = sum[i] / 3
		nearly[i] = sum[i]
	}
	nearly[30] *= 1.001
	for name, x := range map[string]struct {
		column []float64
		want   string
	}{
		"sum":    {sum, "X: on every row the sum of all others: no asset of its own? Leave it out by -exclude"},
		"mean":   {mean, "X: on every row the mean of all others: no asset of its own? Leave it out by -exclude"},
		"nearly": {nearly, ""},
	} {
		loaded, err := doubted(t, market.Options{}, []string{"A", "B", "C", "X"}, a, b, c, x.column)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(loaded.Warnings(), "; "); got != x.want {
			t.Errorf("%s: %q, want %q", name, got, x.want)
		}
	}
}

// doubted loads columns as a wide file of days from 2024-01-01 on.
func doubted(t *testing.T, opt market.Options, names []string, columns ...[]float64) (*market.Cleaning, error) {
	t.Helper()
	var b strings.Builder
	b.WriteString("date," + strings.Join(names, ",") + "\n")
	for i := range columns[0] {
		b.WriteString(time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
		for _, c := range columns {
			if math.IsNaN(c[i]) {
				b.WriteByte(',')
				continue
			}
			fmt.Fprintf(&b, ",%v", c[i])
		}
		b.WriteByte('\n')
	}
	_, c, err := market.LoadFS(wide(b.String()), "p.csv", opt)
	return c, err
}

func times(closes []float64, from, to int, factor float64) []float64 {
	out := append([]float64{}, closes...)
	for i := from; i < to; i++ {
		out[i] *= factor
	}
	return out
}

func set(closes []float64, from, to int, value float64) []float64 {
	out := append([]float64{}, closes...)
	for i := from; i < to; i++ {
		out[i] = value
	}
	return out
}

func TestDoubts(t *testing.T) {
	elm, oak := walk(1, 300, 0.02), walk(2, 300, 0.015)
	weekends := append([]float64{}, oak...) // 2024-01-01 is a Monday
	for i := range weekends {
		if i%7 >= 5 {
			weekends[i] = weekends[i-1]
		}
	}
	var gross, percent []float64
	for i := range oak {
		r := oak[max(i, 1)] / oak[max(i, 1)-1]
		gross, percent = append(gross, r), append(percent, 100*r)
	}
	halts := append([]float64{}, oak...) // stale for days every now and then: it is thinly traded
	for i := range halts {
		if i%9 > 1 {
			halts[i] = halts[i-1]
		}
	}
	var inverse []float64
	for _, v := range elm {
		inverse = append(inverse, math.Round(1e8/v)/1e6)
	}
	for _, c := range []struct {
		name   string
		symbol string
		closes []float64
		kinds  []string
		says   []string
	}{
		{"nothing", "OAK", oak, nil, nil},
		{"a split", "OAK", times(oak, 100, 300, 0.1), []string{"jump"}, []string{"OAK on 2024-04-10: close falls to 1/", "a split of about 10:1"}},
		{"a split of two", "OAK", times(oak, 100, 300, 0.5), []string{"jump"}, []string{"OAK on 2024-04-10", "a split of about 2:1"}},
		{"a reverse split", "OAK", times(oak, 100, 300, 190), []string{"jump"}, []string{"OAK on 2024-04-10: close rises to", "a split of about 1:"}},
		{"pence for a while", "OAK", times(oak, 100, 130, 100), []string{"jump"}, []string{"OAK on 2024-04-10", "pence and pounds?", "1 more such jumps"}},
		{"a decimal point too many", "OAK", times(oak, 200, 201, 0.001), []string{"jump"}, []string{"OAK on 2024-07-19", "a separator of thousands taken for a decimal point?"}},
		{"a wrong price", "OAK", times(oak, 200, 201, 7.3), []string{"jump"}, []string{"a wrong price?"}},
		{"a rally", "OAK", times(oak, 200, 300, 1.7), nil, nil},
		{"a split of 3:2", "OAK", times(oak, 200, 300, 2./3), []string{"jump"}, []string{"a split of about 3:2"}},
		{"a bid for the firm", "OAK", times(oak, 200, 300, 1.5), nil, nil},
		{"delisted and filled", "DEAD", set(oak, 200, 300, oak[200]), []string{"stale"}, []string{"DEAD: close unchanged on 99 of 300 rows, since 2024-07-20: delisted and filled forward"}},
		{"never traded", "DEAD", set(oak, 0, 300, 7), []string{"stale"}, []string{"unchanged on 299 of 300 rows, on all rows"}},
		{"halted", "OAK", set(oak, 100, 130, oak[100]), []string{"stale"}, []string{"from 2024-04-11 to 2024-05-09: halted, or filled?"}},
		{"filled backward", "OAK", set(oak, 0, 50, oak[50]), []string{"stale"}, []string{"until 2024-02-20: filled backward before its listing?"}},
		{"a week's holiday", "OAK", set(oak, 100, 106, oak[100]), nil, nil},
		{"thinly traded", "OAK", halts, nil, nil},
		{"filled weekends", "OAK", weekends, []string{"filled weekends"}, []string{"OAK: unchanged on every Saturday and Sunday, 85 rows"}},
		{"twins", "OAK", elm, []string{"twins"}, []string{"ELM and OAK: the same closes on every row: one asset under two names?"}},
		{"twins in all but one row", "OAK", times(elm, 7, 8, 1.001), nil, nil},
		{"another unit", "OAK", times(elm, 0, 300, 0.03), []string{"twins"}, []string{"ELM and OAK: closes in one ratio on every row"}},
		{"the inverse", "OAK", inverse, []string{"twins"}, []string{"ELM and OAK: closes with one product on every row: a rate of exchange and its inverse?"}},
		{"the inverse in all but one row", "OAK", times(inverse, 7, 8, 1.001), nil, nil},
		{"gross returns", "OAK", gross, []string{"returns"}, []string{"closes of OAK scatter about one level"}},
		{"gross returns in percent", "OAK", percent, []string{"returns"}, nil},
		{"a yield", "DGS10", times(oak, 0, 300, 0.04), []string{"rates"}, []string{"DGS10: by name a yield"}},
		{"a yield at Yahoo", "^TNX", times(oak, 0, 300, 0.04), []string{"rates"}, nil},
		{"a yield in words", "us_yield_10y", times(oak, 0, 300, 0.04), []string{"rates"}, nil},
		{"a yield of the Treasury", "10 Yr", times(oak, 0, 300, 0.04), []string{"rates"}, nil},
		{"a yield at Bloomberg", "USGG10YR Index", times(oak, 0, 300, 0.04), []string{"rates"}, nil},
		{"a coin", "X2Y2USDT", oak, nil, nil},
		{"an index of shares", "US30", oak, nil, nil},
		{"a fund of high dividends", "YIELDCO", oak, nil, nil},
	} {
		loaded, err := doubted(t, market.Options{}, []string{"ELM", c.symbol}, elm, c.closes)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var kinds []string
		for _, d := range loaded.Doubts {
			kinds = append(kinds, d.Kind)
		}
		if fmt.Sprint(kinds) != fmt.Sprint(c.kinds) {
			t.Errorf("%s: doubts %v, not %v", c.name, loaded.Doubts, c.kinds)
		}
		for _, want := range c.says {
			if said := loaded.String(); !strings.Contains(said, want) {
				t.Errorf("%s: said\n%s\nwithout %q", c.name, said, want)
			}
		}
	}
}

// What hardly moves beside others is as good as cash; bills beside shares, and coins that
// are pegged to a currency, move enough to be told apart.
func TestStill(t *testing.T) {
	for _, c := range []struct {
		size float64
		want int
	}{{1e-7, 1}, {5e-6, 1}, {1e-4, 0}, {1e-3, 0}} {
		peg := walk(3, 300, c.size)
		loaded, err := doubted(t, market.Options{}, []string{"ELM", "OAK", "PEG"}, walk(1, 300, 0.02), walk(2, 300, 0.015), peg)
		if err != nil {
			t.Fatal(err)
		}
		if len(loaded.Doubts) != c.want || c.want > 0 && !strings.Contains(loaded.String(), "PEG: less than a thousandth") {
			t.Errorf("moves of %v: %v", c.size, loaded.Doubts)
		}
	}
}

// AT&T's T is no column of times, even at a price like a year.
func TestSymbolLikeATime(t *testing.T) {
	p, _, err := market.LoadFS(wide("date,A,T\n2024-01-01,1,1500\n2024-01-02,2,1400\n"), "p.csv", market.Options{})
	if err != nil || len(p.Symbols) != 2 {
		t.Errorf("%v, %v", p, err)
	}
}

// Forty symbols with a defect each take a handful of lines.
func TestManyDoubts(t *testing.T) {
	var names []string
	var columns [][]float64
	for i := range 40 {
		names = append(names, fmt.Sprintf("S%02d", i))
		columns = append(columns, set(times(walk(uint64(i), 100, 0.02), 50, 100, 0.1), 80, 100, 3))
	}
	c, err := doubted(t, market.Options{}, names, columns...)
	if err != nil {
		t.Fatal(err)
	}
	if lines := c.Warnings(); len(lines) != 12 || !strings.Contains(lines[5], "jumps of 35 more symbols: S05, S06, S07 and 32 more") {
		t.Errorf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
	}
}

func TestRefusals(t *testing.T) {
	oak := walk(2, 300, 0.015)
	split, dead := times(oak, 100, 300, 0.1), set(oak, 200, 300, oak[200])
	for _, c := range []struct {
		closes []float64
		opt    market.Options
		want   string
	}{
		{split, market.Options{MaxJump: 5}, "p.csv: close of OAK goes from"},
		{split, market.Options{MaxJump: 20}, ""},
		{dead, market.Options{MaxStale: 20}, "p.csv: close of OAK is unchanged on 99 rows, 2024-07-20 to 2024-10-26, above the 20 allowed (-max-stale)"},
		{dead, market.Options{MaxStale: 99}, ""},
		{oak, market.Options{MaxStale: 1, MaxJump: 1.2}, ""},
	} {
		_, err := doubted(t, c.opt, []string{"OAK"}, c.closes)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %q", c.opt, err, c.want)
		}
	}
}

// On real data each doubt is of something that did happen: the collapse of
// LUNA and of OM, DOGE on the day when its price was pushed up. Nothing else is
// doubted.
func TestDoubtsOfRealData(t *testing.T) {
	if testing.Short() {
		t.Skip("reads all the real prices there are")
	}
	for path, want := range map[string]string{
		"equities/sp500_20stocks_adjclose.csv":     "",
		"equities/sp500_index.csv":                 "",
		"equities/pyportfolioopt_stock_prices.csv": "",
		"crypto/bybit_linear_daily":                "",
		"crypto/bybit_linear_hourly":               "",
		"crypto/bybit_linear_daily_close_all.csv":  "CTCUSDT 2023-12-12,OMUSDT 2025-04-13",
		"crypto/binance_spot_daily":                "DOGEUSDT 2021-01-28",
		"crypto/binance_spot_delisted":             "LUNAUSDT 2022-05-12",
	} {
		_, c, err := market.Load(sharedtest.Path(t, "data/"+path), market.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range c.Doubts {
			got = append(got, d.Symbol+" "+d.Time.Format(time.DateOnly))
		}
		if strings.Join(got, ",") != want {
			t.Errorf("%s: doubts %q, not %q", path, got, want)
		}
	}
}

// Closes that move without volume are no prices at which anybody traded.
func TestUntraded(t *testing.T) {
	text := func(none int) string {
		var b strings.Builder
		b.WriteString("timestamp,open,high,low,close,volume\n")
		for i, v := range walk(3, 100, 0.02) {
			volume := 5.
			if i >= 100-none {
				volume = 0
			}
			fmt.Fprintf(&b, "%s,%[2]v,%[2]v,%[2]v,%[2]v,%v\n", time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), v, volume)
		}
		return b.String()
	}
	for none, want := range map[int]string{0: "", 2: "", 20: "OAK: volume 0 on the last 20 rows, since 2024-03-21: halted or delisted?", 100: ""} {
		fsys := fstest.MapFS{"OAK.csv": {Data: []byte(text(none))}}
		_, c, err := market.LoadFS(fsys, ".", market.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(c.Warnings(), "\n"); want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%d rows without volume: %q, not %q", none, got, want)
		}
		if _, _, err = market.LoadFS(fsys, ".", market.Options{MaxStale: 10}); (err != nil) != (want != "") {
			t.Errorf("%d rows without volume: %v", none, err)
		}
	}
}
