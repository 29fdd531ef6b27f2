package cli

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"vaefolio/data"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
)

// Prices are the flags of a verb that needs prices.
type Prices struct {
	Prices   string   `flag:"prices" unit:"PATH" help:"the file or folder of prices, in any layout of docs/files.md: a wide CSV or Parquet file of closes, or a folder of kline CSVs, one a symbol; without it the bundled sample, which is SYNTHETIC"`
	Layout   string   `flag:"layout" unit:"NAME" help:"the name of the prices' layout in docs/files.md, where another one is recognised than is meant"`
	Dates    string   `flag:"dates" choice:"dmy|mdy" help:"the order of day and month in dates such as 01/02/2024; without it the file tells"`
	Returns  string   `flag:"returns" choice:"simple|log|simple-percent|log-percent" help:"the kind of returns that -prices holds instead of closes, as shares or in percent; -99.99 and -999 stand for none"`
	Fill     string   `flag:"fill" choice:"previous|drop" help:"what fills a hole between two prices of an asset: previous carries the first one forward, drop leaves the row out for all; without it a wide file with holes is refused"`
	Closes   string   `flag:"closes" choice:"adjusted|paid" default:"adjusted" help:"the closes to take where a file has two: those adjusted for splits and dividends, or those paid"`
	Symbols  []string `flag:"symbols" unit:"A,B,C" help:"the assets to use, in this order; without it all"`
	Exclude  []string `flag:"exclude" unit:"A,B" help:"the assets to leave out of all there are"`
	From     string   `flag:"from" unit:"DATE" help:"the first day to use; without it the first in the data"`
	To       string   `flag:"to" unit:"DATE" help:"the last day to use, inclusive; without it the last in the data"`
	AsOf     string   `flag:"as-of" unit:"TIME" help:"the time at which the prices were taken: a last candle that had not closed by then is dropped; without it the clock decides, which can't tell for an older file"`
	Listings string   `flag:"listings" choice:"shared|as-it-was" default:"shared" help:"the times to keep: shared are those that all symbols have; as-it-was lets backtest choose among the symbols traded at each time, and other verbs leave out those that have stopped"`
	MaxJump  float64  `flag:"max-jump" range:"[0,inf)" unit:"factor" help:"the largest factor between neighbouring closes, up or down, beyond which the prices are refused, as at a split; 0 takes any, and names unlikely ones"`
	MaxStale int      `flag:"max-stale" range:"[0,inf)" help:"the largest number of rows on end without a new close, beyond which the prices are refused, as after a delisting; 0 takes any, and names unlikely ones"`
	Funding  string   `flag:"funding" unit:"PATH" help:"the funding rates of the perpetuals in -prices, which are taken off the returns: the folder that fetch -funding wrote, or a CSV with the columns timestamp, symbol and rate"`
}

// Validate returns an error for a time that can't be read, and for funding of the
// bundled sample, which isn't of perpetuals.
func (p *Prices) Validate() error {
	if p.Funding != "" && p.Prices == "" {
		return errors.New("-funding is for perpetuals of your own: give their -prices too")
	}
	if p.MaxJump > 0 && p.MaxJump <= 1 {
		return fmt.Errorf("-max-jump %v: a factor between neighbouring closes is meant, above 1: 3 refuses a rise "+
			"to three times and a fall to a third", p.MaxJump)
	}
	if p.Layout != "" && !slices.Contains(market.Layouts(), p.Layout) {
		return fmt.Errorf("-layout: unknown layout %s: one of %s", p.Layout, strings.Join(market.Layouts(), ", "))
	}
	if _, err := p.asOf(); err != nil {
		return fmt.Errorf("-as-of: %w", err)
	}
	if err := p.checkExclude(); err != nil {
		return err
	}
	_, _, err := p.span()
	return err
}

// checkExclude refuses a list of symbols to leave out beside one of those to use,
// which it can't change.
func (p *Prices) checkExclude() error {
	for k, symbol := range p.Exclude {
		switch {
		case slices.Contains(p.Symbols, symbol):
			return fmt.Errorf("-exclude: %s is among -symbols too: leave it out of one of them", symbol)
		case slices.Contains(p.Exclude[:k], symbol):
			return fmt.Errorf("-exclude: %s is named twice", symbol)
		}
	}
	if len(p.Exclude) > 0 && len(p.Symbols) > 0 {
		return errors.New("-exclude has no effect beside -symbols, which names all assets to use: leave it out")
	}
	return nil
}

// span is the range of times to use.
func (p *Prices) span() (from, to time.Time, err error) {
	if _, _, err := market.ParseSpan(p.From, "", p.dateOrder()); err != nil {
		return from, to, fmt.Errorf("-from: %w", err)
	}
	if _, _, err := market.ParseSpan("", p.To, p.dateOrder()); err != nil {
		return from, to, fmt.Errorf("-to: %w", err)
	}
	return market.ParseSpan(p.From, p.To, p.dateOrder())
}

// dateOrder is what stands first in dates; 0: not given.
func (p *Prices) dateOrder() market.DateOrder {
	if p.Dates == "" {
		return 0
	}
	return market.DateOrder(p.Dates[0])
}

// Source names the prices as the user did.
func (p *Prices) Source() string {
	if p.Prices == "" {
		return "the bundled sample (SYNTHETIC)"
	}
	return p.Prices
}

// asOf is when the prices were taken; zero: not given.
func (p *Prices) asOf() (time.Time, error) {
	if p.AsOf == "" {
		return time.Time{}, nil
	}
	return market.ParseTime(p.AsOf)
}

// Data are the prices a verb works on, and what was done to get them.
type Data struct {
	Panel    *market.Panel  // with what the window leaves out
	Window   *market.Window // of all chosen symbols
	Cleaning *market.Cleaning
	Dropped  market.Dropped
	Listings *market.Listings // of a window as it was; nil: its symbols share its times
	// Notes are for reports: what the returns are of, and why the choice of
	// symbols may flatter.
	Notes []string
	// Synthetic says that this is the bundled sample. All results made from it
	// must say so.
	Synthetic bool
}

// Load reads the prices and cuts the window of all chosen symbols, and takes the
// funding off its returns where there is any. With -listings as-it-was it leaves
// out the symbols that have stopped, which nobody can buy any more. It says on
// stderr what was cleaned and what was dropped, and all that reports should say.
func (p *Prices) Load(io *IO) (*Data, error) {
	d, err := p.read(io)
	if err != nil {
		return nil, err
	}
	return d, p.cut(d, io)
}

// cut cuts the window of all chosen symbols, for [Prices.Load].
func (p *Prices) cut(d *Data, io *IO) (err error) {
	symbols := p.Symbols
	if p.Listings == asItWas {
		if symbols, err = p.trading(d, io); err != nil {
			return err
		}
	}
	if d.Window, d.Dropped, err = d.Panel.Window(symbols...); err != nil {
		return err
	}
	return p.tell(d, io)
}

// LoadListed is [Prices.Load] for a verb that can do with symbols that come and
// go: with -listings as-it-was the window is one as it was, with its listings.
func (p *Prices) LoadListed(io *IO) (*Data, error) {
	if p.Listings != asItWas {
		return p.Load(io)
	}
	if err := p.checkListed(); err != nil {
		return nil, err
	}
	d, err := p.read(io)
	if err != nil {
		return nil, err
	}
	return d, p.cutListed(d, io)
}

// checkListed refuses funding of a window as it was.
func (p *Prices) checkListed() error {
	if p.Funding != "" {
		return Usagef("-funding covers whole windows, and a symbol as it was has none before its listing: "+
			"leave out -funding, or -listings %s", asItWas)
	}
	return nil
}

// cutListed cuts the window as it was, for [Prices.LoadListed].
func (p *Prices) cutListed(d *Data, io *IO) (err error) {
	if d.Window, d.Listings, d.Dropped, err = d.Panel.WindowAsItWas(p.Symbols...); err != nil {
		return err
	}
	return p.tell(d, io)
}

// LoadPanel reads the prices of every symbol over its own time, for a verb that
// draws its windows itself, and a hash of them.
func (p *Prices) LoadPanel(io *IO) (*market.Panel, string, error) {
	switch {
	case p.Funding != "":
		return nil, "", Usagef("-funding covers one window, and here are many: leave it out")
	case p.Listings == asItWas:
		return nil, "", Usagef("-listings: symbols are used while they were traded anyway: leave it out")
	}
	d, err := p.read(io)
	if err != nil {
		return nil, "", err
	}
	whole, _, _, err := d.Panel.WindowAsItWas(p.Symbols...)
	if err != nil {
		return nil, "", err
	}
	return d.Panel, whole.Hash(), nil
}

// Values of -listings: the times that all symbols share, or symbols that come and go.
const (
	Shared  = "shared"
	asItWas = "as-it-was"
)

// read reads the panel.
func (p *Prices) read(io *IO) (*Data, error) {
	if err := p.Validate(); err != nil {
		return nil, Usage(err)
	}
	options, err := p.options()
	if err != nil {
		return nil, err
	}
	d := &Data{Synthetic: p.Prices == ""}
	if d.Synthetic {
		d.Panel, d.Cleaning, err = market.LoadFS(data.FS, data.Close, options)
	} else {
		d.Panel, d.Cleaning, err = market.Load(p.Prices, options)
	}
	if err != nil {
		return nil, err
	}
	if d.Synthetic {
		io.Note("prices: the bundled sample, which is SYNTHETIC; -prices PATH reads real ones")
	}
	io.Note("%s", strings.TrimSpace(d.Cleaning.String()))
	return d, nil
}

// options are those of [market.Load].
func (p *Prices) options() (market.Options, error) {
	from, to, err := p.span()
	if err != nil {
		return market.Options{}, err
	}
	asOf, err := p.asOf()
	if err != nil {
		return market.Options{}, err
	}
	options := market.Options{Symbols: p.Symbols, Exclude: p.Exclude, From: from, To: to, AsOf: asOf,
		MaxJump: p.MaxJump, MaxStale: p.MaxStale}
	options.Layout, options.Returns, options.Fill, options.Unadjusted = p.Layout, market.Returns(p.Returns),
		market.Fill(p.Fill), p.Closes == "paid"
	options.Dates = p.dateOrder()
	return options, nil
}

// trading are the symbols that have a close in the last rows, and says which
// have not.
func (p *Prices) trading(d *Data, io *IO) ([]string, error) {
	stopped := d.Panel.Stopped()
	if len(stopped) == 0 {
		return p.Symbols, nil
	}
	var symbols, gone []string
	for _, s := range d.Panel.Symbols {
		i := slices.IndexFunc(stopped, func(g market.Span) bool { return g.Symbol == s })
		if i < 0 {
			symbols = append(symbols, s)
			continue
		}
		gone = append(gone, fmt.Sprintf("%s (%s)", s, stopped[i].Last.Format(time.DateOnly)))
	}
	if len(symbols) == 0 {
		return nil, errors.New("-listings as-it-was leaves out symbols that have stopped, which are all: end the " +
			"range by -to while some were traded")
	}
	note := fmt.Sprintf("left out, as they have stopped and nobody can buy them: %s; backtest tests with them "+
		"while they were traded", some(gone))
	d.Notes = append(d.Notes, note)
	return symbols, nil
}

// tell says what the window leaves out and what its returns are of.
func (p *Prices) tell(d *Data, io *IO) error {
	io.Note("%s", strings.TrimSpace(d.Dropped.String()))
	if err := p.fund(d, io); err != nil {
		return err
	}
	if note := d.cut(); note != "" {
		d.Notes = append(d.Notes, note)
	}
	if drop := d.Dropped; drop.Inside > drop.Kept {
		d.Notes = append(d.Notes, fmt.Sprintf(
			"WARNING: %s are traded at other times than the rest: only %d of %d times are shared, and returns "+
				"between those span what lies between: leave them out by -exclude, or give closes of days",
			some(drop.Lacking), drop.Kept, drop.Kept+drop.Inside))
	}
	if s := market.CheckSurvivorship(d.Panel); s != nil && !d.Synthetic {
		d.Notes = append(d.Notes, s.String()+" (-listings as-it-was tests with them)")
	}
	if !d.Synthetic {
		for _, note := range d.Notes {
			io.Note("%s", note)
		}
	}
	d.Notes = append(d.Notes, d.Cleaning.Warnings()...) // said already
	return nil
}

// cut warns of symbols that have stopped and so end the window for all; it is
// empty where none does.
func (d *Data) cut() string {
	stopped := d.Panel.Stopped()
	if d.Dropped.After == 0 || d.Listings != nil {
		return ""
	}
	for _, s := range stopped {
		if slices.Contains(d.Dropped.FirstToEnd, s.Symbol) {
			return fmt.Sprintf("WARNING: %s stops on %s, and takes %d later times of all symbols with it: "+
				"-listings as-it-was keeps them, or leave it out by -exclude",
				s.Symbol, s.Last.Format(time.DateOnly), d.Dropped.After)
		}
	}
	return ""
}

// fund takes the funding off the returns, and notes what they are of.
func (p *Prices) fund(d *Data, io *IO) error {
	if p.Funding == "" {
		if !d.Window.NeverCloses() {
			return nil // nothing that closes at weekends pays funding
		}
		d.Notes = append(d.Notes, "returns: of prices alone; where they are prices of perpetuals, the funding that "+
			"long positions pay is not in them")
		return nil
	}
	funding, err := market.LoadFunding(p.Funding, d.Window.Symbols)
	if err != nil {
		return err
	}
	io.Note("%s", strings.TrimSpace(funding.String()))
	var paid []float64
	if d.Window, paid, err = d.Window.WithFunding(funding); err != nil {
		return err
	}
	least, most, mean := 0, 0, 0.0
	for j := range paid {
		if mean += paid[j] / float64(len(paid)); paid[j] < paid[least] {
			least = j
		}
		if paid[j] > paid[most] {
			most = j
		}
	}
	percent := 100 * d.Window.PeriodsPerYear()
	d.Notes = append(d.Notes, fmt.Sprintf("returns: of long positions in perpetuals, the funding they paid taken "+
		"off: %.2f %% a year on average, from %.2f %% (%s) to %.2f %% (%s)",
		percent*mean, percent*paid[least], d.Window.Symbols[least], percent*paid[most], d.Window.Symbols[most]))
	return nil
}

// LastCloses are the closes at the end of the window, in the order of its
// symbols.
func (d *Data) LastCloses() []float64 {
	last := d.Window.Times[len(d.Window.Times)-1]
	row := slices.IndexFunc(d.Panel.Times, last.Equal)
	closes := make([]float64, len(d.Window.Symbols))
	for j, symbol := range d.Window.Symbols {
		closes[j] = d.Panel.Close.At(row, slices.Index(d.Panel.Symbols, symbol))
	}
	return closes
}

// Annual are the flags of a verb that deals with annual rates.
type Annual struct {
	PeriodsPerYear float64 `flag:"periods-per-year" range:"[0,inf)" help:"the number of periods in a year; 0 takes it from the times: 365 for daily prices with weekends, 252 for five days a week, else what a year holds of the intervals or sessions"`
	RiskFree       float64 `flag:"rf" unit:"per year" help:"the risk-free rate of return, as a share: 0.02 is 2 %"`
}

// Validate returns an error for a rate that can only be meant in percent.
func (a *Annual) Validate() error { return checkRate("-rf", a.RiskFree) }

// checkRate refuses a rate of all the capital a year or more.
func checkRate(flag string, x float64) error {
	if math.Abs(x) < 1 {
		return nil
	}
	return fmt.Errorf("%s %v is %v %% a year: a share is meant: %v?", flag, x, 100*x, x/100)
}

// Periods is the number of periods in a year, as given or from the times of
// the window; it says on stderr which, and where that is too short a time to be
// taken for a year.
func (a *Annual) Periods(io *IO, w *market.Window) (float64, error) {
	periods, _ := a.periods(w)
	if !(periods > 0) {
		return 0, errors.New("the times of the prices don't tell how many periods a year has: give -periods-per-year")
	}
	for _, line := range a.Told(w) {
		io.Note("%s", line)
	}
	return periods, nil
}

func (a *Annual) periods(w *market.Window) (periods float64, reason string) {
	if a.PeriodsPerYear > 0 {
		return a.PeriodsPerYear, "as given"
	}
	return w.PeriodsPerYear(), w.Rhythm() + "; -periods-per-year overrules"
}

// Told is what [Annual.Periods] says, in lines.
func (a *Annual) Told(w *market.Window) []string {
	const fewest, high = 30 * 24 * time.Hour, 0.25
	periods, reason := a.periods(w)
	rounded := math.Round(periods*1e4) / 1e4 // weeks are 365/7
	told := []string{fmt.Sprintf("periods per year: %v (%s)", rounded, reason)}
	if math.Abs(a.RiskFree) > high {
		told = append(told, fmt.Sprintf("WARNING: -rf %v is %.3g %% a year: is %v meant?",
			a.RiskFree, 100*a.RiskFree, a.RiskFree/100))
	}
	if span := w.Span(); span < fewest {
		told = append(told, fmt.Sprintf("WARNING: %.3g days of prices are too short to annualise: annual figures "+
			"take them %.3g times over, and say next to nothing",
			span.Hours()/24, 365*24/span.Hours()))
	}
	return told
}

// Figures are the flags of a verb that computes return and risk figures.
type Figures struct {
	Annual
	MAR        float64            `flag:"mar" unit:"per year" help:"the minimum acceptable return of the Sortino ratio, as a share"`
	Convention metrics.Convention `flag:"convention" choice:"default|skfolio|skfolio-defaults|empyrical" default:"default" help:"the library whose formulas are followed where libraries differ"`
}

// Validate returns an error for a rate that can only be meant in percent.
func (f *Figures) Validate() error { return checkRate("-mar", f.MAR) }

// Settings are those of an evaluator over the window.
func (f *Figures) Settings(io *IO, w *market.Window, level float64) (metrics.Settings, error) {
	periods, err := f.Periods(io, w)
	return metrics.Settings{
		PeriodsPerYear: periods, RiskFree: f.RiskFree, MAR: f.MAR, Level: level, Convention: f.Convention,
	}, err
}
