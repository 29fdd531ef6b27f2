package market

import (
	"io/fs"
	"math"
	"slices"
	"strings"
)

// loadWide reads a wide CSV.
func loadWide(fsys fs.FS, name, shown string, opt *Options) (*table, error) {
	file, err := fsys.Open(name)
	if err != nil {
		return nil, openError(shown, err)
	}
	defer file.Close()
	lines := newScanner(file, shown)
	header, err := lines.header()
	if err != nil {
		return nil, err
	}
	if err := checkWideHeader(lines, header); err != nil {
		return nil, err
	}
	w := &wide{lines: lines, cleaning: &Cleaning{Layout: wideLayout}}
	w.symbols = header[1:]
	if len(opt.Symbols) > 0 {
		w.symbols = slices.Clone(opt.Symbols)
	}
	if w.columns, err = choose(header[1:], w.symbols); err != nil {
		return nil, err
	}
	for k := range w.columns {
		w.columns[k]++ // the time stands before the symbols
	}
	if err := w.read(len(header), opt); err != nil {
		return nil, err
	}
	if err := w.order(); err != nil {
		return nil, err
	}
	if err := w.checkHoles(); err != nil {
		return nil, err
	}
	l := localise(w.times.ms, w.times.offsets)
	w.cleaning.findGaps("", l.times)
	return &table{symbols: w.symbols, labels: l, close: w.close, cleaning: w.cleaning}, nil
}

// checkWideHeader refuses a header that is none of a wide CSV.
func checkWideHeader(lines *scanner, header []string) error {
	if !strings.EqualFold(header[0], "date") && !strings.EqualFold(header[0], "timestamp") {
		return lines.errorf(1, "first column is %s, not date or timestamp", excerpt([]byte(header[0])))
	}
	if len(header) == 1 {
		return lines.errorf(0, "no symbols in the header: add a column for each")
	}
	if column(header, "open") > 0 && column(header, "high") > 0 && column(header, "low") > 0 && column(header, "close") > 0 {
		return lines.errorf(0, "candles of one symbol, not closes of many: give the folder that holds the file")
	}
	seen := make(map[string]int, len(header))
	for i, h := range header {
		if h == "" {
			return lines.errorf(i+1, "symbol is empty: name the column, or delete it")
		}
		if j, ok := seen[h]; ok {
			return lines.errorf(i+1, "symbol %s is in column %d already: keep one of them", h, j+1)
		}
		seen[h] = i
	}
	return nil
}

// wide is a wide CSV in the reading: one time and line number a row, n closes.
type wide struct {
	lines    *scanner
	symbols  []string
	columns  []int // field of each symbol
	times    moments
	line     []int
	close    []float64
	cleaning *Cleaning
}

// read takes the rows in.
func (w *wide) read(fields int, opt *Options) error {
	for w.lines.next() {
		if len(w.lines.fields) != fields {
			return w.lines.ragged(fields)
		}
		at, err := w.lines.time(0)
		if err != nil {
			return err
		}
		w.cleaning.Rows++
		if !opt.holds(at) {
			w.cleaning.Outside++
			continue
		}
		if !slices.ContainsFunc(w.lines.fields[1:], func(field []byte) bool { return len(field) > 0 }) {
			w.cleaning.Empty++ // no hole of a symbol, but a day on which there is nothing
			continue
		}
		if len(w.close)+len(w.columns) > opt.MaxPrices {
			return tooMany(w.lines.file, opt)
		}
		for k, i := range w.columns {
			v := math.NaN()
			if len(w.lines.fields[i]) > 0 {
				read := w.lines.price
				if opt.Turnover {
					read = w.lines.amount
				}
				if v, err = read(i, w.symbols[k]); err != nil {
					return err
				}
			}
			w.close = append(w.close, v)
		}
		w.times.add(at)
		w.line = append(w.line, w.lines.line)
	}
	return w.lines.err
}

// order sorts the rows, and drops those that repeat the row before. A time
// that stands twice in a file that had to be sorted is refused: it may be two
// files joined, and which of the rows is right is not for us to say.
func (w *wide) order() error {
	n := len(w.columns)
	order, moved := w.times.arrange()
	w.cleaning.Sorted = moved
	if order != nil {
		line, closes := make([]int, len(order)), make([]float64, 0, len(w.close))
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
				return w.defect(i, 0, "time %s is on line %d already, and the file is not in order: sort it, and keep one of the rows", stampMillis(times[i]), w.line[kept-1])
			}
			if k := differ(row, w.close[(kept-1)*n:kept*n]); k >= 0 {
				return w.defect(i, w.columns[k]+1, "time %s is on line %d already, with another close of %s: keep one of the rows", stampMillis(times[i]), w.line[kept-1], w.symbols[k])
			}
			w.cleaning.duplicate(w.lines.file, w.line[i], times[i])
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
				return w.defect(last[k]+1, w.columns[k]+1, "%s is empty, but has prices before and after (lines %d and %d): fill the cell, delete the row, or leave the symbol out",
					w.symbols[k], w.line[last[k]], w.line[i])
			}
			last[k] = i
		}
	}
	return nil
}

// defect is an error in row i, which the scanner has left behind.
func (w *wide) defect(i, column int, format string, args ...any) error {
	w.lines.line = w.line[i]
	return w.lines.errorf(column, format, args...)
}
