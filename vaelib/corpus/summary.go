package corpus

import (
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/portfolio"
)

// Summary describes a corpus as corpus.json does.
type Summary struct {
	Source            string                `json:"source"`
	Rows              int                   `json:"rows"`
	ValidationRows    int                   `json:"validation_rows"`
	Seed              uint64                `json:"seed"`
	Market                                  // how the conditions of the market follow from returns
	From              string                `json:"from"` // end of the first period used
	To                string                `json:"to"`   // end of the last period used
	Lookbacks         []int                 `json:"lookbacks"`
	Step              int                   `json:"step"`
	TrainingTo        string                `json:"training_to"` // end of the last period before the validation cut
	Measured          string                `json:"measured"`    // over what risk and return are: training or rolling
	TrainingWindows   int                   `json:"training_windows"`
	ValidationWindows int                   `json:"validation_windows"`
	Counts            map[string]int        `json:"rows_by_source"`
	Recipes           map[string]int        `json:"rows_by_recipe"`
	Redrawn           map[string]int        `json:"redrawn"` // draws that had no answer, by reason
	MeanRepair        float64               `json:"mean_repair_distance"`
	ExactZeros        float64               `json:"share_of_exact_zeros"`
	Spectrum          []float64             `json:"normalised_spectrum"` // n lambda_i / tr Sigma of the training rows
	Conditions        []portfolio.Attribute `json:"conditions"`          // the columns of conditions.csv
	LeftOut           []LeftOut             `json:"conditions_left_out,omitempty"`
	DataHash          string                `json:"data_hash"`
}

// Summary counts what the corpus holds.
func (c *Corpus) Summary() Summary {
	at := func(period int) string { return c.window.Times[period].UTC().Format(time.RFC3339) }
	s := Summary{
		Source: c.config.Source, Rows: len(c.Rows), Seed: c.config.Seed, Market: c.state.market,
		From: at(0), To: at(len(c.window.Times) - 1), TrainingTo: at(c.cut - 1), Measured: c.config.Measured,
		Lookbacks: c.config.Lookbacks, Step: c.config.Step, Conditions: c.Schema, LeftOut: c.state.leftOut,
		Counts: map[string]int{}, Recipes: map[string]int{}, Redrawn: c.redrawn,
		DataHash: c.window.Hash(),
	}
	for _, span := range c.Spans {
		if span.Validation {
			s.ValidationWindows++
		} else {
			s.TrainingWindows++
		}
	}
	for _, r := range c.Rows {
		s.Counts[r.Source]++
		s.Recipes[r.Recipe]++
		s.MeanRepair += r.Repair / float64(len(c.Rows))
		if c.Spans[r.Span].Validation {
			s.ValidationRows++
		}
	}
	zeros := 0
	for i := range c.Rows {
		for _, w := range c.Portfolios.Weights.RawRowView(i) {
			if w == 0 {
				zeros++
			}
		}
	}
	s.ExactZeros = float64(zeros) / float64(len(c.Rows)*len(c.Portfolios.Symbols))
	training, _ := c.Split()
	var cov mat.SymDense
	stat.CovarianceMatrix(&cov, training, nil)
	s.Spectrum = moments.Spectrum(&cov)
	if average := mat.Trace(&cov) / float64(len(s.Symbols)); average > 0 {
		for i := range s.Spectrum {
			s.Spectrum[i] /= average
		}
	}
	return s
}
