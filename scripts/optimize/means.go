package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/optimize"
	"vaefolio/vaelib/portfolio"
)

// countsOnMeans says whether the objective depends on expected returns.
func (c *config) countsOnMeans() bool {
	return c.Objective == optimize.MaxSharpe || c.Objective == optimize.MeanVariance
}

// meanNames are what -means may be besides a file.
func meanNames() []string { return append(moments.MeanNames(), moments.BlackLitterman) }

// meansFile says whether -means names a file and no estimator.
func (c *config) meansFile() bool { return !slices.Contains(meanNames(), c.Means) }

// periods is the number of periods in a year, which it says on stderr, for what is asked
// for per year; 1 where nothing is.
func (c *config) periods(io *cli.IO, w *market.Window) (float64, error) {
	if c.Objective != optimize.MaxSharpe && c.Frontier == nil && !(c.countsOnMeans() && c.meansFile()) &&
		!c.believes() {
		return 1, nil
	}
	return c.Periods(io, w)
}

// meansOf are the means per period that -means asks for: of an estimator, or those that a
// file has per year. It says on stderr which ones they are.
func (c *config) meansOf(io *cli.IO, w *market.Window, m *moments.Moments, periods float64) ([]float64, error) {
	if !c.meansFile() {
		means, shrinkage, err := m.Means(c.Means)
		if err == nil && c.Means != moments.Sample {
			io.Note("means: %s, shrunk by %.4f", c.Means, shrinkage)
		}
		return means, err
	}
	means, err := readMeans(io, c.Means, w.Symbols)
	if err != nil {
		return nil, err
	}
	io.Note("means: those of %s, from %.6g to %.6g a year", c.Means, slices.Min(means), slices.Max(means))
	for j := range means {
		means[j] /= periods
	}
	return means, nil
}

// readMeans reads one mean for each of the symbols from a file in any form that weights
// have. What it has of others is left out, and said.
func readMeans(io *cli.IO, path string, symbols []string) ([]float64, error) {
	p, err := portfolio.ReadCSV(path, portfolio.ReadOptions{AnySum: true, Called: meanWords})
	if err != nil {
		return nil, fmt.Errorf("-means, which is a file or one of %s: %w", strings.Join(meanNames(), ", "), err)
	}
	io.Told(path, p.Notes)
	if p.Len() != 1 {
		return nil, fmt.Errorf("%s: %d rows of means where one is wanted: keep one", path, p.Len())
	}
	if name := strings.ToLower(p.ID(0)); p.IDs != nil && slices.ContainsFunc(shorter, func(s string) bool {
		return strings.Contains(name, s)
	}) {
		return nil, fmt.Errorf("%s: column %s: means are per year: multiply by the periods in one, and call it mean",
			path, p.ID(0))
	}
	means, row := make([]float64, len(symbols)), p.Weights.RawRowView(0)
	columns, missing := columnsOf(p, symbols)
	if missing != "" {
		isLike := func(s string) bool { return strings.EqualFold(s, missing) }
		if like := slices.IndexFunc(p.Symbols, isLike); like >= 0 {
			return nil, fmt.Errorf("%s: no mean of %s: rename %s to it", path, missing, p.Symbols[like])
		}
		return nil, fmt.Errorf("%s: no mean of %s, which is among the assets: add one, or leave %s out with "+
			"-exclude", path, missing, missing)
	}
	for j, k := range columns {
		means[j] = row[k]
	}
	if beyond := len(p.Symbols) - len(symbols); beyond > 0 {
		io.Note("%s: of its %d means %d are of no asset here, and left out", path, len(p.Symbols), beyond)
	}
	return means, checkMeans(io, path, means)
}

// checkMeans refuses means that can only be in percent, and doubts those that may be, or that
// may be per period.
func checkMeans(io *cli.IO, path string, means []float64) error {
	sizes := slices.Clone(means)
	for j, v := range sizes {
		sizes[j] = math.Abs(v)
	}
	slices.Sort(sizes)
	half, most := sizes[len(sizes)/2], sizes[len(sizes)-1]
	switch {
	case half >= suspicious && len(sizes) > 1:
		return fmt.Errorf("%s: half of the means are %.6g a year or more, which is %.6g %%: shares are meant; if they "+
			"are in percent, divide by 100 or write percent signs", path, half, 100*half)
	case half >= 0.5:
		io.Note("WARNING: %s: half of the means are %.6g %% a year or more: if they are in percent, divide by 100 or "+
			"write percent signs", path, 100*half)
	case most > 0 && most < 0.01:
		io.Note("WARNING: %s: no mean is above %.3g %% a year: if they are per period, multiply by the periods in a "+
			"year", path, 100*most)
	}
	return nil
}

// What columns of means are called, in small letters without marks, and what says that they are
// of less than a year.
var (
	meanWords = strings.Fields("mean means mu expectedreturn expectedreturns expreturn er return returns forecast " +
		"forecasts annualreturn expectedannualreturn annualizedreturn annualisedreturn meanpct meanpercent " +
		"expectedreturnpct expectedreturnpercent returnpct returnpercent meanreturn meanreturns view views")
	shorter = strings.Fields("daily weekly monthly quarterly per_day per_month per_period per-period perperiod hourly")
)

// columnsOf are the columns of the symbols in a file that may have more of them; missing is
// the first that it lacks.
func columnsOf(p *portfolio.Portfolios, symbols []string) (columns []int, missing string) {
	for _, symbol := range symbols {
		k := slices.Index(p.Symbols, symbol)
		if k < 0 {
			return nil, symbol
		}
		columns = append(columns, k)
	}
	return columns, ""
}

// suspicious is what half of the means of a file reach only where they are in percent.
const suspicious = 2
