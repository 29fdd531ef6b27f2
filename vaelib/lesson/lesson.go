package lesson

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"

	"vaefolio/data"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/display"
	"vaefolio/vaelib/figure"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
)

// Check ends the cell with the error in one line, unless it is nil.
func Check(err error) {
	if err == nil {
		return
	}
	if !display.InNotebook() {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, "error: "+strings.Join(strings.Fields(err.Error()), " "))
	os.Exit(1)
}

// Must returns the value, or ends the cell with the error.
func Must[T any](value T, err error) T {
	Check(err)
	return value
}

// Capped is the set of portfolios of n assets without short positions and with no
// weight above the limit.
func Capped(n int, limit float64) simplex.Set {
	return simplex.Set{N: n, Upper: slices.Repeat([]float64{limit}, n)}
}

// Corpus makes a training set of a window of returns under a constraint set, with
// the sectors of the bundled sample. It takes about a tenth of a second for 3,000
// rows, more with conditions of the market, so that a cell may as well make it
// anew: the same settings give the same rows.
func Corpus(window *market.Window, set simplex.Set, config corpus.Config) *corpus.Corpus {
	sectors := Must(market.ReadSectorsFS(data.FS, data.Sectors))
	return Must(corpus.Build(context.Background(), window, set, sectors, config, nil))
}

// Percent writes a share, such as 0.125, as 12.5 %.
func Percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// Show draws a picture of package figure and shows it under the cell.
func Show(picture interface {
	Draw() (*figure.Figure, error)
}) {
	Check(display.Figure(Must(picture.Draw())))
}

// A Table is shown under the cell, row by row filled.
type Table struct {
	header []string
	rows   [][]string
}

// NewTable returns a table with the names of its columns.
func NewTable(header ...string) *Table { return &Table{header: header} }

// Row adds a row: a format whose cells are separated by |, such as
// "%s | %.3f | %d of %d", and its arguments.
func (t *Table) Row(format string, args ...any) {
	const separator = "\x1f" // no argument holds it
	cells := strings.Split(fmt.Sprintf(strings.ReplaceAll(format, "|", separator), args...), separator)
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// Show shows the table.
func (t *Table) Show() { display.Table(t.header, t.rows) }

// Answer checks the answer to an exercise: it says whether it is right within the
// tolerance, or still open, as long as the answer is NaN. It doesn't give the
// right one away.
func Answer(exercise int, answer, right, tolerance float64) {
	verdict := "not yet: " + fmt.Sprint(answer) + " is not the answer"
	switch {
	case math.IsNaN(answer):
		verdict = "open"
	case math.Abs(answer-right) <= tolerance:
		verdict = "solved"
	}
	fmt.Printf("exercise %d: %s\n", exercise, verdict)
}
