// Command project moves weights to the nearest ones that constraints allow.
package main

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
)

type config struct {
	Weights string `flag:"weights" unit:"FILE" required:"true" help:"a CSV of weights with a header of symbols and optionally a first column id; its rows may have any sum"`
	Percent bool   `flag:"percent" help:"divide the weights by 100, as they are in percent"`
	cli.Constraints
	cli.Trading `title:"What is held"`
	cli.Common
}

var verb = cli.Verb[config]{
	Name:    "project",
	Summary: "the nearest weights that sum to 1 and meet the constraints, as csv",
	Example: `
		project -weights raw.csv -max-weight 0.25 > weights.csv
		project -weights raw.csv -min-weight 0.02 -sectors sectors.csv -sector-cap L1=0.35 > weights.csv
		project -weights target.csv -holdings mine.csv -max-turnover 0.2 > weights.csv`,
	Run: project,
}

func main() { cli.Main(verb) }

// Validate refuses sectors without a cap, and holdings that limit nothing.
func (c *config) Validate() error {
	if c.Holdings != "" && c.Most == nil {
		return errors.New("-holdings limits nothing without -max-turnover: give it, or leave out the holdings")
	}
	return c.CheckSectors()
}

// rowsPerBlock is how many rows are projected between reports.
const rowsPerBlock = 4096

func project(ctx context.Context, c *config, io *cli.IO) error {
	p, err := portfolio.ReadCSV(c.Weights, portfolio.ReadOptions{AnySum: true, Percent: c.Percent})
	if err != nil {
		return err
	}
	io.Told(c.Weights, p.Notes)
	set, err := c.Set(io, p.Symbols)
	if err != nil {
		return err
	}
	held, err := c.Held(io, p.Symbols)
	if err != nil {
		return err
	}
	if err := c.Limit(&set, held); err != nil {
		return err
	}
	if err := checkAmounts(io, p, c.Weights); err != nil {
		return err
	}
	var furthest, violation float64
	report := io.Progress("projecting")
	distances := make([]float64, p.Len())
	for from := 0; from < p.Len(); from += rowsPerBlock {
		to := min(from+rowsPerBlock, p.Len())
		block := p.Weights.Slice(from, to, 0, set.N).(*mat.Dense)
		if err := simplex.ProjectAll(ctx, set, block, block, distances[from:to]); err != nil {
			return err
		}
		report(to, p.Len(), "")
	}
	for i, distance := range distances {
		furthest = max(furthest, distance)
		violation = max(violation, set.Violation(p.Weights.RawRowView(i)))
	}
	if err := p.WriteCSV(io.Stdout); err != nil {
		return err
	}
	io.Note("%d rows; the furthest moved by %.4g, the largest violation left is %.2g", p.Len(), furthest, violation)
	return nil
}

// checkAmounts refuses a file all of whose rows are percent or money, whose
// nearest weights are all in the largest, and says which rows are far from a
// sum of 1.
func checkAmounts(io *cli.IO, p *portfolio.Portfolios, path string) error {
	percent, amounts, far := 0, 0, 0
	first, firstSum := 0, 0.0 // the first that is far
	for i := range p.Len() {
		row := p.Weights.RawRowView(i)
		sum := floats.Sum(row)
		if !(math.Abs(sum-1) <= 0.5) {
			if far++; far == 1 {
				first, firstSum = i, sum
			}
		}
		switch largest := floats.Max(row); {
		case math.Abs(sum-100) <= 1 && largest > 1:
			percent++
		case sum >= 10 && largest > 1 && floats.Min(row) >= 0:
			amounts++
		}
	}
	switch {
	case far == 0:
	case percent == p.Len():
		return fmt.Errorf("%s: row %s sums to %.6g: percent? divide the weights by 100", path, p.ID(first), firstSum)
	case percent+amounts == p.Len():
		return fmt.Errorf(
			"%s: row %s sums to %.6g: amounts? divide each by the sum: the nearest weights to amounts are all in "+
				"the largest", path, p.ID(first), firstSum)
	default:
		io.Note("WARNING: row %s sums to %.4g%s: the nearest weights keep the differences within a row, not the "+
			"proportions; for those divide each row by its sum",
			p.ID(first), firstSum, others(far-1))
	}
	return nil
}

// others says that more rows are alike.
func others(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (and %d more are far from 1)", n)
}
