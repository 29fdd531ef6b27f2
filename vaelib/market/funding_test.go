package market_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
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

// A long position in a perpetual that rises by a tenth in a day, and pays one
// ten-thousandth of its value three times.
func ExampleWindow_WithFunding() {
	panel := panel(map[string][]float64{"BTCUSDT": {100, 110, 110, 110}})
	window, _, _ := panel.Window()
	var rates []market.Settlement
	for i := range 12 {
		rates = append(rates, market.Settlement{Time: panel.Times[0].Add(time.Duration(8*i) * time.Hour), Rate: 0.0001})
	}
	funding := &market.Funding{Source: "made up", Settlements: map[string][]market.Settlement{"BTCUSDT": rates}}
	net, paid, err := window.WithFunding(funding)
	fmt.Println(err)
	// 0.1 - 0.0001 * (1 + 1.0333 + 1.0667): the value of the position grows with its price
	fmt.Printf("%.6f instead of %.6f\n", net.Returns.At(0, 0), window.Returns.At(0, 0))
	fmt.Printf("paid on average: %.6f a day\n", paid[0])
	// Output:
	// <nil>
	// 0.099690 instead of 0.100000
	// paid on average: 0.000303 a day
}

// every makes settlements of one rate, from a time on.
func every(step time.Duration, from time.Time, n int, rate float64) []market.Settlement {
	var all []market.Settlement
	for i := range n {
		all = append(all, market.Settlement{Time: from.Add(time.Duration(i) * step), Rate: rate})
	}
	return all
}

func fundingOf(symbol string, all []market.Settlement) *market.Funding {
	return &market.Funding{Source: "made up", Settlements: map[string][]market.Settlement{symbol: all}}
}

func withFunding(t testing.TB, w *market.Window, f *market.Funding) (*market.Window, []float64) {
	t.Helper()
	net, paid, err := w.WithFunding(f)
	if err != nil {
		t.Fatal(err)
	}
	return net, paid
}

// The account of somebody who buys at one close and sells at the next, settled
// by hand: quantity, mark price, payment.
func TestFundingIsThatOfAnAccount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const rows = 30
		p := &market.Panel{Symbols: []string{"X"}, Close: mat.NewDense(rows, 1, nil)}
		price := 100.0
		for i := range rows {
			p.Times = append(p.Times, time.Date(2024, 1, 1, i, 0, 0, 0, time.UTC))
			price *= math.Exp(rapid.Float64Range(-0.2, 0.2).Draw(t, "change"))
			p.Close.Set(i, 0, price)
			if i > 0 && i < rows-1 && rapid.IntRange(0, 9).Draw(t, "hole") == 0 {
				p.Close.Set(i, 0, nan)
			}
		}
		// On the hour, where a candle closes, before the first and after the last.
		marks := map[time.Time]float64{}
		for i, at := range p.Times {
			marks[at.Add(time.Hour)] = p.Close.At(i, 0)
		}
		var all []market.Settlement
		for at := p.Times[0].Add(-time.Hour); at.Before(p.Times[rows-1].Add(5 * time.Hour)); at = at.Add(time.Duration(rapid.SampledFrom([]int{1, 2, 4}).Draw(t, "step")) * time.Hour) {
			all = append(all, market.Settlement{Time: at, Rate: rapid.Float64Range(-0.02, 0.02).Draw(t, "rate")})
		}
		w, _, err := p.Window()
		if err != nil {
			t.Skip()
		}
		net, _, err := w.WithFunding(fundingOf("X", all))
		if err != nil {
			t.Fatal(err)
		}
		bought := p.Times[0].Add(time.Hour)
		for k, label := range w.Times {
			sold := label.Add(time.Hour)
			quantity, cash := 1/marks[bought], 0.0
			last := marks[bought] // of the prices known so far, along the straight line over holes
			for at := bought; at.Before(sold); at = at.Add(time.Hour) {
				mark := marks[at]
				if math.IsNaN(mark) {
					share := float64(at.Sub(bought)) / float64(sold.Sub(bought))
					mark = (1-share)*last + share*marks[sold]
				}
				for _, s := range all {
					if s.Time.Equal(at) {
						cash -= quantity * mark * s.Rate
					}
				}
			}
			if want := quantity*marks[sold] + cash - 1; math.Abs(net.Returns.At(k, 0)-want) > 1e-12 {
				t.Fatalf("period %d: return %v, the account has %v", k, net.Returns.At(k, 0), want)
			}
			bought = sold
		}
	})
}

// Each settlement is paid in one period, however the window is cut.
func TestEachSettlementOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const rows = 20
		p := &market.Panel{Symbols: []string{"X"}, Close: mat.NewDense(rows, 1, nil)}
		for i := range rows {
			p.Times = append(p.Times, time.Date(2024, 1, 1+i, 0, 0, 0, 0, time.UTC))
			p.Close.Set(i, 0, 7) // so that the price doesn't matter
		}
		for _, i := range rapid.SliceOfN(rapid.IntRange(2, rows-2), 0, 3).Draw(t, "holes") {
			p.Close.Set(i, 0, nan)
		}
		minutes := rapid.IntRange(0, 59).Draw(t, "minutes")
		var all []market.Settlement
		for i := range 24 * (rows + 2) {
			all = append(all, market.Settlement{Time: p.Times[0].Add(time.Duration(60*i+minutes) * time.Minute), Rate: math.Exp2(-float64(10 + i%8))})
		}
		w, _, err := p.Window()
		if err != nil {
			t.Fatal(err)
		}
		f := fundingOf("X", all)
		net, paid, err := w.WithFunding(f)
		if err != nil {
			t.Fatal(err)
		}
		var sum, want float64
		for k := range net.Times {
			sum -= net.Returns.At(k, 0)
		}
		for _, s := range all {
			if !s.Time.Before(p.Times[1]) && s.Time.Before(p.Times[rows-1].AddDate(0, 0, 1)) {
				want += s.Rate
			}
		}
		if math.Abs(sum-want) > 1e-13 || math.Abs(paid[0]*float64(len(net.Times))-want) > 1e-13 {
			t.Fatalf("%v paid, want %v (said: %v)", sum, want, paid[0]*float64(len(net.Times)))
		}
		cut := rapid.IntRange(1, len(w.Times)-1).Draw(t, "cut")
		for _, part := range [][2]int{{0, cut}, {cut, len(w.Times)}} {
			if part[1]-part[0] < 3 {
				continue // too few for a rhythm
			}
			of, _, err := w.Slice(part[0], part[1]).WithFunding(f)
			if err != nil {
				t.Fatal(err)
			}
			if !mat.Equal(of.Returns, net.Slice(part[0], part[1]).Returns) || of.Hash() != net.Slice(part[0], part[1]).Hash() {
				t.Fatalf("periods %v have other returns than in the whole", part)
			}
		}
	})
}

// Who is short is paid what who is long pays, and the other way round.
func TestFundingSign(t *testing.T) {
	p := panel(map[string][]float64{"X": {4, 5, 5, 4}})
	w, _, err := p.Window()
	if err != nil {
		t.Fatal(err)
	}
	for _, rate := range []float64{0.001, -0.001, 0} {
		net, paid := withFunding(t, w, fundingOf("X", every(8*time.Hour, p.Times[0], 12, rate)))
		for k := range w.Times {
			long, price := net.Returns.At(k, 0), w.Returns.At(k, 0)
			if (long < price) != (rate > 0) || (long > price) != (rate < 0) || (-long > -price) != (rate > 0) {
				t.Errorf("rate %v: long %v, price %v", rate, long, price)
			}
		}
		if (paid[0] > 0) != (rate > 0) || (paid[0] < 0) != (rate < 0) || !net.Funded || w.Funded {
			t.Errorf("rate %v: paid %v, funded %v and %v", rate, paid[0], net.Funded, w.Funded)
		}
		if !net.Start.Equal(p.Times[0]) || !slices.Equal(net.Times, w.Times) || net.PeriodsPerYear() != w.PeriodsPerYear() {
			t.Errorf("window is %+v, was %+v", net, w)
		}
		if net.Hash() == w.Hash() {
			t.Errorf("rate %v: the hash doesn't know of funding", rate)
		}
	}
	a, _ := withFunding(t, w, fundingOf("X", every(8*time.Hour, p.Times[0], 12, 1e-4)))
	b, _ := withFunding(t, w, fundingOf("X", every(8*time.Hour, p.Times[0], 12, 1.1e-4)))
	if a.Hash() == b.Hash() {
		t.Error("other rates have the same hash")
	}
	if in, out, err := a.Split(0.5, 0); err == nil && (!in.Funded || !out.Funded) {
		t.Error("parts of a window forget funding")
	}
}

// Months and gaps: a period is from close to close.
func TestFundingPeriods(t *testing.T) {
	var p market.Panel
	p.Symbols, p.Close = []string{"X"}, mat.NewDense(5, 1, []float64{1, 1, 1, 1, 1})
	for i := range 5 {
		p.Times = append(p.Times, time.Date(2024, time.Month(1+i), 1, 0, 0, 0, 0, time.UTC))
	}
	w, _, err := p.Window()
	if err != nil {
		t.Fatal(err)
	}
	net, _ := withFunding(t, w, fundingOf("X", every(8*time.Hour, p.Times[0], 3*160, 1e-4)))
	for k, days := range []float64{29, 31, 30, 31} {
		if got := -net.Returns.At(k, 0); math.Abs(got-days*3e-4) > 1e-12 {
			t.Errorf("%s: %v is paid, want that of %v days", w.Times[k].Month(), got, days)
		}
	}
}

func TestFundingRefused(t *testing.T) {
	p := panel(map[string][]float64{"X": {1, 1, 1, 1, 1}})
	w, _, err := p.Window()
	if err != nil {
		t.Fatal(err)
	}
	first := p.Times[1] // close of the first candle, and so the first period's start
	whole := every(8*time.Hour, first, 12, 1e-4)
	without := func(i ...int) []market.Settlement {
		var rest []market.Settlement
		for k, s := range whole {
			if !slices.Contains(i, k) {
				rest = append(rest, s)
			}
		}
		return rest
	}
	if _, _, err := w.WithFunding(fundingOf("X", whole)); err != nil {
		t.Errorf("what is whole is refused: %v", err)
	}
	for name, c := range map[string]struct {
		funding *market.Funding
		want    string
	}{
		"other":      {fundingOf("Y", whole), "no funding rates of X"},
		"none":       {fundingOf("X", nil), "no funding rates of X"},
		"late":       {fundingOf("X", whole[1:]), "starts 2024-01-02T08:00:00Z, and is needed from 2024-01-02 on"},
		"early":      {fundingOf("X", whole[:11]), "ends 2024-01-05T08:00:00Z, and is needed until 2024-01-06"},
		"hole":       {fundingOf("X", without(5)), "no funding of X between 2024-01-03T08:00:00Z and 2024-01-04"},
		"hole ahead": {fundingOf("X", append(every(8*time.Hour, first.AddDate(0, 0, -3), 3, 0), whole[1:]...)), "no funding of X between"},
		"hole after": {fundingOf("X", append(slices.Clone(whole[:11]), every(8*time.Hour, first.AddDate(0, 0, 9), 3, 0)...)), "no funding of X between"},
		"single":     {fundingOf("X", whole[:1]), "ends 2024-01-02"},
		"ruin":       {fundingOf("X", every(8*time.Hour, first, 12, 0.4)), "all that it was worth"},
	} {
		_, _, err := w.WithFunding(c.funding)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if defect := (*market.DataError)(nil); name != "ruin" && !errors.As(err, &defect) {
			t.Errorf("%s: error %T has no place", name, err)
		}
	}
	// Holes outside do no harm, nor do those that may lie outside.
	for name, all := range map[string][]market.Settlement{
		"before":     append(every(8*time.Hour, first.AddDate(0, 0, -9), 3, 9e-4), whole...),
		"after":      append(slices.Clone(whole), every(8*time.Hour, first.AddDate(0, 0, 9), 3, 9e-4)...),
		"up to it":   append(every(8*time.Hour, first.AddDate(0, 0, -2).Add(time.Hour), 2, 9e-4), every(8*time.Hour, first.Add(time.Hour), 12, 1e-4)...),
		"by minutes": every(8*time.Hour+10*time.Second, first, 12, 1e-4),
	} {
		if _, _, err := w.WithFunding(fundingOf("X", all)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	net, _ := withFunding(t, w, fundingOf("X", whole))
	if _, _, err := net.WithFunding(fundingOf("X", whole)); err == nil {
		t.Error("funding is taken off twice")
	}
	if _, _, err := ramp(9).WithFunding(fundingOf("OAK", whole)); err == nil {
		t.Error("a window without a start takes funding")
	}
}

const settled = "timestamp,rate\n1704067200000,0.0001\n1704096000000,-0.0002\n1704124800000,1e-4\n"

// fundingFolder writes files and returns their folder.
func fundingFolder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoadFunding(t *testing.T) {
	want := []float64{0.0001, -0.0002, 1e-4}
	for name, c := range map[string]struct {
		files map[string]string
		path  string
		said  string
	}{
		"folder":    {map[string]string{"A.csv": settled, "B.csv": "not read"}, ".", "funding of 1 symbols, settlements 3, 2024-01-01 to 2024-01-01T16:00:00Z"},
		"fetch's":   {map[string]string{"A.csv": klineHeader, "funding/A.csv": settled}, ".", "funding of 1 symbols"},
		"one file":  {map[string]string{"A.csv": settled}, "A.csv", "funding of 1 symbols"},
		"long":      {map[string]string{"x.csv": "symbol,date,rate,other\nA,2024-01-01,0.0001,\nB,2024-01-01,9,\nA,2024-01-01T08:00:00Z,-0.0002,\nA,2024-01-01T16:00:00Z,0.0001,\n"}, "x.csv", "rows of other symbols, passed over: 1"},
		"unsorted":  {map[string]string{"A.csv": "timestamp,rate\n1704124800000,1e-4\n1704067200000,0.0001\n1704096000000,-0.0002\n"}, ".", "out of order, sorted: 2"},
		"duplicate": {map[string]string{"A.csv": settled + "1704096000000,-0.0002\n"}, ".", "repeated another, dropped: 1"},
		"dos":       {map[string]string{"A.csv": "\ufeff" + strings.ReplaceAll(settled, "\n", "\r\n")}, ".", "settlements 3"},
	} {
		f, err := market.LoadFunding(filepath.Join(fundingFolder(t, c.files), c.path), []string{"A"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var rates []float64
		for i, s := range f.Settlements["A"] {
			rates = append(rates, s.Rate)
			if at := time.Date(2024, 1, 1, 8*i, 0, 0, 0, time.UTC); !s.Time.Equal(at) {
				t.Errorf("%s: settlement %d is at %v", name, i, s.Time)
			}
		}
		if !slices.Equal(rates, want) {
			t.Errorf("%s: rates %v, want %v", name, rates, want)
		}
		if text := f.String(); !strings.Contains(text, c.said) {
			t.Errorf("%s: says %q, not %q", name, text, c.said)
		}
	}
}

func TestFundingDefects(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		path  string
		want  string
	}{
		"missing":         {map[string]string{"B.csv": settled}, ".", "A.csv: no funding rates of A"},
		"nothing":         {nil, "none", "none: no such file or folder"},
		"empty":           {map[string]string{"A.csv": ""}, ".", "A.csv: file is empty"},
		"header only":     {map[string]string{"A.csv": "timestamp,rate\n"}, ".", "A.csv: no funding rates of A"},
		"klines":          {map[string]string{"A.csv": klineHeader}, ".", "A.csv:1: no column timestamp or no column rate"},
		"ragged":          {map[string]string{"A.csv": settled + "1704153600000\n"}, ".", "A.csv:5: 1 fields where the header has 2"},
		"text":            {map[string]string{"A.csv": settled + "1704153600000,n/a\n"}, ".", `A.csv:5: column 2: rate "n/a" is not a number`},
		"no rate":         {map[string]string{"A.csv": settled + "1704153600000,\n"}, ".", "A.csv:5: column 2: rate is empty"},
		"not finite":      {map[string]string{"A.csv": settled + "1704153600000,Inf\n"}, ".", "A.csv:5: column 2: rate"},
		"too much":        {map[string]string{"A.csv": settled + "1704153600000,1.5\n"}, ".", "A.csv:5: column 2: rate \"1.5\" is no share"},
		"no unit of time": {map[string]string{"A.csv": "timestamp,rate\n17040672000,0.1\n"}, ".", "A.csv:2: column 1: time 17040672000 is neither"},
		"conflict":        {map[string]string{"A.csv": settled + "1704096000000,0.0002\n"}, ".", "A.csv:5: rate of A at 2024-01-01T08:00:00Z is on line 3 already, with another number"},
		"wrong symbol":    {map[string]string{"A.csv": "timestamp,symbol,rate\n1704067200000,A,0\n1704096000000,B,0\n"}, ".", `A.csv:3: column 2: symbol "B" in the file of A`},
		"wrong file":      {map[string]string{"C.csv": settled}, "C.csv", `C.csv:1: no column symbol, and the file's name says "C"`},
		"nameless":        {map[string]string{"x.csv": "timestamp,symbol,rate\n1704067200000,,0\n"}, "x.csv", "x.csv:2: column 2: symbol is empty"},
		"long without it": {map[string]string{"x.csv": "timestamp,symbol,rate\n1704067200000,B,0\n"}, "x.csv", "x.csv: no funding rates of A"},
		"binary":          {map[string]string{"A.csv": "timestamp,rate\n\x00"}, ".", "A.csv:2: holds a zero byte"},
	} {
		dir := fundingFolder(t, c.files)
		_, err := market.LoadFunding(filepath.Join(dir, c.path), []string{"A"})
		var defect *market.DataError
		if err == nil || !errors.As(err, &defect) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
	if _, err := market.LoadFunding("", []string{"A"}); err == nil {
		t.Error("no path is read")
	}
	if _, err := market.LoadFunding(t.TempDir(), nil); err == nil {
		t.Error("no symbol is read")
	}
	// A step within the longest, yet longer than both around it.
	at, text := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), "timestamp,rate\n"
	for i := range 24 {
		if i != 5 && i != 6 {
			text += fmt.Sprintf("%d,0\n", at.Add(time.Duration(i)*time.Hour).UnixMilli())
		}
	}
	f, err := market.LoadFunding(fundingFolder(t, map[string]string{"A.csv": text}), []string{"A"})
	if err != nil || len(f.Gaps) != 1 || f.Gaps[0].Missing != 2 || !strings.Contains(f.String(), "settlements of A: 2 may be missing between 2024-01-01T04:00:00Z and 2024-01-01T07:00:00Z") {
		t.Errorf("%v, %v", f, err)
	}
	// Where the coverage is lacking, the line that shows it is named.
	p := panel(map[string][]float64{"A": {1, 1, 1, 1}})
	w, _, err := p.Window()
	if err != nil {
		t.Fatal(err)
	}
	f, err = market.LoadFunding(fundingFolder(t, map[string]string{"A.csv": settled}), []string{"A"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := w.WithFunding(f); err == nil || !strings.Contains(err.Error(), "A.csv:4: funding of A ends") {
		t.Errorf("error %v", err)
	}
}

// The straight line between closes is the better guess of the mark price than
// the close before: on hourly candles, where a settlement falls on a close, the
// truth is known.
func TestFundingWithinDays(t *testing.T) {
	for _, symbol := range []string{"BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "BNBUSDT"} {
		panel, _ := load(t, sharedtest.Path(t, "data", "crypto", "bybit_linear_hourly"), market.Options{Symbols: []string{symbol}})
		hours, _, err := panel.Window()
		if err != nil {
			t.Fatal(err)
		}
		daily := &market.Panel{Symbols: panel.Symbols}
		var closes []float64
		for i, at := range panel.Times {
			if at.Hour() == 23 {
				daily.Times = append(daily.Times, at.Add(-23*time.Hour))
				closes = append(closes, panel.Close.At(i, 0))
			}
		}
		daily.Close = mat.NewDense(len(closes), 1, closes)
		days, _, err := daily.Window()
		if err != nil {
			t.Fatal(err)
		}
		const rate = 1e-3
		f := fundingOf(symbol, every(8*time.Hour, panel.Times[0].Truncate(8*time.Hour), 3*(len(closes)+3), rate))
		net, _ := withFunding(t, days, f)
		byHours, _ := withFunding(t, hours, f)
		// What an hour costs is of the value at its start: times the growth since the day's start.
		var line, before, size float64
		k := 0
		for i := range days.Times {
			from, to := days.Times[i], days.Times[i].Add(24*time.Hour)
			growth, truth := 1.0, 0.0
			for ; k < len(hours.Times) && hours.Times[k].Before(to); k++ {
				if !hours.Times[k].Before(from) {
					truth += growth * (hours.Returns.At(k, 0) - byHours.Returns.At(k, 0))
					growth *= 1 + hours.Returns.At(k, 0)
				}
			}
			cost := days.Returns.At(i, 0) - net.Returns.At(i, 0)
			line += math.Pow(cost-truth, 2)
			before += math.Pow(3*rate-truth, 2)
			size += truth
		}
		n := float64(len(days.Times))
		line, before, size = math.Sqrt(line/n), math.Sqrt(before/n), size/n
		t.Logf("%s: a day costs %.3g; root mean square error by the line %.2g of it, by the close before %.2g", symbol, size, line/size, before/size)
		if !(line < 0.75*before) || !(line < 0.02*size) {
			t.Errorf("%s: errors %v and %v of %v", symbol, line, before, size)
		}
	}
}

func FuzzFunding(f *testing.F) {
	for _, text := range []string{
		"", settled, "timestamp,symbol,rate\n1704067200000,A,0\n1704067200000,A,0\n1704096000000,A,-0.5\n", "date,rate\n2024-01-02,1e-4\n2024-01-01,1e-4\n",
		"timestamp,rate\n1704067200000,1e-4\n1704070800000,1e-4\n1704081600000,1e-4\n1704085200000,1e-4\n",
	} {
		f.Add([]byte(text))
	}
	p := panel(map[string][]float64{"A": {1, 2, 1}})
	w, _, err := p.Window()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		funding, err := market.LoadFundingFS(fstest.MapFS{"A.csv": {Data: text}}, "A.csv", []string{"A"})
		var net *market.Window
		if err == nil {
			if funding.String() == "" {
				t.Fatal("funding says nothing")
			}
			all := funding.Settlements["A"]
			for i, s := range all {
				if i > 0 && !s.Time.After(all[i-1].Time) || !(math.Abs(s.Rate) < 1) {
					t.Fatalf("settlement %v", s)
				}
			}
			if net, _, err = w.WithFunding(funding); err == nil {
				for k := range net.Times {
					if r := net.Returns.At(k, 0); !(r > -1) || math.IsInf(r, 0) {
						t.Fatalf("return %v", r)
					}
				}
				return
			}
			if strings.Contains(err.Error(), "all that it was worth") {
				return
			}
		}
		var defect *market.DataError
		if !errors.As(err, &defect) || defect.File == "" || defect.Msg == "" {
			t.Fatalf("error without a place: %v", err)
		}
	})
}
