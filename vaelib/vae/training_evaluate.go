package vae

import (
	"time"

	"github.com/gomlx/gomlx/core/tensors"
)

// evaluate adds a point to the history.
func (t *training) evaluate() error {
	start := time.Now()
	sums, err := floats(t.state.sums) // waits for the steps to end
	if err != nil {
		return err
	}
	t.stepping += time.Since(start)
	multiplier, err := t.multiplier()
	if err != nil {
		return err
	}
	steps := float64(t.step - t.evaluated)
	p := Point{
		Step: t.step, Beta: t.config.Beta * t.schedule.warm(t.step-1) * multiplier,
		LearningRate: t.schedule.rate(t.step - 1),
		Train: Losses{
			Total: float64(sums[sumTotal]) / steps, Reconstruction: float64(sums[sumReconstruction]) / steps,
			KL: float64(sums[sumKL]) / steps, Control: float64(sums[sumControl]) / steps,
		},
		SamplesPerSecond: float64(t.timed*t.schedule.Batch) / t.stepping.Seconds(),
	}
	if !finite(p.Train) {
		return &DivergedError{Step: t.step, LearningRate: t.schedule.LearningRate, Beta: t.config.Beta}
	}
	if t.blocks != nil {
		v, err := t.validate(t.config.Beta * multiplier)
		if err != nil {
			return err
		}
		if !finite(v) {
			return &DivergedError{Step: t.step, LearningRate: t.schedule.LearningRate, Beta: t.config.Beta}
		}
		p.Validation = &v
	}
	p.Seconds = t.before + time.Since(t.began).Seconds()
	t.history.Points = append(t.history.Points, p)
	t.evaluated, t.stepping, t.timed = t.step, 0, 0
	t.state.sums = tensors.FromFlatDataAndDimensions(make([]float32, sumSize), sumSize)
	t.announce(p)
	t.report()
	if t.schedule.Patience > 0 {
		return t.watch(p.Validation.Total)
	}
	return nil
}

// watch keeps the best parameters and stops when patience runs out. Warm-up
// is not held against a training.
func (t *training) watch(loss float64) error {
	if t.best == nil || loss < t.bestLoss {
		best, err := t.joined(t.state.theta)
		t.best, t.bestLoss, t.stale = best, loss, 0
		return err
	}
	t.stale++
	s := t.schedule
	warm := float64(s.cycles()-1)*s.period() + s.warmupSteps() // in the last cycle
	t.history.StoppedEarly = t.stale >= s.Patience && float64(t.step) >= warm && t.step < s.Steps
	return nil
}

// bestStep is the step of the smallest validation loss.
func (t *training) bestStep() int {
	best := t.history.Points[0]
	for _, p := range t.history.Points {
		if p.Validation.Total < best.Validation.Total {
			best = p
		}
	}
	return best.Step
}

// validate returns the losses on the validation rows under the full beta.
func (t *training) validate(beta float64) (Losses, error) {
	var l Losses
	theta := t.state.theta[0]
	if len(t.state.theta) > 1 {
		v, err := t.joined(t.state.theta)
		if err != nil {
			return Losses{}, err
		}
		theta = tensors.FromFlatDataAndDimensions(v, len(v))
		defer func() { _ = guard(theta.FinalizeAll) }()
	}
	for _, block := range t.blocks {
		sums, err := call(t.eval, theta, block.noise, block.rows, block.present,
			t.inputs[inputMean], t.variance, t.inputs[inputMeasures])
		if err != nil {
			return Losses{}, err
		}
		rows := float64(t.heldOut)
		l.Reconstruction += float64(sums[0][0]) / rows
		l.Control += float64(sums[0][1]) / rows
		for _, v := range sums[0][2:] {
			l.KL += float64(v) / rows
		}
	}
	l.Total = l.Reconstruction + beta*l.KL + t.config.Control*l.Control
	return l, nil
}
