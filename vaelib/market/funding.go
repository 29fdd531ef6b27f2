package market

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/tabular"
)

// Settlement is one exchange of funding between the holders of a perpetual.
type Settlement struct {
	Time time.Time
	Rate float64 // share of a position's value that longs pay to shorts; negative: shorts pay longs

	line int // of the file; 0: none
}

// Funding are the funding rates of perpetuals: what [Window.WithFunding] takes
// from the returns of those who hold them.
type Funding struct {
	Source      string                  // file or folder
	Settlements map[string][]Settlement // by symbol, rising in time

	Rows       int   // read, of the symbols asked for
	Others     int   // rows of other symbols, passed over
	Duplicates int   // rows that repeated another number for number, dropped
	Sorted     int   // rows that stood behind a later one, put in place
	Gaps       []Gap // steps longer than both their neighbours, though not too long: a settlement may be lacking; kept

	files map[string]string // where the rates of a symbol stand
}

// longestFunding is the longest time from one settlement to the next: exchanges
// settle every 1, 2, 4 or 8 hours, and change that. A longer step lacks rates.
const longestFunding = 8 * time.Hour

// fundingSlack is how much later than due a settlement may be stamped.
const fundingSlack = time.Minute

// mostSettlements bounds the memory of [LoadFunding]: 329 symbols by the hour for 5 years.
const mostSettlements = 16 << 20

// LoadFunding reads the funding rates of the symbols. The path is a folder with
// a file SYMBOL.csv of each, or a folder that has such a folder named funding
// (which is what the fetch verb writes), or one file. A file has the columns
// timestamp (or date), as [ParseTime] reads it, and rate; other columns are
// ignored. With a column symbol one file may hold the rates of many symbols;
// without it, it is of the symbol that its name says.
//
// Rows out of order are sorted and identical ones dropped, and both are
// counted. It returns a [*DataError] for a defect of a file, for a row of
// another symbol in a file of one, and for a symbol without rates: nothing is
// taken for a rate of 0.
func LoadFunding(path string, symbols []string) (*Funding, error) {
	if path == "" {
		return nil, errors.New("path of the funding rates is empty: name a folder or a CSV")
	}
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	if err != nil {
		return nil, tabular.OpenError(path, err)
	}
	if !info.IsDir() {
		return loadFunding(os.DirFS(filepath.Dir(path)), filepath.Base(path), path, symbols)
	}
	return loadFunding(os.DirFS(path), ".", path, symbols)
}

// loadFunding reads name of fsys and calls it shown.
func loadFunding(fsys fs.FS, name, shown string, symbols []string) (*Funding, error) {
	if len(symbols) == 0 {
		return nil, errors.New("no symbol to read funding rates of")
	}
	f := &Funding{Source: shown, Settlements: map[string][]Settlement{}, files: map[string]string{}}
	for _, symbol := range symbols {
		if _, twice := f.Settlements[symbol]; twice {
			return nil, fmt.Errorf("symbol %s is given twice", symbol)
		}
		f.Settlements[symbol] = nil
		f.files[symbol] = shown
	}
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, tabular.OpenError(shown, err)
	}
	if !info.IsDir() {
		if err := f.read(fsys, name, shown, ""); err != nil {
			return nil, err
		}
	} else {
		if inner, err := fs.Stat(fsys, path.Join(name, "funding")); err == nil && inner.IsDir() {
			name, shown = path.Join(name, "funding"), filepath.Join(shown, "funding")
			f.Source = shown
		}
		for _, symbol := range symbols {
			file := symbol + ".csv"
			f.files[symbol] = filepath.Join(shown, file)
			err := f.read(fsys, path.Join(name, file), f.files[symbol], symbol)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, f.lacking(symbol, err)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	for _, symbol := range symbols {
		if err := f.order(symbol); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// lacking is the refusal of a symbol without rates.
func (f *Funding) lacking(symbol string, err error) error {
	return &DataError{File: f.fileOf(symbol), Msg: fmt.Sprintf(
		"no funding rates of %s: fetch them, or leave the symbol out", symbol), Err: err}
}

// fileOf is where the rates of a symbol stand.
func (f *Funding) fileOf(symbol string) string {
	if file := f.files[symbol]; file != "" {
		return file
	}
	return f.Source
}

// read reads one file: of the symbol, or of those that its column symbol names
// where symbol is "".
func (f *Funding) read(fsys fs.FS, name, shown, symbol string) error {
	file, err := tabular.OpenTextFS(fsys, name, shown)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := newScanner(file, shown)
	header, err := lines.header()
	if err != nil {
		return err
	}
	when, rate, whose := column(header, "timestamp"), column(header, "rate"), column(header, "symbol")
	if when < 0 {
		when = column(header, "date")
	}
	if when < 0 || rate < 0 {
		return lines.errorf(
			0, "no column timestamp or no column rate: a file of funding rates has timestamp,rate, and symbol where "+
				"it is of several")
	}
	if symbol == "" && whose < 0 {
		symbol = strings.TrimSuffix(path.Base(name), ".csv")
		if _, asked := f.Settlements[symbol]; !asked {
			return lines.errorf(
				0, "no column symbol, and the file's name says %s, of which no rates are needed: add the column, or "+
					"give a folder with SYMBOL.csv of each", excerpt([]byte(symbol)))
		}
	}
	for lines.next() {
		if len(lines.fields) != len(header) {
			return lines.ragged(len(header))
		}
		of := symbol
		if whose >= 0 {
			of = string(lines.fields[whose])
			switch _, asked := f.Settlements[of]; {
			case symbol != "" && of != symbol:
				return lines.errorf(whose+1, "symbol %s in the file of %s: move the row to a file of its own",
					excerpt(lines.fields[whose]), symbol)
			case of == "":
				return lines.errorf(whose+1, "symbol is empty: put one in, or delete the row")
			case !asked:
				f.Others++
				continue
			}
		}
		at, err := lines.time(when)
		if err != nil {
			return err
		}
		value, err := lines.number(rate, "rate")
		if err != nil {
			return err
		}
		if !(value > -1 && value < 1) {
			return lines.errorf(rate+1,
				"rate %s is no share of a position's value between -1 and 1: correct it, or delete the row",
				excerpt(lines.fields[rate]))
		}
		if f.Rows++; f.Rows > mostSettlements {
			return lines.errorf(0, "more than %s funding rates: choose fewer symbols", count(mostSettlements))
		}
		f.Settlements[of] = append(f.Settlements[of], Settlement{Time: millis(at.ms), Rate: value, line: lines.Number})
	}
	return lines.err
}

// order sorts the settlements of a symbol, drops those that repeat another,
// and notes where one may be lacking.
func (f *Funding) order(symbol string) error {
	all := f.Settlements[symbol]
	if len(all) == 0 {
		return f.lacking(symbol, nil)
	}
	var times moments
	for _, s := range all {
		times.add(moment{ms: s.Time.UnixMilli(), offset: unzoned})
	}
	order, moved := times.arrange()
	f.Sorted += moved
	if order != nil {
		sorted := make([]Settlement, len(all))
		for i, o := range order {
			sorted[i] = all[o]
		}
		all = sorted
	}
	kept := all[:0]
	for _, s := range all {
		if n := len(kept); n > 0 && kept[n-1].Time.Equal(s.Time) {
			if kept[n-1].Rate != s.Rate {
				return &DataError{File: f.fileOf(symbol), Line: max(s.line, kept[n-1].line), Msg: fmt.Sprintf(
					"rate of %s at %s is on line %d already, with another number: keep one of the rows",
					symbol, stamp(s.Time), min(s.line, kept[n-1].line))}
			}
			f.Duplicates++
			continue
		}
		kept = append(kept, s)
	}
	f.Settlements[symbol] = slices.Clip(kept)
	step := func(i int) time.Duration { return kept[i+1].Time.Sub(kept[i].Time) }
	for i := 1; i+2 < len(kept); i++ {
		if around := max(step(i-1), step(i+1)); step(i) > around+fundingSlack &&
			step(i) <= longestFunding+fundingSlack {
			f.Gaps = append(f.Gaps, Gap{Symbol: symbol, After: kept[i].Time, Before: kept[i+1].Time,
				Missing: max(1, int((step(i)+around/2)/around)-1)})
		}
	}
	return nil
}

// String says in a few lines what was read and what was done to it.
func (f *Funding) String() string {
	var b strings.Builder
	settlements := 0
	var first, last time.Time
	for _, all := range f.Settlements {
		if len(all) == 0 {
			continue
		}
		settlements += len(all)
		if first.IsZero() || all[0].Time.Before(first) {
			first = all[0].Time
		}
		if end := all[len(all)-1].Time; end.After(last) {
			last = end
		}
	}
	fmt.Fprintf(&b, "%s: funding of %d symbols, settlements %s, %s to %s\n",
		f.Source, len(f.Settlements), count(settlements), stamp(first), stamp(last))
	for _, line := range []struct {
		n    int
		text string
	}{
		{f.Others, "rows of other symbols, passed over"},
		{f.Duplicates, "rows that repeated another, dropped"},
		{f.Sorted, "rows out of order, sorted"},
	} {
		if line.n > 0 {
			fmt.Fprintf(&b, "  %s: %s\n", line.text, count(line.n))
		}
	}
	const most = 5
	for i, g := range f.Gaps {
		if i == most {
			fmt.Fprintf(&b, "  %s more such places\n", count(len(f.Gaps)-most))
			break
		}
		fmt.Fprintf(
			&b, "  settlements of %s: %s may be missing between %s and %s, by the steps around: kept as it is\n",
			g.Symbol, count(g.Missing), stamp(g.After), stamp(g.Before))
	}
	return b.String()
}

// WithFunding returns the window of what long positions in perpetuals earn: the
// returns of prices, less the funding paid. It says what was paid of each
// symbol too, the mean per period (n); negative where longs were paid.
//
// The exchange's rule (Bybit help centre, "Funding fee calculation"): whoever
// holds a position at the time of a settlement pays its value times the rate
// to the other side, longs to shorts where the rate is above 0; a position
// closed before that pays nothing. The value is quantity times mark price. So a
// position that is worth 1 at the close P of the candle before, has quantity
// 1/P, and pays rate * M/P at mark price M. Its return over the period, with Q
// the close at its end, is
//
//	Q/P - 1 - sum over the settlements of rate * M/P
//
// A period lasts from one candle's close to the next one's. Closing prices are
// the last before that time, so that who buys at a close that coincides with a
// settlement holds it, and pays, and who sells there doesn't: a settlement at
// time s belongs to the period with start <= s < end. With times that label a
// candle by its opening, as exchanges do, those are the settlements within the
// candle (and within the gap before it, if there is one).
//
// The mark price M isn't among the closes. At a settlement that coincides with
// a close, that close stands for it; between two closes the straight line
// between them does, the mean of a random walk that is known at both ends. So
// what is missed is the rate times a part of the return within one period.
// Short positions are paid what longs pay, as a negative weight has it. For
// contracts that are settled in the coin itself (inverse ones) M/P is 1, and
// what is deducted here is off by the rate times the return.
//
// It returns a [*DataError] where rates are lacking in the window: at its
// start or end by the rhythm of those that are there, and within it where two
// settlements are more than 8 hours apart; and an error for a symbol
// without rates, for a loss of all that a position was worth, and for a window
// that has funding in its returns already or doesn't know its start.
func (w *Window) WithFunding(f *Funding) (net *Window, paid []float64, err error) {
	switch {
	case w.Funded:
		return nil, nil, errors.New("funding is in the returns already")
	case w.Start.IsZero():
		return nil, nil, errors.New(
			"the window doesn't know when its first period starts, so that no funding can be assigned")
	}
	periods, n := w.Returns.Dims()
	labels := append([]time.Time{w.Start}, w.Times...)
	rhythm := calendarOf(labels)
	ends := make([]time.Time, len(labels)) // when the candles of the labels close
	for i, label := range labels {
		ends[i] = rhythm.end(label)
	}
	copied := *w
	net = &copied
	net.Funded, net.rhythm = true, w.calendar()
	net.Returns = mat.NewDense(periods, n, nil)
	paid = make([]float64, n)
	for j, symbol := range w.Symbols {
		settlements := f.Settlements[symbol]
		if len(settlements) == 0 {
			return nil, nil, f.lacking(symbol, nil)
		}
		if err := f.covers(symbol, ends[0], ends[periods]); err != nil {
			return nil, nil, err
		}
		next, _ := slices.BinarySearchFunc(settlements, ends[0],
			func(s Settlement, t time.Time) int { return s.Time.Compare(t) })
		for t := range periods {
			start, length := ends[t], ends[t+1].Sub(ends[t])
			r := w.Returns.At(t, j)
			cost := 0.0
			for ; next < len(settlements) && settlements[next].Time.Before(ends[t+1]); next++ {
				s := settlements[next]
				cost += s.Rate * (1 + r*(float64(s.Time.Sub(start))/float64(length)))
			}
			if !(r-cost > -1) {
				return nil, nil, fmt.Errorf(
					"funding of %s in the period of %s takes %.3g of a position that returned %.3g: all that "+
						"it was worth", symbol, stamp(w.Times[t]), cost, r)
			}
			net.Returns.Set(t, j, r-cost)
			paid[j] += cost / float64(periods)
		}
	}
	return net, paid, nil
}

// covers returns an error where a settlement of the symbol is lacking in
// [from, to).
func (f *Funding) covers(symbol string, from, to time.Time) error {
	all := f.Settlements[symbol]
	last := len(all) - 1
	before, after := longestFunding, longestFunding // the steps at both ends
	if last > 0 {
		before = min(before, all[1].Time.Sub(all[0].Time))
		after = min(after, all[last].Time.Sub(all[last-1].Time))
	}
	defect := func(s Settlement, format string, args ...any) error {
		return &DataError{File: f.fileOf(symbol), Line: s.line, Msg: fmt.Sprintf(format, args...) +
			": fetch what is missing, choose a range without it, or leave the symbol out"}
	}
	if !all[0].Time.Before(from.Add(before)) {
		return defect(all[0], "funding of %s starts %s, and is needed from %s on",
			symbol, stamp(all[0].Time), stamp(from))
	}
	if all[last].Time.Add(after + fundingSlack).Before(to) {
		return defect(all[last], "funding of %s ends %s, and is needed until %s",
			symbol, stamp(all[last].Time), stamp(to))
	}
	for i := 1; i <= last; i++ {
		a, b := all[i-1].Time, all[i].Time
		switch most := longestFunding + fundingSlack; {
		case b.Sub(a) <= most, !b.After(from), !a.Before(to):
		case a.Before(from) && b.Before(from.Add(longestFunding)): // those lacking may all have been before
		case !b.Before(to) && !a.Add(most).Before(to): // or after
		default:
			return defect(all[i], "no funding of %s between %s and %s, where settlements are 8 hours apart at most",
				symbol, stamp(a), stamp(b))
		}
	}
	return nil
}
