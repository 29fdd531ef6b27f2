package market_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/market"
)

// daily is a panel of daily rows from 2024-01-01 on, a row of values each day.
func daily(symbols []string, rows ...[]float64) *market.Panel {
	p := &market.Panel{Symbols: symbols, Close: mat.NewDense(len(rows), len(symbols), slices.Concat(rows...))}
	for t := range rows {
		p.Times = append(p.Times, time.Date(2024, 1, 1+t, 0, 0, 0, 0, time.UTC))
	}
	return p
}

var absent = math.NaN()

func TestUniverse(t *testing.T) {
	prices := daily([]string{"OLD", "NEW", "DEAD", "DULL"},
		[]float64{1, absent, 1, 1},
		[]float64{1, absent, 1, 1},
		[]float64{1, 1, 1, 1},
		[]float64{1, 1, absent, 1},
		[]float64{1, 1, absent, 1},
	)
	turnover := daily([]string{"DULL", "DEAD", "NEW", "OLD"}, // in another order
		[]float64{1, 50, absent, 10},
		[]float64{1, 50, absent, 20},
		[]float64{1, 50, 90, 30},
		[]float64{1, absent, 90, 40},
		[]float64{1, absent, 90, 1000},
	)
	for _, test := range []struct {
		name string
		opt  market.UniverseOptions
		want []string // of each row, the first first
	}{
		{"all", market.UniverseOptions{}, []string{"OLD DEAD DULL", "OLD DEAD DULL", "OLD NEW DEAD DULL", "OLD NEW DULL", "OLD NEW DULL"}},
		// Over 3 rows: OLD has medians 20, 30, 40; NEW is whole at the last row.
		{"top 2", market.UniverseOptions{Top: 2, Lookback: 3}, []string{"", "", "DEAD OLD", "OLD DULL", "NEW OLD"}},
		{"of an age", market.UniverseOptions{MinAge: 48 * time.Hour}, []string{"", "", "OLD DEAD DULL", "OLD DULL", "OLD NEW DULL"}},
	} {
		u, err := market.NewUniverse(prices, turnover, test.opt)
		if err != nil {
			t.Fatal(err)
		}
		for row, want := range test.want {
			var got []string
			for _, m := range u.At(row) {
				got = append(got, m.Symbol)
			}
			if strings.Join(got, " ") != want {
				t.Errorf("%s: members at row %d are %v, not %s", test.name, row, got, want)
			}
		}
	}
	u, err := market.NewUniverse(prices, turnover, market.UniverseOptions{Top: 2, Lookback: 2})
	if err != nil {
		t.Fatal(err)
	}
	if m := u.At(2)[1]; m.Symbol != "OLD" || m.Traded != 25 || m.Age != 48*time.Hour {
		t.Errorf("second member is %+v, not OLD of 25 and 48h", m)
	}
	if got := u.Symbols(2); !slices.Equal(got, []string{"DEAD", "OLD"}) {
		t.Errorf("symbols %v are not sorted", got)
	}
}

func TestUniverseErrors(t *testing.T) {
	prices := daily([]string{"A"}, []float64{1}, []float64{1})
	for _, test := range []struct {
		turnover *market.Panel
		opt      market.UniverseOptions
		want     string
	}{
		{nil, market.UniverseOptions{Top: 1}, "needs the values traded"},
		{nil, market.UniverseOptions{Top: -1}, "is not possible"},
		{nil, market.UniverseOptions{Lookback: -1}, "is not possible"},
		{daily([]string{"B"}, []float64{1}), market.UniverseOptions{}, "none of the 1 symbols"},
	} {
		if _, err := market.NewUniverse(prices, test.turnover, test.opt); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: error %v lacks %q", test.opt, err, test.want)
		}
	}
}

// Nothing after a time changes who was a member at it.
func TestUniverseLooksBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const rows, n = 20, 5
		symbols := []string{"A", "B", "C", "D", "E"}
		value := rapid.Custom(func(t *rapid.T) float64 {
			if rapid.IntRange(0, 9).Draw(t, "absent") == 0 {
				return absent
			}
			return rapid.Float64Range(1, 1e6).Draw(t, "value")
		})
		table := func() *market.Panel {
			data := rapid.SliceOfN(rapid.SliceOfN(value, n, n), rows, rows).Draw(t, "table")
			return daily(symbols, data...)
		}
		prices, turnover := table(), table()
		now := rapid.IntRange(0, rows-1).Draw(t, "now")
		opt := market.UniverseOptions{Top: 3, Lookback: rapid.IntRange(1, 5).Draw(t, "lookback"), MinAge: 24 * time.Hour}
		members := func() []market.Member {
			u, err := market.NewUniverse(prices, turnover, opt)
			if err != nil {
				t.Fatal(err)
			}
			return u.At(now)
		}
		before := members()
		for _, p := range []*market.Panel{prices, turnover} {
			for i := now + 1; i < rows; i++ {
				for j := range n {
					p.Close.Set(i, j, value.Draw(t, "later"))
				}
			}
		}
		if after := members(); !slices.Equal(before, after) {
			t.Fatalf("members at row %d were %v, and are %v after later rows changed", now, before, after)
		}
	})
}

// both returns a panel of the symbols of two, over the times of either.
func both(a, b *market.Panel) *market.Panel {
	times := slices.Concat(a.Times, b.Times)
	slices.SortFunc(times, time.Time.Compare)
	times = slices.CompactFunc(times, time.Time.Equal)
	joined := &market.Panel{Symbols: slices.Concat(a.Symbols, b.Symbols), Times: times,
		Close: mat.NewDense(len(times), len(a.Symbols)+len(b.Symbols), nil)}
	for i := range times {
		row := joined.Close.RawRowView(i)
		for j := range row {
			row[j] = absent
		}
		for at, p := range map[int]*market.Panel{0: a, len(a.Symbols): b} {
			if k, found := slices.BinarySearchFunc(p.Times, times[i], time.Time.Compare); found {
				copy(row[at:], p.Close.RawRowView(k))
			}
		}
	}
	return joined
}

// The list of November 2025 is suspected; with coins that failed it is not,
// and these are members while they lived.
func TestUniverseReal(t *testing.T) {
	if testing.Short() {
		t.Skip("reads real prices of 353 symbols")
	}
	load := func(elem ...string) *market.Panel {
		p, _, err := market.Load(sharedtest.Path(t, append([]string{"data", "crypto"}, elem...)...), market.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	prices, turnover := load("bybit_linear_daily_close_all.csv"), load("bybit_linear_daily_turnover_all.csv")
	warning := market.CheckSurvivorship(prices)
	if warning == nil || warning.Symbols != 329 || warning.Late < 300 {
		t.Fatalf("the list of today's symbols is not suspected: %v", warning)
	}
	u, err := market.NewUniverse(prices, turnover, market.UniverseOptions{Top: 40, MinAge: 90 * 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	at := func(day string) int {
		when, err := market.ParseTime(day)
		if err != nil {
			t.Fatal(err)
		}
		return slices.IndexFunc(prices.Times, when.Equal)
	}
	if members := u.At(at("2025-11-12")); len(members) != 40 || members[0].Symbol != "BTCUSDT" && members[0].Symbol != "ETHUSDT" {
		t.Errorf("%d members at the end, the first %+v", len(members), members[0])
	}
	if early := u.Symbols(at("2021-06-01")); slices.Contains(early, "PEPEUSDT") || !slices.Contains(early, "BTCUSDT") {
		t.Errorf("members of June 2021: %v", early)
	}

	joined := both(prices, load("binance_spot_delisted"))
	if warning := market.CheckSurvivorship(joined); warning != nil {
		t.Errorf("a list with delisted symbols is suspected: %v", warning)
	}
	if u, err = market.NewUniverse(joined, nil, market.UniverseOptions{}); err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string]bool{"2022-05-13": true, "2022-05-14": false} {
		when, _ := market.ParseTime(day)
		if got := slices.Contains(u.Symbols(slices.IndexFunc(joined.Times, when.Equal)), "LUNAUSDT"); got != want {
			t.Errorf("LUNAUSDT is a member on %s: %v", day, got)
		}
	}
}

func ExampleUniverse() {
	prices := daily([]string{"BTC", "ETH", "NEW"},
		[]float64{42000, 2300, absent},
		[]float64{43000, 2350, absent},
		[]float64{44000, 2400, 0.8})
	turnover := daily([]string{"BTC", "ETH", "NEW"},
		[]float64{9e8, 4e8, absent},
		[]float64{8e8, 5e8, absent},
		[]float64{7e8, 6e8, 9e9})
	universe, err := market.NewUniverse(prices, turnover, market.UniverseOptions{Top: 2, Lookback: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(universe.At(2)[0].Symbol, universe.Symbols(2))
	// Output: BTC [BTC ETH]
}

func ExampleCheckSurvivorship() {
	rows := make([][]float64, 365)
	for t := range rows {
		rows[t] = []float64{42000, 2300}
	}
	panel := daily([]string{"BTC", "ETH"}, rows...)
	fmt.Println(market.CheckSurvivorship(panel))
	// Output: survivorship: all 2 symbols live to the end of 1.0 years, so the list looks like one of today; those delisted before are missing, and results look better than life was: add delisted symbols
}

// Turnover comes out of the same files as the closes, zeros included.
func TestTurnover(t *testing.T) {
	const first = 1704067200000
	rows := func(turnover ...string) *fstest.MapFile {
		text := "timestamp,open,high,low,close,volume,turnover\n"
		for i, v := range turnover {
			text += fmt.Sprintf("%d,1,1,1,1,5,%s\n", first+int64(i)*86_400_000, v)
		}
		return &fstest.MapFile{Data: []byte(text)}
	}
	files := fstest.MapFS{"A.csv": rows("10", "0", "30", "40"), "B.csv": rows("20", "20", "20", "20")}
	load := func(turnover bool) *market.Panel {
		p, c, err := market.LoadFS(files, ".", market.Options{Traded: turnover})
		if err != nil || turnover != (len(c.IgnoredColumns) == 0) {
			t.Fatal(c, err)
		}
		return p
	}
	prices, turnover := load(false), load(true)
	if got := mat.Col(nil, 0, turnover.Close); !slices.Equal(got, []float64{10, 0, 30, 40}) || mat.Max(prices.Close) != 1 {
		t.Errorf("turnover %v of prices %v", got, prices.Close)
	}
	u, err := market.NewUniverse(prices, turnover, market.UniverseOptions{Top: 1, Lookback: 2})
	if err != nil {
		t.Fatal(err)
	}
	for row, want := range map[int]string{1: "B", 2: "B", 3: "A"} {
		if got := u.Symbols(row); !slices.Equal(got, []string{want}) {
			t.Errorf("row %d: %v, want %s", row, got, want)
		}
	}
	wide := fstest.MapFS{"t.csv": {Data: []byte("date,A,B\n2024-01-01,10,20\n2024-01-02,0,20\n")}}
	if p, _, err := market.LoadFS(wide, "t.csv", market.Options{Traded: true}); err != nil || p.Close.At(1, 0) != 0 {
		t.Errorf("a wide file of turnovers: %v, %v", p, err)
	}
	for text, want := range map[string]string{
		"timestamp,open,high,low,close,volume\n1704067200000,1,1,1,1,5\n":              "A.csv:1: no column turnover or quote_volume",
		"timestamp,open,high,low,close,volume,turnover\n1704067200000,1,1,1,1,5,-1\n":  `A.csv:2: column 7: turnover "-1" is below 0`,
		"timestamp,open,high,low,close,volume,turnover\n1704067200000,1,1,1,1,5,n/a\n": `A.csv:2: column 7: turnover "n/a" is not a number`,
	} {
		_, _, err := market.LoadFS(fstest.MapFS{"A.csv": {Data: []byte(text)}}, ".", market.Options{Traded: true})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// The turnover in the files of 40 symbols is that of the wide file of all.
func TestTurnoverReal(t *testing.T) {
	if testing.Short() {
		t.Skip("reads real turnovers of 329 symbols")
	}
	all, _ := load(t, sharedtest.Path(t, "data", "crypto", "bybit_linear_daily_turnover_all.csv"), market.Options{Traded: true})
	some, _ := load(t, sharedtest.Path(t, "data", "crypto", "bybit_linear_daily"), market.Options{Traded: true})
	for j, symbol := range some.Symbols {
		k := slices.Index(all.Symbols, symbol)
		for i, at := range some.Times {
			v := some.Close.At(i, j)
			if w := all.Close.At(slices.IndexFunc(all.Times, at.Equal), k); !math.IsNaN(v) && math.Abs(v-w) > 1 {
				t.Fatalf("%s on %v: turnover %v in its file, %v in the other", symbol, at, v, w)
			}
		}
	}
	if _, _, err := market.Load(sharedtest.Path(t, "data", "crypto", "binance_spot_daily"), market.Options{Traded: true}); err != nil {
		t.Errorf("quote_volume is not taken: %v", err)
	}
}
