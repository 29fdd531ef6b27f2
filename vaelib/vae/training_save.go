package vae

import (
	"fmt"
	"slices"
	"time"

	"github.com/gomlx/gomlx/core/tensors"
)

// save hands the state to the caller.
func (t *training) save() error {
	if t.options.Checkpoint == nil {
		return nil
	}
	c, err := t.checkpoint()
	if err != nil {
		return err
	}
	return t.options.Checkpoint(c)
}

// checkpoint copies the state out.
func (t *training) checkpoint() (*Checkpoint, error) {
	c := &Checkpoint{best: t.best, document: checkpointDocument{
		Version: checkpointVersion, Config: t.config, Schedule: t.schedule, Backend: t.backend.name,
		DataHash: t.dataHash,
		Step:     t.step, Evaluated: t.evaluated, Stale: t.stale, BestLoss: t.bestLoss,
		Points: slices.Clone(t.history.Points), Seconds: t.before + time.Since(t.began).Seconds(),
	}}
	for _, v := range []struct {
		dst   *[]float32
		parts []*tensors.Tensor
	}{
		{&c.theta, t.state.theta}, {&c.first, t.state.first}, {&c.second, t.state.second},
	} {
		var err error
		if *v.dst, err = t.joined(v.parts); err != nil {
			return nil, err
		}
	}
	var err error
	if c.sums, err = floats(t.state.sums); err != nil {
		return nil, err
	}
	if c.rate, err = floats(t.state.rate); err != nil {
		return nil, err
	}
	for _, v := range c.vectors() {
		if checkFinite(*v.values) != nil {
			return nil, &DivergedError{Step: t.step, LearningRate: t.schedule.LearningRate, Beta: t.config.Beta}
		}
	}
	return c, nil
}

// restore continues from a checkpoint.
func (t *training) restore(c *Checkpoint) error {
	d := &c.document
	if d.Set != nil {
		return &MismatchError{What: "kind", Have: "that of any set of assets", Want: "that of a fixed one"}
	}
	config := MismatchError{"configuration", d.Config, t.config}
	if err := d.matches(t.schedule, t.backend.name, t.dataHash, config); err != nil {
		return err
	}
	t.step, t.evaluated, t.stale, t.bestLoss = d.Step, d.Evaluated, d.Stale, d.BestLoss
	t.best, t.before = c.best, d.Seconds
	t.history.Points = slices.Clone(d.Points)
	t.load(slices.Clone(c.theta), slices.Clone(c.first), slices.Clone(c.second),
		slices.Clone(c.sums), slices.Clone(c.rate))
	return nil
}

func (t *training) interrupted(cause error) error {
	if err := t.save(); err != nil {
		return fmt.Errorf("training stopped at step %d of %d (%w), and its state was not saved: %w",
			t.step, t.schedule.Steps, cause, err)
	}
	return fmt.Errorf("training stopped at step %d of %d: %w", t.step, t.schedule.Steps, cause)
}
