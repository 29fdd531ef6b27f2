package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
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
			NumberCell(r.Coverage, Percent), NumberCell(r.Energy, Scientific), NumberCell(r.EnergyZ, Ratio),
			NumberCell(r.AUC, Ratio),
			NumberCell(r.Dispersion, Ratio), NumberCell(r.Memorisation, Ratio),
		}})
	}
	text := fmt.Sprintf("%s a sample and %d neighbours: scores of other sizes don't compare. The first row is "+
		"held-out portfolios against other held-out ones, what a perfect generator that knows the future would get. "+
		"The rows after the model's need no network: they have all the training portfolios, as many draws and the "+
		"same projection.", plural(f.Rows, "row"), f.Neighbours)
	return []Block{{Text: text}, {Table: t}, {Terms: []Fact{
		{"Precision, recall", "the share of the sample inside the region of the held-out portfolios, and the reverse."},
		{"Coverage", "the share of held-out portfolios that have a row of the sample among their neighbours."},
		{"Energy distance", "how far two samples lie apart, 0 for none; z counts it in standard deviations of what " +
			"relabelled samples show, and grows with the rows: above 3 is no chance."},
		{"AUC", "the probability that a random forest, trained on both, finds a row of the sample likelier to be " +
			"made than a real one: 0.5 where nothing tells them apart, 1 where everything does."},
		{"Dispersion", "the spread of the sample as a share of the held-out portfolios' spread."},
		{"Memorisation", "the probability that a row lies nearer to the training set than a held-out one: 0.5 for " +
			"new data, 1 for copies. Held-out portfolios are of later windows, so that the training set itself is " +
			"no perfect sample of them."},
	}}}
}

// judgement says where the first sample of the model, the one after the floor,
// stands beside the generators that need no network.
func (f Fidelity) judgement() []string {
	if len(f.Samples) < 2 {
		return nil
	}
	model := f.Samples[1]
	own, known := model.Coverage.Float()
	if !known {
		return nil
	}
	var ahead []string
	for _, r := range f.Samples[2:] {
		memorised, copied := r.Memorisation.Float()
		if v, ok := r.Coverage.Float(); ok && v > own && !(copied && memorised > 0.95) {
			ahead = append(ahead, fmt.Sprintf("%s (%s)", r.Name, Percent.write(v)))
		}
	}
	s := fmt.Sprintf("Of held-out portfolios, its samples cover %s", Percent.write(own))
	if len(ahead) == 0 {
		return []string{s + "; no generator that doesn't copy covers more."}
	}
	return []string{s + "; more is covered by " + strings.Join(ahead, ", ") + "."}
}

// weightsSection lists the chosen portfolios, a column each.
func weightsSection(w Weights) Section {
	s := Section{ID: "weights", Title: "Weights"}
	if len(w.Portfolios) == 0 {
		s.Blocks = []Block{{Text: "No portfolio was chosen."}}
		return s
	}
	t := &Table{Caption: "Weights of chosen portfolios, in percent", Columns: []Column{{Name: "Asset"}}, Dense: true}
	for _, p := range w.Portfolios {
		t.Columns = append(t.Columns, Column{Name: p.Name, Number: true})
	}
	order := make([]int, len(w.Symbols))
	for j := range order {
		order[j] = j
	}
	if len(order) > longTable {
		t.Fold = foldedTable
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(w.largest(b), w.largest(a)) })
		t.Caption += ", the largest first"
	}
	for _, j := range order {
		r := Row{Cells: []Cell{TextCell(w.Symbols[j])}}
		for _, p := range w.Portfolios {
			c := Cell{Text: fixed(100*p.Weights[j], 1), Number: true}
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

// A table of more rows than this folds, to so many.
const (
	longTable   = 24
	foldedTable = 12
)

// largest is the largest weight of an asset in the first portfolio, which is the
// model's, and then in any.
func (w Weights) largest(j int) float64 {
	most := 0.0
	for _, p := range w.Portfolios {
		most = max(most, p.Weights[j])
	}
	return 1000*w.Portfolios[0].Weights[j] + most
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
