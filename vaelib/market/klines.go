package market

import (
	"fmt"
	"io/fs"
	"math"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// loadKlines reads a folder of kline CSVs, a file a symbol, on all cores.
func loadKlines(fsys fs.FS, name, shown string, opt *Options) (*table, error) {
	symbols, ignored, err := listKlines(fsys, name, shown)
	if err != nil {
		return nil, err
	}
	if len(opt.Symbols) > 0 {
		if _, err := choose(symbols, opt.Symbols); err != nil {
			return nil, err
		}
		symbols = slices.Clone(opt.Symbols)
	}
	if len(symbols) == 0 {
		return nil, &DataError{File: shown, Msg: "folder has no SYMBOL.csv"}
	}
	files := make([]*klines, len(symbols))
	errs := make([]error, len(symbols))
	var total atomic.Int64 // rows of all files so far
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, symbol := range symbols {
		group.Go(func() error {
			file := symbol + ".csv"
			files[i], errs[i] = readKlines(fsys, path.Join(name, file), filepath.Join(shown, file), symbol, opt, &total)
			return nil
		})
	}
	_ = group.Wait() // no error stops the others: the first file's is the one to report, whoever was faster
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	c := &Cleaning{Layout: klineLayout, IgnoredFiles: ignored}
	for _, f := range files {
		c.add(f.cleaning)
	}
	t := &table{symbols: symbols, cleaning: c}
	zone, daily := files[0].zone, true
	for _, f := range files {
		daily = daily && f.daily
		if f.zone != zone && (f.zone == nil || zone == nil || f.zone.String() != zone.String()) {
			zone = nil
		}
		t.times = union(t.times, f.times)
		if len(t.times)*len(symbols) > opt.MaxPrices {
			return nil, tooMany(shown, opt)
		}
	}
	t.zone, t.daily = zone, daily
	t.close = make([]float64, len(t.times)*len(symbols))
	for j, f := range files {
		next := 0
		for i, ms := range t.times {
			v := math.NaN()
			if next < len(f.times) && f.times[next] == ms {
				v = f.close[next]
				next++
			}
			t.close[i*len(symbols)+j] = v
		}
	}
	return t, nil
}

// listKlines returns the symbols of a folder, sorted, and what else it holds.
func listKlines(fsys fs.FS, name, shown string) (symbols, ignored []string, err error) {
	entries, err := fs.ReadDir(fsys, name)
	if err != nil {
		return nil, nil, openError(shown, err)
	}
	for _, e := range entries {
		file := e.Name()
		symbol, isCSV := strings.CutSuffix(file, ".csv")
		switch {
		case strings.HasPrefix(file, "."):
		case !isCSV || e.IsDir():
			ignored = append(ignored, file)
		default:
			if msg := checkName([]byte(symbol)); msg != "" {
				return nil, nil, &DataError{File: shown, Msg: "file name " + msg}
			}
			symbols = append(symbols, symbol)
		}
	}
	slices.Sort(symbols) // "A.csv" and "AB.csv" are in another order than "A" and "AB"
	return symbols, ignored, nil
}

// klines are the closes of one file, in order.
type klines struct {
	labels
	close    []float64
	cleaning *Cleaning
}

// candle is a row of a kline file.
type candle struct {
	time                           int64 // Unix milliseconds
	line                           int
	open, high, low, close, volume float64
	turnover                       float64 // 0 unless it is asked for
}

// candleColumns are the columns that a kline file must have beside its time.
var candleColumns = [...]string{"open", "high", "low", "close", "volume"}

// mostColumns bounds those of a kline file.
const mostColumns = 100

func readKlines(fsys fs.FS, name, shown, symbol string, opt *Options, total *atomic.Int64) (*klines, error) {
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
	k := &klines{cleaning: &Cleaning{}}
	places, err := k.place(lines, header)
	if err != nil {
		return nil, err
	}
	turnover := -1
	if opt.Turnover {
		if turnover = column(header, "turnover"); turnover < 0 {
			turnover = column(header, "quote_volume")
		}
		if turnover < 0 {
			return nil, lines.errorf(0, "no column turnover or quote_volume: turnover can't be told from this file")
		}
		k.cleaning.IgnoredColumns = slices.DeleteFunc(k.cleaning.IgnoredColumns, func(name string) bool { return name == header[turnover] })
	}
	var candles []candle
	var times moments
	for lines.next() {
		if len(lines.fields) != len(header) {
			return nil, lines.ragged(len(header))
		}
		at, err := lines.time(places[0])
		if err != nil {
			return nil, err
		}
		k.cleaning.Rows++
		if !opt.holds(at) {
			k.cleaning.Outside++
			continue
		}
		if total.Add(1) > int64(opt.MaxPrices) {
			return nil, tooMany(filepath.Dir(shown), opt)
		}
		c := candle{time: at.ms, line: lines.line}
		if c.close, err = lines.price(places[4], "close"); err != nil {
			return nil, err
		}
		if opt.Turnover {
			if c.turnover, err = lines.amount(turnover, "turnover"); err != nil {
				return nil, err
			}
		}
		for i, dst := range [...]*float64{0: &c.open, 1: &c.high, 2: &c.low, 4: &c.volume} {
			if dst == nil {
				continue
			}
			if *dst, err = lines.number(places[1+i], candleColumns[i]); err != nil {
				return nil, err
			}
		}
		candles = append(candles, c)
		times.add(at)
	}
	if lines.err != nil {
		return nil, lines.err
	}
	if k.cleaning.Rows == 0 {
		return nil, &DataError{File: shown, Msg: "no rows below the header"}
	}
	if candles, err = k.order(lines, candles, &times); err != nil {
		return nil, err
	}
	k.labels, k.close = localise(times.ms, times.offsets), make([]float64, len(candles))
	for i, c := range candles {
		k.close[i] = c.close
		if opt.Turnover {
			k.close[i] = c.turnover
		}
		note := c.oddity(i == 0)
		if note == "" {
			continue
		}
		if k.cleaning.Odd++; k.cleaning.Odd <= oddest {
			k.cleaning.Oddities = append(k.cleaning.Oddities, Oddity{File: shown, Line: c.line, Symbol: symbol, Time: millis(k.times[i]), Note: note})
		}
	}
	k.cleaning.findGaps(symbol, k.times)
	return k, nil
}

// place finds the fields of time, open, high, low, close and volume, and
// notes the columns that are none of them.
func (k *klines) place(lines *scanner, header []string) ([6]int, error) {
	var places [6]int
	if len(header) > mostColumns {
		return places, lines.errorf(0, "%d columns: a folder holds kline files, SYMBOL.csv with timestamp,open,high,low,close,volume", len(header))
	}
	places[0] = column(header, "timestamp")
	if places[0] < 0 {
		places[0] = column(header, "date")
	}
	if places[0] < 0 {
		return places, lines.errorf(0, "no column timestamp: a folder holds kline files, SYMBOL.csv with timestamp,open,high,low,close,volume")
	}
	for i, name := range candleColumns {
		if places[1+i] = column(header, name); places[1+i] < 0 {
			return places, lines.errorf(0, "no column %s: a folder holds kline files, SYMBOL.csv with timestamp,open,high,low,close,volume", name)
		}
	}
	for i, h := range header {
		if slices.Contains(places[:], i) {
			continue
		}
		if j := column(header, h); slices.Contains(places[:], j) {
			return places, lines.errorf(i+1, "column %s is there twice: keep one of them", h)
		}
		k.cleaning.IgnoredColumns = append(k.cleaning.IgnoredColumns, h)
	}
	return places, nil
}

// order sorts the candles by time and drops those that repeat another.
func (k *klines) order(lines *scanner, candles []candle, times *moments) ([]candle, error) {
	order, moved := times.arrange()
	k.cleaning.Sorted = moved
	if order != nil {
		sorted := make([]candle, len(candles))
		for i, o := range order {
			sorted[i] = candles[o]
		}
		candles = sorted
	}
	kept := candles[:0]
	for i, c := range candles {
		if len(kept) > 0 && kept[len(kept)-1].time == c.time {
			first := kept[len(kept)-1]
			line := first.line
			if first.line = c.line; first != c {
				lines.line = c.line
				return nil, lines.errorf(0, "time %s is on line %d already, with other numbers: keep one of the rows", stampMillis(c.time), line)
			}
			k.cleaning.duplicate(lines.file, c.line, c.time)
			continue
		}
		times.move(len(kept), i)
		kept = append(kept, c)
	}
	times.cut(len(kept))
	return kept, nil
}

// oddity says what is strange about a candle whose close is sound, "" for
// nothing.
func (c *candle) oddity(first bool) string {
	var note string
	switch {
	case c.open <= 0 || c.low <= 0 || c.high <= 0:
		note = fmt.Sprintf("open %v, high %v, low %v: not above 0", c.open, c.high, c.low)
	case c.high < max(c.open, c.close, c.low):
		note = fmt.Sprintf("high %v is below another price of the candle", c.high)
	case c.low > min(c.open, c.close):
		note = fmt.Sprintf("low %v is above another price of the candle", c.low)
	case c.volume < 0:
		note = fmt.Sprintf("volume %v is below 0", c.volume)
	default:
		return ""
	}
	if first {
		note += ", on the first row"
	}
	return note
}

// union merges two rows of rising times.
func union(a, b []int64) []int64 {
	if slices.Equal(a, b) {
		return a
	}
	out := make([]int64, 0, max(len(a), len(b)))
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			out, a = append(out, a[0]), a[1:]
		case b[0] < a[0]:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}
