package market

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Universe says which symbols could have been chosen at a time: those that
// were listed then, had been for a while, and were traded most in the weeks
// before. It looks at nothing later than the time that it is asked about.
type Universe struct {
	panel   *Panel
	traded  *Panel // nil: not a criterion
	rows    []int  // of traded for each time of the panel, the latest not after it; -1: none
	columns []int  // of traded for each symbol, -1: none
	options UniverseOptions
	first   []time.Time // price of each symbol
}

// UniverseOptions say who is a member. The zero value: every symbol with a
// price at the time.
type UniverseOptions struct {
	// Top keeps the symbols of the largest median value traded over the last
	// Lookback rows, the row of the time asked about included. 0: all.
	Top int
	// Lookback is in rows of the values traded; a symbol without a value in each
	// of them is not ranked. 0: 30.
	Lookback int
	// MinAge is how long before the time a symbol must have had its first price.
	// A symbol older than the data waits for it too.
	MinAge time.Duration
}

// Member is a symbol of a universe at a time.
type Member struct {
	Symbol string
	Traded float64 // median value traded over the lookback, in the file's unit; 0 where it is no criterion
	Age    time.Duration
}

// NewUniverse returns the universe of a panel. Traded is a panel of the same
// kind of rows, such as [Load] reads with [Options].Traded from the same folder
// or from a wide CSV of values traded; its symbols may be others, in another
// order. It is needed where Top is set, and may be nil otherwise.
//
// It returns an error for options that cannot be meant, and for values traded
// that lack all of the panel's symbols.
func NewUniverse(p, traded *Panel, opt UniverseOptions) (*Universe, error) {
	if opt.Lookback == 0 {
		opt.Lookback = 30
	}
	switch {
	case opt.Top < 0 || opt.Lookback < 1 || opt.MinAge < 0:
		return nil, fmt.Errorf(
			"a universe of the top %d over %d rows, at least %v old, is not possible: numbers start at 0, rows at 1",
			opt.Top, opt.Lookback, opt.MinAge)
	case opt.Top > 0 && traded == nil:
		return nil, fmt.Errorf("a universe of the top %d needs the values traded: give them, or leave the number out",
			opt.Top)
	}
	u := &Universe{panel: p, traded: traded, options: opt, first: make([]time.Time, len(p.Symbols))}
	for j := range p.Symbols {
		if first, _ := p.span(j); first >= 0 {
			u.first[j] = p.Times[first]
		}
	}
	if traded == nil {
		return u, nil
	}
	u.columns = make([]int, len(p.Symbols))
	found := false
	for j, symbol := range p.Symbols {
		u.columns[j] = slices.Index(traded.Symbols, symbol)
		found = found || u.columns[j] >= 0
	}
	if !found {
		return nil, fmt.Errorf(
			"the values traded have none of the %d symbols of the prices, such as %s: give those of the same symbols",
			len(p.Symbols), p.Symbols[0])
	}
	u.rows = make([]int, len(p.Times))
	next := 0
	for t, at := range p.Times {
		for next < len(traded.Times) && !traded.Times[next].After(at) {
			next++
		}
		u.rows[t] = next - 1
	}
	return u, nil
}

// At returns the members as they were known once the candle of row t of the
// panel had closed: of the largest value traded first, and of equal ones in the
// panel's order; in the panel's order where that is no criterion.
func (u *Universe) At(t int) []Member {
	var members []Member
	work := make([]float64, 0, u.options.Lookback)
	row := u.panel.Close.RawRowView(t)
	for j, symbol := range u.panel.Symbols {
		age := u.panel.Times[t].Sub(u.first[j])
		if math.IsNaN(row[j]) || age < u.options.MinAge {
			continue
		}
		m := Member{Symbol: symbol, Age: max(0, age)}
		if u.options.Top > 0 {
			var ok bool
			if m.Traded, ok = u.median(t, j, work); !ok {
				continue
			}
		}
		members = append(members, m)
	}
	if u.options.Top == 0 {
		return members
	}
	slices.SortStableFunc(members, func(a, b Member) int {
		switch {
		case a.Traded > b.Traded:
			return -1
		case a.Traded < b.Traded:
			return 1
		}
		return 0
	})
	return members[:min(u.options.Top, len(members))]
}

// Symbols returns the names of [Universe.At], sorted: a panel's window of them
// ends at row t for all.
func (u *Universe) Symbols(t int) []string {
	members := u.At(t)
	symbols := make([]string, len(members))
	for i, m := range members {
		symbols[i] = m.Symbol
	}
	slices.Sort(symbols)
	return symbols
}

// median of the value traded of symbol j over the lookback up to row t of the
// panel; false where it isn't there in whole.
func (u *Universe) median(t, j int, work []float64) (float64, bool) {
	row, column := u.rows[t], u.columns[j]
	if column < 0 || row+1 < u.options.Lookback || u.traded.Times[row].Before(u.panel.Times[t]) {
		return 0, false
	}
	for i := row + 1 - u.options.Lookback; i <= row; i++ {
		v := u.traded.Close.At(i, column)
		if math.IsNaN(v) {
			return 0, false
		}
		work = append(work, v)
	}
	slices.Sort(work)
	n := len(work)
	return (work[(n-1)/2] + work[n/2]) / 2, true
}
