package market

import (
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"
)

// Listings say over which periods of a window each of its symbols was traded.
type Listings struct {
	symbols []string
	from    []int // the first period that a symbol has a return of, by [Window].Times
	to      []int // the period behind its last
	last    []time.Time
	closes  []float64 // at last
	periods int
}

// Over returns the columns of the symbols that were traded throughout the
// periods from <= t < to, rising: what could have been chosen at the end of
// them with these as history.
func (l *Listings) Over(from, to int) []int {
	var columns []int
	for j := range l.symbols {
		if l.from[j] <= from && to <= l.to[j] {
			columns = append(columns, j)
		}
	}
	return columns
}

// Death is the end of a symbol before that of its window.
type Death struct {
	Symbol string    `json:"symbol"`
	Column int       `json:"-"`
	Period int       `json:"-"`    // the first without it
	Last   time.Time `json:"last"` // of its closes
	Close  float64   `json:"close"`
}

// String says what a holder of it is left with.
func (d Death) String() string {
	return fmt.Sprintf("%s stops on %s at %v", d.Symbol, stamp(d.Last), d.Close)
}

// Deaths returns the symbols that end before the window does, by time.
func (l *Listings) Deaths() []Death {
	var deaths []Death
	for j, symbol := range l.symbols {
		if l.to[j] < l.periods {
			deaths = append(deaths, Death{Symbol: symbol, Column: j, Period: l.to[j], Last: l.last[j],
				Close: l.closes[j]})
		}
	}
	slices.SortStableFunc(deaths, func(a, b Death) int { return a.Last.Compare(b.Last) })
	return deaths
}

// WindowAsItWas is [Panel.Window] without the cut to what all symbols share: it
// begins where two of them are listed (the one, where there is no other), ends
// with the last, and has the times at which each symbol that was listed then
// has a close. Before its listing and after its last close a symbol's return is
// 0, which stands for nothing before and for cash after: who held it is left
// with what the last close paid. A close on a time that is left out ends the
// return of the period around it, so that no last price is lost.
func (p *Panel) WindowAsItWas(symbols ...string) (*Window, *Listings, Dropped, error) {
	if len(symbols) == 0 {
		symbols = p.Symbols
	}
	columns, err := choose(p.Symbols, symbols)
	if err != nil {
		return nil, nil, Dropped{}, err
	}
	first, last := make([]int, len(columns)), make([]int, len(columns))
	for k, j := range columns {
		if first[k], last[k] = p.span(j); first[k] < 0 {
			return nil, nil, Dropped{}, fmt.Errorf(
				"symbol %s has no price in this range: leave it out or choose another range", symbols[k])
		}
	}
	starts := slices.Sorted(slices.Values(first))
	rows := p.rowsAsItWas(columns, first, last, starts[min(1, len(starts)-1)])
	if len(rows) < 3 {
		return nil, nil, Dropped{}, fmt.Errorf("%d times at which all symbols that are listed then have a close, "+
			"at least 3 are needed: leave out those that trade at other times", len(rows))
	}
	times := make([]time.Time, len(rows))
	for i, t := range rows {
		times[i] = p.Times[t]
	}
	l := &Listings{symbols: slices.Clone(symbols), periods: len(rows) - 1}
	returns := mat.NewDense(len(rows)-1, len(columns), nil)
	for k, j := range columns {
		from, to := -1, 0
		for i := range rows[1:] {
			a, b := rows[i], min(rows[i+1], last[k])
			if a < first[k] || b <= a {
				continue
			}
			before, after := p.Close.At(a, j), p.Close.At(b, j)
			r := after/before - 1
			if math.IsInf(r, 0) || r <= -1 {
				return nil, nil, Dropped{}, fmt.Errorf(
					"close of %s goes from %v to %v at %s: too far apart for a return",
					symbols[k], before, after, stamp(p.Times[b]))
			}
			returns.Set(i, k, r)
			if from < 0 {
				from = i
			}
			to = i + 1
		}
		if from < 0 { // a life between two rows
			from, to = len(rows), 0
		}
		l.from, l.to = append(l.from, from), append(l.to, to)
		l.last, l.closes = append(l.last, p.Times[last[k]]), append(l.closes, p.Close.At(last[k], j))
	}
	c := calendarOf(times)
	w := &Window{Symbols: slices.Clone(symbols), Times: times[1:], Returns: returns, Start: times[0], rhythm: &c}
	d := p.dropped(columns, rows, c)
	d.AsItWas, d.LastToStart, d.FirstToEnd = true, []string{}, []string{}
	return w, l, d, nil
}

// rowsAsItWas are the rows from start on in which every column that is within
// its life has a close, and one is.
func (p *Panel) rowsAsItWas(columns, first, last []int, start int) []int {
	var rows []int
	for t := start; t < len(p.Times); t++ {
		row := p.Close.RawRowView(t)
		alive, whole := 0, true
		for k, j := range columns {
			if t < first[k] || t > last[k] {
				continue
			}
			alive++
			whole = whole && !math.IsNaN(row[j])
		}
		if whole && alive > 0 {
			rows = append(rows, t)
		}
	}
	return rows
}

// Choose returns the window of some columns of this one, copied.
func (w *Window) Choose(columns []int) *Window {
	periods, _ := w.Returns.Dims()
	chosen := &Window{
		Times: w.Times, Returns: mat.NewDense(periods, len(columns), nil), Start: w.Start, Funded: w.Funded,
		rhythm: w.calendar(),
	}
	for k, j := range columns {
		chosen.Symbols = append(chosen.Symbols, w.Symbols[j])
		for t := range periods {
			chosen.Returns.Set(t, k, w.Returns.At(t, j))
		}
	}
	return chosen
}
