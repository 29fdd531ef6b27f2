package report

import (
	"fmt"

	"vaefolio/vaelib/number"
)

// trainingSection tells what the model was trained on, how, and how that went.
func trainingSection(t Training) Section {
	s := Section{ID: "training", Title: "Training"}
	for _, w := range t.Warnings {
		s.Blocks = append(s.Blocks, Block{Warning: w})
	}
	best := fmt.Sprintf("%s; the parameters of the last are kept", plural(t.Steps, "step"))
	if t.BestStep > 0 && t.BestStep < t.Steps {
		best = fmt.Sprintf("%s; the parameters of step %s are kept, the best on validation",
			plural(t.Steps, "step"), grouped(int64(t.BestStep)))
	}
	s.Blocks = append(s.Blocks, Block{Facts: append([]Fact{
		{"Training portfolios", grouped(int64(t.Rows))},
		{"Validation portfolios", grouped(int64(t.Validation))},
		{"Length", best},
		{"Training loss", text(t.Loss, Number)},
		{"Validation loss", text(t.ValidationLoss, Number)},
		{"Backend", t.Backend},
		{"Time", with(t.Seconds, Number, "s")},
		{"Speed", with(t.SamplesPerSecond, Number, "samples/s")},
	}, t.Settings...)})
	if len(t.Sources) > 0 {
		total := 0
		for _, c := range t.Sources {
			total += c.N
		}
		table := &Table{Caption: fmt.Sprintf("%s by source, of training and validation together",
			plural(total, "portfolio")), Columns: headings("Source", "Portfolios", "Share")}
		for _, c := range t.Sources {
			share := number.Known(float64(c.N) / float64(total))
			cells := []Cell{TextCell(c.Name), CountCell(c.N), NumberCell(share, Percent)}
			table.Rows = append(table.Rows, Row{Cells: cells})
		}
		s.Blocks = append(s.Blocks, Block{Table: table})
	}
	return s
}
