package vae

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Train fits a model to the rows of train (N x n), and reports its losses on
// the rows of validation (nil: none), which it never learns from.
//
// When ctx ends, Train hands the state to opt.Checkpoint and returns the
// history so far and an error that wraps the context's. It returns a
// *[DivergedError] when the loss stops being finite, and a *[MismatchError]
// when opt.Resume belongs to another training.
func Train(
	ctx context.Context, b *Backend, c Config, s Schedule, train, validation *mat.Dense, opt TrainOptions,
) (*Model, *History, error) {
	t, err := newTraining(b, c, s, train, validation, opt)
	if err != nil {
		return nil, nil, err
	}
	defer t.release()
	if err := t.run(ctx); err != nil {
		return nil, &t.history, err
	}
	if err := t.conclude(); err != nil {
		return nil, &t.history, err
	}
	c = t.config
	c.Beta = t.reached
	model, err := newModel(b, c, t.scaling, slices.Clone(opt.Symbols), t.dataHash, b.name, t.result)
	return model, &t.history, err
}

// newTraining prepares a training up to its first step, or to where the options'
// checkpoint left it.
func newTraining(b *Backend, c Config, s Schedule, train, validation *mat.Dense, opt TrainOptions) (*training, error) {
	if validation != nil && validation.IsEmpty() {
		validation = nil
	}
	c.EnsureDefaults()
	s.EnsureDefaults()
	if err := checkTraining(c, s, train, validation, opt); err != nil {
		return nil, err
	}
	scaling, err := newScaling(train)
	if err != nil {
		return nil, err
	}
	if scaling.conditions, err = newScales(c.Conditions, opt.Conditions); err != nil {
		return nil, err
	}
	controls, measures, err := newControls(c, scaling, opt.Measures)
	if err != nil {
		return nil, err
	}
	c.Hidden = append([]int{}, c.Hidden...) // the caller's may change; never nil
	c.Conditions = cloneConditions(c.Conditions)
	programs, err := b.program(c)
	if err != nil {
		return nil, err
	}
	t := &training{
		course: course{backend: b, schedule: s, options: opt, beta: c.Beta, dataHash: DataHash(train, validation, opt)},
		config: c, scaling: scaling, programs: programs, noise: programs.network.noiseWidth(controls),
	}
	t.learner = t
	t.layout = programs.network.layout(s.Batch, b.stepsPerCall > 1)
	if t.train, err = programs.step(program{
		batch: s.Batch, loop: b.stepsPerCall > 1, layout: t.layout,
		controls: controls, freeBits: c.FreeBits > 0, rate: c.TargetRate > 0,
	}); err != nil {
		return nil, err
	}
	if t.eval, err = programs.eval(controls); err != nil {
		return nil, err
	}
	t.place(train, validation, measures)
	if opt.Resume == nil {
		t.begin()
	} else if err := t.restore(opt.Resume); err != nil {
		return nil, err
	}
	return t, t.compile()
}

// checkTraining returns an error unless a training can begin with what it is
// given; validation may be nil.
func checkTraining(c Config, s Schedule, train, validation *mat.Dense, opt TrainOptions) error {
	if err := c.Validate(); err != nil {
		return err
	}
	if err := s.Validate(); err != nil {
		return err
	}
	switch {
	case opt.Symbols != nil && len(opt.Symbols) != c.Assets:
		return fmt.Errorf("%d symbols for %d assets", len(opt.Symbols), c.Assets)
	case opt.From != nil:
		return errors.New("a model over sets is no start for one of a fixed universe")
	case train == nil || train.IsEmpty():
		return errors.New("no training rows")
	case s.Patience > 0 && validation == nil:
		return errors.New("patience needs validation rows")
	case s.Patience > 0 && c.TargetRate > 0:
		return errors.New("patience compares losses of one beta, and a target rate changes it: give one of them")
	}
	if err := checkRows("training", train, opt.Conditions, c); err != nil || validation == nil {
		return err
	}
	return checkRows("validation", validation, opt.ValidationConditions, c)
}

// conclude takes the parameters that the steps came to, and the beta that a target rate
// has reached.
func (t *training) conclude() (err error) {
	t.reached = t.config.Beta
	if t.schedule.Patience > 0 {
		t.result, t.history.Step = t.best, t.bestStep()
		return nil
	}
	multiplier, err := t.multiplier()
	if err != nil {
		return err
	}
	t.reached *= multiplier
	t.result, err = t.joined(t.state.theta)
	return err
}
