package main

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"vaefolio/scripts/internal/cli"
)

// nothing is the summary of no numbers.
var nothing = summary{math.NaN(), math.NaN(), math.NaN()}

// print writes the results in a format: all digits in csv and json, three of
// them in the table.
func print(stream *cli.IO, format, clock string, results []result) error {
	if format == "table" {
		return printTable(stream, clock, results)
	}
	table := stream.Table(format,
		cli.Column{Name: "workload"}, cli.Column{Name: "contender"},
		cli.Column{Name: "unit"}, cli.Column{Name: "clock"}, cli.Column{Name: "rounds"},
		cli.Column{Name: "rate"}, cli.Column{Name: "rate_q1"}, cli.Column{Name: "rate_q3"},
		cli.Column{Name: "microseconds"}, cli.Column{Name: "versus"},
		cli.Column{Name: "ratio"}, cli.Column{Name: "ratio_q1"}, cli.Column{Name: "ratio_q3"},
		cli.Column{Name: "difference"}, cli.Column{Name: "note"})
	for _, r := range results {
		err := table.Row(r.workload, r.contender, r.unit, clock, r.rounds,
			r.rate.median, r.rate.low, r.rate.high, 1e6/r.rate.median,
			orNil(r.versus), r.ratio.median, r.ratio.low, r.ratio.high, r.difference, orNil(r.note))
		if err != nil {
			return err
		}
	}
	return table.Close()
}

// headings are those of the table for people, on the screen and in markdown.
func headings(clock string) []string {
	second := map[string]string{"wall": "a second", "cpu": "a CPU second"}[clock]
	return []string{"workload", "contender", second, "microseconds each", "times as fast", "as", "answers differ by"}
}

func printTable(stream *cli.IO, clock string, results []result) error {
	var columns []cli.Column
	for _, h := range headings(clock) {
		columns = append(columns, cli.Column{Name: h})
	}
	table := stream.Table("table", columns...)
	for _, r := range results {
		values := make([]any, len(columns))
		for i, cell := range r.cells() {
			values[i] = cell
		}
		if err := table.Row(values...); err != nil {
			return err
		}
	}
	if err := table.Close(); err != nil {
		return err
	}
	for _, note := range notes(results) {
		if _, err := fmt.Fprintln(stream.Stdout, note); err != nil {
			return err
		}
	}
	return nil
}

// cells are the result as people read it.
func (r *result) cells() []string {
	cells := []string{r.workload, r.contender, "-", "-", "", "", ""}
	if r.rounds == 0 {
		return cells
	}
	cells[2], cells[3] = significant(r.rate.median), significant(1e6/r.rate.median)
	if r.versus != "" {
		cells[4] = fmt.Sprintf(
			"%s [%s, %s]", significant(r.ratio.median), significant(r.ratio.low), significant(r.ratio.high))
		cells[5] = r.versus
	}
	if !math.IsNaN(r.difference) {
		cells[6] = strconv.FormatFloat(r.difference, 'e', 0, 64)
	}
	return cells
}

// notes say, each once, why contenders took no part.
func notes(results []result) []string {
	var order []string
	who := map[string][]string{}
	for _, r := range results {
		if r.note == "" {
			continue
		}
		if who[r.note] == nil {
			order = append(order, r.note)
		}
		who[r.note] = append(who[r.note], r.workload+" by "+r.contender)
	}
	for i, note := range order {
		first, others := who[note][0], len(who[note])-1
		if others > 0 {
			first += fmt.Sprintf(" and %d more", others)
		}
		order[i] = first + ": " + note
	}
	return order
}

// significant spells a positive number with three digits that count, and
// thousands apart.
func significant(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return "-"
	}
	digits := 2 - int(math.Floor(math.Log10(x)))
	if digits > 0 {
		return strconv.FormatFloat(x, 'f', digits, 64)
	}
	scale := math.Pow(10, float64(-digits))
	text := strconv.FormatFloat(math.Round(x/scale)*scale, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// writeMarkdown writes the results with what they were measured on.
func writeMarkdown(w io.Writer, m *machine, c *config, results []result) error {
	var b strings.Builder
	b.WriteString("# Benchmarks\n\n")
	fmt.Fprintf(&b, "Made by `%s` on %s, in %d rounds of at least %s s a contender.\n",
		c.command(), m.date, c.Rounds, plain(c.Seconds))
	b.WriteString(explanation)
	for _, line := range m.lines() {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	fmt.Fprintf(&b, "\n| %s |\n|%s\n",
		strings.Join(headings(c.Clock), " | "), strings.Repeat("---|", len(headings(c.Clock))))
	for _, r := range results {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(r.cells(), " | "))
	}
	if notes := notes(results); len(notes) > 0 {
		b.WriteString("\nNot measured:\n\n")
		for _, note := range notes {
			fmt.Fprintf(&b, "- %s\n", note)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const explanation = `
In each round every contender has its turn, in an order that rotates. Trust the ratios: "times as fast" is the median
over the rounds of how many times as fast one was as another within the round, its quartiles in brackets. Speeds are
medians over the rounds; another machine, or another hour on a shared one, gives others. All contenders of a workload
have the same data. Where answers can be compared, the last column shows their largest relative difference. "A CPU
second" is one of any thread of the process, so that it is a second of one core at full use. Measured are the libraries
that the Python on the PATH, or given with -python, has; and XLA where a plugin is found.

- train-128, -1024 and -8192: samples in gradient steps of Adam with batches of so many; 10 assets, layers
  64-32-8-32-64; a step includes drawing the batch and the noise. train-large: 100 assets, layers
  512-256-64-256-512. "GoMLX, train.Loop" is the same training on the same pure Go engine as GoMLX's documentation has
  it: its layers, its Adam and its data set, the noise drawn in the graph. "JAX on this plugin" is JAX's graph on the
  build of XLA that this library runs on, instead of its own build.
- evaluate: annual return, volatility, Sharpe, Sortino, maximum drawdown and CVaR of portfolios of 40 assets over 1,438
  days, on one core; and the matrix product that is the first part of that, alone.
- project-40, project-500: points onto the simplex of so many weights with an upper bound, on one core. numpy does
  many points at a time, this library one. project-sectors-12, -40 and -200 have a cap on each of 3, 8 and 20 sectors
  besides; the solvers are set up once.
- frontier-40: 20 portfolios of the efficient frontier of so many assets with a cap of 0.1, equally spaced in mean, from
  moments, on one core. Clarabel and cvxpy are set up once and told the 20 means; PyPortfolioOpt's portfolios lie along
  its corners. Answers are compared by the variances at equal means.
- min-variance and the other objectives: 40 assets, 365 days, long-only, on one core. "From returns" includes estimating
  the moments. Answers are compared by the objective's value, those of risk-parity and hrp by their weights; HRP comes in
  variants, and skfolio's puts the leaves in another order.
- generate: codes from N(0, I), decoded, projected onto the capped simplex and given the six figures over 1,438 days;
  10 assets, one core but for what XLA takes.

Measured on:

`

// command is the command line that makes the same measurement. Of absolute
// paths, which are other ones on another machine, only the last part is told.
func (c *config) command() string {
	words := []string{"go run ./scripts/bench"}
	if len(c.Only) > 0 {
		words = append(words, "-only "+strings.Join(c.Only, ","))
	}
	words = append(words, fmt.Sprintf("-rounds %d -seconds %s -clock %s -seed %d",
		c.Rounds, plain(c.Seconds), c.Clock, c.Seed))
	for _, path := range []struct{ flag, value string }{{"-python ", c.Python}, {"-markdown ", c.Markdown}} {
		if filepath.IsAbs(path.value) {
			path.value = filepath.Base(path.value)
		}
		if path.value != "" {
			words = append(words, path.flag+path.value)
		}
	}
	return strings.Join(words, " ")
}

func plain(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
