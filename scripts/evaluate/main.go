// Command evaluate prints return and risk figures of portfolios.
package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/relative"
)

type config struct {
	Weights           string   `flag:"weights" unit:"FILE" required:"true" help:"a CSV of weights with a header of symbols, those of the prices in any order, and optionally a first column id"`
	Percent           bool     `flag:"percent" help:"divide the weights by 100, as they are in percent"`
	Level             float64  `flag:"level" range:"(0,1)" help:"the confidence level of VaR and CVaR; the names of the two have it as a percentage"`
	RiskContributions bool     `flag:"risk-contributions" help:"add each asset's share of the variance, in the order of the weights file"`
	Days              []string `flag:"days" unit:"DATE|FROM:TO" help:"add what each portfolio earned on a day or in a stretch of days, as in 2022-11-09 or 2022-11-06:2022-11-09"`
	Trials            int      `flag:"trials" range:"[0,inf)" help:"the number of trials of which the portfolio is the best, for the deflated Sharpe ratio (dsr); it needs -trial-sr-std, and 0 means no such ratio"`
	TrialStd          *float64 `flag:"trial-sr-std" unit:"per period" range:"[0,inf)" only:"trials" help:"the standard deviation of the trials' Sharpe ratios"`
	cli.Format        `title:"Output"`
	cli.Prices
	cli.Benchmark
	cli.Figures
	cli.Constraints `title:"Constraints that portfolios are held against"`
	cli.Common
}

var verb = cli.Verb[config]{
	Name:    "evaluate",
	Summary: "return and risk figures of portfolios whose weights are restored every period",
	Example: `
		evaluate -weights weights.csv
		evaluate -prices closes.csv -weights weights.csv -risk-contributions -format json
		evaluate -prices closes.csv -weights weights.csv -days 2020-03-12,2022-11-06:2022-11-09
		evaluate -prices closes.csv -weights weights.csv -max-weight 0.25 -limits mandate.csv
		evaluate -prices closes.csv -weights weights.csv -benchmark index.csv`,
	Default: config{Level: 0.95},
	Run:     evaluate,
}

func main() { cli.Main(verb) }

// Validate returns an error for half of what the deflated Sharpe ratio needs, and for days
// that are none.
func (c *config) Validate() error {
	if c.Trials > 0 && c.TrialStd == nil {
		return errors.New("-trials needs -trial-sr-std")
	}
	if err := c.CheckSectors(); err != nil {
		return err
	}
	_, err := parseDays(c.Days)
	return err
}

// rowsPerBlock is how many portfolios are evaluated between reports.
const rowsPerBlock = 8192

func evaluate(ctx context.Context, c *config, io *cli.IO) error {
	given, err := portfolio.ReadCSV(c.Weights, portfolio.ReadOptions{Percent: c.Percent})
	if err != nil {
		return err
	}
	io.Told(c.Weights, given.Notes)
	prices, benchmark, err := c.Benchmark.Load(io, &c.Prices, given.Symbols)
	if err != nil {
		return err
	}
	window := prices.Window
	portfolios, err := cli.MatchWeights(given, prices, c.Weights)
	if err != nil {
		return err
	}
	if byTime(portfolios.IDs) {
		io.Note("WARNING: the rows of %s are called by times, and each is a portfolio of its own here, held from the "+
			"first price to the last: -from and -to cut the prices to where one was held", c.Weights)
	}
	held, err := c.mandate(io, portfolios.Symbols)
	if err != nil {
		return err
	}
	settings, err := c.Settings(io, window, c.Level)
	if err != nil {
		return err
	}
	stretches, err := c.stretches(window, io)
	if err != nil {
		return err
	}
	evaluator, err := metrics.NewEvaluator(window.Returns, settings)
	if err != nil {
		return err
	}
	if tail := evaluator.TailPeriods(); tail < 10 {
		io.Note("%s is a mean of the worst %.3g of %d periods: mostly noise below ten",
			metrics.CVaR.Name(c.Level), tail, evaluator.Periods())
	}
	var risk *riskShares
	if c.RiskContributions {
		if risk, err = newRiskShares(window, given.Symbols); err != nil {
			return err
		}
	}
	figures, err := evaluateAll(ctx, evaluator, portfolios.Weights, io)
	if err != nil {
		return err
	}
	against, err := relate(ctx, evaluator, benchmark, portfolios.Weights, io)
	if err != nil {
		return err
	}
	table := newTable(c, io, window, stretches)
	table.told = c.Format.Format != "json" // each object has its reasons there
	table.mandate = held
	for i := range figures {
		var beside *relative.Figures
		if against != nil {
			beside = &against[i]
		}
		w := portfolios.Weights.RawRowView(i)
		if err := table.row(portfolios.ID(i), &figures[i], risk, w, beside); err != nil {
			return err
		}
	}
	held.say(io, len(figures))
	return table.Close()
}

// byTime says whether portfolios are called by the days of their beginning.
func byTime(ids []string) bool {
	return len(ids) > 1 && !slices.ContainsFunc(ids, func(id string) bool {
		_, err := time.Parse(time.DateOnly, id[:min(len(id), len(time.DateOnly))])
		return err != nil
	})
}

// evaluateAll evaluates all rows before the first is written, so that an
// interruption leaves no part of a result.
func evaluateAll(ctx context.Context, evaluator *metrics.Evaluator, weights *mat.Dense,
	io *cli.IO) ([]metrics.Figures, error) {
	total, _ := weights.Dims()
	figures := make([]metrics.Figures, total)
	err := inBlocks(weights, io.Progress("evaluating"), func(block *mat.Dense, from, to int) error {
		return evaluator.EvaluateAll(ctx, block, figures[from:to])
	})
	return figures, err
}

// inBlocks goes through the rows of a matrix, from one to below another at a time.
func inBlocks(rows *mat.Dense, report func(done, total int, note string),
	do func(block *mat.Dense, from, to int) error) error {
	total, columns := rows.Dims()
	for from := 0; from < total; from += rowsPerBlock {
		to := min(from+rowsPerBlock, total)
		if err := do(rows.Slice(from, to, 0, columns).(*mat.Dense), from, to); err != nil {
			return err
		}
		report(to, total, "")
	}
	return nil
}

// shortNames are headings for a screen's width.
var shortNames = map[metrics.Figure]string{
	metrics.AnnualReturn: "return", metrics.Volatility: "vol", metrics.MaxDrawdown: "mdd",
	metrics.DiversificationRatio: "div", metrics.EffectiveAssets: "assets",
}

// table writes one row a portfolio, with the columns that the flags ask for.
// What is undefined is nil there, with its reason in the notes.
type table struct {
	*cli.Table
	names    []string // of the figures
	trials   int      // 0: no deflated Sharpe ratio
	trialStd float64

	window    *market.Window
	stretches []stretch // whose returns are asked for
	mandate   *mandate  // nil: none is given

	told bool // what all rows lack for one reason is said once, beside the table
	said map[string]bool
	io   *cli.IO
}

func newTable(c *config, io *cli.IO, window *market.Window, stretches []stretch) *table {
	t := &table{io: io, said: map[string]bool{}, window: window, stretches: stretches,
		names: metrics.Settings{Level: c.Level}.Names(), trials: c.Trials}
	columns := []cli.Column{{Name: "id"}}
	for figure, name := range t.names {
		columns = append(columns, cli.Column{Name: name, Short: shortNames[metrics.Figure(figure)]})
	}
	for _, s := range stretches {
		columns = append(columns, cli.Column{Name: "return_" + s.name, Short: s.name})
	}
	if c.RiskContributions {
		columns = append(columns, cli.Column{Name: "risk_contributions"})
	}
	if c.Trials > 0 {
		columns = append(columns, cli.Column{Name: "dsr"})
		t.trialStd = *c.TrialStd
	}
	if c.Beside != "" {
		columns = append(columns, relativeColumns()...)
	}
	if c.Constraints.Given() {
		columns = append(columns, cli.Column{Name: violationColumn})
	}
	t.Table = io.Table(c.Format.Format, append(columns, cli.Column{Name: "notes"})...)
	return t
}

// row writes the figures of the portfolio with the weights w; risk is nil
// where its contributions are not asked for, and against where no benchmark is.
func (t *table) row(id string, f *metrics.Figures, risk *riskShares, w []float64, against *relative.Figures) error {
	values := []any{id}
	notes := map[string]string{}
	add := func(name string, v number.Value) {
		values = append(values, v.Any())
		if _, known := v.Float(); !known {
			notes[name] = v.Reason()
		}
	}
	for i, name := range t.names {
		add(name, f.Value(metrics.Figure(i)))
	}
	for i := range t.stretches {
		values = append(values, t.stretches[i].of(t.window, w))
	}
	if risk != nil {
		shares, err := risk.of(w)
		if errors.Is(err, metrics.ErrNoRisk) {
			values, notes["risk_contributions"] = append(values, nil), "the return has no variance"
		} else if err != nil {
			return err
		} else {
			values = append(values, shares)
		}
	}
	if t.trials > 0 {
		add("dsr", f.DeflatedSharpe(t.trials, t.trialStd))
	}
	if against != nil {
		for figure, v := range against.All() {
			add(figure.Name(), v)
			if _, known := v.Float(); !known && t.told && figure == relative.ActiveShare {
				delete(notes, figure.Name()) // of no row, or of all
				t.once(figure.Name() + ": " + v.Reason())
			}
		}
	}
	if t.mandate != nil {
		violation, broken := t.mandate.check(id, w)
		if values = append(values, violation); broken != "" {
			notes[violationColumn] = broken
		}
	}
	return t.Row(append(values, notes)...)
}

// once says a line on stderr, the first time.
func (t *table) once(line string) {
	if !t.said[line] {
		t.said[line] = true
		t.io.Note("%s", line)
	}
}
