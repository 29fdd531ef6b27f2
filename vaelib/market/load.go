package market

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/tabular"
)

// Options choose what [Load] keeps. The zero value keeps everything. What
// isn't chosen isn't checked either: a bad price outside the range, or in a
// column that was not asked for, does no harm.
type Options struct {
	Symbols  []string  // in this order; none: all
	Exclude  []string  // left out, where Symbols is empty
	From, To time.Time // inclusive; zero: open. See [ParseSpan]. Of rows that state a zone, by their clock
	// AsOf is when the data were taken: a last row whose interval had not
	// ended by then is dropped as unfinished. Zero: the clock.
	AsOf time.Time
	// Traded reads the value traded in each candle of kline files instead of its
	// close, from the column that exchanges call turnover or quote_volume: a panel
	// for [NewUniverse], with 0 where nothing was traded. Of a wide CSV, which may be
	// one of values traded, it lets zeros pass.
	Traded bool
	// Layout overrules which layout the files have: one of [Layouts]. A file of
	// one asset is then read alone, and every column of a wide file is an asset.
	Layout string
	// Alone reads a file of candles that lies alone, as an index does.
	Alone bool
	// Dates says whether dates such as 01/02/2024 have the day or the month
	// first, where a file doesn't tell.
	Dates DateOrder
	// Returns says that the files hold returns; the panel is then of prices that
	// begin at 1 and grow by them.
	Returns Returns
	// Fill says what happens where an asset has no price between two others.
	Fill Fill
	// Unadjusted takes closes as they were paid, where a file has those adjusted
	// for splits and dividends beside them.
	Unadjusted bool
	// MaxPrices bounds the panel, T times n, and with it memory: about 30 bytes
	// each. 0: 32 Mi, which are 329 symbols by the hour for 11 years, or 63 by
	// the minute for a year.
	MaxPrices int
	// MaxSymbols bounds the symbols that are kept: of n there are n squared
	// covariances. 0: 10,000, which take 763 MiB.
	MaxSymbols int
	// MaxJump refuses a close that is more than so many times the one before,
	// or less than its so many'th part. 0: any is kept, and unlikely ones are
	// doubted.
	MaxJump float64
	// MaxStale refuses a symbol whose close doesn't change on more than so many
	// rows on end. 0: it is kept, and doubted.
	MaxStale int
}

// EnsureDefaults gives the fields their defaults whose zero isn't one.
func (o *Options) EnsureDefaults() {
	if o.AsOf.IsZero() {
		o.AsOf = time.Now()
	}
	if o.MaxPrices == 0 {
		o.MaxPrices = 32 << 20
	}
	if o.MaxSymbols == 0 {
		o.MaxSymbols = 10_000
	}
}

// Validate says what makes no sense.
func (o *Options) Validate() error {
	if o.Layout != "" && !slices.Contains(Layouts(), o.Layout) {
		return fmt.Errorf("unknown layout %s: one of %s", o.Layout, strings.Join(Layouts(), ", "))
	}
	return errors.Join(o.Returns.Check(), o.Fill.Check(), o.checkExclude())
}

// holds says whether a time lies in the range, by the clock of the file.
func (o *Options) holds(at moment) bool {
	ms := at.local()
	return (o.From.IsZero() || ms >= o.From.UnixMilli()) && (o.To.IsZero() || ms <= o.To.UnixMilli())
}

// Load reads a file of prices, or a folder of files of one asset each, in any
// of the [Layouts]: docs/files.md shows them. Text may be packed by gzip, be in
// UTF-16 or Latin-1, and have commas, semicolons or tabs; Parquet and Arrow are
// read as the tables that they are. Files whose names don't end in csv, tsv,
// txt, json, parquet, feather, arrow or ipc are ignored in a folder.
//
// Load returns a [*DataError] for a defect of a file, a [*SymbolError] for a
// symbol that was asked for, or excluded, and is not there.
func Load(path string, opt Options) (*Panel, *Cleaning, error) {
	if path == "" {
		return nil, nil, errors.New("path of the prices is empty: name a CSV or a folder")
	}
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, tabular.OpenError(path, err)
	}
	if info.IsDir() {
		return load(os.DirFS(path), ".", path, opt)
	}
	return load(os.DirFS(filepath.Dir(path)), filepath.Base(path), path, opt)
}

// LoadFS is [Load] for a file or folder of fsys, such as an embedded sample.
func LoadFS(fsys fs.FS, name string, opt Options) (*Panel, *Cleaning, error) {
	return load(fsys, name, name, opt)
}

// load reads name of fsys and calls it shown.
func load(fsys fs.FS, name, shown string, opt Options) (*Panel, *Cleaning, error) {
	opt.EnsureDefaults()
	if err := opt.Validate(); err != nil {
		return nil, nil, err
	}
	if !opt.From.IsZero() && !opt.To.IsZero() && opt.To.Before(opt.From) {
		return nil, nil, fmt.Errorf("range from %s to %s is empty: swap its ends", stamp(opt.From), stamp(opt.To))
	}
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, nil, tabular.OpenError(shown, err)
	}
	var t *table
	if info.IsDir() {
		t, err = loadFolder(fsys, name, shown, &opt)
	} else {
		t, err = loadFile(fsys, name, shown, &opt)
	}
	if err != nil {
		return nil, nil, err
	}
	if err := t.checkExcluded(&opt); err != nil {
		return nil, nil, err
	}
	p, c, err := t.finish(shown, &opt)
	if err == nil && len(t.close) >= manyPrices {
		debug.FreeOSMemory() // reading leaves as much behind as the panel has, and its window needs room
	}
	return p, c, err
}

// manyPrices are so many that memory is worth a garbage collection.
const manyPrices = 4 << 20

// table is a panel in the making.
type table struct {
	symbols  []string
	excluded []string // symbols that were there and are left out
	labels
	close    []float64 // T x n, NaN where unlisted
	candles  bool      // a time is the start of its interval
	cleaning *Cleaning
}

// tooMany is the refusal of a panel above [Options.MaxPrices].
func tooMany(file string, opt *Options) error {
	return &DataError{File: file, Msg: fmt.Sprintf("more than %s prices: choose fewer symbols or a shorter range",
		count(opt.MaxPrices))}
}

// checkSymbols refuses more symbols than [Options.MaxSymbols].
func (o *Options) checkSymbols(n int, file string) error {
	if n <= o.MaxSymbols {
		return nil
	}
	return &DataError{File: file, Msg: fmt.Sprintf("%s symbols, more than the %s that are read: choose fewer",
		count(n), count(o.MaxSymbols))}
}

// finish drops what holds no price or is unfinished, and writes the spans.
func (t *table) finish(shown string, opt *Options) (*Panel, *Cleaning, error) {
	c := t.cleaning
	c.Source = shown
	if err := opt.checkSymbols(len(t.symbols), shown); err != nil {
		return nil, nil, err
	}
	if err := t.checkFuture(shown, opt.AsOf); err != nil {
		return nil, nil, err
	}
	t.dropUnfinished(opt.AsOf)
	if err := t.dropEmpty(opt); err != nil {
		return nil, nil, err
	}
	t.fill(opt.Fill)
	if len(t.times) == 0 || len(t.symbols) == 0 {
		msg := "no prices below the header"
		if c.Outside > 0 {
			msg = fmt.Sprintf("no prices in the range: all %s rows lie outside it", count(c.Outside))
		}
		return nil, nil, &DataError{File: shown, Msg: msg}
	}
	for _, symbol := range t.symbols {
		if strings.Contains(symbol, `"`) ||
			strings.ContainsFunc(symbol, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return nil, nil, &DataError{File: shown, Msg: fmt.Sprintf(
				"symbol %s holds a quote or a character that does not print, which no file of weights can "+
					"name: rename it", excerpt([]byte(symbol)))}
		}
	}
	p := &Panel{Symbols: t.symbols, Times: allMillis(t.times),
		Close: mat.NewDense(len(t.times), len(t.symbols), t.close)}
	if !t.daily {
		p.Zone = t.zone
	}
	c.Times = len(p.Times)
	for j, symbol := range p.Symbols {
		first, last := p.span(j)
		s := Span{Symbol: symbol, First: p.Times[first], Last: p.Times[last]}
		for i := first; i <= last; i++ {
			if !math.IsNaN(p.Close.At(i, j)) {
				s.Prices++
			} else {
				s.Holes++
			}
		}
		c.Spans = append(c.Spans, s)
	}
	if !opt.Traded {
		if err := opt.refuse(p, shown); err != nil {
			return nil, nil, err
		}
		rhythm := calendarOf(p.Times)
		c.Doubts = append(c.Doubts, doubts(p, &rhythm)...)
	}
	c.complete()
	return p, c, nil
}

// checkFuture refuses times after the clock and after asOf, by more than an
// interval may reach ahead: they come of a misread format.
func (t *table) checkFuture(shown string, asOf time.Time) error {
	if len(t.times) == 0 {
		return nil
	}
	limit := time.Now()
	if asOf.After(limit) {
		limit = asOf
	}
	last := millis(t.times[len(t.times)-1])
	if ahead := max(2*day, min(calendarOf(allMillis(t.times)).step, 366*day)); last.After(limit.Add(ahead)) {
		return &DataError{File: shown, Msg: fmt.Sprintf(
			"its last time %s lies in the future: correct the times, or say by -as-of when the prices are of",
			stamp(last))}
	}
	return nil
}

// dropUnfinished drops the last row when asOf lies inside the interval that
// starts with its time. A candle's time is its start; so is the date of a wide
// daily file, while a wide file of weeks or months may name their ends.
func (t *table) dropUnfinished(asOf time.Time) {
	if len(t.times) < 2 {
		return
	}
	last := len(t.times) - 1
	start, rhythm := millis(t.times[last]), calendarOf(allMillis(t.times))
	if !t.candles && rhythm.step != day || asOf.Before(start) || !asOf.Before(rhythm.end(start)) {
		return
	}
	n := len(t.symbols)
	for _, v := range t.close[last*n:] {
		if !math.IsNaN(v) {
			t.cleaning.Unfinished++
		}
	}
	t.cleaning.UnfinishedAt = start
	t.times, t.close = t.times[:last], t.close[:last*n]
}

// dropEmpty drops symbols without a price, which is an error where they were
// asked for, and then rows without one.
func (t *table) dropEmpty(opt *Options) error {
	n := len(t.symbols)
	listed := make([]bool, n)
	for i, v := range t.close {
		if !math.IsNaN(v) {
			listed[i%n] = true
		}
	}
	var kept []int
	for j, ok := range listed {
		switch {
		case ok:
			kept = append(kept, j)
		case len(opt.Symbols) > 0:
			return fmt.Errorf("symbol %s has no price in this range: leave it out or choose another range",
				t.symbols[j])
		default:
			t.cleaning.Unpriced = append(t.cleaning.Unpriced, t.symbols[j])
		}
	}
	symbols := make([]string, len(kept))
	for k, j := range kept {
		symbols[k] = t.symbols[j]
	}
	times, closes := t.times[:0], t.close[:0] // a row moves to the front only
	for i, ms := range t.times {
		row := t.close[i*n : (i+1)*n]
		if !slices.ContainsFunc(row, func(v float64) bool { return !math.IsNaN(v) }) {
			continue
		}
		times = append(times, ms)
		for _, j := range kept {
			closes = append(closes, row[j])
		}
	}
	t.symbols, t.times, t.close = symbols, times, closes
	return nil
}

// column finds a name in any case, -1 without it.
func column(header []string, name string) int {
	return slices.IndexFunc(header, func(h string) bool { return strings.EqualFold(h, name) })
}
