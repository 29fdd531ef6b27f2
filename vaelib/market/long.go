package market

import (
	"bytes"
	"math"
	"slices"
)

// assets are the prices of a long file in the reading, a column each, over all
// times in the order in which they were met.
type assets struct {
	times   moments
	at      map[int64]int // row of each time
	columns map[string]*assetColumn
	priced  int          // of the columns, those with a price
	latest  int          // row of the last time
	current *assetColumn // of the last asset
}

type assetColumn struct {
	symbol string
	latest int64     // time so far, in Unix milliseconds
	close  []float64 // NaN where none was read; may be shorter than the times
	traded []int64   // of trades: when each close was paid
}

// readLong reads rows of a time, an asset and its price.
func readLong(r rows, p *plan, file string, opt *Options) (*table, error) {
	a := &assets{at: map[int64]int{}, columns: map[string]*assetColumn{}}
	c := &Cleaning{}
	read, field := longCell(p, opt)
	if field < 0 {
		return nil, r.errorf(0, "no column turnover or quote_volume: turnover can't be told from this file")
	}
	wanted, prices := opt.wanted(), 0
	for r.next() {
		at, ended, err := p.rowTime(r, c)
		if err != nil {
			return nil, err
		}
		if ended {
			break
		}
		c.Rows++
		if !opt.holds(at) {
			c.Outside++
			continue
		}
		column, err := a.column(r, p.asset)
		if err != nil {
			return nil, err
		}
		if len(wanted) > 0 && !wanted[column.symbol] || opt.excludes(column.symbol) {
			continue
		}
		if err := checkSplit(r, p, column.symbol, opt); err != nil {
			return nil, err
		}
		v, err := read(r, field, column.symbol)
		if err != nil {
			return nil, err
		}
		if math.IsNaN(v) {
			c.Empty++
			continue
		}
		if prices++; prices > opt.MaxPrices || a.priced*len(a.times.ms) > opt.MaxPrices {
			return nil, tooMany(file, opt)
		}
		traded := at.ms
		if p.last {
			at.ms -= floorMod(at.ms, day24)
		}
		if at.ms < column.latest {
			c.Sorted++
		}
		column.latest = max(column.latest, at.ms)
		if p.last {
			a.trade(column, at, traded, v)
			continue
		}
		if err := a.keep(column, at, v, r, p, c, file); err != nil {
			return nil, err
		}
	}
	if err := r.failure(); err != nil {
		return nil, err
	}
	if c.Rows == 0 {
		return nil, &DataError{File: file, Msg: "no rows below the header"}
	}
	t := a.table(c)
	if opt.Returns != "" {
		return t, t.compound(file, opt.Returns)
	}
	return t, nil
}

// keep puts the close of a row into its column, unless the same one is there.
func (a *assets) keep(
	column *assetColumn, at moment, v float64, r rows, p *plan, c *Cleaning, file string,
) error {
	switch repeated, same := a.put(column, at, v); {
	case repeated && !same:
		return r.errorf(p.close+1, "%s has another close at %s already: keep one of the rows",
			column.symbol, stampMillis(at.ms))
	case repeated:
		c.duplicate(file, r.row(), at.ms)
	}
	return nil
}

// wanted is the set of the symbols asked for; empty: all.
func (o *Options) wanted() map[string]bool {
	set := make(map[string]bool, len(o.Symbols))
	for _, s := range o.Symbols {
		set[s] = true
	}
	return set
}

// longCell is what is read of each row, and where it stands; below 0: nowhere.
func longCell(p *plan, opt *Options) (read cell, field int) {
	switch {
	case opt.Returns != "" && p.quoted:
		read = opt.Returns.crsp
	case opt.Returns != "":
		read = opt.Returns.cell
	case opt.Traded:
		read = turnover
	case p.quoted || p.factor >= 0:
		read = p.adjusted
	default:
		read = price
	}
	if opt.Traded {
		return read, p.turnover
	}
	return read, p.close
}

// column is that of the asset in a field of the current row.
func (a *assets) column(r rows, field int) (*assetColumn, error) {
	name := r.text(field)
	if a.current != nil && a.current.symbol == string(name) {
		return a.current, nil
	}
	c := a.columns[string(name)]
	if c == nil {
		name = bytes.TrimSpace(name) // of blanks that do not break, too
		c = a.columns[string(name)]
	}
	if c == nil {
		if len(name) == 0 {
			return nil, r.errorf(field+1, "symbol is empty: put one in, or delete the row")
		}
		if msg := checkName(name); msg != "" {
			return nil, r.errorf(field+1, "symbol %s", msg)
		}
		c = &assetColumn{symbol: string(name), latest: math.MinInt64}
		a.columns[c.symbol] = c
	}
	a.current = c
	return c, nil
}

// count counts a column at its first price.
func (a *assets) count(c *assetColumn) {
	if len(c.close) == 0 {
		a.priced++
	}
}

// put sets a price, and says whether there was one already, and the same.
func (a *assets) put(c *assetColumn, at moment, v float64) (repeated, same bool) {
	i := a.row(at)
	a.count(c)
	for len(c.close) <= i {
		c.close = append(c.close, math.NaN())
	}
	if old := c.close[i]; old == old {
		return true, old == v
	}
	c.close[i] = v
	return false, false
}

// trade sets the price of a day to that of a trade, where none was paid later:
// files may have the newest first.
func (a *assets) trade(c *assetColumn, day moment, at int64, v float64) {
	i := a.row(day)
	a.count(c)
	for len(c.close) <= i {
		c.close, c.traded = append(c.close, math.NaN()), append(c.traded, math.MinInt64)
	}
	if at >= c.traded[i] {
		c.close[i], c.traded[i] = v, at
	}
}

// row is that of a time. Most files go from one time to the next.
func (a *assets) row(at moment) int {
	for _, i := range [...]int{a.latest, a.latest + 1} {
		if i < len(a.times.ms) && a.times.ms[i] == at.ms {
			a.latest = i
			return i
		}
	}
	i, known := a.at[at.ms]
	if !known {
		i = len(a.times.ms)
		a.at[at.ms] = i
		a.times.add(at)
	}
	a.latest = i
	return i
}

// table puts the columns beside each other, sorted by symbol, and the rows in
// order.
func (a *assets) table(c *Cleaning) *table {
	t := &table{cleaning: c}
	for symbol := range a.columns {
		t.symbols = append(t.symbols, symbol)
	}
	slices.Sort(t.symbols)
	a.at = nil
	order, _ := a.times.arrange()
	n := len(t.symbols)
	t.close = make([]float64, len(a.times.ms)*n)
	for j, symbol := range t.symbols {
		column := a.columns[symbol].close
		delete(a.columns, symbol)
		for i := range a.times.ms {
			from, v := i, math.NaN()
			if order != nil {
				from = order[i]
			}
			if from < len(column) {
				v = column[from]
			}
			t.close[i*n+j] = v
		}
	}
	t.labels = localise(a.times.ms, a.times.offsets)
	c.findGaps("", t.times)
	return t
}
