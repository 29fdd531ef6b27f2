package market_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
)

func ExampleWindow_Split() {
	window := ramp(100)
	train, test, err := window.Split(0.75, 5)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(train.Times), "periods to learn from, up to", train.Times[len(train.Times)-1].Format(time.DateOnly))
	fmt.Println(len(test.Times), "to be judged on, from", test.Times[0].Format(time.DateOnly))
	// Output:
	// 70 periods to learn from, up to 2024-03-11
	// 25 to be judged on, from 2024-03-17
}

var nan = math.NaN()

// panel makes one of closes a symbol, a day a row from 2024-01-01.
func panel(columns map[string][]float64) *market.Panel {
	var symbols []string
	for s := range columns {
		symbols = append(symbols, s)
	}
	slices.Sort(symbols)
	days := len(columns[symbols[0]])
	p := &market.Panel{Symbols: symbols, Close: mat.NewDense(days, len(symbols), nil)}
	for i := range days {
		p.Times = append(p.Times, millis(dayMillis(i)))
		for j, s := range symbols {
			p.Close.Set(i, j, columns[s][i])
		}
	}
	return p
}

func TestWindow(t *testing.T) {
	p := panel(map[string][]float64{
		"EARLY": {1, 2, 4, 8, 16, nan, nan, nan, nan, nan},
		"FULL":  {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
		"HOLED": {1, 2, nan, 4, 5, 6, nan, 8, 9, 10},
		"LATE":  {nan, nan, 1, 2, 3, 4, 5, 6, 7, 8},
		"NEVER": {nan, nan, nan, nan, nan, nan, nan, nan, nan, nan},
		"TAIL":  {nan, nan, nan, nan, nan, nan, nan, 1, 2, 1},
	})
	for _, c := range []struct {
		symbols string
		days    []int // of January, at the ends of the returns
		first   []float64
		said    string
	}{
		{"FULL", []int{2, 3, 4, 5, 6, 7, 8, 9, 10}, []float64{1, 0.5, 1. / 3, 0.25, 0.2, 7./6 - 1, 8./7 - 1, 0.125, 10./9 - 1},
			"10 shared times, 2024-01-01 to 2024-01-10"},
		{"EARLY LATE", []int{4, 5}, []float64{1, 1},
			"3 shared times, 2024-01-03 to 2024-01-05; dropped 2 before (LATE starts); dropped 5 after (EARLY ends)"},
		{"LATE EARLY FULL", []int{4, 5}, []float64{1, 0.5},
			"3 shared times, 2024-01-03 to 2024-01-05; dropped 2 before (LATE starts); dropped 5 after (EARLY ends)"},
		{"TAIL HOLED", []int{9, 10}, []float64{1, -0.5},
			"3 shared times, 2024-01-08 to 2024-01-10; dropped 7 before (TAIL starts)"},
		{"HOLED FULL", []int{2, 4, 5, 6, 8, 9, 10}, []float64{1, 1, 0.25, 0.2, 8./6 - 1, 0.125, 10./9 - 1},
			"8 shared times, 2024-01-01 to 2024-01-10; dropped 2 between (HOLED lacks them)"},
	} {
		w, dropped, err := p.Window(strings.Fields(c.symbols)...)
		if err != nil {
			t.Errorf("%s: %v", c.symbols, err)
			continue
		}
		if strings.Join(w.Symbols, " ") != c.symbols {
			t.Errorf("%s: symbols %v", c.symbols, w.Symbols)
		}
		var days []int
		for _, end := range w.Times {
			days = append(days, end.Day())
		}
		if !slices.Equal(days, c.days) {
			t.Errorf("%s: days %v, not %v", c.symbols, days, c.days)
		}
		if rows, n := w.Returns.Dims(); rows != len(c.days) || n != len(w.Symbols) {
			t.Fatalf("%s: %d x %d returns", c.symbols, rows, n)
		}
		for i, want := range c.first {
			if got := w.Returns.At(i, 0); math.Abs(got-want) > 1e-15 {
				t.Errorf("%s: return %d of %s is %v, not %v", c.symbols, i, w.Symbols[0], got, want)
			}
		}
		if dropped.String() != c.said {
			t.Errorf("%s: said %q, not %q", c.symbols, dropped, c.said)
		}
	}

	for _, c := range []struct{ symbols, want string }{
		{"FULL FULL", "symbol FULL is given twice"},
		{"FUL", "unknown symbol FUL: did you mean FULL?"},
		{"ALTE", "unknown symbol ALTE: did you mean LATE?"},
		{"FULL XYZZY", "unknown symbol XYZZY: the data have none like it"},
		{"FULL NEVER", "symbol NEVER has no price in this range: leave it out or choose another range"},
		{"EARLY TAIL FULL", "the 3 symbols share no times: EARLY ends 2024-01-05, TAIL starts 2024-01-08: leave one out"},
	} {
		w, _, err := p.Window(strings.Fields(c.symbols)...)
		if w != nil || err == nil || err.Error() != c.want {
			t.Errorf("%s: error %v, not %s", c.symbols, err, c.want)
		}
	}
	var unknown *market.SymbolError
	if _, _, err := p.Window("FUL"); !errors.As(err, &unknown) || unknown.Symbol != "FUL" {
		t.Errorf("error %v names no symbol", err)
	}

	for _, c := range []struct {
		closes map[string][]float64
		want   string
	}{
		{map[string][]float64{"A": {1, nan, 1, nan}, "B": {nan, 1, nan, 1}}, "the 2 symbols share no times, though their spans overlap: leave out those that trade at other times"},
		{map[string][]float64{"A": {1, 1, nan}, "B": {1, 1, 1}}, "2 shared times of A and B give 1 returns, at least 2 are needed: choose a longer range or other symbols"},
		{map[string][]float64{"A": {1e-300, 1e300, 1}}, "close of A goes from 1e-300 to 1e+300 at 2024-01-02: too far apart for a return"},
		{map[string][]float64{"A": {1e300, 1, 1e-300}}, "close of A goes from 1e+300 to 1 at 2024-01-02: too far apart for a return"},
	} {
		if _, _, err := panel(c.closes).Window(); err == nil || err.Error() != c.want {
			t.Errorf("%v: error %v, not %s", c.closes, err, c.want)
		}
	}
	if _, _, err := (&market.Panel{}).Window(); err == nil {
		t.Error("an empty panel has a window")
	}
}

// A weekday file's holes of the calendar are no gaps; a hole in the data is.
func TestLong(t *testing.T) {
	var b strings.Builder
	b.WriteString("date,OAK\n")
	price := 100
	for i := range 60 {
		if d := millis(dayMillis(i)); d.Weekday() != time.Saturday && d.Weekday() != time.Sunday && (i < 30 || i > 35) {
			price++
			fmt.Fprintf(&b, "%s,%d\n", d.Format(time.DateOnly), price)
		}
	}
	p, c, err := market.LoadFS(wide(b.String()), "p.csv", market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, dropped, err := p.Window()
	if err != nil {
		t.Fatal(err)
	}
	if w.PeriodsPerYear() != 252 || dropped.Long != 1 || len(c.Gaps) != 1 || c.Gaps[0].Missing != 4 {
		t.Errorf("%v periods a year, %v, gaps %v", w.PeriodsPerYear(), dropped, c.Gaps)
	}
}

func TestPeriodsPerYear(t *testing.T) {
	start := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	every := func(step time.Duration, n int) (times []time.Time) {
		for i := range n {
			times = append(times, start.Add(time.Duration(i)*step))
		}
		return times
	}
	months := func(step, n int) (times []time.Time) {
		for i := range n {
			times = append(times, time.Date(2021, time.Month(1+(i+1)*step), 0, 0, 0, 0, 0, time.UTC))
		}
		return times
	}
	without := func(times []time.Time, drop func(time.Time) bool) []time.Time {
		return slices.DeleteFunc(times, drop)
	}
	weekend := func(t time.Time) bool { return t.Weekday() == time.Saturday || t.Weekday() == time.Sunday }
	const hour = time.Hour
	for _, c := range []struct {
		name  string
		times []time.Time
		want  float64
	}{
		{"days", every(24*hour, 100), 365},
		{"days with a gap", without(every(24*hour, 100), func(t time.Time) bool { return t.Month() == 2 }), 365},
		{"weekdays", without(every(24*hour, 100), weekend), 252},
		{"weekdays and a Saturday", append(without(every(24*hour, 100), weekend), time.Date(2021, 5, 15, 0, 0, 0, 0, time.UTC)), 252},
		{"hours", every(hour, 500), 8760},
		{"hours with a gap", append(every(hour, 500), start.Add(600*hour)), 8760},
		{"quarters of an hour", every(hour/4, 500), 35040},
		{"eight hours", every(8*hour, 500), 1095},
		{"weeks", every(7*24*hour, 60), 365. / 7},
		{"month ends", months(1, 24), 12},
		{"quarter ends", months(3, 24), 4},
		{"half years", months(6, 24), 2},
		{"years", months(12, 24), 1},
		{"one", every(hour, 1), 0},
		{"none", nil, 0},
	} {
		w := &market.Window{Times: c.times}
		if got := w.PeriodsPerYear(); got != c.want {
			t.Errorf("%s: %v periods a year, not %v", c.name, got, c.want)
		}
	}
	// An exchange that is open for seven hours on weekdays.
	session := without(every(hour, 24*365), func(t time.Time) bool { return weekend(t) || t.Hour() < 9 || t.Hour() > 15 })
	if got := (&market.Window{Times: session}).PeriodsPerYear(); math.Abs(got-7*261) > 5 {
		t.Errorf("hours of a session: %v periods a year, not about %d", got, 7*261)
	}
}

func ramp(n int) *market.Window {
	closes := make([]float64, n+1)
	for i := range closes {
		closes[i] = 100 + float64(i*i%17)
	}
	w, _, err := panel(map[string][]float64{"A": closes, "B": slices.Repeat([]float64{3}, n+1)}).Window()
	if err != nil {
		panic(err)
	}
	return w
}

func TestSlice(t *testing.T) {
	w := ramp(100)
	s := w.Slice(30, 34)
	if rows, _ := s.Returns.Dims(); rows != 4 || len(s.Times) != 4 || s.Times[0] != w.Times[30] || s.Returns.At(3, 0) != w.Returns.At(33, 0) {
		t.Errorf("slice of %d rows from %v", rows, s.Times)
	}
	// Four days hold no weekend, yet they come from a year of 365 days.
	for i := range 7 {
		if p := w.Slice(30+i, 34+i).PeriodsPerYear(); p != 365 {
			t.Errorf("slice has %v periods a year", p)
		}
	}
	if s.Slice(1, 3).Hash() != w.Slice(31, 33).Hash() {
		t.Error("a slice of a slice differs from the slice")
	}
	for _, bad := range [][2]int{{-1, 3}, {3, 3}, {4, 3}, {0, 101}} {
		func() {
			defer func() {
				if r := recover(); r != "market: slice of a window is empty or out of its range" {
					t.Errorf("slice %v: %v", bad, r)
				}
			}()
			w.Slice(bad[0], bad[1])
		}()
	}
}

func TestSplit(t *testing.T) {
	w := ramp(100)
	for _, c := range []struct {
		share           float64
		embargo, in, at int
	}{{0.75, 0, 75, 75}, {0.75, 10, 65, 75}, {0.29, 0, 29, 29}, {0.999, 0, 0, 0}, {0.02, 0, 2, 2}, {0.02, 1, 0, 0}, {0.98, 96, 2, 98}, {1. / 3, 5, 28, 33}} {
		in, out, err := w.Split(c.share, c.embargo)
		if c.in == 0 {
			if err == nil {
				t.Errorf("split at %v, embargo %d: no error", c.share, c.embargo)
			}
			continue
		}
		if err != nil {
			t.Error(err)
			continue
		}
		if len(in.Times) != c.in || in.Times[0] != w.Times[0] || out.Times[0] != w.Times[c.at] || len(out.Times) != 100-c.at {
			t.Errorf("split at %v, embargo %d: %d in sample, %d out of sample", c.share, c.embargo, len(in.Times), len(out.Times))
		}
	}
	for _, share := range []float64{0, 1, -1, 2, nan} {
		if _, _, err := w.Split(share, 0); err == nil {
			t.Errorf("split at %v: no error", share)
		}
	}
	_, _, err := w.Split(0.5, 49)
	const want = "a split of 100 periods at 0.5 with an embargo of 49 leaves 1 in sample and 50 out of sample, at least 2 are needed: use more data, another share or a shorter embargo"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, not %s", err, want)
	}
	if _, _, err := w.Split(0.5, -1); err == nil {
		t.Error("negative embargo: no error")
	}
}

func TestHash(t *testing.T) {
	w := ramp(10)
	const want = "a70a5dfa48ea4c3a"
	if got := w.Hash(); len(got) != 64 || got[:16] != want {
		t.Errorf("hash %s, not %s...: runs recorded with it are no longer recognised", got, want)
	}
	other := *w
	other.Symbols = []string{"AB", ""}
	shifted := *w
	shifted.Times = append(slices.Clone(w.Times[1:]), w.Times[9].Add(time.Hour))
	bent := *w
	bent.Returns = mat.DenseCopyOf(w.Returns)
	bent.Returns.Set(9, 1, math.Nextafter(w.Returns.At(9, 1), 1))
	hashes := []string{w.Hash(), other.Hash(), shifted.Hash(), bent.Hash(), w.Slice(0, 9).Hash()}
	slices.Sort(hashes)
	if n := len(slices.Compact(hashes)); n != 5 {
		t.Errorf("5 windows have %d hashes", n)
	}
}
