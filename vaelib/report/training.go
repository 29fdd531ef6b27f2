package report

import "fmt"

// trainingSection tells what the model was trained on, how, and how that went.
func trainingSection(t Training) section {
	s := section{ID: "training", Title: "Training"}
	for _, w := range t.Warnings {
		s.Blocks = append(s.Blocks, block{Warning: w})
	}
	best := fmt.Sprintf("%s; the parameters of the last are kept", plural(t.Steps, "step"))
	if t.BestStep > 0 && t.BestStep < t.Steps {
		best = fmt.Sprintf("%s; the parameters of step %s are kept, the best on validation", plural(t.Steps, "step"), grouped(int64(t.BestStep)))
	}
	s.Blocks = append(s.Blocks, block{Facts: append([]Fact{
		{"Training portfolios", grouped(int64(t.Rows))},
		{"Validation portfolios", grouped(int64(t.Validation))},
		{"Length", best},
		{"Training loss", t.Loss.text(Number)},
		{"Validation loss", t.ValidationLoss.text(Number)},
		{"Backend", t.Backend},
		{"Time", t.Seconds.with(Number, "s")},
		{"Speed", t.SamplesPerSecond.with(Number, "samples/s")},
	}, t.Settings...)})
	if len(t.Sources) > 0 {
		total := 0
		for _, c := range t.Sources {
			total += c.N
		}
		table := &table{Caption: "Training portfolios by source", Columns: []column{{Name: "Source"}, {Name: "Portfolios", Number: true}, {Name: "Share", Number: true}}}
		for _, c := range t.Sources {
			table.Rows = append(table.Rows, row{Cells: []cell{textCell(c.Name), countCell(c.N), numberCell(Known(float64(c.N)/float64(total)), Percent)}})
		}
		s.Blocks = append(s.Blocks, block{Table: table})
	}
	return s
}
