package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/relative"
	"vaefolio/vaelib/tabular"
)

// Benchmark are the flags of a verb that sets portfolios beside a benchmark.
type Benchmark struct {
	Beside        string `flag:"benchmark" unit:"SYMBOL|FILE" help:"what the portfolios are set beside: a symbol of the prices, which -symbols or -exclude may leave out, a CSV with one row of weights, or a file of the closes of one asset, such as an index; the times that it lacks are left out"`
	BesideReturns string `flag:"benchmark-returns" choice:"closes|simple|log|simple-percent|log-percent" only:"benchmark" help:"what a file of one asset holds: closes, or returns of a kind; without it as -returns says of the prices"`
}

// Load is [Prices.Load], cut to the times of the benchmark, which it reads too; nil for
// none. Symbols are those of the portfolios, where they are known: a benchmark that is
// none of them is then none of the window's either. Of a benchmark of weights the returns
// are nil.
func (b *Benchmark) Load(io *IO, p *Prices, symbols []string) (*Data, *relative.Benchmark, error) {
	if b.Beside == "" {
		d, err := p.Load(io)
		return d, nil, err
	}
	return b.load(io, p, symbols, p.cut)
}

// LoadListed is [Prices.LoadListed] likewise, where a window as it was takes no benchmark
// of weights.
func (b *Benchmark) LoadListed(io *IO, p *Prices) (*Data, *relative.Benchmark, error) {
	switch {
	case b.Beside == "":
		d, err := p.LoadListed(io)
		return d, nil, err
	case p.Listings != asItWas:
		return b.load(io, p, nil, p.cut)
	}
	if err := p.checkListed(); err != nil {
		return nil, nil, err
	}
	d, benchmark, err := b.load(io, p, nil, p.cutListed)
	if err == nil && benchmark.Returns == nil {
		return nil, nil, fmt.Errorf("-benchmark %s: weights are held over all of the time, and with -listings %s "+
			"symbols come and go: give a symbol or an index, or leave out -listings", b.Beside, asItWas)
	}
	return d, benchmark, err
}

// beside is a benchmark being read.
type beside struct {
	*Benchmark
	panel  *market.Panel // of its closes alone; nil for weights
	what   string        // it is, in a line
	path   string        // "": a symbol of the prices
	asset  string        // the symbol
	chosen bool          // it is one of the window's symbols too
}

func (b *Benchmark) load(io *IO, p *Prices, symbols []string, cut func(*Data, *IO) error) (*Data,
	*relative.Benchmark, error) {
	s := &beside{Benchmark: b}
	if info, err := os.Stat(b.Beside); err == nil && !info.IsDir() {
		if !info.Mode().IsRegular() { // what it holds is found by reading it twice
			return nil, nil, fmt.Errorf("-benchmark %s is a pipe: give a file", b.Beside)
		}
		s.path = b.Beside
	}
	d, err := s.read(io, p, symbols)
	if err != nil {
		return nil, nil, err
	}
	if s.panel != nil {
		if err := s.restrict(d); err != nil {
			return nil, nil, err
		}
	}
	io.Note("benchmark: %s", s.what)
	if err := cut(d, io); err != nil {
		return nil, nil, err
	}
	out := &relative.Benchmark{Name: s.name()}
	if s.panel == nil {
		out.Weights, err = ReadWeights(io, s.path, d.Window.Symbols)
		return d, out, err
	}
	if s.path == "" {
		out.Weights = make([]float64, len(d.Window.Symbols))
		if s.chosen {
			out.Weights[slices.Index(d.Window.Symbols, s.asset)] = 1
		}
	}
	out.Returns, err = s.returns(p, d.Window)
	return d, out, err
}

// name is short: the symbol, or the file's where it holds weights or says no symbol.
func (s *beside) name() string {
	if s.panel != nil && !isLevel(s.asset) {
		return s.asset
	}
	base := filepath.Base(s.path)
	short, _, _ := strings.Cut(base, ".")
	return cmp.Or(short, base)
}

// read reads the prices, and the benchmark out of them or out of its file.
func (s *beside) read(io *IO, p *Prices, symbols []string) (*Data, error) {
	if s.path != "" {
		d, err := p.read(io)
		if err != nil {
			return nil, err
		}
		return d, s.readFile(io, p, d.Panel.Symbols)
	}
	if s.BesideReturns != "" {
		return nil, Usagef("-benchmark-returns is for a file of one asset, and %s is none: leave it out", s.Beside)
	}
	s.asset, s.chosen = s.Beside, symbols == nil || slices.Contains(symbols, s.Beside)
	more := *p
	switch {
	case len(p.Symbols) > 0:
		if s.chosen = slices.Contains(p.Symbols, s.asset); !s.chosen {
			more.Symbols = append(slices.Clip(p.Symbols), s.asset)
		}
	case slices.Contains(p.Exclude, s.asset):
		s.chosen = false
		more.Exclude = slices.DeleteFunc(slices.Clone(p.Exclude), func(e string) bool { return e == s.asset })
	}
	d, err := more.read(io)
	var unknown *market.SymbolError
	if err == nil {
		if at := slices.Index(d.Panel.Symbols, s.asset); at >= 0 {
			s.panel = columns(d.Panel, at)
			if !s.chosen && len(d.Panel.Symbols) > 1 {
				d.Panel = columns(d.Panel, slices.DeleteFunc(upTo(len(d.Panel.Symbols)),
					func(j int) bool { return j == at })...)
			}
			s.what = s.asset + ", a symbol of the prices"
			return d, nil
		}
		_, _, err = d.Panel.Window(s.asset)
	}
	if errors.As(err, &unknown) && unknown.Symbol == s.asset {
		if no := noBenchmark(s.asset); no != nil {
			return nil, no
		}
		return nil, fmt.Errorf("-benchmark %s is no file, and as a symbol of the prices: %w", s.asset, err)
	}
	return nil, err
}

// readFile reads the file of weights over symbols, or of the closes of one asset.
func (s *beside) readFile(io *IO, p *Prices, symbols []string) error {
	weights, noWeights := portfolio.ReadCSV(s.path, portfolio.ReadOptions{})
	shares := noWeights == nil && slices.ContainsFunc(weights.Symbols,
		func(symbol string) bool { return slices.Contains(symbols, symbol) })
	if shares {
		if s.BesideReturns != "" {
			return Usagef("-benchmark-returns is for a file of one asset, and %s has weights: leave it out", s.path)
		}
		s.what = "the weights of " + s.path
		return nil
	}
	options, err := p.options()
	if err != nil {
		return err
	}
	options.Symbols, options.Exclude, options.Layout, options.Alone = nil, nil, "", true
	if s.BesideReturns != "" {
		options.Returns = market.Returns(s.BesideReturns)
	}
	if s.BesideReturns == "closes" {
		options.Returns = ""
	}
	panel, cleaning, noCloses := market.Load(s.path, options)
	if noCloses != nil {
		options.Layout = "wide" // which takes a column for an asset whatever its name is
		p, c, err := market.Load(s.path, options)
		switch {
		case err == nil && len(p.Symbols) == 1 && isLevel(p.Symbols[0]):
			panel, cleaning, noCloses = p, c, nil
		case lineOf(err) > lineOf(noCloses), lineOf(err) == 0 && err != nil && lineOf(noCloses) == 1:
			noCloses = err
		}
	}
	switch {
	case noCloses != nil && noWeights == nil:
		return fmt.Errorf("-benchmark %s: weights of other symbols, such as %s, than the prices have, such as %s",
			s.path, weights.Symbols[0], symbols[0])
	case lineOf(noCloses) > 1 && lineOf(noCloses) >= lineOf(noWeights): // its header is one of closes
		return fmt.Errorf("-benchmark: %w", ofBenchmark(noCloses))
	case noCloses != nil:
		return neither(noWeights, noCloses)
	case len(panel.Symbols) != 1:
		return fmt.Errorf("-benchmark %s has %d assets, such as %s, and one is wanted: keep one column of closes",
			s.path, len(panel.Symbols), panel.Symbols[0])
	}
	io.Note("%s", strings.TrimSpace(cleaning.String()))
	s.panel, s.asset = panel, panel.Symbols[0]
	s.what = fmt.Sprintf("the closes of %s in %s", s.asset, s.path)
	if options.Returns != "" {
		s.what = fmt.Sprintf("the %s returns of %s in %s", options.Returns, s.asset, s.path)
	}
	return nil
}

// neither is the defect of a file that is read neither as weights nor as closes: of both
// ways, where they don't say the same, or one of them what the file is.
func neither(noWeights, noCloses error) error {
	whole, defect := errors.Unwrap(noWeights), new(market.DataError)
	switch {
	case errors.As(noCloses, &defect) && whole != nil && whole.Error() == defect.Msg,
		errors.Is(noCloses, tabular.ErrNoTable):
		return fmt.Errorf("-benchmark: %w", noCloses)
	case errors.Is(noWeights, portfolio.ErrPercent):
		return fmt.Errorf("-benchmark: %w", noWeights)
	}
	return fmt.Errorf("-benchmark: neither weights (%w) nor closes of one asset (%w)", noWeights, noCloses)
}

// noBenchmark says why a name is none of a file, where it looks like one or lies there.
func noBenchmark(name string) error {
	_, err := os.Stat(name)
	files := []string{".csv", ".gz", ".parquet", ".txt", ".zip", ".tsv"}
	isPath := tabular.NoPath(name) != "" || slices.Contains(files, strings.ToLower(filepath.Ext(name))) ||
		strings.HasPrefix(name, "/") || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../")
	switch {
	case err == nil:
		return fmt.Errorf("-benchmark %s is no file but a folder: give a file, or a symbol of the prices", name)
	case name == "-":
		return errors.New("-benchmark -: standard input is not read: give a file, or a symbol of the prices")
	case isPath, !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("-benchmark %s is no file: %s", name, cmp.Or(reasonOf(err, name, false), err.Error()))
	}
	return nil
}

// ofBenchmark names the flag by which a benchmark's file is said to hold returns.
func ofBenchmark(err error) error {
	defect := new(market.DataError)
	if !errors.As(err, &defect) {
		return err
	}
	own := *defect
	own.Msg, _, _ = strings.Cut(strings.ReplaceAll(own.Msg, "by -returns", "by -benchmark-returns"), "; over a price")
	return &own
}

// lineOf is the line of a file that an error is about; 0 for none.
func lineOf(err error) int {
	if defect := new(market.DataError); errors.As(err, &defect) {
		return defect.Line
	}
	if defect := new(portfolio.FileError); errors.As(err, &defect) {
		return defect.Line
	}
	return 0
}

// isLevel says whether a column's name is that of an index or fund alone in its file.
func isLevel(name string) bool {
	return slices.Contains([]string{"close", "adjclose", "adjustedclose", "closingprice", "price", "pxlast", "last",
		"settle", "value", "level", "index", "benchmark", "nav", "totalreturn", "return", "returns", "ret"},
		strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) {
				return unicode.ToLower(r)
			}
			return -1
		}, name))
}

// restrict leaves the times to the prices at which the benchmark has a close too, and
// says which.
func (s *beside) restrict(d *Data) error {
	if err := s.byMonth(d.Panel.Times); err != nil {
		return err
	}
	has := map[int64]bool{}
	for i, at := range s.panel.Times {
		if !math.IsNaN(s.panel.Close.At(i, 0)) {
			has[at.UnixMilli()] = true
		}
	}
	var kept []int
	for i, at := range d.Panel.Times {
		if has[at.UnixMilli()] {
			kept = append(kept, i)
		}
	}
	all := len(d.Panel.Times)
	if len(kept) < fewestShared {
		return fmt.Errorf("-benchmark %s: %s shares %d of the %d times of the prices (%s), and is itself of %s: at "+
			"least %d are wanted: give it at the times of the prices", s.Beside, s.what, len(kept), all,
			stretch(d.Panel.Times), stretch(s.panel.Times), fewestShared)
	}
	if len(kept) == all {
		return nil
	}
	part := &market.Panel{Symbols: d.Panel.Symbols, Zone: d.Panel.Zone,
		Close: mat.NewDense(len(kept), len(d.Panel.Symbols), nil)}
	for k, i := range kept {
		part.Times = append(part.Times, d.Panel.Times[i])
		part.Close.SetRow(k, d.Panel.Close.RawRowView(i))
	}
	d.Panel = part
	s.what += fmt.Sprintf("; %d of the %d times of the prices are its too, %s, and the others are left out",
		len(kept), all, stretch(part.Times))
	return nil
}

// byMonth lets a monthly benchmark meet prices by month, where labels of the same month are
// of other days: those of monthly prices, or the last days of daily ones, which weekends and
// holidays move.
func (s *beside) byMonth(times []time.Time) error {
	own, monthly := s.panel.Times, isMonthly(times)
	switch {
	case ofMonths(own) && !ofMonths(times) && !(monthly && isMonthly(own)):
		return fmt.Errorf("-benchmark %s: %s are dated by the first days of months, which doesn't tell the days that "+
			"they are of, as the dates of the prices do: date them by the last days", s.Beside, s.what)
	case !isMonthly(own), !monthly && !endsMonths(own):
		return nil
	}
	last := map[time.Month]time.Time{} // of the prices in each month
	for _, t := range times {
		last[monthOf(t)] = t
	}
	moved, part := 0, *s.panel
	part.Times = slices.Clone(own)
	for i, t := range own {
		at, ok := last[monthOf(t)]
		if !ok || at.Equal(t) || !monthly && !isEnd(at, t, at.Equal(times[len(times)-1])) {
			continue
		}
		part.Times[i] = at
		moved++
	}
	if moved > 0 {
		s.panel = &part
		s.what += fmt.Sprintf(", by month: %d of its %d dates are of another day than those of the prices", moved,
			len(own))
	}
	return nil
}

// isEnd says whether a day of prices ends the month that another day ends: up to five days
// of weekends and holidays lie between, of which the days behind the last prices are
// weekends alone.
func isEnd(at, end time.Time, isLast bool) bool {
	if at.After(end) || end.Sub(at) > 5*24*time.Hour {
		return false
	}
	for day := at.AddDate(0, 0, 1); isLast && !day.After(end); day = day.AddDate(0, 0, 1) {
		if w := day.Weekday(); w != time.Saturday && w != time.Sunday {
			return false
		}
	}
	return true
}

// monthOf counts months.
func monthOf(t time.Time) time.Month { return time.Month(12*t.Year()) + t.Month() }

// isMonthly says whether times are one a month.
func isMonthly(times []time.Time) bool {
	if len(times) < fewestShared {
		return false
	}
	steps := 0
	for i, t := range times[1:] {
		step := monthOf(t) - monthOf(times[i])
		if step < 1 {
			return false
		}
		if step == 1 {
			steps++
		}
	}
	return 2*steps > len(times)-1
}

// endsMonths says whether times are of the last days of months.
func endsMonths(times []time.Time) bool {
	return !slices.ContainsFunc(times, func(t time.Time) bool { return t.AddDate(0, 0, 5).Month() == t.Month() })
}

// ofMonths says whether times are the first days of months, and so stand for these.
func ofMonths(times []time.Time) bool {
	return times[len(times)-1].Sub(times[0]) > 24*time.Hour &&
		!slices.ContainsFunc(times, func(t time.Time) bool { return t.Day() != 1 })
}

// fewestShared are the closes that prices and benchmark share at least: two returns.
const fewestShared = 3

// stretch is the first and the last of times, as dates.
func stretch(times []time.Time) string {
	return times[0].Format(time.DateOnly) + " to " + times[len(times)-1].Format(time.DateOnly)
}

// returns are the benchmark's over the periods of the window. Those of a symbol have the
// funding taken off, as the window's have.
func (s *beside) returns(p *Prices, w *market.Window) ([]float64, error) {
	times := append([]time.Time{w.Start}, w.Times...)
	at := map[int64]float64{}
	for i, t := range s.panel.Times {
		at[t.UnixMilli()] = s.panel.Close.At(i, 0)
	}
	closes := make([]float64, len(times))
	for i, t := range times {
		closes[i] = at[t.UnixMilli()]
	}
	over := &market.Panel{Symbols: []string{s.asset}, Times: times, Zone: s.panel.Zone,
		Close: mat.NewDense(len(times), 1, closes)}
	own, _, err := over.Window()
	if err != nil {
		return nil, fmt.Errorf("-benchmark %s: %w", s.Beside, err)
	}
	if p.Funding != "" && s.path == "" {
		funding, err := market.LoadFunding(p.Funding, own.Symbols)
		if err != nil {
			return nil, err
		}
		if own, _, err = own.WithFunding(funding); err != nil {
			return nil, err
		}
	}
	return mat.Col(nil, 0, own.Returns), nil
}

// columns is the panel of some columns of p, which shares its times.
func columns(p *market.Panel, chosen ...int) *market.Panel {
	part := &market.Panel{Times: p.Times, Zone: p.Zone, Close: mat.NewDense(len(p.Times), len(chosen), nil)}
	for k, j := range chosen {
		part.Symbols = append(part.Symbols, p.Symbols[j])
		part.Close.SetCol(k, mat.Col(nil, j, p.Close))
	}
	return part
}

// upTo are the numbers below n.
func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// ReadWeights reads the weights of a file with one row, in the order of symbols; nil for
// no file.
func ReadWeights(io *IO, path string, symbols []string) ([]float64, error) {
	if path == "" {
		return nil, nil
	}
	p, err := portfolio.ReadCSV(path, portfolio.ReadOptions{Symbols: symbols})
	if err != nil {
		return nil, err
	}
	io.Told(path, p.Notes)
	if p.Len() != 1 {
		return nil, fmt.Errorf("%s: %d rows of weights where one is wanted: keep one", path, p.Len())
	}
	return p.Weights.RawRowView(0), nil
}
