package market

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"vaefolio/vaelib/tabular"
)

// errTooMany is replaced by [tooMany], which names the folder.
var errTooMany = errors.New("too many prices")

// endings are those of files that a folder of prices may hold. Those of text
// that isn't always a table are read where a layout recognises it.
var endings = map[string]bool{"csv": true, "tsv": true, "parquet": true, "feather": true, "arrow": true, "ipc": true,
	"txt": false, "json": false, "zip": false}

// loadFile reads a file that lies alone.
func loadFile(fsys fs.FS, name, shown string, opt *Options) (*table, error) {
	var total atomic.Int64
	part, err := readFile(fsys, name, shown, false, opt, &total)
	if err == errTooMany {
		err = tooMany(shown, opt)
	}
	if err != nil {
		return nil, err
	}
	if part.plan.shape == candlesShape {
		part.findGaps(map[*int64][]Gap{})
	}
	t := part.table
	t.cleaning.Layout, t.cleaning.Recognised = part.plan.layout, part.recognised
	t.leaveOut(opt)
	return t, t.choose(opt.Symbols)
}

// choose brings the symbols in the order asked for.
func (t *table) choose(symbols []string) error {
	if len(symbols) == 0 || slices.Equal(symbols, t.symbols) {
		return nil
	}
	columns, err := choose(t.symbols, symbols)
	if err != nil {
		return err
	}
	t.keep(columns, slices.Clone(symbols))
	return nil
}

// keep leaves the columns of the symbols alone.
func (t *table) keep(columns []int, symbols []string) {
	n, closes := len(t.symbols), make([]float64, 0, len(t.times)*len(columns))
	for i := range t.times {
		for _, j := range columns {
			closes = append(closes, t.close[i*n+j])
		}
	}
	t.symbols, t.close = symbols, closes
}

// priceFile is what one file holds.
type priceFile struct {
	shown      string
	plan       *plan
	table      *table
	recognised string
}

// readFile recognises a file and reads it.
func readFile(fsys fs.FS, name, shown string, folder bool, opt *Options, total *atomic.Int64) (*priceFile, error) {
	s, err := tabular.Open(fsys, name, shown)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	h, typed, err := openRows(s, name, folder)
	if err != nil {
		return nil, err
	}
	p, err := recognise(h, opt)
	if err != nil {
		return nil, err
	}
	f := &priceFile{shown: shown, plan: p}
	var r rows
	if typed != nil {
		typed.dates = p.dates
		typed.keep(p)
		r = typed
	} else {
		r = textRows(s, h, p)
	}
	if opt.Unadjusted && p.raw >= 0 {
		p.close, p.raw, p.said = p.raw, -1, []string{"closes as paid, not adjusted"}
	}
	if err = f.read(r, h, opt, total); err != nil {
		return nil, err
	}
	f.table.candles = p.shape == candlesShape
	f.table.cleaning.IgnoredColumns = append(f.table.cleaning.IgnoredColumns, p.ignored...)
	if opt.Traded && p.turnover >= 0 {
		turnover := h.names()[p.turnover]
		f.table.cleaning.IgnoredColumns = slices.DeleteFunc(f.table.cleaning.IgnoredColumns,
			func(name string) bool { return name == turnover })
	}
	zone := ""
	if f.table.zone != nil {
		zone = f.table.zone.String()
	}
	f.recognised = p.recognised(h, zone)
	return f, nil
}

// read reads the rows by the plan into the table.
func (f *priceFile) read(r rows, h *head, opt *Options, total *atomic.Int64) (err error) {
	p, shown := f.plan, f.shown
	if p.shape != wideShape {
		if err = p.takeReturns(h, opt); err != nil {
			return err
		}
	}
	switch p.shape {
	case wideShape:
		if opt.Layout == "" && len(opt.Symbols) == 0 && p.layout == wideLayout {
			for _, i := range noAssets(p.symbols) {
				if opt.excludes(p.symbols[i]) {
					continue
				}
				return h.errorf(h.header, p.columns[i]+1,
					"column %s is no asset by its name: leave it out by -exclude, name all that are by -symbols, or "+
						"say -layout wide", excerpt([]byte(p.symbols[i])))
			}
		}
		f.table, err = readWide(r, p, shown, opt)
	case longShape:
		f.table, err = readLong(r, p, shown, opt)
	default:
		if !h.folder && !opt.Alone && opt.Layout == "" {
			return h.errorf(max(h.header, 0), 0,
				"candles of one symbol, not closes of many: give the folder that holds the file, or say -layout %s",
				p.layout)
		}
		if opt.Traded && p.turnover < 0 {
			return h.errorf(max(h.header, 0), 0,
				"no column turnover or quote_volume: turnover can't be told from this file")
		}
		if p.symbol = cmp.Or(p.symbol, h.stem); opt.Returns == "" {
			f.table, err = readCandles(r, p, shown, p.symbol, opt, total)
			break
		}
		p.symbols, p.columns = []string{p.symbol}, []int{p.close}
		f.table, err = readWide(r, p, shown, &Options{Returns: opt.Returns, Fill: FillDrop, From: opt.From, To: opt.To,
			MaxPrices: opt.MaxPrices, MaxSymbols: opt.MaxSymbols})
	}
	return err
}

// textRows walks the lines of a file by a plan.
func textRows(s *tabular.File, h *head, p *plan) rows {
	if p.layout == (freqtrade{}).name() {
		return newJSONRows(s)
	}
	r := &scanner{Rows: tabular.Rows{File: s.Shown, Lines: s.Lines}, dialect: h.dialect, dates: p.dates,
		planned: true}
	if size, err := s.Size(); err == nil && len(s.Notes) == 0 && h.bytes > 0 {
		r.rows = int(size / int64(h.bytes/len(h.lines))) // by the mean length of the first lines
	}
	for r.Number < p.skip {
		if _, ok := s.Lines.Line(); !ok {
			break
		}
		r.Number++
	}
	return r
}

// loadFolder reads a folder of files, on all cores.
func loadFolder(fsys fs.FS, name, shown string, opt *Options) (*table, error) {
	files, ignored, err := listFiles(fsys, name, shown)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, noFiles(shown, ignored)
	}
	if files, err = wantedFiles(fsys, name, files, opt); err != nil {
		return nil, err
	}
	var excluded []string
	if len(opt.Exclude) > 0 {
		if files, excluded = unexcludedFiles(fsys, name, files, opt); len(files) == 0 {
			return &table{excluded: excluded, cleaning: &Cleaning{}}, nil
		}
	}
	parts := make([]*priceFile, len(files))
	errs := make([]error, len(files))
	var total atomic.Int64 // rows of all files so far
	var seen sharedTimes
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, file := range files {
		group.Go(func() error {
			parts[i], errs[i] = readFile(fsys, path.Join(name, file), filepath.Join(shown, file), true, opt, &total)
			if errs[i] == nil {
				t := parts[i].table
				t.times = seen.share(t.times)
			}
			return nil
		})
	}
	_ = group.Wait() // no error stops the others: the first file's is the one to report, whoever was faster
	var kept []*priceFile
	for i, err := range errs {
		_, ending := stem(files[i])
		switch {
		case err == errTooMany:
			return nil, tooMany(shown, opt)
		case err != nil && !endings[ending] && !errors.Is(err, fs.ErrPermission):
			ignored = append(ignored, files[i])
		case err != nil:
			return nil, err
		default:
			part := parts[i].table
			part.leaveOut(opt)
			if excluded = append(excluded, part.excluded...); len(part.symbols) > 0 {
				kept = append(kept, parts[i])
			}
		}
	}
	switch {
	case len(kept) == 0 && len(excluded) > 0:
		return &table{excluded: excluded, cleaning: &Cleaning{}}, nil
	case len(kept) == 0:
		return nil, errs[0]
	}
	slices.Sort(ignored)
	t, err := joinFiles(kept, ignored, shown, opt)
	if err == nil {
		t.excluded = excluded
	}
	return t, err
}

// noFiles is the refusal of a folder without a file of prices.
func noFiles(shown string, ignored []string) error {
	msg := "folder has no SYMBOL.csv"
	if len(ignored) > 0 {
		msg += ": it has " + enumerate(ignored) + ", and files in folders below it are not read"
	}
	return &DataError{File: shown, Msg: msg}
}

// listFiles returns the files of a folder that may hold prices, sorted by their
// stems, and what else it holds.
func listFiles(fsys fs.FS, name, shown string) (files, ignored []string, err error) {
	entries, err := fs.ReadDir(fsys, name)
	if err != nil {
		return nil, nil, tabular.OpenError(shown, err)
	}
	for _, e := range entries {
		file := e.Name()
		symbol, ending := stem(file)
		_, known := endings[ending]
		switch {
		case strings.HasPrefix(file, "."):
		case !known || e.IsDir():
			ignored = append(ignored, file)
		default:
			if msg := checkName([]byte(symbol)); msg != "" {
				return nil, nil, &DataError{File: shown, Msg: "file name " + msg}
			}
			files = append(files, file)
		}
	}
	slices.SortFunc(files, func(a, b string) int { // "A.csv" and "AB.csv" are in another order than "A" and "AB"
		stemA, _ := stem(a)
		stemB, _ := stem(b)
		return cmp.Or(cmp.Compare(stemA, stemB), cmp.Compare(a, b))
	})
	return files, ignored, nil
}

// wantedFiles keeps the files of the symbols asked for, where their names tell:
// the others aren't looked at.
func wantedFiles(fsys fs.FS, name string, files []string, opt *Options) ([]string, error) {
	if len(opt.Symbols) == 0 {
		return files, nil
	}
	stems := make([]string, len(files))
	for i, file := range files {
		stems[i], _ = stem(file)
	}
	var kept []string
	for i, file := range files {
		if slices.Contains(opt.Symbols, stems[i]) {
			kept = append(kept, file)
		}
	}
	unknown := slices.DeleteFunc(slices.Clone(opt.Symbols), func(s string) bool { return slices.Contains(stems, s) })
	if len(unknown) == 0 {
		return kept, nil
	}
	// The names of the files don't say it all; their layouts may.
	known := slices.Clone(stems)
	for _, file := range files {
		p, named := planOf(fsys, path.Join(name, file))
		if p == nil {
			continue
		}
		if p.shape == longShape || p.shape == wideShape {
			return files, nil
		}
		if known = append(known, p.symbol); slices.Contains(opt.Symbols, p.symbol) && named {
			kept = append(kept, file)
		}
	}
	if _, err := choose(slices.DeleteFunc(known, func(s string) bool { return s == "" }), opt.Symbols); err != nil {
		return nil, err
	}
	slices.Sort(kept)
	return slices.Compact(kept), nil
}

// planOf is how a file would be read; nil where it can't be.
func planOf(fsys fs.FS, name string) (p *plan, named bool) {
	s, err := tabular.Open(fsys, name, name)
	if err != nil {
		return nil, false
	}
	defer s.Close()
	h, _, err := openRows(s, name, true)
	if err != nil {
		return nil, false
	}
	p, err = recognise(h, &Options{})
	return p, err == nil && p.symbol != ""
}

// sharedTimes keeps one copy of times that many files have.
type sharedTimes struct {
	mu   sync.Mutex
	seen [][]int64
}

func (s *sharedTimes) share(times []int64) []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, old := range s.seen {
		if slices.Equal(old, times) {
			return old
		}
	}
	if s.seen = append(s.seen, times); len(s.seen) > 8 {
		s.seen = s.seen[1:]
	}
	return times
}

// joinFiles puts the tables of files beside each other.
func joinFiles(files []*priceFile, ignored []string, shown string, opt *Options) (*table, error) {
	if err := checkIntervals(files); err != nil {
		return nil, err
	}
	c := &Cleaning{Layout: files[0].plan.layout, IgnoredFiles: ignored}
	t := &table{cleaning: c, candles: true}
	t.daily, t.zone = true, files[0].table.zone
	owner := map[string]*priceFile{}
	gaps := map[*int64][]Gap{} // of times that files share
	for _, f := range files {
		f.findGaps(gaps)
		c.add(f.table.cleaning)
		c.recognise(f.recognised)
		t.candles = t.candles && f.table.candles
		t.daily = t.daily && f.table.daily
		if !sameZone(t.zone, f.table.zone) {
			t.zone = nil
		}
		for _, symbol := range f.table.symbols {
			if first := owner[symbol]; first != nil && !(first.plan.part && f.plan.part) {
				return nil, &DataError{File: f.shown, Msg: fmt.Sprintf("symbol %s is in %s too: keep one of the files",
					symbol, first.shown)}
			} else if first == nil {
				owner[symbol] = f
				t.symbols = append(t.symbols, symbol)
			}
		}
		t.times = union(t.times, f.table.times)
	}
	c.noteZones(files)
	slices.Sort(t.symbols)
	if len(opt.Symbols) > 0 {
		if _, err := choose(t.symbols, opt.Symbols); err != nil {
			return nil, err
		}
		t.symbols = slices.Clone(opt.Symbols)
	}
	if len(t.times)*len(t.symbols) > opt.MaxPrices {
		return nil, tooMany(shown, opt)
	}
	place := make(map[string]int, len(t.symbols))
	for j, symbol := range t.symbols {
		place[symbol] = j
	}
	t.close = make([]float64, len(t.times)*len(t.symbols))
	for i := range t.close {
		t.close[i] = math.NaN()
	}
	for _, f := range files {
		if err := t.take(f, place); err != nil {
			return nil, err
		}
		f.table = nil // its memory is free for the next
	}
	return t, nil
}

// findGaps notes the gaps of a file of one asset; those of the same times are
// known already.
func (f *priceFile) findGaps(known map[*int64][]Gap) {
	c, times := f.table.cleaning, f.table.times
	if len(f.table.symbols) != 1 || len(times) == 0 {
		return
	}
	gaps, ok := known[&times[0]]
	if !ok {
		c.Gaps = nil
		c.findGaps("", times)
		gaps = c.Gaps
		known[&times[0]] = gaps
	}
	c.Gaps = slices.Clone(gaps)
	for i := range c.Gaps {
		c.Gaps[i].Symbol = f.table.symbols[0]
	}
}

// take puts the prices of a file in their places.
func (t *table) take(f *priceFile, place map[string]int) error {
	n, k, row := len(t.symbols), len(f.table.symbols), 0
	for i, ms := range f.table.times {
		for t.times[row] < ms {
			row++
		}
		for j, symbol := range f.table.symbols {
			at, wanted := place[symbol]
			v := f.table.close[i*k+j]
			if !wanted || math.IsNaN(v) {
				continue
			}
			to := &t.close[row*n+at]
			if old := *to; old == old && old != v {
				return &DataError{File: f.shown, Msg: fmt.Sprintf(
					"%s has another close at %s in another file: keep one of them", symbol, stampMillis(ms))}
			}
			*to = v
		}
	}
	return nil
}

func sameZone(a, b *time.Location) bool {
	return a == b || a != nil && b != nil && a.String() == b.String()
}

// checkIntervals refuses files of unlike intervals: the label of an hour and of
// a day may be the same, and their closes a day apart.
func checkIntervals(files []*priceFile) error {
	var first *priceFile
	var step time.Duration
	for _, f := range files {
		if len(f.table.times) < 8 {
			continue
		}
		s := stepOf(f.table.times)
		switch {
		case first == nil:
			first, step = f, s
		case s < step && 2*s <= step || s > step && s >= 2*step:
			return &DataError{File: f.shown, Msg: fmt.Sprintf(
				"has a row every %s, and %s every %s: rows of one label close at different times; keep one interval "+
					"a folder, or choose by -symbols or -exclude",
				every(s), first.shown, every(step))}
		}
	}
	return nil
}

// stepOf is the commonest step of the first hundreds of times.
func stepOf(times []int64) time.Duration {
	counts := map[int64]int{}
	var step int64
	for i := 1; i < min(len(times), 300); i++ {
		s := times[i] - times[i-1]
		if counts[s]++; counts[s] > counts[step] {
			step = s
		}
	}
	return time.Duration(step) * time.Millisecond
}

// every spells an interval.
func every(step time.Duration) string {
	switch {
	case step == day:
		return "day"
	case step == time.Hour:
		return "hour"
	case step == time.Minute:
		return "minute"
	case step%day == 0:
		return fmt.Sprintf("%d days", step/day)
	case step%time.Hour == 0:
		return fmt.Sprintf("%d hours", step/time.Hour)
	}
	return step.String()
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
