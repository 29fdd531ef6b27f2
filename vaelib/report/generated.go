package report

import "fmt"

// generatedSection compares generated portfolios with the training set.
func generatedSection(g Generated) section {
	s := section{ID: "generated", Title: "Generated against training portfolios"}
	text := plural(g.Portfolios, "generated portfolio")
	if g.Sampler != "" {
		text += ", sampled from " + g.Sampler
	}
	s.Blocks = append(s.Blocks, block{Text: text + "."})
	if len(g.Rows) > 0 {
		t := &table{Caption: "Means over portfolios", Columns: []column{{Name: "Figure"}, {Name: "Generated", Number: true}, {Name: "Training", Number: true}, {Name: "Generated / training", Number: true}}}
		for _, r := range g.Rows {
			t.Rows = append(t.Rows, row{Cells: []cell{textCell(r.Name), numberCell(r.Generated, r.Format), numberCell(r.Training, r.Format), numberCell(quotient(r.Generated, r.Training), Ratio)}})
		}
		s.Blocks = append(s.Blocks, block{Table: t})
	}
	if g.Fidelity != nil {
		s.Blocks = append(s.Blocks, g.Fidelity.blocks()...)
	}
	return s
}

// blocks are the table of the samples and how to read it.
func (f Fidelity) blocks() []block {
	t := &table{Caption: "Samples against held-out portfolios", Columns: []column{
		{Name: "Sample"}, {Name: "Precision", Number: true}, {Name: "Recall", Number: true}, {Name: "Coverage", Number: true},
		{Name: "Energy distance", Number: true}, {Name: "p", Number: true}, {Name: "Dispersion", Number: true}, {Name: "Memorisation", Number: true},
	}}
	for i, r := range f.Samples {
		t.Rows = append(t.Rows, row{Strong: i == 0, Cells: []cell{
			textCell(r.Name), numberCell(r.Precision, Percent), numberCell(r.Recall, Percent), numberCell(r.Coverage, Percent),
			numberCell(r.Energy, Scientific), numberCell(r.EnergyP, Ratio), numberCell(r.Dispersion, Ratio), numberCell(r.Memorisation, Ratio),
		}})
	}
	return []block{{Table: t}, {List: []string{
		fmt.Sprintf("%d rows a sample and %d neighbours: scores of other sizes don't compare. The first row is held-out portfolios against other held-out ones, what a perfect generator would get.", f.Rows, f.Neighbours),
		"Memorisation is the probability that a row lies nearer to the training set than a held-out one: 0.5 for new data, 1 for copies. Held-out portfolios are of later windows, so that the training set itself is no perfect sample of them.",
	}}}
}

// quotient is a/b where both are defined and positive.
func quotient(a, b Value) Value {
	x, ok := a.Float()
	y, known := b.Float()
	switch {
	case !ok:
		return a
	case !known:
		return b
	case !(x > 0 && y > 0):
		return Unknown("a ratio needs positive figures")
	}
	return Known(x / y)
}

// weightsSection lists the chosen portfolios, a column each.
func weightsSection(w Weights) section {
	s := section{ID: "weights", Title: "Weights"}
	if len(w.Portfolios) == 0 {
		s.Blocks = []block{{Text: "No portfolio was chosen."}}
		return s
	}
	t := &table{Caption: "Weights of chosen portfolios", Columns: []column{{Name: "Asset"}}}
	for _, p := range w.Portfolios {
		t.Columns = append(t.Columns, column{Name: p.Name, Number: true})
	}
	for j, symbol := range w.Symbols {
		r := row{Cells: []cell{textCell(symbol)}}
		for _, p := range w.Portfolios {
			c := numberCell(Known(p.Weights[j]), Percent)
			if v := p.Weights[j]; v > 0 {
				c.Bar = min(100, float64(int(1000*v))/10)
			} else if v == 0 {
				c.Text = "0"
			}
			r.Cells = append(r.Cells, c)
		}
		t.Rows = append(t.Rows, r)
	}
	s.Blocks = append(s.Blocks, block{Table: t})
	var notes []string
	for _, p := range w.Portfolios {
		if p.Note != "" {
			notes = append(notes, p.Name+": "+p.Note)
		}
	}
	if len(notes) > 0 {
		s.Blocks = append(s.Blocks, block{List: notes})
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
