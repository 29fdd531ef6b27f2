package market_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"vaefolio/vaelib/market"
)

// checkLoad loads hostile input: an error with a place, or a sound panel.
func checkLoad(t *testing.T, p *market.Panel, c *market.Cleaning, err error) {
	if err != nil {
		var defect *market.DataError
		if !errors.As(err, &defect) || defect.File == "" || defect.Msg == "" || err.Error() == "" {
			t.Fatalf("error without a place: %v", err)
		}
		for _, r := range err.Error() {
			if r < ' ' {
				t.Fatalf("error of more than one line, or with control characters: %q", err)
			}
		}
		return
	}
	rows, n := p.Close.Dims()
	if rows != len(p.Times) || n != len(p.Symbols) || len(c.Spans) != n || c.Times != rows {
		t.Fatalf("%d x %d closes of %d times and %d symbols, %d spans", rows, n, len(p.Times), len(p.Symbols), len(c.Spans))
	}
	for i := range p.Times {
		if i > 0 && !p.Times[i].After(p.Times[i-1]) {
			t.Fatalf("time %v after %v", p.Times[i], p.Times[i-1])
		}
		for _, v := range p.Close.RawRowView(i) {
			if v <= 0 || math.IsInf(v, 0) {
				t.Fatalf("close %v", v)
			}
		}
	}
	if c.String() == "" {
		t.Fatal("cleaning says nothing")
	}
	w, _, err := p.Window()
	if err != nil {
		return
	}
	if y := w.PeriodsPerYear(); !(y > 0) || math.IsInf(y, 0) {
		t.Fatalf("%v periods a year", y)
	}
	for i := range w.Times {
		for _, r := range w.Returns.RawRowView(i) {
			if !(r > -1) || math.IsInf(r, 0) {
				t.Fatalf("return %v", r)
			}
		}
	}
}

var asOf = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func FuzzWide(f *testing.F) {
	for _, text := range []string{
		"", "date,OAK\n2024-01-01,1\n2024-01-02,2\n2024-01-03,3\n", "\ufefftimestamp,\"O\"\"AK\",ELM\r\n1704067200000,1,\r\n1704153600000,,2e3\r\n",
		"date,A,B\n2024-01-02T03:04:05+06:00,1,2\n2024-01-01,1,2\n2024-01-01,1,2\n", "date,A\n9999-12-31,1\n0000-01-01,2\n2024-01-01,5e-324\n",
		",0000000,2000-1-1 0:0:",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, c, err := market.LoadFS(wide(string(text)), "p.csv", market.Options{AsOf: asOf})
		checkLoad(t, p, c, err)
	})
}

func FuzzKlines(f *testing.F) {
	for _, text := range []string{
		"", candles(4), klineHeader, "date,open,high,low,close,volume,x\n2024-01-01,0,0,0,1,-1,\n2024-01-01,0,0,0,1,-1,y\n",
		"timestamp,open,high,low,close,volume,turnover\n1704067200000,1,1,1,1,0,0\n1704153600000,1,1,1,1,1,1e3\n",
	} {
		f.Add([]byte(text), []byte(candles(3)))
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		files := klineFiles(panel(map[string][]float64{"A": {1}, "B": {1}}))
		files["A.csv"].Data, files["B.csv"].Data = a, b
		p, c, err := market.LoadFS(files, ".", market.Options{AsOf: asOf})
		checkLoad(t, p, c, err)
		p, _, err = market.LoadFS(files, ".", market.Options{AsOf: asOf, Traded: true})
		if err != nil {
			var defect *market.DataError
			if !errors.As(err, &defect) {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		for _, v := range p.Close.RawMatrix().Data {
			if v < 0 || math.IsInf(v, 0) {
				t.Fatalf("turnover %v", v)
			}
		}
	})
}

func FuzzSectors(f *testing.F) {
	for _, text := range []string{"", "symbol,sector\nOAK,Trees\n", "symbol,sector,share\nOAK,Trees,0.5\nOAK,Shade,0.5\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := readSectors(text)
		if err != nil {
			var defect *market.DataError
			if !errors.As(err, &defect) {
				t.Fatalf("error without a place: %v", err)
			}
			return
		}
		if len(s.Names) == 0 {
			t.Fatal("no sectors and no error")
		}
	})
}

func FuzzParseTime(f *testing.F) {
	for _, text := range []string{"2024-02-29", "2024-02-29T12:00:00Z", "1709208000000", "-1", "99999999999999999999",
		"7289700000", "2200-12-31T23:00:00-02:00"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := market.ParseTime(text)
		if err != nil {
			return
		}
		again, err := market.ParseTime(got.Format(time.RFC3339Nano))
		if err != nil || !again.Equal(got) {
			t.Fatalf("%q is %v, which is %v: %v", text, got, again, err)
		}
	})
}
