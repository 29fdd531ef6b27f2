package report

import (
	"fmt"

	"vaefolio/vaelib/number"
)

// generatedSection compares generated portfolios with the training set.
func generatedSection(g Generated) Section {
	s := Section{ID: "generated", Title: "Generated against training portfolios"}
	text := plural(g.Portfolios, "generated portfolio")
	if g.Sampler != "" {
		text += ", sampled from " + g.Sampler
	}
	s.Blocks = append(s.Blocks, Block{Text: text + "."})
	if len(g.Rows) > 0 {
		t := &Table{Caption: "Means over portfolios",
			Columns: headings("Figure", "Generated", "Training", "Generated / training")}
		for _, r := range g.Rows {
			t.Rows = append(t.Rows, Row{Cells: []Cell{
				TextCell(r.Name), NumberCell(r.Generated, r.Format), NumberCell(r.Training, r.Format),
				NumberCell(r.Generated.Over(r.Training), Ratio),
			}})
		}
		s.Blocks = append(s.Blocks, Block{Table: t})
	}
	if g.Fidelity != nil {
		s.Blocks = append(s.Blocks, g.Fidelity.blocks()...)
	}
	return s
}

// blocks are the table of the samples and how to read it.
func (f Fidelity) blocks() []Block {
	t := &Table{Caption: "Samples against held-out portfolios", Columns: headings("Sample", "Precision", "Recall",
		"Coverage", "Energy distance", "z", "AUC", "Dispersion", "Memorisation")}
	for i, r := range f.Samples {
		t.Rows = append(t.Rows, Row{Strong: i == 0, Cells: []Cell{
			TextCell(r.Name), NumberCell(r.Precision, Percent), NumberCell(r.Recall, Percent),
			NumberCell(r.Coverage, Percent), NumberCell(r.Energy, Scientific), NumberCell(r.EnergyZ, Number),
			NumberCell(r.AUC, Ratio),
			NumberCell(r.Dispersion, Ratio), NumberCell(r.Memorisation, Ratio),
		}})
	}
	return []Block{{Table: t}, {List: []string{
		fmt.Sprintf("%d rows a sample and %d neighbours: scores of other sizes don't compare. The first row is "+
			"held-out portfolios against other held-out ones, what a perfect generator would get.",
			f.Rows, f.Neighbours),
		"Memorisation is the probability that a row lies nearer to the training set than a held-out one: 0.5 for new " +
			"data, 1 for copies. Held-out portfolios are of later windows, so that the training set itself is no " +
			"perfect sample of them.",
	}}}
}

// weightsSection lists the chosen portfolios, a column each.
func weightsSection(w Weights) Section {
	s := Section{ID: "weights", Title: "Weights"}
	if len(w.Portfolios) == 0 {
		s.Blocks = []Block{{Text: "No portfolio was chosen."}}
		return s
	}
	t := &Table{Caption: "Weights of chosen portfolios", Columns: []Column{{Name: "Asset"}}}
	for _, p := range w.Portfolios {
		t.Columns = append(t.Columns, Column{Name: p.Name, Number: true})
	}
	for j, symbol := range w.Symbols {
		r := Row{Cells: []Cell{TextCell(symbol)}}
		for _, p := range w.Portfolios {
			c := NumberCell(number.Known(p.Weights[j]), Percent)
			if v := p.Weights[j]; v > 0 {
				c.Bar = min(100, float64(int(1000*v))/10)
			} else if v == 0 {
				c.Text = "0"
			}
			r.Cells = append(r.Cells, c)
		}
		t.Rows = append(t.Rows, r)
	}
	s.Blocks = append(s.Blocks, Block{Table: t})
	var notes []string
	for _, p := range w.Portfolios {
		if p.Note != "" {
			notes = append(notes, p.Name+": "+p.Note)
		}
	}
	if len(notes) > 0 {
		s.Blocks = append(s.Blocks, Block{List: notes})
	}
	return s
}

// check refuses a row of the wrong length.
func (w Weights) check() error {
	for _, p := range w.Portfolios {
		if len(p.Weights) != len(w.Symbols) {
			return fmt.Errorf("portfolio %q has %d weights for %d symbols", p.Name, len(p.Weights), len(w.Symbols))
		}
	}
	return nil
}
