// Command project moves weights to the nearest ones that constraints allow.
package main

import (
	"context"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
)

type config struct {
	Weights string `flag:"weights" unit:"FILE" required:"true" help:"a CSV with a header of symbols and optionally a first column id; its rows may have any sum"`
	cli.Constraints
	cli.Common
}

var verb = cli.Verb[config]{
	Name:    "project",
	Summary: "the nearest weights that sum to 1 and meet the constraints, as csv",
	Example: `
		project -weights raw.csv -max-weight 0.25 > weights.csv
		project -weights raw.csv -min-weight 0.02 -sectors sectors.csv -sector-cap L1=0.35 > weights.csv`,
	Run: project,
}

func main() { cli.Main(verb) }

// rowsPerBlock is how many rows are projected between reports.
const rowsPerBlock = 4096

func project(ctx context.Context, c *config, io *cli.IO) error {
	p, err := portfolio.ReadCSV(c.Weights, portfolio.ReadOptions{AnySum: true})
	if err != nil {
		return err
	}
	set, err := c.Set(p.Symbols)
	if err != nil {
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
