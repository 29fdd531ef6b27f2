package vae

import (
	"io"
	"math"
	"slices"
	"strconv"

	"vaefolio/vaelib/run"
)

// History is the course of a training.
type History struct {
	Points []Point `json:"points"` // one an evaluation, in order of steps
	// Step is the step whose parameters the model has: the last, or with
	// patience that of the smallest validation loss.
	Step         int  `json:"step"`
	StoppedEarly bool `json:"stopped_early"` // patience ran out before the last step
}

// Point is one evaluation.
type Point struct {
	Step         int     `json:"step"`          // steps done
	Beta         float64 `json:"beta"`          // KL weight of this step, in the likelihood's unit
	LearningRate float64 `json:"learning_rate"` // of this step
	// Train is the mean over the batches since the evaluation before, under their
	// warm-up beta.
	Train Losses `json:"train"`
	// Validation is over all validation rows with one noise draw each, always
	// under the full beta; nil without validation rows.
	Validation *Losses `json:"validation"`
	Seconds    float64 `json:"seconds"` // since the training (not its resumption) began
	// SamplesPerSecond is the number of rows a second in the gradient steps since
	// the evaluation before.
	SamplesPerSecond float64 `json:"samples_per_second"`
}

// Losses are means over rows, in nats with the Gaussian likelihood.
type Losses struct {
	// Total is reconstruction + beta KL + control, in training with free bits
	// counted as their floor.
	Total          float64 `json:"total"`
	Reconstruction float64 `json:"reconstruction"`
	KL             float64 `json:"kl"`
	// Control is how far decoded codes of the prior are from their conditions,
	// before its weight: the sum of squares over the conditions that have a
	// measure, in standard deviations. In training over sets it is all that the
	// loss has besides, weighted: the penalty on the logits, and what is learned
	// of the scatter.
	Control float64 `json:"control,omitempty"`
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// SamplesPerSecond returns the median over the evaluations, or 0 before the
// first.
func (h *History) SamplesPerSecond() float64 {
	if len(h.Points) == 0 {
		return 0
	}
	speeds := make([]float64, len(h.Points))
	for i, p := range h.Points {
		speeds[i] = p.SamplesPerSecond
	}
	return median(speeds)
}

// WriteCSV writes one row a point; validation cells are empty where there are
// no validation rows, and the control columns 0 in a model of fixed assets without
// conditions.
func (h *History) WriteCSV(w io.Writer) error {
	header := []string{"step", "beta", "learning_rate",
		"train_loss", "train_reconstruction", "train_kl",
		"validation_loss", "validation_reconstruction", "validation_kl",
		"seconds", "samples_per_second", "train_control", "validation_control"}
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }
	return run.WriteCSV(w, header, func(write func(cells ...string)) {
		for _, p := range h.Points {
			row := []string{strconv.Itoa(p.Step), number(p.Beta), number(p.LearningRate),
				number(p.Train.Total), number(p.Train.Reconstruction), number(p.Train.KL), "", "", ""}
			if v := p.Validation; v != nil {
				copy(row[6:], []string{number(v.Total), number(v.Reconstruction), number(v.KL)})
			}
			row = append(row, number(p.Seconds), number(p.SamplesPerSecond), number(p.Train.Control), "")
			if v := p.Validation; v != nil {
				row[len(row)-1] = number(v.Control)
			}
			write(row...)
		}
	})
}

func finite(l Losses) bool {
	sum := l.Total + l.Reconstruction + l.KL
	return !math.IsNaN(sum) && !math.IsInf(sum, 0)
}
