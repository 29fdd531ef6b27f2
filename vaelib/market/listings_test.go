package market_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/vaelib/market"
)

// Symbols come and go: a window as it was begins with the second of them,
// knows who could be chosen, and keeps what the last close paid.
func TestWindowAsItWas(t *testing.T) {
	p := panel(map[string][]float64{
		"ELM": {nan, nan, 10, 11, 12, 13, 14, 15},
		"FIR": {nan, 8, 4, 2, 1, nan, nan, nan},
		"OAK": {1, 2, 3, 4, 5, 6, 7, 8},
	})
	w, l, d, err := p.WindowAsItWas()
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Times) != 6 || !w.Start.Equal(p.Times[1]) || !w.Times[5].Equal(p.Times[7]) {
		t.Errorf("from %v to %v", w.Start, w.Times)
	}
	for j, want := range [][]float64{{0, 0.1, 1. / 11, 1. / 12, 1. / 13, 1. / 14}, {-0.5, -0.5, -0.5, 0, 0, 0}, {0.5, 1. / 3, 0.25, 0.2, 1. / 6, 1. / 7}} {
		for i, r := range want {
			if got := w.Returns.At(i, j); math.Abs(got-r) > 1e-12 {
				t.Errorf("return %d of %s is %v, not %v", i, w.Symbols[j], got, r)
			}
		}
	}
	for _, c := range []struct {
		from, to int
		want     []int
	}{{0, 1, []int{1, 2}}, {0, 3, []int{1, 2}}, {0, 4, []int{2}}, {1, 3, []int{0, 1, 2}}, {2, 6, []int{0, 2}}} {
		if got := l.Over(c.from, c.to); !slices.Equal(got, c.want) {
			t.Errorf("over %d to %d: columns %v, not %v", c.from, c.to, got, c.want)
		}
	}
	deaths := l.Deaths()
	if len(deaths) != 1 || deaths[0].Symbol != "FIR" || deaths[0].Period != 3 || deaths[0].Close != 1 || !deaths[0].Last.Equal(p.Times[4]) {
		t.Errorf("deaths %v", deaths)
	}
	if !strings.HasPrefix(d.String(), "7 times as they were, ") {
		t.Errorf("said %s", d)
	}
	if chosen := w.Choose([]int{2, 0}); !slices.Equal(chosen.Symbols, []string{"OAK", "ELM"}) || chosen.Returns.At(1, 1) != w.Returns.At(1, 0) {
		t.Errorf("chosen %v", chosen)
	}
}

// A last close at a time that another symbol lacks is not lost.
func TestLastCloseAtALackingTime(t *testing.T) {
	p := panel(map[string][]float64{
		"FIR": {8, 8, 8, 2, nan, nan},
		"OAK": {1, 1, 1, nan, 1, 1},
	})
	w, l, _, err := p.WindowAsItWas()
	if err != nil {
		t.Fatal(err)
	}
	if len(w.Times) != 4 || w.Returns.At(2, 0) != -0.75 || l.Deaths()[0].Period != 3 {
		t.Errorf("returns %v, deaths %v", w.Returns, l.Deaths())
	}
}

// Where all symbols live throughout, a window as it was is the window.
func TestAsItWasIsShared(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		closes := map[string][]float64{}
		n := rapid.IntRange(3, 20).Draw(t, "rows")
		for _, s := range []string{"A", "B", "C"} {
			closes[s] = rapid.SliceOfN(rapid.Float64Range(1, 2), n, n).Draw(t, s)
		}
		p := panel(closes)
		a, _, err := p.Window()
		if err != nil {
			t.Fatal(err)
		}
		b, l, _, err := p.WindowAsItWas()
		if err != nil {
			t.Fatal(err)
		}
		if a.Hash() != b.Hash() || !a.Start.Equal(b.Start) || len(l.Deaths()) > 0 || len(l.Over(0, n-1)) != 3 {
			t.Errorf("windows differ: %v and %v", a, b)
		}
	})
}

// A file of hours that ends some days before the others was read earlier: that
// is no end of its symbol. A month is.
func TestStopped(t *testing.T) {
	for hours, want := range map[int]int{5: 0, 280: 0, 720: 1} {
		p := &market.Panel{Symbols: []string{"ELM", "OAK"}, Close: mat.NewDense(2000, 2, nil)}
		for i := range 2000 {
			p.Times = append(p.Times, time.Date(2024, 1, 1, i, 0, 0, 0, time.UTC))
			p.Close.Set(i, 0, 1)
			p.Close.Set(i, 1, 1)
			if i >= 2000-hours {
				p.Close.Set(i, 0, nan)
			}
		}
		if got := p.Stopped(); len(got) != want {
			t.Errorf("%d hours before the end: %v", hours, got)
		}
	}
}
