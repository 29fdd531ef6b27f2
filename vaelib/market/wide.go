package market

import (
	"math"
	"slices"
)

// readWide reads rows of a time and a price of each of many assets.
func readWide(r rows, p *plan, file string, opt *Options) (*table, error) {
	w := &wide{rows: r, file: file, plan: p, symbols: p.symbols, columns: p.columns, cleaning: &Cleaning{}}
	excluded, err := w.choose(opt)
	if err != nil {
		return nil, err
	}
	if len(w.symbols) == 0 {
		return &table{excluded: excluded, cleaning: w.cleaning}, nil
	}
	kind := p.returns
	if opt.Returns != "" {
		kind = opt.Returns
	}
	read := price
	switch {
	case kind != "":
		read = kind.cell
	case opt.Traded:
		read = turnover
	}
	if err := w.read(read, opt); err != nil {
		return nil, err
	}
	if err := w.order(); err != nil {
		return nil, err
	}
	if opt.Fill == "" {
		if err := w.checkHoles(); err != nil {
			return nil, err
		}
	}
	t := &table{symbols: w.symbols, excluded: excluded, labels: localise(w.times.ms, w.times.offsets), close: w.close,
		cleaning: w.cleaning}
	if kind != "" {
		if err := t.compound(file, kind); err != nil {
			return nil, err
		}
	}
	w.cleaning.findGaps("", t.times)
	return t, nil
}

// wide is a wide file in the reading: one time and line number a row, n closes.
type wide struct {
	rows     rows
	file     string
	plan     *plan
	symbols  []string
	columns  []int // field of each symbol
	times    moments
	line     []int32
	close    []float64
	cleaning *Cleaning
}

// choose keeps the columns of the symbols asked for, and returns those left out.
func (w *wide) choose(opt *Options) (excluded []string, err error) {
	p := w.plan
	if len(opt.Symbols) > 0 {
		places, err := choose(p.symbols, opt.Symbols)
		if err != nil {
			return nil, err
		}
		w.symbols, w.columns = slices.Clone(opt.Symbols), make([]int, len(places))
		for k, i := range places {
			w.columns[k] = p.columns[i]
		}
	}
	if len(opt.Exclude) == 0 {
		return nil, opt.checkSymbols(len(w.symbols), w.file)
	}
	w.symbols, w.columns = nil, nil
	for i, s := range p.symbols {
		if opt.excludes(s) {
			excluded = append(excluded, s)
			continue
		}
		w.symbols, w.columns = append(w.symbols, s), append(w.columns, p.columns[i])
	}
	return excluded, opt.checkSymbols(len(w.symbols), w.file)
}

// read takes the rows in.
func (w *wide) read(read cell, opt *Options) error {
	r := w.rows
	if n := min(r.expected(), opt.MaxPrices/max(1, len(w.columns))); opt.From.IsZero() && opt.To.IsZero() {
		w.times.grow(n)
		w.line, w.close = make([]int32, 0, n), make([]float64, 0, n*len(w.columns))
	}
	for r.next() {
		at, ended, err := w.plan.rowTime(r, w.cleaning)
		if ended || err != nil {
			return err
		}
		w.cleaning.Rows++
		if !opt.holds(at) {
			w.cleaning.Outside++
			continue
		}
		if len(w.close)+len(w.columns) > opt.MaxPrices {
			return tooMany(w.file, opt)
		}
		priced := false
		for k, i := range w.columns {
			v, err := read(r, i, w.symbols[k])
			if err != nil {
				return err
			}
			w.close = append(w.close, v)
			priced = priced || v == v
		}
		if !priced && w.isEmpty() {
			w.cleaning.Empty++ // no hole of a symbol, but a day on which there is nothing
			w.close = w.close[:len(w.close)-len(w.columns)]
			continue
		}
		w.times.add(at)
		w.line = append(w.line, int32(r.row()))
	}
	return r.failure()
}

// isEmpty says whether the current row has no number of any asset, chosen or
// not.
func (w *wide) isEmpty() bool {
	return !slices.ContainsFunc(w.plan.columns, func(i int) bool {
		_, ok, err := w.rows.value(i, "")
		return ok || err != nil
	})
}

// order sorts the rows, and drops those that repeat the row before. A time
// that stands twice in a file that had to be sorted is refused: it may be two
// files joined, and which of the rows is right is not for us to say.
func (w *wide) order() error {
	n := len(w.columns)
	order, moved := w.times.arrange()
	w.cleaning.Sorted = moved
	if order != nil {
		line, closes := make([]int32, len(order)), make([]float64, 0, len(w.close))
		for i, o := range order {
			line[i] = w.line[o]
			closes = append(closes, w.close[o*n:(o+1)*n]...)
		}
		w.line, w.close = line, closes
	}
	kept, times := 0, w.times.ms
	for i := range times {
		row := w.close[i*n : (i+1)*n]
		if kept > 0 && times[i] == times[kept-1] {
			if moved > 0 {
				return w.defect(i, 0,
					"time %s is on line %d already, and the file is not in order: sort it, and keep one of the rows",
					stampMillis(times[i]), w.line[kept-1])
			}
			if k := differ(row, w.close[(kept-1)*n:kept*n]); k >= 0 {
				return w.defect(i, w.columns[k]+1,
					"time %s is on line %d already, with another close of %s: keep one of the rows",
					stampMillis(times[i]), w.line[kept-1], w.symbols[k])
			}
			w.cleaning.duplicate(w.file, int(w.line[i]), times[i])
			continue
		}
		w.times.move(kept, i)
		w.line[kept] = w.line[i]
		copy(w.close[kept*n:], row)
		kept++
	}
	w.times.cut(kept)
	w.line, w.close = w.line[:kept], w.close[:kept*n]
	return nil
}

// differ returns the first place in which two rows differ, -1 without one.
// Two absent prices are equal.
func differ(a, b []float64) int {
	for k := range a {
		if a[k] != b[k] && !(math.IsNaN(a[k]) && math.IsNaN(b[k])) {
			return k
		}
	}
	return -1
}

// checkHoles refuses an empty cell between two prices of a symbol.
func (w *wide) checkHoles() error {
	n := len(w.columns)
	last := make([]int, n) // row of the last price so far, -1 before the first
	for k := range last {
		last[k] = -1
	}
	for i := range w.times.ms {
		for k, v := range w.close[i*n : (i+1)*n] {
			if math.IsNaN(v) {
				continue
			}
			if last[k] >= 0 && last[k] < i-1 {
				return w.defect(last[k]+1, w.columns[k]+1,
					"%s is empty, but has prices before and after (lines %d and %d): fill the cell, leave the symbol "+
						"out, or say -fill previous or -fill drop",
					w.symbols[k], w.line[last[k]], w.line[i])
			}
			last[k] = i
		}
	}
	return nil
}

// defect is an error in row i, which the reading has left behind.
func (w *wide) defect(i, column int, format string, args ...any) error {
	w.rows.goTo(int(w.line[i]))
	return w.rows.errorf(column, format, args...)
}
