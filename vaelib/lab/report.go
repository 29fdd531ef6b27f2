package lab

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"vaefolio/vaelib/figure"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/report"
	"vaefolio/vaelib/run"
)

// writeReport draws the map and writes report.html.
func (l *Lab) writeReport(f *Findings, repeat string) error {
	drawn, err := f.draw()
	if err != nil {
		return err
	}
	picture, err := report.NewPicture(drawn, "Who is ahead where: the best member of the generator's family less "+
		"the best rival, both by all worlds. The names are for the eye; what is claimed stands in the table of "+
		"tests.")
	if err != nil {
		return err
	}
	if err := run.WriteFile(filepath.Join(l.dir, FiguresFile), drawn.Write); err != nil {
		return err
	}
	s := l.plan.Settings
	document := report.Document{
		Header: report.Header{
			Title: "Laboratory: markets whose truth is known", Synthetic: f.Synthetic, Verdict: f.Verdict,
			Subtitle: fmt.Sprintf("%s markets, %d cells of %d worlds of %d histories, seed %d", f.Source,
				len(f.Cells), f.Worlds,
				f.Windows, f.Seed),
		},
		Sections: []report.Section{
			{ID: "map", Title: "The map", Pictures: []report.Picture{picture},
				Blocks: []report.Block{{List: f.Needs}}},
			{ID: "tests", Title: "What is claimed", Blocks: f.claims()},
			{ID: "standings", Title: "Shares of the true optimum", Blocks: []report.Block{
				{Text: "Mean share of the largest true Sharpe ratio of long-only weights, over all worlds, with 95 " +
					"% intervals of each figure alone; the regret is what is missing to 1. The ceiling is chosen " +
					"by the truth, and is no strategy."},
				{Table: f.standingTable()}, {Table: f.cellTable()},
			}},
		},
		Commands: []report.Fact{{Name: "To repeat this run, from the root of the repository:", Text: repeat}},
		Provenance: &report.Provenance{
			Facts: []report.Fact{{Name: "Markets", Text: l.plan.Market}, {Name: "Seed", Text: fmt.Sprint(f.Seed)},
				{Name: "Backend", Text: f.Backend},
				{Name: "Models", Text: fmt.Sprintf("%d training portfolios, %d steps, %d samples", s.Rows,
					s.Steps, s.Samples)}},
			Limits: []string{
				"Decisions are judged by the moments of the long run: what a regime adds for a while doesn't count.",
				"There are no costs, and no constraints but long-only weights.",
				"Means are constant over a world's histories, which suits whoever estimates them.",
			},
		},
	}
	return run.WriteFile(filepath.Join(l.dir, ReportFile), func(w io.Writer) error { return report.Write(w, document) })
}

// draw is the heat map over periods per asset and dispersion.
func (f *Findings) draw() (*figure.Figure, error) {
	grid := figure.Grid{
		Frame: figure.Frame{Title: "Where a generator helps", Synthetic: f.Synthetic,
			Subtitle: "share of the true optimum: best member of the generator's family less best rival, by all " +
				"worlds"},
		X: "periods per asset", Y: "dispersion of the true Sharpe ratios",
		Positive: "generator's family ahead", Negative: "rival ahead",
	}
	columns := f.columns()
	for _, c := range columns {
		grid.Columns = append(grid.Columns, fmt.Sprintf("%.3g (n %d, T %d)",
			float64(c.Periods)/float64(c.Assets), c.Assets,
			c.Periods))
	}
	for _, d := range f.dispersions() {
		var values []float64
		var words [][]string
		for _, column := range columns {
			c := f.at(column, d)
			member, rival := c.share(c.BestMember), c.share(c.BestRival)
			values = append(values, member-rival)
			words = append(words, []string{c.BestMember, fmt.Sprintf("%.3f", member), c.BestRival,
				fmt.Sprintf("%.3f", rival),
				map[string]string{GeneratorAhead: "tested: generator", RivalAhead: "tested: rival",
					Undecided: "tested: undecided"}[c.Test.Verdict]})
		}
		grid.Rows = append(grid.Rows, strconv.FormatFloat(d, 'g', -1, 64))
		grid.Values, grid.Words = append(grid.Values, values), append(grid.Words, words)
	}
	return grid.Draw()
}

// testTable lists all tests, groups first.
func (f *Findings) testTable() *report.Table {
	t := &report.Table{Columns: []report.Column{{Name: "group"}, {Name: "member"}, {Name: "rival"},
		{Name: "difference", Number: true}, {Name: "from", Number: true}, {Name: "to", Number: true},
		{Name: "p (Holm)", Number: true}, {Name: "verdict"}}}
	add := func(x *Test) {
		t.Rows = append(t.Rows, report.Row{Strong: x.Group == whole, Cells: []report.Cell{
			report.TextCell(x.Group), report.TextCell(x.Member), report.TextCell(x.Rival), three(x.Difference),
			three(x.From),
			three(x.To), report.NumberCell(number.Known(x.PHolm), report.Number), report.TextCell(x.Verdict)}})
	}
	for _, x := range slices.Backward(f.Groups) {
		add(x)
	}
	for _, c := range f.Cells {
		add(c.Test)
	}
	return t
}

// claims are the tests, and below them the learnt rule's differences where it is
// looked at.
func (f *Findings) claims() []report.Block {
	blocks := []report.Block{
		{Text: "Half of the worlds choose the member of the family, with its settings, and the rival; the " +
			"other half tests them. The unit is a world. Intervals are at the levels of Holm's procedure " +
			"over all tests of this page, so that the probability of any false claim is at most 5 %."},
		{Table: f.testTable()},
	}
	if len(f.Differences) == 0 {
		return blocks
	}
	t := &report.Table{
		Caption: "The learnt rule less each rival, by all worlds, with 95 % intervals of each figure alone",
		Columns: []report.Column{{Name: "group"}, {Name: "member"}, {Name: "rival"},
			{Name: "difference", Number: true}, {Name: "from", Number: true}, {Name: "to", Number: true}}}
	for _, d := range f.Differences {
		t.Rows = append(t.Rows, report.Row{Strong: d.Group == whole, Cells: []report.Cell{
			report.TextCell(d.Group), report.TextCell(d.Member), report.TextCell(d.Rival), three(d.Difference),
			three(d.From), three(d.To)}})
	}
	return append(blocks, report.Block{Table: t})
}

// three writes a share with three decimals.
func three(v float64) report.Cell {
	return report.Cell{Text: strings.Replace(strconv.FormatFloat(v, 'f', 3, 64), "-", "−", 1), Number: true,
		Fixed: true}
}

// standingTable lists the strategies over the whole map, the best first.
func (f *Findings) standingTable() *report.Table {
	t := &report.Table{Caption: "Over the whole map", Columns: []report.Column{{Name: "strategy"}, {Name: "kind"},
		{Name: "share", Number: true}, {Name: "from", Number: true}, {Name: "to", Number: true}}}
	for _, s := range f.byShare() {
		t.Rows = append(t.Rows, report.Row{Cells: []report.Cell{report.TextCell(s.Name), report.TextCell(s.Kind),
			three(s.Share), three(s.From), three(s.To)}})
	}
	return t
}

func (f *Findings) byShare() []Standing {
	sorted := slices.Clone(f.Standings)
	slices.SortStableFunc(sorted, func(a, b Standing) int { return cmp.Compare(b.Share, a.Share) })
	return sorted
}

// cellTable lists the strategies' shares in every cell.
func (f *Findings) cellTable() *report.Table {
	t := &report.Table{Caption: "In each cell: n / T / dispersion", Columns: []report.Column{{Name: "strategy"}}}
	for _, c := range f.Cells {
		t.Columns = append(t.Columns, report.Column{Name: fmt.Sprintf("%d / %d / %g", c.Assets, c.Periods,
			c.Dispersion),
			Number: true})
	}
	for _, s := range f.byShare() {
		row := report.Row{Cells: []report.Cell{report.TextCell(s.Name)}}
		for i := range f.Cells {
			row.Cells = append(row.Cells, three(f.Cells[i].share(s.Name)))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}
