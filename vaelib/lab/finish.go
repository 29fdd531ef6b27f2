package lab

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"vaefolio/vaelib/run"
)

// Findings are summary.json.
type Findings struct {
	Kind      string         `json:"kind"`
	Source    string         `json:"source"`
	Market    string         `json:"market"`
	Synthetic bool           `json:"synthetic"`
	Seed      uint64         `json:"seed"`
	Backend   string         `json:"backend"`
	Worlds    int            `json:"worlds"`  // of a cell
	Windows   int            `json:"windows"` // of a world
	Verdict   string         `json:"verdict"`
	Needs     []string       `json:"needs"`     // what would have to be true for the generator to be ahead
	Standings []Standing     `json:"standings"` // over the whole map
	Groups    []*Test        `json:"groups"`    // over several cells: by dispersion, by periods per asset, the whole map
	Cells     []CellFindings `json:"cells"`
	// Differences are the learnt rule's from every rival, over each dispersion and the
	// whole map.
	Differences []Difference `json:"differences,omitempty"`
}

// whole is the name of the group of all cells.
const whole = "whole map"

// Finish judges the worlds, all of which must be there, and writes results.csv,
// summary.json and report.html. repeat is the command that made the laboratory, for
// the report.
func (l *Lab) Finish(ctx context.Context, repeat string) (*Findings, error) {
	outcomes, err := l.outcomes()
	if err != nil {
		return nil, err
	}
	if err := l.bound(ctx, outcomes); err != nil {
		return nil, err
	}
	f := l.findings(outcomes)
	return f, l.locked(func() error {
		if err := run.WriteFile(filepath.Join(l.dir, ResultsFile),
			func(w io.Writer) error { return l.writeResults(w, outcomes) }); err != nil {
			return err
		}
		if err := run.WriteJSON(filepath.Join(l.dir, SummaryFile), f); err != nil {
			return err
		}
		return l.writeReport(f, repeat)
	})
}

// findings judges outcomes.
func (l *Lab) findings(outcomes []outcome) *Findings {
	s := l.plan.Settings
	f := &Findings{Kind: planKind, Source: s.Source, Market: l.plan.Market, Synthetic: l.plan.Synthetic,
		Seed: l.plan.Seed, Backend: l.plan.Backend, Worlds: s.Worlds, Windows: s.Windows}
	names, kinds := outcomes[0].Strategies, outcomes[0].Kinds
	gather := func(name string, has func(Cell) bool) group {
		var chosen []outcome
		for _, o := range outcomes {
			if has(o.Cell) {
				chosen = append(chosen, o)
			}
		}
		return group{name, average(chosen)}
	}
	var tests []*Test
	for _, c := range s.cells() {
		g := gather(c.Name(), func(other Cell) bool { return other == c })
		found := CellFindings{Cell: c, PeriodsPerAsset: float64(c.Periods) / float64(c.Assets),
			Standings: g.standings(names, kinds), Test: g.pair(names, kinds)}
		share := func(k int) float64 { return found.Standings[k].Share }
		found.BestRival, found.BestMember = names[bestOf(Rival, kinds, share)], names[bestOf(Family, kinds, share)]
		f.Cells, tests = append(f.Cells, found), append(tests, found.Test)
	}
	if len(f.Cells) > 1 {
		for _, d := range s.Dispersion {
			g := gather(fmt.Sprintf("dispersion %g", d), func(c Cell) bool { return c.Dispersion == d })
			f.Groups = append(f.Groups, g.pair(names, kinds))
			f.Differences = append(f.Differences, g.differences(names, kinds)...)
		}
		for _, n := range s.Assets {
			f.Groups = append(f.Groups, gather(fmt.Sprintf("n %d", n),
				func(c Cell) bool { return c.Assets == n }).pair(names, kinds))
		}
		for _, periods := range s.Periods {
			f.Groups = append(f.Groups, gather(fmt.Sprintf("T %d", periods),
				func(c Cell) bool { return c.Periods == periods }).pair(names, kinds))
		}
	}
	all := gather(whole, func(Cell) bool { return true })
	f.Standings = all.standings(names, kinds)
	f.Groups = append(f.Groups, all.pair(names, kinds))
	f.Differences = append(f.Differences, all.differences(names, kinds)...)
	tests = append(tests, f.Groups...)
	holm(tests)
	f.Verdict, f.Needs = conclusion(tests, f.Groups[len(f.Groups)-1], f.Standings, f.Source)
	return f
}

// writeResults writes one row a world, window and strategy.
func (l *Lab) writeResults(w io.Writer, outcomes []outcome) error {
	header := []string{"world", "window", "strategy", "n", "periods", "dispersion", "share", "seed", "kind", "sharpe",
		"optimum"}
	decimal := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	return run.WriteCSV(w, header, func(write func(cells ...string)) {
		for _, o := range outcomes {
			for k, row := range o.Shares {
				for i, share := range row {
					write(strconv.Itoa(o.World), strconv.Itoa(k), o.Strategies[i], strconv.Itoa(o.Assets),
						strconv.Itoa(o.Periods), decimal(o.Dispersion), decimal(share),
						strconv.FormatUint(l.plan.Seed, 10), o.Kinds[i], decimal(share*o.Optimum), decimal(o.Optimum))
				}
			}
		}
	})
}

// columns are the cells' places on the map's first axis: periods per asset, rising.
func (f *Findings) columns() []Cell {
	var columns []Cell
	for _, c := range f.Cells {
		place := Cell{Assets: c.Assets, Periods: c.Periods}
		if !slices.Contains(columns, place) {
			columns = append(columns, place)
		}
	}
	slices.SortStableFunc(columns, func(a, b Cell) int { return a.Periods*b.Assets - b.Periods*a.Assets })
	return columns
}

// at is the cell of a column and a dispersion.
func (f *Findings) at(column Cell, dispersion float64) *CellFindings {
	for i := range f.Cells {
		c := &f.Cells[i]
		if c.Assets == column.Assets && c.Periods == column.Periods && c.Dispersion == dispersion {
			return c
		}
	}
	return nil
}

// dispersions are the rows of the map, rising.
func (f *Findings) dispersions() []float64 {
	var rows []float64
	for _, c := range f.Cells {
		if !slices.Contains(rows, c.Dispersion) {
			rows = append(rows, c.Dispersion)
		}
	}
	slices.Sort(rows)
	return rows
}

// share of a strategy in a cell.
func (c *CellFindings) share(name string) float64 {
	for _, s := range c.Standings {
		if s.Name == name {
			return s.Share
		}
	}
	return math.NaN()
}
