package features

import (
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/market"
)

func parse(text string, opt SeriesOptions) (*Series, error) {
	return parseSeries(strings.NewReader(text), "index.csv", opt)
}

func TestSeries(t *testing.T) {
	s, err := parse("timestamp,date,Close\n1704153600000,2024-01-02,52.5\n1704067200000,2024-01-01,50\n1704240000000,2024-01-03,\n1704326400000,2024-01-04,60\n", SeriesOptions{Unit: "percent a year"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "Close" || len(s.Values) != 3 || s.Values[0] != 50 || s.Values[2] != 60 || s.Delay != 24*time.Hour {
		t.Errorf("read %+v", s)
	}
}

func TestSeriesErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "index.csv: file is empty",
		"a,b\n1,2\n":                           "index.csv:1: no column timestamp or date",
		"date\n2024-01-01\n":                   "index.csv:1: no column of values",
		"date,a,b\n2024-01-01,1,2\n":           "index.csv:1: 2 columns could be the values",
		"date,a\n2024-01-01,x\n":               `index.csv:2: column 2: "x" is not a finite number`,
		"date,a\n2024-01-01,NaN\n":             "index.csv:2: column 2",
		"date,a\n2024-13-01,1\n":               "index.csv:2: column 1: time",
		"date,a\n2024-01-01,1\n2024-01-01,1\n": "index.csv:3: column 1: time 2024-01-01 is on line 2 already",
		"date,a\n2024-01-01,1\n":               "index.csv: 1 values are too few",
		"date,a\n2024-01-01,1,2\n":             "index.csv:2: wrong number of fields",
	} {
		_, err := parse(text, SeriesOptions{})
		if defect := new(market.DataError); !errors.As(err, &defect) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v lacks %q", text, err, want)
		}
	}
	if _, err := ReadSeries(filepath.Join(t.TempDir(), "none.csv"), SeriesOptions{}); err == nil {
		t.Error("a file that is not there was read")
	}
	negative := -time.Hour
	if _, err := parse("date,a\n2024-01-01,1\n2024-01-02,1\n", SeriesOptions{Delay: &negative}); err == nil {
		t.Error("a negative delay was taken")
	}
}

// A day's close is known at the day's end: to the candle that ends then, be it
// a day's or an hour's, and to none before.
func TestAlign(t *testing.T) {
	s := &Series{Times: days(3), Values: []float64{1, 2, 3}, Delay: 24 * time.Hour, MaxAge: 36 * time.Hour}
	got := map[int]float64{}
	set := func(t int, v float64) { got[t] = v }
	s.align(days(6), 24*time.Hour, set)
	if len(got) != 4 || got[0] != 1 || got[1] != 2 || got[2] != 3 || got[3] != 3 {
		t.Errorf("aligned to days: %v", got)
	}
	clear(got)
	hours := make([]time.Time, 50)
	for i := range hours {
		hours[i] = s.Times[0].Add(time.Duration(i) * time.Hour)
	}
	s.align(hours, time.Hour, set)
	if _, early := got[22]; early || got[23] != 1 || got[46] != 1 || got[47] != 2 {
		t.Errorf("aligned to hours: %v", got)
	}
}

func TestDVOL(t *testing.T) {
	dvol, err := ReadSeries(sharedtest.Path(t, "data", "crypto", "deribit_dvol_btc_daily.csv"), SeriesOptions{Unit: "percent a year"})
	if err != nil {
		t.Fatal(err)
	}
	panel, _, err := market.Load(sharedtest.Path(t, "data", "crypto", "bybit_linear_daily"), market.Options{Symbols: []string{"BTCUSDT"}})
	if err != nil {
		t.Fatal(err)
	}
	column := func(index *Series) *Column {
		table, err := Build(t.Context(), panel, Config{Index: index, NoAssets: true})
		if err != nil {
			t.Fatal(err)
		}
		c, _ := table.Column("market.volatility_index")
		return c
	}
	implied, realised := column(dvol), column(nil)
	if implied.Unit != realised.Unit {
		t.Errorf("units %s and %s", implied.Unit, realised.Unit)
	}
	var n, x, y, xx, yy, xy float64
	for i := range implied.Values {
		if !implied.Defined[i] || panel.Times[i+1].After(dvol.Times[len(dvol.Times)-1]) {
			continue
		}
		if label := panel.Times[i+1]; label.Equal(dvol.Times[0]) && implied.Values[i] != 56.76 {
			t.Errorf("DVOL of the first day is %v, not the file's 56.76", implied.Values[i])
		}
		a, b := implied.Values[i], realised.Values[i]
		n, x, y, xx, yy, xy = n+1, x+a, y+b, xx+a*a, yy+b*b, xy+a*b
	}
	// The data's own description says 0.80 between DVOL and the EWMA of BTC.
	r := (xy/n - x/n*y/n) / math.Sqrt((xx/n-x/n*x/n)*(yy/n-y/n*y/n))
	if n < 1000 || r < 0.77 || r > 0.83 {
		t.Errorf("correlation of %.3f over %v days between DVOL and EWMA volatility, not 0.80", r, n)
	}
}

// Whatever the file, there is a series of rising times and finite values, or
// an error in one line.
func FuzzSeries(f *testing.F) {
	for _, seed := range []string{
		"timestamp,date,dvol_close\n1667692800000,2022-11-06,56.76\n1667779200000,2022-11-07,59.48\n",
		"date,a\r\n2024-01-02,1e3\r\n2024-01-01,-2\r\n", "\ufeffDate,\"a\"\"b\"\n2024-01-01,1\n2024-01-02,\n2024-01-03,2\n",
		"date,a\n2024-01-01,1\n2024-01-01,1\n", "date,a\n\"2024-01-01", "date,a\n2024-01-01,1e999\n", "", "\n\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parse(text, SeriesOptions{})
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Fatalf("error of more than one line: %q", err)
			}
			return
		}
		if len(s.Times) != len(s.Values) || len(s.Times) < 2 || s.Delay <= 0 {
			t.Fatalf("series of %d times and %d values, delay %v", len(s.Times), len(s.Values), s.Delay)
		}
		for i, v := range s.Values {
			if math.IsNaN(v) || math.IsInf(v, 0) || i > 0 && !s.Times[i].After(s.Times[i-1]) {
				t.Fatalf("value %d is %v at %v", i, v, s.Times[i])
			}
		}
	})
}
