package report

import "fmt"

// findings says what came out and whether to believe it, in sentences that follow
// from the parts of the document.
func (d Document) findings() Section {
	s := Section{ID: "findings", Title: "What came out, and whether to believe it"}
	h := d.Header.Health
	lines := []string{}
	if h.Good {
		lines = append(lines, "The model's health is good by every rule: what follows is what the method can do here.")
	} else {
		lines = append(lines, fmt.Sprintf("The model's health is %s, for the reasons above: what follows says little "+
			"about the method. What mends most models, in this order: more training (-preset quick takes a quarter "+
			"of the steps and a third of the portfolios), a smaller -beta, more -latent dimensions.", h.Verdict))
	}
	if d.Baselines != nil {
		lines = append(lines, d.Baselines.Judgement()...)
	}
	if d.Generated != nil && d.Generated.Fidelity != nil {
		lines = append(lines, d.Generated.Fidelity.judgement()...)
	}
	s.Blocks = append(s.Blocks, Block{List: lines}, Block{Terms: []Fact{
		{"In sample, out of sample", "before the split in time, where everything was learned and chosen, and after " +
			"it. Only the later part says anything about a portfolio's worth."},
		{"Code", "the few numbers into which the model packs a portfolio, and from which it makes one. The latent " +
			"search looks for the best code."},
		{"Active unit", "a number of the code that changes with the portfolio. A model without any makes the same " +
			"portfolio of every code."},
		{"R²", "the share of the variance of held-out portfolios that comes back through the code."},
		{"Nat", "the unit of information and of log likelihood where logarithms are natural: 1.44 bits. One nat more " +
			"makes a portfolio 2.7 times as likely."},
	}})
	return s
}

// next tells what to do with the run.
func (d Document) next() Section {
	s := Section{ID: "next", Title: "What to do next"}
	for _, c := range d.Commands {
		s.Blocks = append(s.Blocks, Block{Text: c.Name}, Block{Code: c.Text})
	}
	if len(d.Files) > 0 {
		t := &Table{Caption: "Which file holds what", Columns: []Column{{Name: "File"}, {Name: "What it holds"}}}
		for _, f := range d.Files {
			t.Rows = append(t.Rows, Row{Cells: []Cell{TextCell(f.Name), TextCell(f.Text)}})
		}
		s.Blocks = append(s.Blocks, Block{Table: t})
	}
	return s
}
