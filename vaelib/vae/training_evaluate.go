package vae

import "github.com/gomlx/gomlx/core/tensors"

func (t *training) evaluate() error {
	p, err := t.point(t.schedule.Batch)
	if err != nil {
		return err
	}
	multiplier, err := t.multiplier()
	if err != nil {
		return err
	}
	p.Beta *= multiplier
	if t.blocks != nil {
		v, err := t.validate(t.config.Beta * multiplier)
		if err != nil {
			return err
		}
		p.Validation = &v
	}
	if err := t.record(p); err != nil || t.schedule.Patience == 0 {
		return err
	}
	return t.watch(p.Validation.Total)
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
