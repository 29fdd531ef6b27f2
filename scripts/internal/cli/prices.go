package cli

import (
	"fmt"
	"strings"

	"vaefolio/data"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
)

// Prices are the flags of a verb that needs prices.
type Prices struct {
	Prices  string   `flag:"prices" unit:"PATH" help:"closes: a wide CSV, or a folder of kline CSVs, one a symbol; without it the bundled sample, which is SYNTHETIC"`
	Symbols []string `flag:"symbols" unit:"A,B,C" help:"the assets, in this order; without it all"`
	From    string   `flag:"from" unit:"DATE" help:"first day used; without it the first in the data"`
	To      string   `flag:"to" unit:"DATE" help:"last day used, inclusive; without it the last in the data"`
}

// Check returns an error for a range that can't be read.
func (p *Prices) Check() error {
	_, _, err := market.ParseSpan(p.From, p.To)
	return err
}

// Data are the prices a verb works on, and what was done to get them.
type Data struct {
	Window   *market.Window
	Cleaning *market.Cleaning
	Dropped  market.Dropped
	// Synthetic says that this is the bundled sample. All results made from it
	// must say so.
	Synthetic bool
}

// Load reads the prices and cuts the window of all chosen symbols. It says on
// stderr what was cleaned and what was dropped.
func (p *Prices) Load(io *IO) (*Data, error) {
	from, to, err := market.ParseSpan(p.From, p.To)
	if err != nil {
		return nil, Usage(err)
	}
	options := market.Options{Symbols: p.Symbols, From: from, To: to}
	d := &Data{Synthetic: p.Prices == ""}
	var panel *market.Panel
	if d.Synthetic {
		panel, d.Cleaning, err = market.LoadFS(data.FS, data.Close, options)
	} else {
		panel, d.Cleaning, err = market.Load(p.Prices, options)
	}
	if err != nil {
		return nil, err
	}
	if d.Window, d.Dropped, err = panel.Window(p.Symbols...); err != nil {
		return nil, err
	}
	if d.Synthetic {
		io.Note("prices: the bundled sample, which is SYNTHETIC; -prices PATH reads real ones")
	}
	io.Note("%s", strings.TrimSpace(d.Cleaning.String()))
	io.Note("%s", strings.TrimSpace(d.Dropped.String()))
	return d, nil
}

// Figures are the flags of a verb that computes return and risk figures.
type Figures struct {
	PeriodsPerYear float64            `flag:"periods-per-year" range:"[0,inf)" help:"periods in a year; 0 means from the times: 365 for daily data with weekends, 252 without, the number of intervals otherwise"`
	RiskFree       float64            `flag:"rf" unit:"per year" help:"rate of return without risk"`
	MAR            float64            `flag:"mar" unit:"per year" help:"minimum acceptable return, for Sortino"`
	Convention     metrics.Convention `flag:"convention" choice:"default|skfolio|skfolio-defaults|empyrical" default:"default" help:"the library whose formulas are followed where they differ"`
}

// Settings are those of an evaluator over the window. It says on stderr how
// many periods a year has, and whether that was given.
func (f *Figures) Settings(io *IO, w *market.Window, level float64) (metrics.Settings, error) {
	settings := metrics.Settings{
		PeriodsPerYear: f.PeriodsPerYear, RiskFree: f.RiskFree, MAR: f.MAR, Level: level, Convention: f.Convention,
	}
	source := "as given"
	if settings.PeriodsPerYear == 0 {
		settings.PeriodsPerYear = w.PeriodsPerYear()
		source = "from the times; -periods-per-year overrules"
	}
	if !(settings.PeriodsPerYear > 0) {
		return settings, fmt.Errorf("times of the prices don't tell how many periods a year has: give -periods-per-year")
	}
	io.Note("periods per year: %v (%s)", settings.PeriodsPerYear, source)
	return settings, nil
}
